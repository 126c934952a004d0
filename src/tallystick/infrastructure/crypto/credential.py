"""Public keys that others made, and the signatures under them that attestations carry.

An algorithm is a number of the COSE registry; it must fit the sort of the key that it is used with.

Source: RFC 9053, 2; RFC 8812, 2; FIPS 204
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from tallystick.kernel.errors import Malformed, NotAuthentic

_CURVES: Final[dict[int, Callable[[], ec.EllipticCurve]]] = {
    1: ec.SECP256R1,
    2: ec.SECP384R1,
    3: ec.SECP521R1,
}
_EC: Final[dict[int, Callable[[], HashAlgorithm]]] = {-7: SHA256, -35: SHA384, -36: SHA512}
_RSA: Final[dict[int, Callable[[], HashAlgorithm]]] = {-257: SHA256, -258: SHA384, -259: SHA512}
_PSS: Final[dict[int, Callable[[], HashAlgorithm]]] = {-37: SHA256, -38: SHA384, -39: SHA512}
_ED25519: Final = frozenset((-8, -19))
_ED448: Final = frozenset((-8, -53))
_MLDSA: Final[dict[int, type]] = {
    -48: mldsa.MLDSA44PublicKey,
    -49: mldsa.MLDSA65PublicKey,
    -50: mldsa.MLDSA87PublicKey,
}
_RSA_BITS: Final = (2048, 8192)
_MODULUS_OCTETS: Final = 1024
_ED25519_CURVE, _ED448_CURVE = 6, 7


@dataclass(frozen=True, slots=True)
class CredentialKey:
    """A public key: its sort in a word, its SubjectPublicKeyInfo, and its point where on P-256.

    Source: RFC 5280, 4.1.2.7; SEC 1, 2.3.3
    """

    sort: str
    spki: bytes
    point: bytes
    parsed: Any

    def verify(self, algorithm: int, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` is by this key under COSE `algorithm`.

        Raises NotAuthentic otherwise, also for an algorithm that the key is not for.
        Source: RFC 9053, 2
        """
        public = self.parsed
        try:
            if isinstance(public, ec.EllipticCurvePublicKey) and algorithm in _EC:
                public.verify(signature, message, ec.ECDSA(_EC[algorithm]()))
            elif isinstance(public, rsa.RSAPublicKey) and algorithm in _RSA:
                public.verify(signature, message, PKCS1v15(), _RSA[algorithm]())
            elif isinstance(public, rsa.RSAPublicKey) and algorithm in _PSS:
                hashed = _PSS[algorithm]()
                public.verify(signature, message, PSS(MGF1(hashed), hashed.digest_size), hashed)
            elif _hashless(public, algorithm):
                self.parsed.verify(signature, message)
            else:
                raise NotAuthentic("the algorithm is not one for this key")
        except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
            raise NotAuthentic("the signature does not verify") from error


def _hashless(public: object, algorithm: int) -> bool:
    """Whether the algorithm takes the message itself and is one for the key."""
    small = isinstance(public, ed25519.Ed25519PublicKey) and algorithm in _ED25519
    large = isinstance(public, ed448.Ed448PublicKey) and algorithm in _ED448
    return small or large or isinstance(public, _MLDSA.get(algorithm, ()))


def credential(public: object) -> CredentialKey:
    """The key `public` of the cryptographic library, in our words.

    Raises Malformed for a sort that no attestation uses, and for RSA outside 2048 to 8192 bits.
    Source: RFC 5280, 4.1.2.7
    """
    point = b""
    if isinstance(public, ec.EllipticCurvePublicKey):
        sort = f"ec-{public.curve.name}"
        if isinstance(public.curve, ec.SECP256R1):
            point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    elif isinstance(public, rsa.RSAPublicKey):
        if not _RSA_BITS[0] <= public.key_size <= _RSA_BITS[1]:
            raise Malformed("an RSA key has 2048 to 8192 bits")
        sort = f"rsa-{public.key_size}"
    elif isinstance(public, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        sort = "ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else "ed448"
    elif isinstance(public, tuple(_MLDSA.values())):
        sort = "ml-dsa"
    else:
        raise Malformed("a key of a sort that is not used here")
    given: Any = public
    spki = given.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return CredentialKey(sort=sort, spki=spki, point=point, parsed=public)


def credential_of_point(curve: int, x: bytes, y: bytes) -> CredentialKey:
    """The key with the coordinates `x` and `y` on COSE curve 1, 2 or 3.

    Raises Malformed for another curve, another length and a point beside the curve.
    Source: RFC 9053, 7.1.1
    """
    if curve not in _CURVES:
        raise Malformed("a curve that is not used here")
    named = _CURVES[curve]()
    if len(x) != len(y) or len(x) != (named.key_size + 7) // 8:
        raise Malformed("a coordinate has another length")
    try:
        return credential(ec.EllipticCurvePublicKey.from_encoded_point(named, b"\x04" + x + y))
    except ValueError as error:
        raise Malformed("a point is not on its curve") from error


def credential_of_modulus(n: bytes, e: bytes) -> CredentialKey:
    """The RSA key with modulus `n` and exponent `e`, both big-endian.

    Raises Malformed for numbers that are no key.
    Source: RFC 8230, 4
    """
    if not 0 < len(n) <= _MODULUS_OCTETS or not 0 < len(e) <= 4:
        raise Malformed("an RSA key of another size")
    try:
        numbers = rsa.RSAPublicNumbers(int.from_bytes(e, "big"), int.from_bytes(n, "big"))
        return credential(numbers.public_key())
    except ValueError as error:
        raise Malformed("an RSA key that is none") from error


def credential_of_edwards(curve: int, x: bytes) -> CredentialKey:
    """The Ed25519 (6) or Ed448 (7) key with the encoded point `x`.

    Raises Malformed for anything else.
    Source: RFC 9053, 7.2
    """
    if curve not in {_ED25519_CURVE, _ED448_CURVE}:
        raise Malformed("a curve that is not used here")
    try:
        if curve == _ED25519_CURVE:
            return credential(ed25519.Ed25519PublicKey.from_public_bytes(x))
        return credential(ed448.Ed448PublicKey.from_public_bytes(x))
    except ValueError as error:
        raise Malformed("an Edwards key of another length") from error


def credential_of_spki(octets: bytes) -> CredentialKey:
    """The key in a SubjectPublicKeyInfo.

    Raises Malformed for anything else.
    Source: RFC 5280, 4.1.2.7
    """
    try:
        return credential(load_der_public_key(octets))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("a public key cannot be read") from error
