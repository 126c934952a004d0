"""Certificate chains as attestations carry them: leaf first, each signed by the next.

Only what holds at any time is judged here: octets, names, signatures, who may issue. Whether a
validity that has passed matters is for the policy of whoever reads the evidence.

Source: RFC 5280, 4.1; 6.1.3; 6.1.4
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, mldsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tallystick.infrastructure.crypto.credential import CredentialKey, credential
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge

MAX_CERTIFICATE: Final = 8 * 1024
MAX_CHAIN: Final = 8
_HASHES: Final = frozenset(("sha256", "sha384", "sha512"))
_HASHLESS: Final = (
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
    mldsa.MLDSA44PublicKey,
    mldsa.MLDSA65PublicKey,
    mldsa.MLDSA87PublicKey,
)
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class Linked:
    """One certificate of a chain; times in ms, `path` the issuers allowed below it (-1: no limit).

    `extensions` are the octets of each by its object identifier; `names` the common names and
    organisations of its subject.
    Source: RFC 5280, 4.1
    """

    octets: bytes
    serial: str
    subject: str
    names: tuple[str, ...]
    version: int
    not_before: int
    not_after: int
    authority: bool
    may_sign: bool
    path: int
    public: CredentialKey
    extensions: dict[str, bytes]
    critical: frozenset[str]
    parsed: x509.Certificate

    def fingerprint(self) -> str:
        """SHA-256 of the public key's SubjectPublicKeyInfo, base64url: how a root is named.

        Source: RFC 5280, 4.1.2.7
        """
        return b64url(sha256(self.public.spki))

    def signed_by(self, other: "Linked") -> bool:
        """Whether `other` is named as issuer and signed it, under a hash that counts.

        Source: RFC 5280, 6.1.3
        """
        try:
            hashed = self.parsed.signature_hash_algorithm
            strong = (
                hashed.name in _HASHES if hashed else isinstance(other.public.parsed, _HASHLESS)
            )
            if not strong:
                return False
            self.parsed.verify_directly_issued_by(other.parsed)
        except (InvalidSignature, *_UNREADABLE):
            return False
        return True


def linked(octets: bytes) -> Linked:
    """The certificate in `octets` (DER).

    Raises TooLarge past 8 KiB, Malformed for anything that is not one certificate.
    Source: RFC 5280, 4.1
    """
    if len(octets) > MAX_CERTIFICATE:
        raise TooLarge(f"a certificate has at most {MAX_CERTIFICATE} bytes")
    try:
        found = _of(x509.load_der_x509_certificate(octets))
    except _UNREADABLE as error:
        raise Malformed("a certificate cannot be read") from error
    if not octets.endswith(b"\x00" + found.parsed.signature):
        raise Malformed("the signature of a certificate has bits that are not used")
    return found


def linked_pem(pem: bytes) -> tuple[Linked, ...]:
    """The certificates in `pem`, in order.

    Raises Malformed where there is none.
    Source: RFC 7468, 5
    """
    try:
        return tuple(_of(one) for one in x509.load_pem_x509_certificates(pem))
    except _UNREADABLE as error:
        raise Malformed("there is no certificate in PEM") from error


def chained(links: Sequence[Linked], roots: Sequence[Linked], *, marked: bool = True) -> Linked:
    """The root that `links` (leaf first) lead to: one of `roots`, by its key.

    The chain may end with the root itself, in any certificate of that key, or just below it. Raises
    TooLarge past 8 certificates; NotAuthentic for a link that is broken, an issuer that may not
    issue (unless `marked` is False: then whoever calls judges it with `unmarked`), one that comes
    twice, and a chain that leads to no root.
    Source: RFC 5280, 6.1.3; 6.1.4
    """
    if not links:
        raise Malformed("a chain has a certificate")
    if len(links) > MAX_CHAIN:
        raise TooLarge(f"a chain has at most {MAX_CHAIN} certificates")
    if len({one.octets for one in links}) != len(links):
        raise NotAuthentic("a certificate comes twice in the chain")
    for one, issuer in pairwise(links):
        if not one.signed_by(issuer):
            raise NotAuthentic("a link of the chain is broken")
    if marked and unmarked(links):
        raise NotAuthentic("a certificate of the chain may not issue")
    top = links[-1]
    own = next((one for one in roots if one.public.spki == top.public.spki), None)
    if own is not None:
        if not top.signed_by(top) and not top.signed_by(own):
            raise NotAuthentic("the root of the chain is not signed by itself")
        return own
    above = next((one for one in roots if top.signed_by(one)), None)
    if above is None:
        raise NotAuthentic("the chain leads to no root that is believed")
    return above


def unmarked(links: Sequence[Linked]) -> int:
    """How many certificates above the leaf are not marked as ones that may issue what they issued.

    Source: RFC 5280, 4.2.1.3; 4.2.1.9
    """
    return sum(
        not one.authority or not one.may_sign or 0 <= one.path < below
        for below, one in enumerate(links[1:])
    )


def _of(parsed: x509.Certificate) -> Linked:
    found: dict[str, bytes] = {}
    critical: set[str] = set()
    authority, may_sign, path = False, True, -1
    for one in parsed.extensions:
        found[one.oid.dotted_string] = one.value.public_bytes()
        if one.critical:
            critical.add(one.oid.dotted_string)
        if isinstance(one.value, x509.BasicConstraints):
            authority = one.value.ca
            path = -1 if one.value.path_length is None else one.value.path_length
        elif isinstance(one.value, x509.KeyUsage):
            may_sign = one.value.key_cert_sign
    wanted = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME)
    return Linked(
        octets=parsed.public_bytes(Encoding.DER),
        serial=f"{parsed.serial_number:x}",
        subject=parsed.subject.rfc4514_string()[:160],
        names=tuple(str(one.value) for one in parsed.subject if one.oid in wanted),
        version=parsed.version.value + 1,
        not_before=int(parsed.not_valid_before_utc.timestamp()) * 1000,
        not_after=int(parsed.not_valid_after_utc.timestamp()) * 1000,
        authority=authority,
        may_sign=may_sign,
        path=path,
        public=credential(parsed.public_key()),
        extensions=found,
        critical=frozenset(critical),
        parsed=parsed,
    )
