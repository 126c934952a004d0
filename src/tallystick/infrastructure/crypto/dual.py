"""Two signatures over one message, of which both count: Ed25519 and ML-DSA-65.

Whoever forges has to break both. Public form: 32 and 1,952 bytes; signature: 64 and 3,309 bytes;
private form: PKCS #8 of the first, then the seed of the second (32 bytes).

Source: FIPS 204; RFC 8032; ISO/TS 12812-2:2017, 7.4.2; C
"""

from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey, Ed25519VerifyKey
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

DUAL = "EdDSA-ML-DSA-65"
CLASSICAL_PUBLIC, LATTICE_PUBLIC = 32, 1952
CLASSICAL_SIGNATURE, LATTICE_SIGNATURE = 64, 3309
_SEED = 32


class DualVerifyKey:
    """Both public halves; a signature of one alone is none.

    Source: RFC 8032, 5.1.7; FIPS 204
    """

    __slots__ = ("_lattice", "_octets", "classical")

    def __init__(self, octets: bytes) -> None:
        """Load 32 and 1,952 bytes; raises Malformed for other lengths or an unsound point.

        Source: RFC 8032, 5.1.3; FIPS 204
        """
        if len(octets) != CLASSICAL_PUBLIC + LATTICE_PUBLIC:
            raise Malformed("a dual public key has 1,984 bytes")
        self.classical = Ed25519VerifyKey(octets[:CLASSICAL_PUBLIC])
        try:
            self._lattice = MLDSA65PublicKey.from_public_bytes(octets[CLASSICAL_PUBLIC:])
        except ValueError as error:
            raise Malformed("the public key is not one of ML-DSA-65") from error
        self._octets = octets

    @property
    def algorithm(self) -> str:
        """`EdDSA-ML-DSA-65`.

        Source: FIPS 204
        """
        return DUAL

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if both signatures over `message` are this key's.

        Raises NotAuthentic otherwise.
        Source: RFC 8032, 5.1.7; FIPS 204
        """
        if len(signature) != CLASSICAL_SIGNATURE + LATTICE_SIGNATURE:
            raise NotAuthentic("the signature does not verify")
        self.classical.verify(signature[:CLASSICAL_SIGNATURE], message)
        self.verify_lattice(signature[CLASSICAL_SIGNATURE:], message)

    def verify_lattice(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature`, of ML-DSA-65 alone, over `message` is this key's.

        Raises NotAuthentic otherwise.
        Source: FIPS 204
        """
        try:
            self._lattice.verify(signature, message)
        except InvalidSignature as error:
            raise NotAuthentic("the signature does not verify") from error

    def octets(self) -> bytes:
        """Both public halves: 1,984 bytes.

        Source: RFC 8032, 5.1.5; FIPS 204
        """
        return self._octets

    def lattice_octets(self) -> bytes:
        """The public half of ML-DSA-65: 1,952 bytes.

        Source: FIPS 204
        """
        return self._octets[CLASSICAL_PUBLIC:]


class DualSigningKey:
    """Both private halves in this process; never prints.

    Source: RFC 8032, 5.1.5; FIPS 204
    """

    __slots__ = ("_classical", "_lattice", "_public")

    def __init__(self, classical: Ed25519SigningKey, seed: bytes) -> None:
        self._classical = classical
        self._lattice = MLDSA65PrivateKey.from_seed_bytes(seed)
        lattice = self._lattice.public_key().public_bytes_raw()
        self._public = DualVerifyKey(classical.public().octets() + lattice)

    @classmethod
    def generate(cls) -> "DualSigningKey":
        """A fresh key from the library's random generator.

        Source: FIPS 204; RFC 8032, 5.1.5
        """
        return cls(Ed25519SigningKey.generate(), MLDSA65PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_octets(cls, octets: bytes) -> "DualSigningKey":
        """The key in the form that `to_octets` gives; raises Malformed for anything else.

        Source: RFC 8410, 7; FIPS 204
        """
        if len(octets) <= _SEED:
            raise Malformed("a dual private key has two halves")
        return cls(Ed25519SigningKey.from_pkcs8(octets[:-_SEED]), octets[-_SEED:])

    def to_octets(self) -> Secret[bytes]:
        """PKCS #8 of the first half and the seed of the second, for wrapping by a module.

        Source: RFC 8410, 7; FIPS 204
        """
        return Secret(self._classical.to_pkcs8().reveal() + self._lattice.private_bytes_raw())

    @property
    def algorithm(self) -> str:
        """`EdDSA-ML-DSA-65`.

        Source: FIPS 204
        """
        return DUAL

    def sign(self, message: bytes) -> bytes:
        """Both signatures over `message`: 3,373 bytes; the second is another each time.

        Source: RFC 8032, 5.1.6; FIPS 204
        """
        return self._classical.sign(message) + self._lattice.sign(message)

    def public(self) -> DualVerifyKey:
        """Both public halves.

        Source: RFC 8032, 5.1.5; FIPS 204
        """
        return self._public

    def __repr__(self) -> str:
        return "DualSigningKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__
