"""Two signatures over one message, of which both count: Ed25519 or ECDSA, and ML-DSA-65.

Whoever forges has to break both. Public form: 32 bytes of Ed25519 or 65 of P-256, then 1,952;
signature: 64 and 3,309 bytes; private form: PKCS #8 of the first, then the seed of the second (32
bytes). A key that signed alone before can be given a second half; its first stays as it is.

Source: FIPS 204; RFC 8032; RFC 7518, 3.4; ISO/TS 12812-2:2017, 7.4.2; C
"""

from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from tallystick.infrastructure.crypto.der import SEQUENCE, front
from tallystick.infrastructure.crypto.ecdsa import Es256SigningKey, Es256VerifyKey
from tallystick.infrastructure.crypto.eddsa import EDDSA, Ed25519SigningKey, Ed25519VerifyKey
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

DUAL = "EdDSA-ML-DSA-65"
DUAL_ES256 = "ES256-ML-DSA-65"
DUALS = frozenset({DUAL, DUAL_ES256})
"""The names of keys with two halves, by what the first of them is."""

CLASSICAL_PUBLIC, LATTICE_PUBLIC = 32, 1952
CLASSICAL_SIGNATURE, LATTICE_SIGNATURE = 64, 3309
_SEED = 32


class DualVerifyKey:
    """Both public halves; a signature of one alone is none.

    Source: RFC 8032, 5.1.7; FIPS 204
    """

    __slots__ = ("_lattice", "_octets", "classical")

    def __init__(self, octets: bytes) -> None:
        """Load 32 or 65 bytes and 1,952; raises Malformed for other lengths or an unsound point.

        Source: RFC 8032, 5.1.3; SEC 1, 2.3.4; FIPS 204
        """
        first, second = octets[:-LATTICE_PUBLIC], octets[-LATTICE_PUBLIC:]
        if len(first) not in {CLASSICAL_PUBLIC, 65}:
            raise Malformed("a dual public key has 1,984 or 2,017 bytes")
        self.classical: Ed25519VerifyKey | Es256VerifyKey = (
            Ed25519VerifyKey(first) if len(first) == CLASSICAL_PUBLIC else Es256VerifyKey(first)
        )
        try:
            self._lattice = MLDSA65PublicKey.from_public_bytes(second)
        except ValueError as error:
            raise Malformed("the public key is not one of ML-DSA-65") from error
        self._octets = octets

    @property
    def algorithm(self) -> str:
        """`EdDSA-ML-DSA-65` or `ES256-ML-DSA-65`.

        Source: FIPS 204
        """
        return _dual_name(self.classical.algorithm)

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
        """Both public halves: 1,984 bytes, or 2,017 with a first of P-256.

        Source: RFC 8032, 5.1.5; SEC 1, 2.3.3; FIPS 204
        """
        return self._octets

    def lattice_octets(self) -> bytes:
        """The public half of ML-DSA-65: 1,952 bytes.

        Source: FIPS 204
        """
        return self._octets[-LATTICE_PUBLIC:]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DualVerifyKey) and other._octets == self._octets

    def __hash__(self) -> int:
        return hash(self._octets)


class DualSigningKey:
    """Both private halves in this process; never prints.

    Source: RFC 8032, 5.1.5; FIPS 204
    """

    __slots__ = ("_lattice", "_public", "classical")

    def __init__(self, classical: Ed25519SigningKey | Es256SigningKey, seed: bytes) -> None:
        self.classical = classical
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
    def beside(cls, classical: Ed25519SigningKey | Es256SigningKey) -> "DualSigningKey":
        """`classical` with a fresh second half.

        Source: FIPS 204
        """
        return cls(classical, MLDSA65PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_octets(cls, octets: bytes) -> "DualSigningKey":
        """The key in the form that `to_octets` gives; raises Malformed for anything else.

        Source: RFC 8410, 7; FIPS 204
        """
        found = signing_key(octets)
        if not isinstance(found, DualSigningKey):
            raise Malformed("a dual private key has two halves")
        return found

    def to_octets(self) -> Secret[bytes]:
        """PKCS #8 of the first half and the seed of the second, for wrapping by a module.

        Source: RFC 8410, 7; FIPS 204
        """
        return Secret(self.classical.to_pkcs8().reveal() + self._lattice.private_bytes_raw())

    @property
    def algorithm(self) -> str:
        """`EdDSA-ML-DSA-65` or `ES256-ML-DSA-65`.

        Source: FIPS 204
        """
        return self._public.algorithm

    def sign(self, message: bytes) -> bytes:
        """Both signatures over `message`: 3,373 bytes; the second is another each time.

        Source: RFC 8032, 5.1.6; FIPS 204
        """
        return self.classical.sign(message) + self._lattice.sign(message)

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


def signing_key(octets: bytes) -> Ed25519SigningKey | Es256SigningKey | DualSigningKey:
    """The private key in `octets`: PKCS #8 of Ed25519 or P-256, alone or with a seed after it.

    Raises Malformed for anything else.
    Source: RFC 5958, 2; FIPS 204
    """
    length = len(front(octets, SEQUENCE).octets)
    if len(octets) not in {length, length + _SEED}:
        raise Malformed("the private key is not PKCS #8, alone or with the seed of a second half")
    first: Ed25519SigningKey | Es256SigningKey
    try:
        first = Ed25519SigningKey.from_pkcs8(octets[:length])
    except Malformed:
        first = Es256SigningKey.from_pkcs8(octets[:length])
    return first if len(octets) == length else DualSigningKey(first, octets[length:])


def classical_half(public: bytes) -> bytes:
    """The first half of a dual public key's octets: 32 or 65 bytes.

    Source: FIPS 204
    """
    return public[:-LATTICE_PUBLIC]


def _dual_name(first: str) -> str:
    return DUAL if first == EDDSA else DUAL_ES256
