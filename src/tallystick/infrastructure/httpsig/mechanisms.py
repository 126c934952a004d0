"""What signatures of HTTP messages are made with, under the names of their own registry.

    ed25519 ecdsa-p256-sha256 rsa-pss-sha512    public halves: the signer alone can sign
    hmac-sha256                                 a shared secret: both sides can

The mechanism is always the one of the key that was registered; the parameter `alg` of a signature
chooses nothing and may only agree with it.

Source: RFC 9421, 3.3; ISO/TS 12812-2:2017, C
"""

from typing import Protocol

from tallystick.infrastructure.crypto.digest import equal, hmac_sha256
from tallystick.infrastructure.crypto.ecdsa import ES256, Es256VerifyKey
from tallystick.infrastructure.crypto.eddsa import EDDSA, Ed25519VerifyKey
from tallystick.infrastructure.crypto.registry import require
from tallystick.infrastructure.crypto.rsa_pss import RSA_PSS_SHA512, RsaPssVerifyKey
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

ED25519 = "ed25519"
ECDSA_P256_SHA256 = "ecdsa-p256-sha256"
HMAC_SHA256 = "hmac-sha256"
_LEAST_SECRET = 32
_NAMES = {EDDSA: ED25519, ES256: ECDSA_P256_SHA256}


class MessageKey(Protocol):
    """What checks signatures of messages.

    Source: RFC 9421, 3.2
    """

    @property
    def algorithm(self) -> str:
        """The mechanism by its name in the registry of HTTP signature algorithms.

        Source: RFC 9421, 6.2
        """
        ...

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` was made with the other half.

        Raises NotAuthentic otherwise.
        Source: RFC 9421, 3.2
        """
        ...


class PublicKey:
    """A public half as a key for messages.

    Source: RFC 9421, 3.3.4; 3.3.6
    """

    __slots__ = ("_half", "algorithm")

    def __init__(self, half: VerifyKey) -> None:
        """Take `half` under the name that HTTP signatures have for its mechanism.

        Raises Malformed for a mechanism without one.
        Source: RFC 9421, 6.2.2
        """
        if half.algorithm not in _NAMES:
            raise Malformed("HTTP signatures have no name for this mechanism")
        self.algorithm = _NAMES[half.algorithm]
        self._half = half

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` was made with the private half.

        Raises NotAuthentic otherwise.
        Source: RFC 9421, 3.3.4; 3.3.6
        """
        self._half.verify(signature, message)


class SharedKey:
    """A secret of two parties as a key for messages; never prints.

    Source: RFC 9421, 3.3.3
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: Secret[bytes]) -> None:
        """Take `secret`; raises Malformed below 32 bytes.

        Source: RFC 2104, 3
        """
        if len(secret.reveal()) < _LEAST_SECRET:
            raise Malformed(f"a shared secret has {_LEAST_SECRET} bytes or more")
        self._secret = secret

    @property
    def algorithm(self) -> str:
        """`hmac-sha256`.

        Source: RFC 9421, 6.2.2
        """
        return HMAC_SHA256

    def sign(self, message: bytes) -> bytes:
        """The MAC of `message`: 32 bytes.

        Source: RFC 9421, 3.3.3
        """
        return hmac_sha256(self._secret.reveal(), message)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` is the MAC of `message`; raises NotAuthentic otherwise.

        Source: RFC 9421, 3.3.3
        """
        if not equal(signature, self.sign(message)):
            raise NotAuthentic("the signature does not verify")

    def __repr__(self) -> str:
        return "SharedKey(***)"


def partner_key(algorithm: str, octets: bytes) -> MessageKey:
    """The key of a partner, if new protection may use its mechanism.

    `octets` are a point of 65 bytes, 32 bytes, or a SubjectPublicKeyInfo in DER for RSA. Raises
    NotPermitted for what the registry of mechanisms does not approve and for a shared secret, which
    would let either side deny what it sent; Malformed for another mechanism or a bad key.
    Source: ISO/TS 12812-2:2017, C; 7.3.3; RFC 9421, 3.3
    """
    if algorithm == ED25519:
        require("ed25519")
        return PublicKey(Ed25519VerifyKey(octets))
    if algorithm == ECDSA_P256_SHA256:
        require("ecdsa-p256-sha256")
        return PublicKey(Es256VerifyKey(octets))
    if algorithm == RSA_PSS_SHA512:
        found = RsaPssVerifyKey(octets)
        require(found.mechanism.name)
        return found
    raise Malformed(
        f"a partner signs with {ED25519}, {ECDSA_P256_SHA256} or {RSA_PSS_SHA512}",
        remedy="register a public half of one of them",
    )
