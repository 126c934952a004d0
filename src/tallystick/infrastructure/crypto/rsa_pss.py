"""RSA-PSS with SHA-512 and a salt of 64 bytes: verifying only, for the messages of others.

Source: ISO/IEC 14888-2; RFC 8017, 8.1; RFC 9421, 3.3.1
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from tallystick.infrastructure.crypto.registry import Mechanism, mechanism
from tallystick.kernel.errors import Malformed, NotAuthentic

RSA_PSS_SHA512 = "rsa-pss-sha512"
_SALT = 64
_LEAST_BITS = 2048
_MOST_BITS = 4096
_EXPONENT = 65537


class RsaPssVerifyKey:
    """A public RSA key of 2048 to 4096 bits that checks RSA-PSS signatures.

    Source: ISO/IEC 14888-2; RFC 8017, 8.1.2
    """

    __slots__ = ("_key", "_octets")

    def __init__(self, octets: bytes) -> None:
        """Load a SubjectPublicKeyInfo in DER, in its one encoding.

        Raises Malformed for another kind of key, other lengths or another exponent than 65537.
        Source: RFC 5280, 4.1.2.7; RFC 8017, 3.1
        """
        try:
            found = load_der_public_key(octets)
        except (ValueError, TypeError) as error:
            raise Malformed("an RSA public key is a SubjectPublicKeyInfo in DER") from error
        if not isinstance(found, RSAPublicKey):
            raise Malformed("the public key is not an RSA key")
        if not _LEAST_BITS <= found.key_size <= _MOST_BITS:
            raise Malformed(f"an RSA key has {_LEAST_BITS} to {_MOST_BITS} bits")
        if found.public_numbers().e != _EXPONENT:
            raise Malformed("the exponent of an RSA key is 65537")
        if found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != octets:
            raise Malformed("the public key is not in its one encoding")
        self._key = found
        self._octets = octets

    @property
    def algorithm(self) -> str:
        """`rsa-pss-sha512`.

        Source: RFC 9421, 6.2.2
        """
        return RSA_PSS_SHA512

    @property
    def mechanism(self) -> Mechanism:
        """The entry of the registry that the length of the key falls under.

        Source: ISO/TS 12812-2:2017, C
        """
        return mechanism(f"{RSA_PSS_SHA512}-{3072 if self._key.key_size >= 3072 else 2048}")

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` is this key's.

        Raises NotAuthentic otherwise.
        Source: RFC 8017, 8.1.2; RFC 9421, 3.3.1
        """
        try:
            self._key.verify(signature, message, PSS(MGF1(SHA512()), _SALT), SHA512())
        except InvalidSignature as error:
            raise NotAuthentic("the signature does not verify") from error

    def octets(self) -> bytes:
        """The SubjectPublicKeyInfo in DER.

        Source: RFC 5280, 4.1.2.7
        """
        return self._octets
