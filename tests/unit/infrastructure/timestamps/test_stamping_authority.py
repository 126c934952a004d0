"""Our time-stamping authority, as OpenSSL, another client and our own verifier see it."""

import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.hierarchy import NOW, Hierarchy, write_pem
from tests.support.openssl import openssl, openssl_refuses
from tests.support.stamping import POLICY, Kernel, authority, roots_of

from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.der import OBJECT, SEQUENCE, TIME, single, values, write
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.clock import ClockState
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.timestamps import Query, kept_form, verify_stamp
from tallystick.infrastructure.timestamps.asked import read_asking
from tallystick.infrastructure.timestamps.authority import (
    BAD_ALGORITHM,
    BAD_FORM,
    EXTENDED,
    FAILED,
    NO_TIME,
    OTHER_POLICY,
    Practice,
    StampingAuthority,
    general,
    refused,
)
from tallystick.infrastructure.timestamps.chain import (
    begin,
    extend,
    is_due,
    read_chain,
    verify_chain,
    write_chain,
)
from tallystick.infrastructure.timestamps.response import read_response
from tallystick.infrastructure.timestamps.statement import read_statement
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotPermitted, Unavailable
from tallystick.kernel.time import DAY_MS, MINUTE_MS, Instant

DATA = b"what is stamped"
QUERY = Query(digest=sha256(DATA), nonce=0x1234_5678_9ABC_DEF0)


@pytest.fixture
def made(tmp_path: Path) -> Hierarchy:
    return Hierarchy(tmp_path)


@pytest.mark.parametrize("more", [("-cert",), (), ("-cert", "-no_nonce"), ("-tspolicy", POLICY)])
@pytest.mark.parametrize("hashed", ["-sha256", "-sha384", "-sha512"])
def test_openssl_verifies_our_stamps(made: Hierarchy, more: tuple[str, ...], hashed: str) -> None:
    data, asked, answered = (made.folder / name for name in ("data", "asked.tsq", "answered.tsr"))
    data.write_bytes(DATA)
    openssl("ts", "-query", "-data", data, hashed, *more, "-out", asked)
    answered.write_bytes(authority(made).answer(asked.read_bytes(), made.now))
    root = write_pem(made.folder / "root.pem", made.root.certificate)
    issued = list(made.register.certificates())[-1]
    others = made.folder / "others.pem"
    services = made.authorities["services"].certificate.octets
    others.write_text(pem_of(issued.octets) + pem_of(services))
    trust = ("-CAfile", root, "-untrusted", others)
    for what in (("-queryfile", asked), ("-data", data)):
        said = openssl("ts", "-verify", *what, "-in", answered, *trust)
        assert "Verification: OK" in said
    text = openssl("ts", "-reply", "-in", answered, "-text")
    assert "Status: Granted" in text
    assert f"Policy OID: {POLICY}" in text
    assert "Accuracy: 0x01 seconds" in text
    assert "Ordering: yes" in text
    data.write_bytes(DATA + b"!")
    openssl_refuses("ts", "-verify", "-data", data, "-in", answered, *trust)


def test_openssl_reads_our_refusals(made: Hierarchy) -> None:
    data, asked, answered = (made.folder / name for name in ("data", "asked.tsq", "answered.tsr"))
    data.write_bytes(DATA)
    kernel = Kernel()
    kernel.state = None
    cases = (
        (("-sha1",), "unrecognized or unsupported algorithm", Kernel()),
        (("-sha256", "-tspolicy", "1.2.3"), "requested TSA policy is not supported", Kernel()),
        (("-sha256",), "TSA's time source is not available", kernel),
    )
    for options, words, clock in cases:
        openssl("ts", "-query", "-data", data, *options, "-out", asked)
        answered.write_bytes(authority(made, clock).answer(asked.read_bytes(), made.now))
        text = openssl("ts", "-reply", "-in", answered, "-text")
        assert "Status: Rejected" in text
        assert words in text


_CLIENT = """
import sys, hashlib
from decimal import Decimal
from pathlib import Path
from cryptography import x509
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client import HashAlgorithm
folder = Path(sys.argv[1])
data = (folder / "data").read_bytes()
if sys.argv[2] == "ask":
    asked = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    (folder / "asked").write_bytes(asked.as_bytes())
else:
    root = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
    response = decode_timestamp_response((folder / "answered").read_bytes())
    verifier = VerifierBuilder().add_root_certificate(root).build()
    policy = response.tst_info.policy.dotted_string
    print("verified", verifier.verify_message(response, data), policy)
"""


def test_another_client_verifies_our_stamps(made: Hierarchy) -> None:
    write_pem(made.folder / "root.pem", made.root.certificate)
    (made.folder / "data").write_bytes(DATA)
    said = ""
    for step in ("ask", "verify"):
        command = [sys.executable, "-c", _CLIENT, str(made.folder), step]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        said = done.stdout
        if step == "ask":
            answer = authority(made).answer((made.folder / "asked").read_bytes(), made.now)
            (made.folder / "answered").write_bytes(answer)
    assert said.split() == ["verified", "True", POLICY]


def test_our_own_verifier_takes_what_is_kept(made: Hierarchy) -> None:
    answer = authority(made).answer(QUERY.octets(), made.now)
    octets = kept_form(answer, QUERY, roots_of(made))
    found = verify_stamp(octets, DATA, roots_of(made), policy=POLICY)
    assert (found.at, found.accuracy_ms, found.nonce) == (made.now, 1000, QUERY.nonce)
    assert found.serial.bit_length() > 100
    with pytest.raises(NotAuthentic):
        verify_stamp(octets, DATA + b"!", roots_of(made))


def why(answer: bytes) -> str:
    with pytest.raises(Unavailable) as error:
        read_response(answer)
    return error.value.detail


def test_each_refusal_says_why(made: Hierarchy) -> None:
    ours = authority(made)
    asked = QUERY.octets()
    body = single(asked, SEQUENCE).body
    extended = write(SEQUENCE, body, b"\xa0\x00")
    short = Query(digest=b"too short", nonce=1).octets()
    assert ours.answer(extended, made.now) == refused(EXTENDED)
    assert ours.answer(short, made.now) == refused(BAD_FORM)
    assert ours.answer(asked + b"\x00", made.now) == refused(BAD_FORM)
    assert ours.answer(b"", made.now) == refused(BAD_FORM)
    other = Query(digest=sha256(DATA), nonce=1, policy="1.2.3").octets()
    assert ours.answer(other, made.now) == refused(OTHER_POLICY)
    md5 = asked.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040209"))
    assert ours.answer(md5, made.now) == refused(BAD_ALGORITHM)
    assert ours.answer(asked, Instant(made.now + 366 * DAY_MS)) == refused(FAILED)
    assert ours.answer(asked, Instant(made.now - DAY_MS)) == refused(FAILED)
    assert "no time now" in why(refused(NO_TIME))
    assert "policy" in why(refused(OTHER_POLICY))
    assert "algorithm" in why(refused(BAD_ALGORITHM))
    made.module.zeroise()
    assert ours.answer(asked, made.now) == refused(FAILED)


def test_no_time_is_given_by_a_clock_that_is_not_known_to_be_right(made: Hierarchy) -> None:
    kernel = Kernel()
    ours, asked = authority(made, kernel), QUERY.octets()

    def later(ms: int, state: ClockState | None, off: int = 0) -> bytes:
        kernel.elapsed += ms
        kernel.state = state
        return ours.answer(asked, Instant(made.now + kernel.elapsed - 1_000_000 + off))

    good = ClockState(synchronised=True, most_off_ms=5)
    read_response(later(0, good))
    assert later(2000, ClockState(synchronised=False, most_off_ms=5)) == refused(NO_TIME)
    assert later(2000, ClockState(synchronised=True, most_off_ms=1001)) == refused(NO_TIME)
    assert later(2000, None) == refused(NO_TIME)
    read_response(later(2000, good))
    assert later(10, good, off=5000) == refused(NO_TIME)
    assert later(30_000, good, off=5000) == refused(NO_TIME)
    read_response(later(MINUTE_MS, good, off=5000))
    assert later(10, good, off=-5000) == refused(NO_TIME)
    declared = authority(made, kernel, declared=True)
    kernel.state = None
    read_response(declared.answer(asked, made.now))


def test_stamps_are_in_order_and_never_ahead_by_more_than_is_promised(made: Hierarchy) -> None:
    kernel = Kernel()
    kernel.state = ClockState(synchronised=True, most_off_ms=0)
    ours = authority(made, kernel, practice=Practice(POLICY, accuracy_ms=1))
    asked, seen, numbers = QUERY.octets(), [], set()
    for _ in range(500):
        stated = read_response(ours.answer(asked, made.now)).content
        seen.append(stated)
        numbers.add(read_statement(stated).serial)
    assert len(numbers) == 500
    instants = [fraction(one) for one in seen]
    assert instants == sorted(instants)
    assert len(set(instants)) == 500
    for _ in range(501):
        ours.answer(asked, made.now)
    assert ours.answer(asked, made.now) == refused(NO_TIME)
    kernel.elapsed += 5
    read_response(ours.answer(asked, Instant(made.now + 5)))


def fraction(content: bytes) -> Decimal:
    found = next(one for one in values(single(content, SEQUENCE).body) if one.tag == TIME)
    return Decimal(found.body.rstrip(b"Z").decode())


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, b"19700101000000Z"),
        (1_500_000, b"19700101000001.5Z"),
        (10_000_001, b"19700101000010.000001Z"),
    ],
)
def test_an_instant_has_one_form(at_us: int, text: bytes) -> None:
    assert general(at_us) == text


def test_the_key_serves_stamps_and_nothing_else(made: Hierarchy) -> None:
    other = made.signer(Purpose.TIME_STAMP)
    leaf = made.issue("partner", "menus-east")
    ours = authority(made)
    with pytest.raises(NotAuthentic):
        StampingAuthority((leaf,), other, Practice(POLICY), ours._health, made.module.random)
    with pytest.raises(NotPermitted):
        StampingAuthority((ours._own,), other, Practice(POLICY), ours._health, made.module.random)
    with pytest.raises(NotPermitted):
        StampingAuthority(
            (ours._own,), ours._signer, Practice(POLICY, 0), ours._health, made.module.random
        )


def test_whatever_is_asked_is_answered(made: Hierarchy) -> None:
    """Only our own errors come out of the reader, and the authority answers everything."""
    ours, dice, asked = authority(made), random.Random(5816), QUERY.octets()
    refusals = 0
    for _ in range(3000):
        changed = bytearray(asked)
        for _ in range(dice.randrange(1, 4)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        cut = bytes(changed[: dice.randrange(len(changed) + 1)] if dice.random() < 0.3 else changed)
        try:
            read_asking(cut)
        except Malformed:
            assert ours.answer(cut, made.now) == refused(BAD_FORM)
            refusals += 1
        else:
            single(ours.answer(cut, made.now), SEQUENCE)
    assert refusals > 1000


def test_a_policy_with_a_number_of_thousands_of_digits_is_answered(made: Hierarchy) -> None:
    policy = write(OBJECT, b"\x2a" + b"\xff" * 2_500 + b"\x01")
    parts = values(single(QUERY.octets(), SEQUENCE).body)
    asked = write(SEQUENCE, parts[0].octets, parts[1].octets, policy)
    assert authority(made).answer(asked, made.now) == refused(BAD_FORM)


@pytest.mark.requirement("MFS-8.1.5-04")
def test_what_is_kept_outlives_the_certificate_of_its_stamp(made: Hierarchy) -> None:
    roots, document = roots_of(made), b"a consent, signed"

    def stamping(at: int):
        ours = authority(made, now=Instant(at))

        def stamp(data: bytes) -> bytes:
            query = Query(digest=sha256(data), nonce=7)
            return kept_form(ours.answer(query.octets(), Instant(at)), query, roots)

        return stamp

    first = begin(document, stamping(NOW))
    found = verify_chain(first, document, roots)
    assert not is_due(found, NOW)
    assert is_due(found, Instant(NOW + 300 * DAY_MS))
    assert is_due(found, NOW, weak_from=Instant(NOW + 30 * DAY_MS))
    second = extend(first, document, stamping(NOW + 300 * DAY_MS))
    third = extend(second, document, stamping(NOW + 600 * DAY_MS))
    kept = read_chain(write_chain(third))
    assert [one.at for one in verify_chain(kept, document, roots)] == [
        NOW,
        NOW + 300 * DAY_MS,
        NOW + 600 * DAY_MS,
    ]
    late = extend(first, document, stamping(NOW + 400 * DAY_MS))
    with pytest.raises(NotAuthentic, match="proved nothing any more"):
        verify_chain(late, document, roots)
    with pytest.raises(NotAuthentic):
        verify_chain(third, document + b"!", roots)
    for wrong in (
        (third.stamps[1], third.stamps[0], third.stamps[2]),
        (third.stamps[0], third.stamps[2]),
        third.stamps[1:],
    ):
        with pytest.raises(NotAuthentic):
            verify_chain(type(third)(v=1, stamps=wrong), document, roots)
    for octets in (b"", b"{}", b'{"stamps":[],"v":1}'):
        with pytest.raises(MfsError):
            read_chain(octets)
