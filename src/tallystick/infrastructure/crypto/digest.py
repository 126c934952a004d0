"""Hashes, message authentication codes and comparison in constant time.

Source: ISO/TS 12812-2:2017, C; ISO/IEC 10118-3; ISO/IEC 9797-2
"""

import hashlib
import hmac
from collections.abc import Iterable

from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.hmac import HMAC

from tallystick.kernel.errors import Malformed

_NAMED = frozenset(("sha256", "sha384", "sha512"))
_HASHES: dict[str, type[HashAlgorithm]] = {
    "hmac-sha1": SHA1,
    "hmac-sha256": SHA256,
    "hmac-sha512": SHA512,
}


def sha256(octets: bytes) -> bytes:
    """SHA-256 of `octets`: 32 bytes.

    Source: ISO/IEC 10118-3; FIPS 180-4, 6.2
    """
    return hashlib.sha256(octets).digest()


def sha512(octets: bytes) -> bytes:
    """SHA-512 of `octets`: 64 bytes.

    Source: ISO/IEC 10118-3; FIPS 180-4, 6.4
    """
    return hashlib.sha512(octets).digest()


def sha256_of(parts: Iterable[bytes]) -> bytes:
    """SHA-256 of all `parts` one after the other: 32 bytes.

    Source: ISO/IEC 10118-3; FIPS 180-4, 6.2
    """
    running = hashlib.sha256()
    for part in parts:
        running.update(part)
    return running.digest()


def named_digest(name: str, octets: bytes) -> bytes:
    """The digest of `octets` under `name`: sha256, sha384 or sha512, as others chose it.

    Raises Malformed for another name.
    Source: ISO/IEC 10118-3; FIPS 180-4
    """
    if name not in _NAMED:
        raise Malformed("the hash is not one of sha256, sha384, sha512")
    return hashlib.new(name, octets).digest()


def hmac_sha256(secret: bytes, octets: bytes) -> bytes:
    """HMAC-SHA256 of `octets` under `secret`: 32 bytes.

    Source: ISO/IEC 9797-2; RFC 2104
    """
    return hmac.digest(secret, octets, "sha256")


def legacy_digest(name: str, octets: bytes) -> bytes:
    """The hash `name` (SHA1, SHA256, SHA512) of a PIN, where an OCRA suite fixes which.

    Source: RFC 6287, 5.1
    """
    return hashlib.new(name.lower(), octets, usedforsecurity=False).digest()


class PreparedHmac:
    """HMAC under one key that is prepared once; for keys that are used again and again.

    Source: ISO/IEC 9797-2; RFC 2104, 4
    """

    __slots__ = ("_prepared",)

    def __init__(self, secret: bytes, mechanism: str = "hmac-sha256") -> None:
        """Prepare `secret` for a mechanism of the registry: hmac-sha1, -sha256 or -sha512.

        Source: RFC 2104, 4
        """
        self._prepared = HMAC(secret, _HASHES[mechanism]())

    def mac(self, octets: bytes) -> bytes:
        """The HMAC of `octets`: 32 bytes, 20 with SHA-1 and 64 with SHA-512.

        Source: ISO/IEC 9797-2; RFC 2104
        """
        one = self._prepared.copy()
        one.update(octets)
        return one.finalize()

    def __repr__(self) -> str:
        return "PreparedHmac(***)"


def equal(a: bytes, b: bytes) -> bool:
    """Whether `a` and `b` are the same, in a time that does not tell where they differ.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return hmac.compare_digest(a, b)


def sha1_of_card(octets: bytes) -> bytes:
    """SHA-1 of a card's number: 20 bytes, to spread it before a key is derived; no protection.

    Source: EMV Book 2, A1.4.2
    """
    return hashlib.sha1(octets, usedforsecurity=False).digest()
