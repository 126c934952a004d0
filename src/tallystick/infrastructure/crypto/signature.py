"""Digital signatures: ECDSA on P-256 with SHA-256 (`ES256`) and Ed25519 (`EdDSA`).

Public forms: an uncompressed point of 65 bytes for P-256, 32 bytes for Ed25519. Signatures are
64 bytes: r and s side by side for ECDSA.

Source: ISO/TS 12812-2:2017, 3.20; ISO/IEC 14888-3; RFC 7518, 3.4; RFC 8032
"""

from collections.abc import Callable
from typing import Protocol

from tallystick.infrastructure.crypto.dual import DUALS, DualVerifyKey
from tallystick.infrastructure.crypto.ecdsa import ES256, Es256SigningKey, Es256VerifyKey
from tallystick.infrastructure.crypto.eddsa import EDDSA, Ed25519SigningKey, Ed25519VerifyKey
from tallystick.kernel.errors import Malformed

__all__ = [
    "EDDSA",
    "ES256",
    "Ed25519SigningKey",
    "Ed25519VerifyKey",
    "Es256SigningKey",
    "Es256VerifyKey",
    "SigningKey",
    "SigningNow",
    "VerifyKey",
    "verify_key",
]


class VerifyKey(Protocol):
    """The public half of a signature key: checks, never signs.

    Source: ISO/TS 12812-2:2017, 3.20
    """

    @property
    def algorithm(self) -> str:
        """`ES256` or `EdDSA`.

        Source: RFC 7518, 3.1; RFC 8037, 3.1
        """
        ...

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` was made with the private half.

        Raises NotAuthentic otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def octets(self) -> bytes:
        """The public key in its one encoding.

        Source: SEC 1, 2.3.3; RFC 8032, 5.1.5
        """
        ...


class SigningKey(Protocol):
    """Signs messages; the private half may be here or behind a module's handle.

    Source: ISO/TS 12812-2:2017, 3.20
    """

    @property
    def algorithm(self) -> str:
        """`ES256` or `EdDSA`.

        Source: RFC 7518, 3.1; RFC 8037, 3.1
        """
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: 64 bytes.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def public(self) -> VerifyKey:
        """The public half.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        ...


SigningNow = Callable[[], tuple[SigningKey, str]]
"""The key that signs at this moment, and its id in the key list."""


def verify_key(algorithm: str, octets: bytes) -> VerifyKey:
    """The verifying key of `algorithm` (`ES256`, `EdDSA`, or a dual one) out of `octets`.

    Raises Malformed for another algorithm or a bad point.
    Source: ISO/TS 12812-2:2017, 3.5
    """
    if algorithm == ES256:
        return Es256VerifyKey(octets)
    if algorithm == EDDSA:
        return Ed25519VerifyKey(octets)
    if algorithm in DUALS:
        found = DualVerifyKey(octets)
        if found.algorithm == algorithm:
            return found
    raise Malformed("the signature algorithm is not one of ES256, EdDSA, and these with ML-DSA-65")
