"""Lists of revoked certificates, whole and delta: signed through a handle, read, and verified.

Source: RFC 5280, 5
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tallystick.infrastructure.crypto.certify import instant, moment
from tallystick.infrastructure.crypto.delegated import DelegatedKey
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.x509 import UNREADABLE, Certificate
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.time import Instant

REASONS: Final = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key-compromise": x509.ReasonFlags.key_compromise,
    "authority-compromise": x509.ReasonFlags.ca_compromise,
    "affiliation-changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "ended": x509.ReasonFlags.cessation_of_operation,
    "on-hold": x509.ReasonFlags.certificate_hold,
    "withdrawn": x509.ReasonFlags.privilege_withdrawn,
    "released": x509.ReasonFlags.remove_from_crl,
}
"""Why a certificate was revoked; `released`, in delta lists alone, ends a hold."""

_WORDS: Final = {flag: word for word, flag in REASONS.items()}


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that is revoked: its number, since when (ms), and why.

    Source: RFC 5280, 5.3
    """

    serial: int
    at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list as its issuer signed it; `base` is the number of the whole list that a delta goes by.

    Source: RFC 5280, 5.1; 5.2.3; 5.2.4
    """

    octets: bytes
    issuer: bytes
    number: int
    base: int | None
    this_update: Instant
    next_update: Instant
    revoked: dict[int, Revoked]


def sign_list(
    issuer: Certificate,
    signer: SigningKey,
    entries: Iterable[Revoked],
    *,
    number: int,
    base: int | None,
    this_update: Instant,
    next_update: Instant,
) -> bytes:
    """The list of `entries` in DER, whole, or a delta to the whole list with number `base`.

    Source: RFC 5280, 5.1
    """
    above = issuer.parsed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.parsed.subject)
        .last_update(moment(this_update))
        .next_update(moment(next_update))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False
        )
    )
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    for one in entries:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial)
            .revocation_date(moment(one.at))
        )
        if one.reason != "unspecified":
            entry = entry.add_extension(x509.CRLReason(REASONS[one.reason]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(DelegatedKey(signer), SHA256()).public_bytes(Encoding.DER)


def read_list(octets: bytes, issuer: Certificate) -> RevocationList:
    """The list in `octets` (DER), as `issuer` signed it; of another's no entry is looked at.

    Raises Malformed for another form, or one that demands what is not understood, NotAuthentic for
    one that another issuer signed.
    Source: RFC 5280, 5.1; 6.3.3
    """
    try:
        found = x509.load_der_x509_crl(octets)
        ours = found.issuer == issuer.parsed.subject and _signed_by(found, issuer)
        if not ours or not _may_sign_lists(issuer) or found.signature_hash_algorithm is None:
            raise NotAuthentic("the list is not of the issuer of the certificate")
        entries = [_revoked(one) for one in found]
        ends = found.next_update_utc
        number, base = _numbers(found)
    except (*UNREADABLE, x509.ExtensionNotFound) as error:
        raise Malformed("a list of revoked certificates cannot be read") from error
    if found.signature_hash_algorithm.name not in {"sha256", "sha384", "sha512"}:
        raise NotAuthentic("the list is signed under a hash that does not count")
    if ends is None or number is None:
        raise Malformed("a list of revoked certificates has no number or no end")
    return RevocationList(
        octets=octets,
        issuer=issuer.parsed.subject.public_bytes(),
        number=number,
        base=base,
        this_update=instant(found.last_update_utc),
        next_update=instant(ends),
        revoked={one.serial: one for one in entries},
    )


def list_octets(octets: bytes) -> bytes:
    """The list in a file, in DER: as it is, or out of PEM; not verified. Raises Malformed.

    Source: RFC 5280, 5.1; RFC 7468, 7
    """
    try:
        is_text = octets.lstrip().startswith(b"-----BEGIN")
        load = x509.load_pem_x509_crl if is_text else x509.load_der_x509_crl
        return load(octets).public_bytes(Encoding.DER)
    except UNREADABLE as error:
        raise Malformed("a list of revoked certificates cannot be read") from error


def list_ends(octets: bytes) -> Instant:
    """Until when a list (DER or PEM) says that it lasts; not verified. Raises Malformed.

    Source: RFC 5280, 5.1.2.5
    """
    found = x509.load_der_x509_crl(list_octets(octets)).next_update_utc
    if found is None:
        raise Malformed("a list of revoked certificates has no end")
    return instant(found)


def _may_sign_lists(issuer: Certificate) -> bool:
    """Whether the issuer's certificate, where it limits the use of its key, lets it sign lists."""
    for one in issuer.parsed.extensions:
        if isinstance(one.value, x509.KeyUsage):
            return one.value.crl_sign
    return True


def _numbers(found: x509.CertificateRevocationList) -> tuple[int | None, int | None]:
    """The number of a list, and that of the whole list that it goes by if it is a delta."""
    number: int | None = None
    base: int | None = None
    for one in found.extensions:
        if isinstance(one.value, x509.CRLNumber):
            number = one.value.crl_number
        elif isinstance(one.value, x509.DeltaCRLIndicator):
            base = one.value.crl_number
        elif one.critical:
            raise Malformed("a list of revoked certificates demands what is not understood here")
    return number, base


def _signed_by(found: x509.CertificateRevocationList, issuer: Certificate) -> bool:
    public = issuer.parsed.public_key()
    if not isinstance(public, EllipticCurvePublicKey | RSAPublicKey):
        return False
    return found.is_signature_valid(public)


def _revoked(entry: x509.RevokedCertificate) -> Revoked:
    reason = "unspecified"
    for one in entry.extensions:
        if isinstance(one.value, x509.CRLReason):
            reason = _WORDS.get(one.value.reason, "unspecified")
        elif one.critical:
            raise Malformed("an entry of a list demands what is not understood here")
    return Revoked(entry.serial_number, instant(entry.revocation_date_utc), reason)
