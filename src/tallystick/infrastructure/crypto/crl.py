"""Lists of revoked certificates, whole and delta: signed through a handle, read, and verified.

Source: RFC 5280, 5
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tallystick.infrastructure.crypto.certify import instant, moment
from tallystick.infrastructure.crypto.delegated import DelegatedKey
from tallystick.infrastructure.crypto.der import INTEGER, SEQUENCE, front
from tallystick.infrastructure.crypto.digest import named_digest
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

_COUNTS: Final = frozenset(("sha256", "sha384", "sha512"))
_PEM: Final = re.compile(
    rb"\s*-----BEGIN X509 CRL-----\s(.*?)-----END X509 CRL-----\s*\Z", re.DOTALL
)
_NOT_READ: Final = "a list of revoked certificates cannot be read"
_OF_ANOTHER: Final = "the list is not of the issuer of the certificate"
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


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list that was read, and what its signature is made over: whose it is has to be proved yet.

    Source: RFC 5280, 5.1.1
    """

    said: RevocationList
    parsed: x509.CertificateRevocationList
    digest: bytes

    def by(self, issuer: Certificate) -> RevocationList:
        """The list, only if `issuer` signed it; a small step, however long the list is.

        Raises NotAuthentic otherwise.
        Source: RFC 5280, 6.3.3
        """
        _check(self.parsed, self.digest, issuer)
        return self.said


def open_list(octets: bytes) -> SignedList:
    """The list in `octets` (DER), all of it read, to be proved of one issuer or another.

    Takes about 4 us for each entry. Raises Malformed for another form, or one that demands what is
    not understood.
    Source: RFC 5280, 5.1
    """
    parsed, digest = _head(octets)
    return SignedList(_body(octets, parsed), parsed, digest)


def read_list(octets: bytes, issuer: Certificate) -> RevocationList:
    """The list in `octets` (DER), as `issuer` signed it; of another's no entry is looked at.

    Raises Malformed for another form, or one that demands what is not understood, NotAuthentic for
    one that another issuer signed.
    Source: RFC 5280, 5.1; 6.3.3
    """
    parsed, digest = _head(octets)
    _check(parsed, digest, issuer)
    return _body(octets, parsed)


def _head(octets: bytes) -> tuple[x509.CertificateRevocationList, bytes]:
    """The list, no entry read yet, and the digest that it is signed over: empty for none.

    The digest is taken of the octets as they came: the library would write them all anew first.
    """
    try:
        parsed = x509.load_der_x509_crl(octets)
        hashed = parsed.signature_hash_algorithm
    except UNREADABLE as error:
        raise Malformed(_NOT_READ) from error
    whole = front(octets, SEQUENCE).body
    signed = front(whole, SEQUENCE)
    rest = signed.body
    if rest[:1] == bytes((INTEGER,)):
        rest = rest[len(front(rest, INTEGER).octets) :]
    named = front(whole[len(signed.octets) :], SEQUENCE).octets
    counts = hashed is not None and hashed.name in _COUNTS
    if hashed is None or not counts or front(rest, SEQUENCE).octets != named:
        return parsed, b""
    return parsed, named_digest(hashed.name, signed.octets)


def _check(found: x509.CertificateRevocationList, digest: bytes, issuer: Certificate) -> None:
    """Return only if `issuer` signed the list under a hash that counts."""
    try:
        ours = found.issuer == issuer.parsed.subject and _may_sign_lists(issuer)
        if not ours or not digest:
            raise NotAuthentic(_OF_ANOTHER)
        _verify(found, digest, issuer)
    except (InvalidSignature, *UNREADABLE) as error:
        raise NotAuthentic(_OF_ANOTHER) from error


def _verify(found: x509.CertificateRevocationList, digest: bytes, issuer: Certificate) -> None:
    public, how = issuer.key, found.signature_algorithm_parameters
    hashed = found.signature_hash_algorithm
    if hashed is None:
        raise NotAuthentic(_OF_ANOTHER)
    if isinstance(public, EllipticCurvePublicKey) and isinstance(how, ECDSA):
        public.verify(found.signature, digest, ECDSA(Prehashed(hashed)))
    elif isinstance(public, RSAPublicKey) and isinstance(how, PKCS1v15 | PSS):
        public.verify(found.signature, digest, how, Prehashed(hashed))
    else:
        raise NotAuthentic(_OF_ANOTHER)


def _body(octets: bytes, found: x509.CertificateRevocationList) -> RevocationList:
    try:
        entries = [_revoked(one) for one in found]
        ends = found.next_update_utc
        number, base = _numbers(found)
    except (*UNREADABLE, x509.ExtensionNotFound) as error:
        raise Malformed(_NOT_READ) from error
    if ends is None or number is None:
        raise Malformed("a list of revoked certificates has no number or no end")
    return RevocationList(
        octets=octets,
        issuer=found.issuer.public_bytes(),
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
    found = _PEM.match(octets)
    try:
        inside = octets if found is None else b64decode(b"".join(found[1].split()), validate=True)
        x509.load_der_x509_crl(inside)
    except (binascii.Error, *UNREADABLE) as error:
        raise Malformed(_NOT_READ) from error
    return inside


def list_ends(octets: bytes) -> Instant:
    """Until when a list (DER or PEM) says that it lasts; not verified. Raises Malformed.

    Source: RFC 5280, 5.1.2.5
    """
    found = x509.load_der_x509_crl(list_octets(octets)).next_update_utc
    if found is None:
        raise Malformed("a list of revoked certificates has no end")
    return instant(found)


def list_addresses(one: Certificate, *, delta: bool = False) -> tuple[str, ...]:
    """Where a certificate says that the list of its issuer is, or the `delta` to it; not believed.

    Source: RFC 5280, 4.2.1.13; 4.2.1.15
    """
    here = one.extension(x509.CRLDistributionPoints)
    later = one.extension(x509.FreshestCRL)
    if delta:
        points = () if later is None else tuple(later.value)
    else:
        points = () if here is None else tuple(here.value)
    return tuple(str(name.value) for point in points for name in point.full_name or ())


def _may_sign_lists(issuer: Certificate) -> bool:
    """Whether the issuer's certificate, where it limits the use of its key, lets it sign lists."""
    for one in issuer.parsed.extensions:
        if isinstance(one.value, x509.KeyUsage):
            return one.value.crl_sign
    return True


def _numbers(found: x509.CertificateRevocationList) -> tuple[int | None, int | None]:
    """The number of a list, and that of the whole list that it goes by if it is a delta.

    One that says that it is a part of what its issuer revoked is none here, marked as critical (as
    it has to be) or not: whoever is not on it may have been revoked.
    """
    number: int | None = None
    base: int | None = None
    for one in found.extensions:
        if isinstance(one.value, x509.CRLNumber):
            number = one.value.crl_number
        elif isinstance(one.value, x509.DeltaCRLIndicator):
            base = one.value.crl_number
        elif one.critical or isinstance(one.value, x509.IssuingDistributionPoint):
            raise Malformed("a list of revoked certificates demands what is not understood here")
    return number, base


def _revoked(entry: x509.RevokedCertificate) -> Revoked:
    reason = "unspecified"
    for one in entry.extensions:
        if isinstance(one.value, x509.CRLReason):
            reason = _WORDS.get(one.value.reason, "unspecified")
        elif one.critical:
            raise Malformed("an entry of a list demands what is not understood here")
    return Revoked(entry.serial_number, instant(entry.revocation_date_utc), reason)
