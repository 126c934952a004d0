"""Two structures of a TPM 2.0: the public area of a key, and a statement that certifies it.

Source: ISO/IEC 11889-2, 10.12.8; 12.2.4; WebAuthn Level 3, 8.3
"""

from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.credential import (
    CredentialKey,
    credential_of_modulus,
    credential_of_point,
)
from tallystick.infrastructure.crypto.digest import named_digest
from tallystick.kernel.errors import Malformed, TooLarge

MAX_STRUCTURE: Final = 2 * 1024
_MAGIC: Final = b"\xff\x54\x43\x47"
_CERTIFY: Final = 0x8017
_RSA, _ECC, _NULL = 0x0001, 0x0023, 0x0010
_CURVES: Final = {0x0003: 1, 0x0004: 2, 0x0005: 3}
_HASHES: Final = {0x000B: "sha256", 0x000C: "sha384", 0x000D: "sha512"}


class _Reading:
    """Big-endian fields one after the other."""

    __slots__ = ("at", "octets")

    def __init__(self, octets: bytes) -> None:
        if len(octets) > MAX_STRUCTURE:
            raise TooLarge(f"a structure of a TPM has at most {MAX_STRUCTURE} bytes")
        self.octets, self.at = octets, 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.octets):
            raise Malformed("a structure of a TPM is cut off")
        taken, self.at = self.octets[self.at : end], end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def sized(self) -> bytes:
        return self.take(self.number(2))

    def end(self) -> None:
        if self.at != len(self.octets):
            raise Malformed("something follows a structure of a TPM")


@dataclass(frozen=True, slots=True)
class PublicArea:
    """The public area of a key: the key, its attributes, and its name in the TPM.

    Source: ISO/IEC 11889-2, 12.2.4
    """

    public: CredentialKey
    attributes: int
    name: bytes


@dataclass(frozen=True, slots=True)
class Certified:
    """What a TPM certified: the digest handed in, and the name of the key.

    Source: ISO/IEC 11889-2, 10.12.8
    """

    extra: bytes
    name: bytes


def read_public_area(octets: bytes) -> PublicArea:
    """The public area in `octets`.

    Raises TooLarge, or Malformed for a sort of key or a hash that is not used here.
    Source: ISO/IEC 11889-2, 12.2.4
    """
    reading = _Reading(octets)
    kind, hashed = reading.number(2), reading.number(2)
    attributes = reading.number(4)
    reading.sized()
    if hashed not in _HASHES:
        raise Malformed("a TPM names the key with a hash that is not used here")
    if reading.number(2) != _NULL:
        reading.take(4)
    if kind == _RSA:
        public = _rsa(reading)
    elif kind == _ECC:
        public = _ecc(reading)
    else:
        raise Malformed("a TPM has a key of a sort that is not used here")
    reading.end()
    name = hashed.to_bytes(2, "big") + named_digest(_HASHES[hashed], octets)
    return PublicArea(public=public, attributes=attributes, name=name)


def _rsa(reading: _Reading) -> CredentialKey:
    if reading.number(2) != _NULL:
        reading.take(2)
    reading.take(2)
    exponent = reading.number(4) or 65537
    return credential_of_modulus(reading.sized(), exponent.to_bytes(4, "big"))


def _ecc(reading: _Reading) -> CredentialKey:
    if reading.number(2) != _NULL:
        reading.take(2)
    curve = reading.number(2)
    if reading.number(2) != _NULL:
        reading.take(2)
    if curve not in _CURVES:
        raise Malformed("a TPM has a key on a curve that is not used here")
    x, y = reading.sized(), reading.sized()
    size = max(len(x), len(y))
    return credential_of_point(_CURVES[curve], x.rjust(size, b"\0"), y.rjust(size, b"\0"))


def read_certified(octets: bytes) -> Certified:
    """The statement in `octets`, if it certifies a key.

    Raises TooLarge, or Malformed for another statement.
    Source: ISO/IEC 11889-2, 10.12.8
    """
    reading = _Reading(octets)
    if reading.take(4) != _MAGIC or reading.number(2) != _CERTIFY:
        raise Malformed("a TPM made another statement")
    reading.sized()
    extra = reading.sized()
    reading.take(17 + 8)
    name = reading.sized()
    reading.sized()
    reading.end()
    return Certified(extra=extra, name=name)
