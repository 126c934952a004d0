"""ECDSA on P-256 with SHA-256 (`ES256`); signatures are r and s side by side, 64 bytes.

Source: ISO/TS 12812-2:2017, 3.20; ISO/IEC 14888-3; RFC 7518, 3.4
"""

from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tallystick.infrastructure.crypto.pkcs8 import load_pkcs8, write_pkcs8
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

ES256 = "ES256"
SIGNATURE_LENGTH = 64

_ECDSA_SHA256 = ec.ECDSA(SHA256())
_P256 = ec.SECP256R1()


class Es256VerifyKey:
    """A point on P-256 that checks ECDSA signatures; loaded and validated once.

    Source: ISO/IEC 14888-3; FIPS 186-5, 6.4.2
    """

    __slots__ = ("_key", "_octets")

    def __init__(self, octets: bytes) -> None:
        """Load an uncompressed point of 65 bytes; raises Malformed if it is not on the curve.

        Source: SEC 1, 2.3.4
        """
        if len(octets) != 65 or octets[0] != 4:
            raise Malformed("a P-256 public key is an uncompressed point of 65 bytes")
        try:
            self._key = ec.EllipticCurvePublicKey.from_encoded_point(_P256, octets)
        except ValueError as error:
            raise Malformed("the public key is not a point on P-256") from error
        self._octets = octets

    @property
    def algorithm(self) -> str:
        """`ES256`.

        Source: RFC 7518, 3.4
        """
        return ES256

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` (r and s, 64 bytes) over `message` is this key's.

        Raises NotAuthentic otherwise.
        Source: FIPS 186-5, 6.4.2
        """
        try:
            self._key.verify(der_signature(signature), message, _ECDSA_SHA256)
        except InvalidSignature as error:
            raise NotAuthentic("the signature does not verify") from error

    def octets(self) -> bytes:
        """The uncompressed point: 65 bytes.

        Source: SEC 1, 2.3.3
        """
        return self._octets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Es256VerifyKey) and other._octets == self._octets

    def __hash__(self) -> int:
        return hash(self._octets)


class Es256SigningKey:
    """A private key on P-256 in this process; never prints.

    Source: ISO/IEC 14888-3; FIPS 186-5, 6.4.1
    """

    __slots__ = ("_key", "_public")

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self._public = Es256VerifyKey(
            key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )

    @classmethod
    def generate(cls) -> "Es256SigningKey":
        """A fresh key from the library's random generator.

        Source: FIPS 186-5, A.2
        """
        return cls(ec.generate_private_key(_P256))

    @classmethod
    def from_pkcs8(cls, der: bytes | bytearray) -> "Es256SigningKey":
        """The key in an unencrypted PKCS #8 structure; raises Malformed for another kind of key.

        Source: RFC 5958, 2
        """
        key = load_pkcs8(der)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != _P256.name:
            raise Malformed("the private key is not on P-256")
        return cls(key)

    def to_pkcs8(self) -> Secret[bytes]:
        """The key as unencrypted PKCS #8, for wrapping by a module.

        Source: RFC 5958, 2
        """
        return write_pkcs8(self._key)

    @property
    def algorithm(self) -> str:
        """`ES256`.

        Source: RFC 7518, 3.4
        """
        return ES256

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256 of `message`: r and s, 64 bytes.

        Source: FIPS 186-5, 6.4.1; RFC 7518, 3.4
        """
        r, s = decode_dss_signature(self._key.sign(message, _ECDSA_SHA256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def public(self) -> Es256VerifyKey:
        """The public half.

        Source: SEC 1, 3.2.1
        """
        return self._public

    def __repr__(self) -> str:
        return "Es256SigningKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


def der_signature(signature: bytes) -> bytes:
    """Two integers in DER out of r and s side by side.

    Raises NotAuthentic unless there are 64 bytes and neither number is zero.
    Source: RFC 3279, 2.2.3
    """
    r, s = signature[:32].lstrip(b"\x00"), signature[32:].lstrip(b"\x00")
    if len(signature) != SIGNATURE_LENGTH or not r or not s:
        raise NotAuthentic("the signature does not verify")
    if r[0] & 0x80:
        r = b"\x00" + r
    if s[0] & 0x80:
        s = b"\x00" + s
    return b"\x30%c\x02%c%b\x02%c%b" % (len(r) + len(s) + 4, len(r), r, len(s), s)


def raw_signature(der: bytes) -> bytes:
    """Numbers r and s side by side, 64 bytes, out of two integers in DER in their one spelling.

    Raises NotAuthentic otherwise.
    Source: RFC 3279, 2.2.3; RFC 7518, 3.4
    """
    try:
        r, s = decode_dss_signature(der)
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except (ValueError, OverflowError) as error:
        raise NotAuthentic("the signature does not verify") from error
    if der_signature(signature) != der:
        raise NotAuthentic("the signature does not verify")
    return signature
