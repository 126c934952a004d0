"""Lists of other parties' authorities, made by OpenSSL: what counts, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.authorities import OpensslAuthority

from tallystick.entry.pki.partnerlists import FOLDER, LOOK_MS, UNKNOWN, PartnerLists, named
from tallystick.infrastructure.crypto.crl import read_list
from tallystick.kernel.errors import NotAuthentic, NotPermitted
from tallystick.kernel.time import DAY_MS, Instant


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority(tmp_path_factory.mktemp("authority"), "Partner authority")


class Looked:
    """A folder of lists, and a clock that nobody sets."""

    def __init__(self, root: Path, without: tuple[str, ...] = ()) -> None:
        self.now = 0
        self.place = root / FOLDER
        self.place.mkdir()
        self.lists = PartnerLists(root, without, lambda: self.now)

    def put(self, octets: bytes, name: str = "partner") -> None:
        (self.place / f"{name}.crl").write_bytes(octets)
        self.now += LOOK_MS


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


def test_a_file_is_taken_up_within_half_a_second_and_no_more_often(
    authority: OpensslAuthority, looked: Looked
) -> None:
    bad, root, now = authority.issue("late"), authority.certificate, authority.now()
    looked.put(authority.publish())
    assert looked.lists.check(bad, root, now)
    authority.revoke(bad, "superseded")
    (looked.place / "partner.crl").write_bytes(authority.publish())
    looked.now += LOOK_MS - 1
    assert looked.lists.check(bad, root, now)
    looked.now += 1
    with pytest.raises(NotAuthentic):
        looked.lists.check(bad, root, now)


def test_a_long_list_of_another_authority_costs_nothing_but_its_signature(
    authority: OpensslAuthority,
) -> None:
    """Many authorities have lists in one folder: each is read for its own certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    built = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.parsed.subject)
        .last_update(now)
        .next_update(now + timedelta(days=1))
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), True)
    )
    octets = built.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(NotAuthentic, match="not of the issuer"):
        read_list(octets, authority.certificate)
