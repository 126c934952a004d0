"""Signed policies: who approved, which version, which profile; every other file is refused."""

import pytest
from tests.unit.process.policy.policy_texts import changed, demo_text

from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Es256SigningKey,
    SigningKey,
    VerifyKey,
)
from tallystick.kernel.codec import b64url, b64url_decode, encode
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    MfsError,
    NotAuthentic,
    NotPermitted,
    Refused,
    TooLarge,
)
from tallystick.kernel.model import replace
from tallystick.process.policy import read_policy
from tallystick.process.policy.signing import sign_policy, verify_policy
from tallystick.protocol.policy_file import (
    MAX_FILE_BYTES,
    OfficerSignature,
    PolicyFile,
    policy_text,
    read_policy_file,
    signed_message,
)

SIGNERS: dict[str, SigningKey] = {
    "amina": Es256SigningKey.generate(),
    "brian": Ed25519SigningKey.generate(),
    "chege": Es256SigningKey.generate(),
}
OFFICERS: dict[str, VerifyKey] = {name: key.public() for name, key in SIGNERS.items()}


def production_text() -> str:
    return changed("profile: demo ", "profile: production ")


def signed(text: str, *officers: str) -> PolicyFile:
    file: PolicyFile | None = None
    for officer in officers:
        file = sign_policy(text, officer, SIGNERS[officer], file)
    assert file is not None
    return file


def verify(file: PolicyFile, profile: str = "demo", last: int = 0) -> object:
    return verify_policy(file, OFFICERS, profile=profile, last_version=last).policy


@pytest.mark.parametrize("officer", ["amina", "brian"])
def test_one_officer_approves_a_demonstration(officer: str) -> None:
    assert verify(signed(demo_text(), officer)) == read_policy(demo_text())


def test_a_file_survives_being_written() -> None:
    file = signed(demo_text(), "amina", "brian")
    again = read_policy_file(encode(file))
    assert again == file
    assert policy_text(again) == demo_text()


@pytest.mark.threat("THR-INS-05")
def test_production_takes_two_officers() -> None:
    text = production_text()
    assert verify(signed(text, "amina", "brian"), "production") == read_policy(text)
    with pytest.raises(NotPermitted, match="2 officers"):
        verify(signed(text, "amina"), "production")


@pytest.mark.threat("THR-INS-05")
def test_an_unsigned_policy_is_refused() -> None:
    file = replace(signed(demo_text(), "amina"), signatures=())
    for profile in ("demo", "production"):
        with pytest.raises(NotPermitted):
            verify(file, profile)


def test_one_officer_cannot_be_two() -> None:
    file = signed(production_text(), "amina")
    twice = replace(file, signatures=file.signatures * 2)
    with pytest.raises(NotPermitted, match="twice"):
        verify(twice, "production")
    alias = sign_policy(production_text(), "amina-again", SIGNERS["amina"], file)
    officers = OFFICERS | {"amina-again": OFFICERS["amina"]}
    with pytest.raises(NotPermitted, match="twice"):
        verify_policy(alias, officers, profile="production", last_version=0)
    with pytest.raises(Conflict):
        sign_policy(production_text(), "amina", SIGNERS["amina"], file)


def test_an_unknown_officer_is_refused() -> None:
    file = sign_policy(demo_text(), "mallory", Es256SigningKey.generate())
    with pytest.raises(NotPermitted, match="does not know"):
        verify(file)


def test_a_good_signature_does_not_excuse_a_bad_one() -> None:
    file = signed(production_text(), "amina", "brian", "chege")
    bad = replace(file.signatures[2], sig=file.signatures[0].sig)
    with pytest.raises(NotAuthentic):
        verify(replace(file, signatures=(*file.signatures[:2], bad)), "production")


def test_another_algorithm_is_refused() -> None:
    file = signed(demo_text(), "amina")
    one = replace(file.signatures[0], alg="EdDSA")
    with pytest.raises(NotAuthentic):
        verify(replace(file, signatures=(one,)))


@pytest.mark.parametrize("officer", ["amina", "brian"])
def test_every_bit_of_a_signature_counts(officer: str) -> None:
    file = signed(demo_text(), officer)
    octets = b64url_decode(file.signatures[0].sig)
    for index in range(len(octets)):
        flipped = bytearray(octets)
        flipped[index] ^= 1 << (index % 8)
        one = replace(file.signatures[0], sig=b64url(bytes(flipped)))
        with pytest.raises(NotAuthentic):
            verify(replace(file, signatures=(one,)))


def test_every_byte_of_the_text_counts() -> None:
    file = signed(demo_text(), "brian")
    octets = demo_text().encode()
    step = 37
    for index in range(0, len(octets), step):
        flipped = bytearray(octets)
        flipped[index] ^= 1
        with pytest.raises(NotAuthentic):
            verify(replace(file, policy_b64=b64url(bytes(flipped))))


def test_every_byte_of_the_file_counts() -> None:
    """No flipped byte gives a file that is believed and means something else."""
    octets = encode(signed(demo_text(), "brian"))
    wanted = read_policy(demo_text())
    head, tail = octets[:60], octets[-160:]
    for index in (*range(len(head)), *range(len(octets) - len(tail), len(octets))):
        flipped = bytearray(octets)
        flipped[index] ^= 1
        try:
            policy = verify(read_policy_file(bytes(flipped)))
        except Refused:
            continue
        assert policy == wanted


@pytest.mark.requirement("MFS-6.1-01")
@pytest.mark.threat("THR-INS-05")
def test_a_version_not_above_the_last_is_refused() -> None:
    file = signed(changed("version: 1\n", "version: 7\n"), "amina")
    assert verify(file, last=6)
    for last in (7, 8):
        with pytest.raises(Conflict):
            verify(file, last=last)


def test_the_version_outside_is_the_version_inside() -> None:
    forged = PolicyFile(
        version=9,
        policy_b64=b64url(demo_text().encode()),
        signatures=(
            OfficerSignature(
                officer="amina",
                alg="ES256",
                sig=b64url(SIGNERS["amina"].sign(signed_message(demo_text(), 9))),
            ),
        ),
    )
    with pytest.raises(Malformed, match="different versions"):
        verify(forged, last=5)
    with pytest.raises(NotAuthentic):
        verify(replace(signed(demo_text(), "amina"), version=9))


def test_a_policy_of_another_profile_is_refused() -> None:
    with pytest.raises(NotPermitted, match="profile demo, not production"):
        verify(signed(demo_text(), "amina", "brian"), "production")
    with pytest.raises(NotPermitted, match="profile production, not demo"):
        verify(signed(production_text(), "amina"), "demo")
    with pytest.raises(NotPermitted, match="no profile"):
        verify(signed(demo_text(), "amina"), "test")


def test_a_defective_policy_is_neither_signed_nor_believed() -> None:
    text = changed("limit: 5 ", "limit: 500 ")
    with pytest.raises(Malformed):
        sign_policy(text, "amina", SIGNERS["amina"])
    signature = SIGNERS["amina"].sign(signed_message(text, 1))
    file = PolicyFile(
        version=1,
        policy_b64=b64url(text.encode()),
        signatures=(OfficerSignature(officer="amina", alg="ES256", sig=b64url(signature)),),
    )
    with pytest.raises(Malformed):
        verify(file)


def test_a_second_officer_signs_the_same_text_only() -> None:
    file = signed(demo_text(), "amina")
    with pytest.raises(Conflict, match="another text"):
        sign_policy(production_text(), "brian", SIGNERS["brian"], file)


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (b"", Malformed),
        (b"{}", Malformed),
        (b"[]", Malformed),
        (b'{"v":2,"version":1,"policy_b64":"eA","signatures":[]}', Malformed),
        (b'{"version":true,"policy_b64":"eA","signatures":[]}', Malformed),
        (b'{"version":1,"policy_b64":"eA==","signatures":[]}', Malformed),
        (b'{"version":1,"policy_b64":"eA","signatures":[],"more":1}', Malformed),
        (b" " * (MAX_FILE_BYTES + 1), TooLarge),
    ],
)
def test_a_file_of_another_form_is_refused(octets: bytes, error: type[MfsError]) -> None:
    with pytest.raises(error):
        read_policy_file(octets)


@pytest.mark.parametrize("octets", [b"\xff\xfe", b"\xc0\x80"])
def test_a_text_that_is_not_utf_8_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed, match="UTF-8"):
        verify(replace(signed(demo_text(), "amina"), policy_b64=b64url(octets)))


def test_what_is_in_force_is_not_judged_anew_by_proofs_that_came_later() -> None:
    text = changed(
        "channel: [app, web], grade: device-signed-attested",
        "channel: app, grade: device-signed-attested",
    )
    version = read_policy(text).header.version
    signature = b64url(SIGNERS["amina"].sign(signed_message(text, version)))
    approved = OfficerSignature(officer="amina", alg=SIGNERS["amina"].algorithm, sig=signature)
    file = PolicyFile(version=version, policy_b64=b64url(text.encode()), signatures=(approved,))
    with pytest.raises(Malformed, match="not monotone"):
        verify(file)
    kept = verify_policy(file, OFFICERS, profile="demo", last_version=0, anew=False)
    assert kept.policy == read_policy(text)
    assert kept.baseline.idle is not None
