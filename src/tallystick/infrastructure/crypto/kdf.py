"""Keys out of secrets: HKDF for strong secrets, Argon2id for those that people remember.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 11770-6
"""

from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.kernel.errors import Malformed, Unavailable

_HASH_LENGTH = 32
_ZERO_SALT = bytes(_HASH_LENGTH)


def hkdf_sha256(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """`length` bytes (1 to 8160) derived from `secret` for the purpose that `info` names.

    Raises Malformed for a length out of range.
    Source: ISO/IEC 11770-6; RFC 5869, 2
    """
    if not 0 < length <= 255 * _HASH_LENGTH:
        raise Malformed("a derived key has 1 to 8160 bytes")
    extracted = hmac_sha256(salt or _ZERO_SALT, secret)
    block = hmac_sha256(extracted, info + b"\x01")
    output = block
    counter = 2
    while len(output) < length:
        block = hmac_sha256(extracted, block + info + bytes((counter,)))
        output += block
        counter += 1
    return output[:length]


def hkdf_into(target: bytearray, secret: bytes | bytearray, *, salt: bytes, info: bytes) -> None:
    """Fill `target` as `hkdf_sha256` would, and leave no other copy of what was derived.

    Raises Malformed for a length out of range.
    Source: RFC 5869, 2; ISO/TS 12812-2:2017, 8.2.3
    """
    if not 0 < len(target) <= 255 * _HASH_LENGTH:
        raise Malformed("a derived key has 1 to 8160 bytes")
    HKDF(SHA256(), len(target), salt or _ZERO_SALT, info).derive_into(secret, target)


def argon2id(
    secret: bytes, *, salt: bytes, memory_kib: int, passes: int, lanes: int, length: int
) -> bytes:
    """`length` bytes out of a passphrase or code, at a cost that the parameters set.

    Raises Malformed for parameters that the algorithm does not take.
    Source: RFC 9106, 3
    """
    derived = bytearray(length)
    argon2id_into(derived, secret, salt=salt, memory_kib=memory_kib, passes=passes, lanes=lanes)
    return bytes(derived)


def argon2id_into(
    target: bytearray,
    secret: bytes | bytearray,
    *,
    salt: bytes,
    memory_kib: int,
    passes: int,
    lanes: int,
) -> None:
    """Fill `target`, which the caller can clear, as `argon2id` would; makes no other copy.

    The library copies `secret` into a block that it frees as it is: a second, light derivation of
    zeroes takes a block of the same size, and so that one, again.
    Raises Malformed for parameters that the algorithm does not take.
    Source: RFC 9106, 3; ISO/TS 12812-2:2017, 8.2.3
    """
    given = cast("bytes", secret)  # any buffer will do
    try:
        derivation = Argon2id(
            salt=salt, length=len(target), iterations=passes, lanes=lanes, memory_cost=memory_kib
        )
        derivation.derive_into(given, target)
        light = Argon2id(salt=bytes(len(salt)), length=4, iterations=1, lanes=1, memory_cost=8)
        light.derive(bytes(len(secret)))
    except ValueError as error:
        raise Malformed(
            "Argon2id does not take these parameters",
            remedy="salt of 8 bytes or more, at least 8 KiB of memory per lane, 1 pass, 4 bytes",
        ) from error
    except (UnsupportedAlgorithm, MemoryError) as error:
        raise Unavailable("Argon2id cannot run here", remedy="check the free memory") from error
