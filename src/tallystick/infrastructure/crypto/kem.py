"""Sealing to a public key in one shot: HPKE with P-256, X25519, or X25519 beside ML-KEM-768.

A sealed message is the encapsulated key, then AES-256-GCM ciphertext and tag. The hybrid suite
stays secret while either of its two halves does.

Source: ISO/TS 12812-2:2017, 7.3.4; C; RFC 9180; FIPS 203
"""

import hashlib
from enum import StrEnum
from typing import NoReturn

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, mlkem
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

_P256 = ec.SECP256R1()
_SEED_LENGTH = 32
_MLKEM_SEED = 64
_MLKEM_PUBLIC = 1184


class KemSuite(StrEnum):
    """The registry's names of what a message can be sealed with; HKDF-SHA256 and AES-256-GCM.

    Source: RFC 9180, 7
    """

    P256 = "hpke-p256"
    X25519 = "hpke-x25519"
    MLKEM768_X25519 = "hpke-mlkem768-x25519"


_SUITES = {
    KemSuite.P256: Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    KemSuite.X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    KemSuite.MLKEM768_X25519: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}

PublicHandle = ec.EllipticCurvePublicKey | X25519PublicKey | MLKEM768X25519PublicKey
PrivateHandle = ec.EllipticCurvePrivateKey | X25519PrivateKey | MLKEM768X25519PrivateKey


class KemPublicKey:
    """The public half: seals what only the private half opens.

    Source: RFC 9180, 5.1.1
    """

    __slots__ = ("_key", "_octets", "suite")

    def __init__(self, suite: KemSuite, octets: bytes) -> None:
        """Load 65 bytes (P-256 point), 32 (X25519), or 1184 and 32 (ML-KEM-768, X25519).

        Raises Malformed for another length or a point off the curve.
        Source: RFC 9180, 7.1.1; FIPS 203, 7.2
        """
        self.suite = suite
        self._octets = octets
        try:
            self._key = _load_public(suite, octets)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Malformed(f"the public key does not fit {suite.value}") from error

    def octets(self) -> bytes:
        """The public key in its one encoding.

        Source: RFC 9180, 7.1.1
        """
        return self._octets

    def seal(self, plaintext: bytes, *, info: bytes) -> bytes:
        """The encapsulated key and the sealed `plaintext`, bound to the context `info`.

        Raises Malformed if the public key turns out to have low order.
        Source: RFC 9180, 6.1
        """
        try:
            return _SUITES[self.suite].encrypt(plaintext, self._key, info=info)
        except ValueError as error:
            raise Malformed("nothing can be sealed to this public key") from error


class KemPrivateKey:
    """The private half: opens; never prints.

    Source: RFC 9180, 5.1.1
    """

    __slots__ = ("_key", "_octets", "_public", "suite")

    def __init__(
        self, suite: KemSuite, key: PrivateHandle, octets: Secret[bytes], public: bytes
    ) -> None:
        self.suite = suite
        self._key = key
        self._octets = octets
        self._public = KemPublicKey(suite, public)

    @classmethod
    def generate(cls, suite: KemSuite) -> "KemPrivateKey":
        """A fresh key of `suite` from the library's random generator.

        Source: RFC 9180, 7.1.3; FIPS 203, 7.1
        """
        if suite is KemSuite.P256:
            number = ec.generate_private_key(_P256).private_numbers().private_value
            return cls.from_octets(suite, number.to_bytes(32, "big"))
        return cls.from_octets(suite, AESGCM.generate_key(8 * _SEED_LENGTH))

    @classmethod
    def from_octets(cls, suite: KemSuite, octets: bytes) -> "KemPrivateKey":
        """The key in 32 bytes: a P-256 scalar, an X25519 key, or the seed of the hybrid's two.

        Raises Malformed for another length or a scalar out of range.
        Source: RFC 9180, 7.1.2; draft-ietf-hpke-pq, 4.2
        """
        try:
            key, public = _load_private(suite, octets)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Malformed(f"the private key does not fit {suite.value}") from error
        return cls(suite, key, Secret(octets), public)

    def to_octets(self) -> Secret[bytes]:
        """The key in the form that `from_octets` takes, for wrapping by a module.

        Source: RFC 9180, 7.1.2
        """
        return self._octets

    def public(self) -> KemPublicKey:
        """The public half.

        Source: RFC 9180, 7.1.1
        """
        return self._public

    def open(self, sealed: bytes, *, info: bytes) -> bytes:
        """The plaintext of `sealed` if it was sealed to this key in the context `info`.

        Raises NotAuthentic for anything else, whatever the cause.
        Source: RFC 9180, 6.1
        """
        try:
            return _SUITES[self.suite].decrypt(sealed, self._key, info=info)
        except (InvalidTag, ValueError) as error:
            raise NotAuthentic("the sealed message does not open") from error

    def __repr__(self) -> str:
        return "KemPrivateKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


def _load_public(suite: KemSuite, octets: bytes) -> PublicHandle:
    if suite is KemSuite.P256:
        if len(octets) != 65 or octets[0] != 4:
            raise ValueError("not an uncompressed point")
        return ec.EllipticCurvePublicKey.from_encoded_point(_P256, octets)
    if suite is KemSuite.X25519:
        return X25519PublicKey.from_public_bytes(octets)
    return MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(octets[:_MLKEM_PUBLIC]),
        X25519PublicKey.from_public_bytes(octets[_MLKEM_PUBLIC:]),
    )


def _load_private(suite: KemSuite, octets: bytes) -> tuple[PrivateHandle, bytes]:
    if len(octets) != _SEED_LENGTH:
        raise ValueError("not 32 bytes")
    if suite is KemSuite.P256:
        scalar = ec.derive_private_key(int.from_bytes(octets, "big"), _P256)
        point = scalar.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return scalar, point
    if suite is KemSuite.X25519:
        exchange = X25519PrivateKey.from_private_bytes(octets)
        return exchange, exchange.public_key().public_bytes_raw()
    expanded = hashlib.shake_256(octets).digest(_MLKEM_SEED + _SEED_LENGTH)
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED])
    exchange = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED:])
    public = lattice.public_key().public_bytes_raw() + exchange.public_key().public_bytes_raw()
    return MLKEM768X25519PrivateKey(lattice, exchange), public
