"""Hashes, message authentication codes and comparison in constant time.

Source: ISO/TS 12812-2:2017, C; ISO/IEC 10118-3; ISO/IEC 9797-2
"""

import hashlib
import hmac


def sha256(octets: bytes) -> bytes:
    """SHA-256 of `octets`: 32 bytes.

    Source: ISO/IEC 10118-3; FIPS 180-4, 6.2
    """
    return hashlib.sha256(octets).digest()


def hmac_sha256(secret: bytes, octets: bytes) -> bytes:
    """HMAC-SHA256 of `octets` under `secret`: 32 bytes.

    Source: ISO/IEC 9797-2; RFC 2104
    """
    return hmac.digest(secret, octets, "sha256")


def equal(a: bytes, b: bytes) -> bool:
    """Whether `a` and `b` are the same, in a time that does not tell where they differ.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return hmac.compare_digest(a, b)
