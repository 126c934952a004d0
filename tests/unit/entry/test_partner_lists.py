"""Lists of other parties' authorities, made by OpenSSL: what counts, and what is refused."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.authorities import OpensslAuthority

from tallystick.entry.pki import partnerlists
from tallystick.entry.pki.partnerlists import (
    FOLDER,
    UNKNOWN,
    ListFiles,
    PartnerLists,
    keep_reading,
    named,
)
from tallystick.infrastructure.crypto.crl import SignedList, open_list, read_list
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.errors import NotAuthentic, NotPermitted
from tallystick.kernel.time import DAY_MS, Instant


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority(tmp_path_factory.mktemp("authority"), "Partner authority")


class Looked:
    """A folder of lists, and what is read of it."""

    def __init__(self, root: Path, without: tuple[str, ...] = ()) -> None:
        self.place = root / FOLDER
        self.place.mkdir()
        self.files = ListFiles(root)
        self.lists = PartnerLists(self.files, without)

    def put(self, octets: bytes, name: str = "partner") -> None:
        (self.place / f"{name}.crl").write_bytes(octets)
        self.files.look()


@pytest.fixture
def looked(tmp_path: Path) -> Looked:
    return Looked(tmp_path)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(NotPermitted) as told:
        call()
    return told.value.because


@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_current_list_lets_in_whom_it_does_not_name(
    authority: OpensslAuthority, looked: Looked, form: str
) -> None:
    good, bad = authority.issue("good"), authority.issue("bad")
    now, root = authority.now(), authority.certificate
    assert refused(lambda: looked.lists.check(good, root, now)) == UNKNOWN
    looked.put(authority.publish(form=form))
    assert looked.lists.check(good, root, now)
    assert looked.lists.check(bad, root, now)
    authority.revoke(bad, "keyCompromise")
    looked.put(authority.publish(form=form))
    assert looked.lists.check(good, root, now)
    with pytest.raises(NotAuthentic) as told:
        looked.lists.check(bad, root, now)
    assert told.value.because == "key-compromise"


def test_a_list_counts_while_it_lasts_and_only_of_who_signed_it(
    authority: OpensslAuthority, looked: Looked, tmp_path: Path
) -> None:
    good, root, now = authority.issue("lasting"), authority.certificate, authority.now()
    looked.put(authority.publish(days=2))
    assert looked.lists.check(good, root, now)
    for late in (now + 3 * DAY_MS, now - 2 * DAY_MS):
        assert refused(lambda late=late: looked.lists.check(good, root, Instant(late))) == UNKNOWN
    folder = tmp_path / "stranger"
    folder.mkdir()
    stranger = OpensslAuthority(folder, "Partner authority")
    looked.put(stranger.publish())
    assert refused(lambda: looked.lists.check(good, root, now)) == UNKNOWN
    looked.put(authority.publish(number=False))
    assert refused(lambda: looked.lists.check(good, root, now)) == UNKNOWN
    looked.put(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    looked.put(authority.publish(), "another")
    assert looked.lists.check(good, root, now), "one file that is no list spoils the others"


def test_who_may_not_sign_lists_signs_none(tmp_path: Path, looked: Looked) -> None:
    folder = tmp_path / "limited"
    folder.mkdir()
    limited = OpensslAuthority(folder, "Limited authority", usage="keyCertSign")
    good = limited.issue("good")
    looked.put(limited.publish())
    check = looked.lists.check
    assert refused(lambda: check(good, limited.certificate, limited.now())) == UNKNOWN


def test_an_authority_without_lists_is_believed_where_that_is_declared(
    authority: OpensslAuthority, tmp_path: Path
) -> None:
    good, bad, root = authority.issue("one"), authority.issue("other"), authority.certificate
    declared, now = Looked(tmp_path, (named(root),)), authority.now()
    assert not declared.lists.check(good, root, now), "there is no list, and that was said"
    authority.revoke(bad, "superseded")
    declared.put(authority.publish())
    assert declared.lists.check(good, root, now)
    with pytest.raises(NotAuthentic):
        declared.lists.check(bad, root, now)


def test_a_file_is_read_once_beside_the_loop_and_taken_up_while_it_goes_on(
    authority: OpensslAuthority, looked: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, root, now = authority.issue("late"), authority.certificate, authority.now()
    looked.put(authority.publish())
    assert looked.lists.check(bad, root, now)
    authority.revoke(bad, "superseded")
    readers: list[int] = []

    def opened(octets: bytes) -> SignedList:
        readers.append(threading.get_ident())
        return open_list(octets)

    monkeypatch.setattr(partnerlists, "open_list", opened)
    monkeypatch.setattr(partnerlists, "EVERY_S", 0.01)

    async def served() -> None:
        keeping = asyncio.create_task(keep_reading(looked.files))
        (looked.place / "partner.crl").write_bytes(authority.publish())
        try:
            async with asyncio.timeout(20):
                while is_let_in(looked, bad, root, now):
                    await asyncio.sleep(0.01)
                (looked.place / "partner.crl").unlink()
                while looked.files.lists:
                    await asyncio.sleep(0.01)
        finally:
            keeping.cancel()

    asyncio.run(served())
    assert len(readers) == 1
    assert readers != [threading.get_ident()], "whoever asks would have waited for the reading"
    assert refused(lambda: looked.lists.check(bad, root, now)) == UNKNOWN


def is_let_in(looked: Looked, one: Certificate, root: Certificate, now: Instant) -> bool:
    try:
        return looked.lists.check(one, root, now)
    except NotAuthentic:
        return False


def test_a_file_that_is_half_written_leaves_the_list_before_it_in_force(
    authority: OpensslAuthority, looked: Looked
) -> None:
    good, root, now = authority.issue("half"), authority.certificate, authority.now()
    whole = authority.publish(form="DER")
    looked.put(whole)
    looked.put(whole[:-1])
    assert looked.lists.check(good, root, now)
    looked.put(whole)
    assert looked.lists.check(good, root, now)


@pytest.mark.parametrize("padding", ["none", "PKCS1v15", "PSS"])
@pytest.mark.parametrize("hashed", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_a_list_is_proved_as_the_library_proves_it(padding: str, hashed: Any) -> None:
    key: Any = ec.generate_private_key(ec.SECP384R1())
    how: dict[str, Any] = {}
    if padding != "none":
        key = RSA_KEY
        pss = PSS(MGF1(hashed), PSS.DIGEST_LENGTH)
        how = {"rsa_padding": pss if padding == "PSS" else PKCS1v15()}
    own = root_of(key)
    found = built_list(own).sign(key, hashed, **how)
    assert found.is_signature_valid(key.public_key())
    octets = found.public_bytes(Encoding.DER)
    assert open_list(octets).by(own).number == 1
    changed = bytearray(octets)
    changed[octets.index(found.next_update_utc.strftime("%y%m%d%H%M%SZ").encode()) + 1] ^= 1
    with pytest.raises(NotAuthentic):
        open_list(bytes(changed)).by(own)
    with pytest.raises(NotAuthentic):
        open_list(octets).by(root_of(ec.generate_private_key(ec.SECP384R1())))


RSA_KEY = rsa.generate_private_key(65_537, 2048)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Own")])


def root_of(key: Any) -> Certificate:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME)
        .public_key(key.public_key()).serial_number(7)
        .not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return read_certificate(made.public_bytes(Encoding.DER))


def built_list(issuer: Certificate) -> x509.CertificateRevocationListBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.parsed.subject)
        .last_update(now)
        .next_update(now + timedelta(days=1))
        .add_extension(x509.CRLNumber(1), critical=False)
    )


def test_a_long_list_of_another_authority_costs_nothing_but_its_signature(
    authority: OpensslAuthority,
) -> None:
    """Many authorities have lists in one folder: each is read for its own certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    demand = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"")
    built = built_list(authority.certificate).add_extension(demand, critical=True)
    octets = built.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(NotAuthentic, match="not of the issuer"):
        read_list(octets, authority.certificate)
