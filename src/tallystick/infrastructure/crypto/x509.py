"""Certificates of others: read, led back to a pinned root, and used to verify what they signed.

A path has at most four certificates and a root; each is valid at the instant that counts, each
issuer may issue, and whatever is marked critical is understood. Nothing is fetched: whether a
certificate was revoked is not known here.

Source: RFC 5280, 4.1; 4.2; 6.1
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID

from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.time import Instant

E = TypeVar("E", bound=x509.ExtensionType)

_HASHES: Final[dict[str, Callable[[], HashAlgorithm]]] = {
    "sha256": SHA256,
    "sha384": SHA384,
    "sha512": SHA512,
}
_UNDERSTOOD: Final = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)
_UNREADABLE: Final = (
    ValueError,
    CryptographyDeprecationWarning,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_RSA_BITS: Final = 2048
_CURVE_BITS: Final = 256
_LONGEST: Final = 4


_SIGNED_BY: Final = {
    "1.2.840.10045.4.3.2": "ecdsa-p256-sha256",
    "1.2.840.10045.4.3.3": "ecdsa-p384-sha384",
    "1.2.840.10045.4.3.4": "ecdsa-p521-sha512",
    "1.2.840.113549.1.1.11": "rsa-pkcs1-v1.5",
    "1.2.840.113549.1.1.10": "rsa-pss-3072",
    "1.3.101.112": "ed25519",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, with its octets, its subject in words, its issuer in DER and its number.

    Source: RFC 5280, 4.1
    """

    octets: bytes
    subject: str
    issuer: bytes
    serial: int
    parsed: x509.Certificate

    def verify(self, sort: str, hashed: str, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` was made with the key that it certifies.

        `sort` is `rsa` (PKCS #1 v1.5) or `ecdsa`, `hashed` one of sha256, sha384, sha512. Raises
        NotAuthentic otherwise, also for a key that is too short.
        Source: RFC 8017, 8.2.2; RFC 5480
        """
        public = self.parsed.public_key()
        try:
            if sort == "rsa" and isinstance(public, RSAPublicKey):
                public.verify(signature, message, PKCS1v15(), _HASHES[hashed]())
            elif sort == "ecdsa" and isinstance(public, EllipticCurvePublicKey):
                public.verify(signature, message, ECDSA(_HASHES[hashed]()))
            else:
                raise NotAuthentic("the certificate has another sort of key than the signature")
        except InvalidSignature as error:
            raise NotAuthentic("the signature does not verify") from error

    @property
    def mechanism(self) -> str:
        """The registry's name of what signed it; empty for what the registry does not know.

        Source: RFC 5280, 4.1.1.2; ISO/TS 12812-2:2017, C
        """
        return _SIGNED_BY.get(self.parsed.signature_algorithm_oid.dotted_string, "")

    @property
    def ends(self) -> Instant:
        """When its time is over.

        Source: RFC 5280, 4.1.2.5
        """
        return Instant(_ms(self.parsed.not_valid_after_utc.timestamp()))

    @property
    def begins(self) -> Instant:
        """When its time begins.

        Source: RFC 5280, 4.1.2.5
        """
        return Instant(_ms(self.parsed.not_valid_before_utc.timestamp()))

    def check_stamps_only(self) -> None:
        """Return only if the certificate is for time stamps and for nothing else.

        Raises NotAuthentic otherwise.
        Source: RFC 3161, 2.3
        """
        usage = self._extension(x509.ExtendedKeyUsage)
        if (
            usage is None
            or not usage.critical
            or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]
        ):
            raise NotAuthentic("the certificate is not for time stamps alone")
        use = self._extension(x509.KeyUsage)
        if use is not None and not (use.value.digital_signature or use.value.content_commitment):
            raise NotAuthentic("the key of the certificate may not sign")

    def check_at(self, at: Instant) -> None:
        """Return only if it is valid at `at`, its key long enough, and all that is critical known.

        Raises NotAuthentic otherwise.
        Source: RFC 5280, 4.1.2.5; 4.2
        """
        one = self.parsed
        if (
            not _ms(one.not_valid_before_utc.timestamp())
            <= at
            <= _ms(one.not_valid_after_utc.timestamp())
        ):
            raise NotAuthentic(f"the certificate of {self.subject[:80]} is not valid then")
        for extension in one.extensions:
            if extension.critical and not isinstance(extension.value, _UNDERSTOOD):
                raise NotAuthentic("a certificate demands what is not understood here")
        public = one.public_key()
        rsa = isinstance(public, RSAPublicKey) and public.key_size >= _RSA_BITS
        curve = isinstance(public, EllipticCurvePublicKey) and public.key_size >= _CURVE_BITS
        if not rsa and not curve:
            raise NotAuthentic("a certificate has a key that is too short, or of another sort")

    def check_may_issue(self, below: int) -> None:
        """Return only if it may issue certificates, with `below` issuers between.

        Raises NotAuthentic otherwise.
        Source: RFC 5280, 4.2.1.3; 4.2.1.9
        """
        limits, use = self._extension(x509.BasicConstraints), self._extension(x509.KeyUsage)
        allowed = limits is not None and limits.value.ca
        if limits is not None and limits.value.path_length is not None:
            allowed = allowed and limits.value.path_length >= below
        if not allowed or (use is not None and not use.value.key_cert_sign):
            raise NotAuthentic(f"{self.subject[:80]} may not issue certificates")

    def issued_by(self, other: "Certificate") -> bool:
        """Whether `other` is named as issuer and signed it, under a hash that counts.

        Source: RFC 5280, 6.1.3
        """
        try:
            hashed = self.parsed.signature_hash_algorithm
            if hashed is None or hashed.name not in _HASHES:
                return False
            self.parsed.verify_directly_issued_by(other.parsed)
        except (InvalidSignature, TypeError, *_UNREADABLE):
            return False
        return True

    def _extension(self, sort: type[E]) -> x509.Extension[E] | None:
        try:
            return self.parsed.extensions.get_extension_for_class(sort)
        except x509.ExtensionNotFound:
            return None


def read_certificate(octets: bytes) -> Certificate:
    """The certificate in `octets` (DER).

    Raises Malformed for anything else.
    Source: RFC 5280, 4.1
    """
    if not _is_number_positive(octets):
        raise Malformed("a certificate has no number")
    try:
        found = _of(x509.load_der_x509_certificate(octets))
    except _UNREADABLE as error:
        raise Malformed("a certificate cannot be read") from error
    if not octets.endswith(b"\x00" + found.parsed.signature):
        raise Malformed("the signature of a certificate has bits that are not used")
    return found


def read_pem(octets: bytes) -> Certificate:
    """The one certificate in `octets`, in PEM or in DER; raises Malformed for anything else.

    Source: RFC 7468, 5; RFC 5280, 4.1
    """
    if not octets.lstrip().startswith(b"-----"):
        return read_certificate(octets)
    try:
        found = x509.load_pem_x509_certificates(octets)
    except _UNREADABLE as error:
        raise Malformed("a certificate cannot be read") from error
    if len(found) != 1:
        raise Malformed("one certificate belongs here, not several")
    return read_certificate(found[0].public_bytes(Encoding.DER))


def _is_number_positive(octets: bytes) -> bool:
    """Whether the number that begins a certificate, after its version, is one above zero."""
    place = octets.find(b"\xa0\x03\x02\x01\x02\x02", 2, 16)
    number = octets[place + 7 : place + 7 + octets[place + 6]] if place > 0 else b""
    return any(number) and not number[0] & 0x80


def _of(parsed: x509.Certificate) -> Certificate:
    list(parsed.extensions)
    parsed.public_key()
    return Certificate(
        octets=parsed.public_bytes(Encoding.DER),
        subject=parsed.subject.rfc4514_string(),
        issuer=parsed.issuer.public_bytes(),
        serial=parsed.serial_number,
        parsed=parsed,
    )


class Roots:
    """The certificates that are believed because somebody pinned them.

    Source: RFC 5280, 6.1.1
    """

    def __init__(self, pem: bytes) -> None:
        """Read every certificate in `pem`; raises Malformed if there is none.

        Source: RFC 7468, 5
        """
        try:
            self._roots = tuple(_of(one) for one in x509.load_pem_x509_certificates(pem))
        except _UNREADABLE as error:
            raise Malformed(
                "there is no certificate to believe", remedy="give a file of certificates in PEM"
            ) from error

    def path_to(
        self, leaf: Certificate, others: Iterable[Certificate], at: Instant
    ) -> tuple[Certificate, ...]:
        """The certificates from `leaf` up to the one that a root issued, by way of `others`.

        All of them and the root are valid at `at`. Raises NotAuthentic where no path leads there.
        Source: RFC 5280, 6.1
        """
        left = list(others)
        path = [leaf]
        while len(path) <= _LONGEST:
            here = path[-1]
            here.check_at(at)
            root = next((one for one in self._roots if here.issued_by(one)), None)
            issuer = root or next((one for one in left if here.issued_by(one)), None)
            if issuer is None:
                break
            issuer.check_may_issue(len(path) - 1)
            if root is not None:
                root.check_at(at)
                return tuple(path)
            left.remove(issuer)
            path.append(issuer)
        raise NotAuthentic("no path leads from the certificate to a root that is believed")


def _ms(seconds: float) -> int:
    return int(seconds) * 1000
