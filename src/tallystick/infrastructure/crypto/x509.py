"""Certificates of others: read whole or refused, and what each of them says of itself.

Whether one is believed is for a path (`paths`). Nothing is fetched.

Source: RFC 5280, 4.1; 4.2
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from tallystick.infrastructure.crypto.credential import CredentialKey, credential
from tallystick.infrastructure.crypto.der import INTEGER, SEQUENCE, front, number, single
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge
from tallystick.kernel.time import Instant

MAX_CERTIFICATE: Final = 8 * 1024

E = TypeVar("E", bound=x509.ExtensionType)

_HASHES: Final[dict[str, Callable[[], HashAlgorithm]]] = {
    "sha256": SHA256,
    "sha384": SHA384,
    "sha512": SHA512,
}
_HASHLESS: Final = (
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
    mldsa.MLDSA44PublicKey,
    mldsa.MLDSA65PublicKey,
    mldsa.MLDSA87PublicKey,
)
_VERSION, _TAGGED = 0xA0, b"\xa0"
UNREADABLE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    CryptographyDeprecationWarning,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for octets that it cannot read."""

_SIGNED_BY: Final = {
    "1.2.840.10045.4.3.2": "ecdsa-p256-sha256",
    "1.2.840.10045.4.3.3": "ecdsa-p384-sha384",
    "1.2.840.10045.4.3.4": "ecdsa-p521-sha512",
    "1.2.840.113549.1.1.11": "rsa-pkcs1-v1.5",
    "1.2.840.113549.1.1.10": "rsa-pss-3072",
    "1.3.101.112": "ed25519",
}
_NAMES: Final = (
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
)


@dataclass(frozen=True)
class Certificate:
    """A certificate: its octets, its subject in words, its issuer in DER, its number, its time.

    `extensions` are the octets of each by its object identifier, `critical` those that whoever does
    not understand them has to refuse; `key` and `parsed` are as the library has them.
    Source: RFC 5280, 4.1; 4.2
    """

    octets: bytes
    subject: str
    issuer: bytes
    serial: int
    begins: Instant
    ends: Instant
    extensions: dict[str, bytes] = field(repr=False, compare=False)
    by_class: dict[type[x509.ExtensionType], Any] = field(repr=False, compare=False)
    critical: frozenset[str] = field(repr=False, compare=False)
    key: CertificatePublicKeyTypes = field(repr=False, compare=False)
    parsed: x509.Certificate = field(repr=False)

    @cached_property
    def public(self) -> CredentialKey:
        """The key that it certifies; raises Malformed for one of a sort that is not used here.

        Source: RFC 5280, 4.1.2.7
        """
        return credential(self.key)

    @property
    def version(self) -> int:
        """1, 2 or 3.

        Source: RFC 5280, 4.1.2.1
        """
        return self.parsed.version.value + 1

    @property
    def names(self) -> tuple[str, ...]:
        """The common names and the organisations of its subject.

        Source: RFC 5280, 4.1.2.6
        """
        return tuple(str(one.value) for one in self.parsed.subject if one.oid in _NAMES)

    @property
    def is_authority(self) -> bool:
        """Whether it says that it is an issuer's.

        Source: RFC 5280, 4.2.1.9
        """
        limits = self.extension(x509.BasicConstraints)
        return limits is not None and limits.value.ca

    @property
    def mechanism(self) -> str:
        """The registry's name of what signed it; empty for what the registry does not know.

        Source: RFC 5280, 4.1.1.2; ISO/TS 12812-2:2017, C
        """
        return _SIGNED_BY.get(self.parsed.signature_algorithm_oid.dotted_string, "")

    def is_valid_at(self, at: Instant) -> bool:
        """Whether `at` (ms) is within its days, both ends included.

        Source: RFC 5280, 4.1.2.5
        """
        return self.begins <= at <= self.ends

    def fingerprint(self) -> str:
        """SHA-256 of the public key's SubjectPublicKeyInfo, base64url: how a root is named.

        Source: RFC 5280, 4.1.2.7
        """
        return b64url(sha256(self.public.spki))

    def verify(self, sort: str, hashed: str, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` was made with the key that it certifies.

        `sort` is `rsa` (PKCS #1 v1.5) or `ecdsa`, `hashed` one of sha256, sha384, sha512. Raises
        NotAuthentic otherwise, also for a key that is too short.
        Source: RFC 8017, 8.2.2; RFC 5480
        """
        public = self.key
        try:
            if sort == "rsa" and isinstance(public, rsa.RSAPublicKey):
                public.verify(signature, message, PKCS1v15(), _HASHES[hashed]())
            elif sort == "ecdsa" and isinstance(public, ec.EllipticCurvePublicKey):
                public.verify(signature, message, ec.ECDSA(_HASHES[hashed]()))
            else:
                raise NotAuthentic("the certificate has another sort of key than the signature")
        except InvalidSignature as error:
            raise NotAuthentic("the signature does not verify") from error

    def issued_by(self, other: "Certificate", *, hashless: bool = False) -> bool:
        """Whether `other` is named as issuer and signed it, under a hash that counts.

        With `hashless`, Ed25519, Ed448 and ML-DSA count too, which hash by themselves.
        Source: RFC 5280, 6.1.3
        """
        try:
            hashed = self.parsed.signature_hash_algorithm
            if hashed is None:
                counts = hashless and isinstance(other.key, _HASHLESS)
            else:
                counts = hashed.name in _HASHES
            if not counts:
                return False
            self.parsed.verify_directly_issued_by(other.parsed)
        except (InvalidSignature, *UNREADABLE):
            return False
        return True

    def extension(self, sort: type[E]) -> x509.Extension[E] | None:
        """Its extension of the class `sort`; None where it has none.

        Source: RFC 5280, 4.2
        """
        return self.by_class.get(sort)


Roots = tuple[Certificate, ...]
"""Certificates that are believed because somebody pinned them."""


def read_certificate(octets: bytes) -> Certificate:
    """The certificate in `octets` (DER).

    Raises TooLarge past 8 KiB, Malformed for anything else than one certificate in its one form
    with a number above zero.
    Source: RFC 5280, 4.1; 4.1.2.2
    """
    if len(octets) > MAX_CERTIFICATE:
        raise TooLarge(f"a certificate has at most {MAX_CERTIFICATE} bytes")
    if not _number_of(octets):
        raise Malformed("a certificate has no number")
    try:
        found = _of(x509.load_der_x509_certificate(octets))
    except UNREADABLE as error:
        raise Malformed("a certificate cannot be read") from error
    if not octets.endswith(b"\x00" + found.parsed.signature):
        raise Malformed("the signature of a certificate has bits that are not used")
    return found


def read_pem(octets: bytes) -> Certificate:
    """The one certificate in `octets`, in PEM or in DER; raises as `read_certificate` does.

    Source: RFC 7468, 5; RFC 5280, 4.1
    """
    if not octets.lstrip().startswith(b"-----"):
        return read_certificate(octets)
    found = certificates_in(octets)
    if len(found) != 1:
        raise Malformed("one certificate belongs here, not several")
    return found[0]


def certificates_in(pem: bytes) -> tuple[Certificate, ...]:
    """Every certificate in `pem`, in its order; raises Malformed if there is none, TooLarge.

    Source: RFC 7468, 5
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
        whole = [one.public_bytes(Encoding.DER) for one in found]
    except UNREADABLE as error:
        raise Malformed(
            "there is no certificate in PEM here", remedy="give a file of certificates in PEM"
        ) from error
    return tuple(read_certificate(one) for one in whole)


def _number_of(octets: bytes) -> int:
    """The number of a certificate, read before the library warns of one that is below zero."""
    signed = front(single(octets, SEQUENCE).body, SEQUENCE).body
    version = len(front(signed, _VERSION).octets) if signed[:1] == _TAGGED else 0
    return number(front(signed[version:], INTEGER))


def _of(parsed: x509.Certificate) -> Certificate:
    """With all read now that is else read late, so that nothing is unreadable later."""
    found = tuple(parsed.extensions)
    return Certificate(
        octets=parsed.public_bytes(Encoding.DER),
        subject=parsed.subject.rfc4514_string(),
        issuer=parsed.issuer.public_bytes(),
        serial=parsed.serial_number,
        begins=Instant(_ms(parsed.not_valid_before_utc.timestamp())),
        ends=Instant(_ms(parsed.not_valid_after_utc.timestamp())),
        extensions={one.oid.dotted_string: one.value.public_bytes() for one in found},
        by_class={type(one.value): one for one in found},
        critical=frozenset(one.oid.dotted_string for one in found if one.critical),
        key=parsed.public_key(),
        parsed=parsed,
    )


def _ms(seconds: float) -> int:
    return int(seconds) * 1000
