"""Ed25519 (`EdDSA`); keys have 32 bytes, signatures 64.

Source: ISO/TS 12812-2:2017, 3.20; RFC 8032, 5.1
"""

from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tallystick.infrastructure.crypto.pkcs8 import load_pkcs8, write_pkcs8
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

EDDSA = "EdDSA"

_PRIME = 2**255 - 19
_SIGN = 1 << 255
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_LOW_ORDER = frozenset({0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8})
"""The y of the eight points whose order divides 8; their signatures prove nothing."""


class Ed25519VerifyKey:
    """A point on edwards25519 that checks EdDSA signatures.

    Source: RFC 8032, 5.1.7
    """

    __slots__ = ("_key", "_octets")

    def __init__(self, octets: bytes) -> None:
        """Load 32 bytes; raises Malformed for a coordinate out of range or a point of low order.

        Source: RFC 8032, 5.1.3
        """
        if len(octets) != 32:
            raise Malformed("an Ed25519 public key has 32 bytes")
        y = int.from_bytes(octets, "little") & (_SIGN - 1)
        if y >= _PRIME or y in _LOW_ORDER:
            raise Malformed("the public key is not a sound point on edwards25519")
        self._key = Ed25519PublicKey.from_public_bytes(octets)
        self._octets = octets

    @property
    def algorithm(self) -> str:
        """`EdDSA`.

        Source: RFC 8037, 3.1
        """
        return EDDSA

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` (64 bytes) over `message` is this key's.

        Raises NotAuthentic otherwise.
        Source: RFC 8032, 5.1.7
        """
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise NotAuthentic("the signature does not verify") from error

    def octets(self) -> bytes:
        """The encoded point: 32 bytes.

        Source: RFC 8032, 5.1.5
        """
        return self._octets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ed25519VerifyKey) and other._octets == self._octets

    def __hash__(self) -> int:
        return hash(self._octets)


class Ed25519SigningKey:
    """A private Ed25519 key in this process; never prints.

    Source: RFC 8032, 5.1.5
    """

    __slots__ = ("_key", "_public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = Ed25519VerifyKey(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> "Ed25519SigningKey":
        """A fresh key from the library's random generator.

        Source: RFC 8032, 5.1.5
        """
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pkcs8(cls, der: bytes) -> "Ed25519SigningKey":
        """The key in an unencrypted PKCS #8 structure; raises Malformed for another kind of key.

        Source: RFC 5958, 2; RFC 8410, 7
        """
        key = load_pkcs8(der)
        if not isinstance(key, Ed25519PrivateKey):
            raise Malformed("the private key is not an Ed25519 key")
        return cls(key)

    def to_pkcs8(self) -> Secret[bytes]:
        """The key as unencrypted PKCS #8, for wrapping by a module.

        Source: RFC 5958, 2; RFC 8410, 7
        """
        return write_pkcs8(self._key)

    @property
    def algorithm(self) -> str:
        """`EdDSA`.

        Source: RFC 8037, 3.1
        """
        return EDDSA

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: 64 bytes, the same for the same message.

        Source: RFC 8032, 5.1.6
        """
        return self._key.sign(message)

    def public(self) -> Ed25519VerifyKey:
        """The public half.

        Source: RFC 8032, 5.1.5
        """
        return self._public

    def __repr__(self) -> str:
        return "Ed25519SigningKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__
