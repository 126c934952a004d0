"""Seals keys in blocks of version D, and opens versions D and E, and A, B, C where that is allowed.

The key that protects a block never works itself: one key for enciphering and one for the MAC are
derived from it, and prepared once.

Source: X9.143, 8; TR-31; ISO 20038; NIST SP 800-108
"""

from typing import NoReturn

from tallystick.infrastructure.crypto.blocks import Aes, BlockCipher, Tdea, exclusive_or
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.crypto.iso9797 import cbc_mac
from tallystick.infrastructure.keyblocks.header import BlockFields, read_header, write_header
from tallystick.infrastructure.keyblocks.lattice import check_lattice, kind_of
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted

LEGACY = frozenset("ABC")
"""Versions that are read only where a policy says so."""

_AES_CODES = {16: b"\x00\x02", 24: b"\x00\x03", 32: b"\x00\x04"}
_TDEA_CODES = {16: b"\x00\x00", 24: b"\x00\x01"}
_ENCRYPTION, _MAC, _COUNTER = b"\x00\x00", b"\x00\x01", b"\x00\x02"
_TAG = {"A": 4, "B": 8, "C": 4, "D": 16, "E": 16}
_LONGEST_KEY = 4_000
_LEAST = 48


class Wrapping:
    """A key block protection key, AES or TDEA; never prints.

    `kind` is its kind in the table of wrapping keys.
    Source: X9.143, 8
    """

    __slots__ = ("_is_aes", "_octets", "_pairs", "kind")

    def __init__(self, octets: bytes, *, is_aes: bool) -> None:
        """Take the key; raises Malformed for a length that its algorithm does not have.

        Source: X9.143, 8
        """
        if len(octets) not in (_AES_CODES if is_aes else _TDEA_CODES):
            raise Malformed("a key block protection key has another length")
        self._octets = octets
        self._is_aes = is_aes
        self._pairs: dict[str, tuple[BlockCipher, BlockCipher]] = {}
        self.kind = kind_of("A" if is_aes else "T", len(octets))

    def seal(self, fields: BlockFields, material: bytes, fill: bytes) -> str:
        """A block of version D or B of `material`; `fill` gives random bytes for its padding.

        The padding hides how long a key of 32 bytes or fewer is; it takes up to 30 bytes of `fill`.
        Raises NotPermitted for another version or a key that is stronger than this one.
        Source: X9.143, 8.1
        """
        version = fields.version
        if version not in "BD" or (version == "D") != self._is_aes:
            raise NotPermitted("key blocks are written in version D under AES, in B under TDEA")
        if not 0 < len(material) <= _LONGEST_KEY:
            raise Malformed("a wrapped key has 1 to 4000 bytes")
        plain = (len(material) * 8).to_bytes(2, "big") + material
        room = max(_LEAST, -(-len(plain) // 16) * 16) - len(plain)
        if len(fill) < room:
            raise Malformed("the padding of a key block takes 30 random bytes")
        plain += fill[:room]
        header = write_header(fields, 2 * (len(plain) + _TAG[version]))
        check_lattice(self.kind, kind_of(fields.algorithm, len(material)))
        encryption, mac = self._pair(version)
        tag = mac.cmac(header.encode("ascii") + plain)
        return header + encryption.encrypt_chain(tag, plain).hex().upper() + tag.hex().upper()

    def open(self, block: str, admitted: frozenset[str] = frozenset()) -> tuple[BlockFields, bytes]:
        """The header and the key of `block`, only if not a bit of either was changed.

        `admitted` holds the older versions (A, B, C) that may be read. Raises Malformed for what is
        no block, NotAuthentic for one that does not verify, NotPermitted for an older version or a
        key that is stronger than this one.
        Source: X9.143, 8; TR-31; ISO 20038
        """
        fields, end = read_header(block)
        version = fields.version
        if version in LEGACY and version not in admitted:
            raise NotPermitted(
                f"key blocks of version {version} are not read",
                remedy="ask for version D, or let the policy admit the version while keys move",
                because="key-block-version",
            )
        if (version in "DE") != self._is_aes:
            raise NotPermitted(f"a key block of version {version} has another kind of wrapping key")
        tag_at = len(block) - 2 * _TAG[version]
        sealed, tag = _octets(block[end:tag_at]), _octets(block[tag_at:])
        encryption, mac = self._pair(version)
        head = block[:end].encode("ascii")
        if not sealed or (version != "E" and len(sealed) % encryption.width):
            raise Malformed("the key of the block is not made of whole blocks")
        plain = _deciphered(version, encryption, mac, head, sealed, tag)
        material = _material(plain)
        check_lattice(self.kind, kind_of(fields.algorithm, len(material)))
        return fields, material

    def _pair(self, version: str) -> tuple[BlockCipher, BlockCipher]:
        pair = self._pairs.get(version)
        if pair is None:
            pair = self._pairs[version] = self._derive(version)
        return pair

    def _derive(self, version: str) -> tuple[BlockCipher, BlockCipher]:
        octets, length = self._octets, len(self._octets)
        if version in "AC":
            return Tdea(exclusive_or(octets, b"E" * length)), Tdea(
                exclusive_or(octets, b"M" * length)
            )
        if version == "B":
            source = Tdea(octets)
            first, second = (
                Tdea(_derived(source, use, _TDEA_CODES[length], length))
                for use in (_ENCRYPTION, _MAC)
            )
            return first, second
        wide = Aes(octets)
        one, other = (
            Aes(_derived(wide, use, _AES_CODES[length], length))
            for use in (_COUNTER if version == "E" else _ENCRYPTION, _MAC)
        )
        return one, other

    def __repr__(self) -> str:
        return "Wrapping(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


def _derived(cipher: BlockCipher, use: bytes, code: bytes, length: int) -> bytes:
    tail = use + b"\x00" + code + (length * 8).to_bytes(2, "big")
    turns = range(1, -(-length // cipher.width) + 1)
    return b"".join(cipher.cmac(bytes((turn,)) + tail) for turn in turns)[:length]


def _deciphered(
    version: str,
    encryption: BlockCipher,
    mac: BlockCipher,
    head: bytes,
    sealed: bytes,
    tag: bytes,
) -> bytes:
    if version in "AC":
        wanted = cbc_mac(mac, head + sealed, padding=1)[:4]
        plain = encryption.decrypt_chain(head[:8], sealed)
    else:
        if version == "E":
            plain = encryption.counter(tag, sealed)
        else:
            plain = encryption.decrypt_chain(tag, sealed)
        wanted = mac.cmac(head + plain)
    if not equal(wanted, tag):
        raise NotAuthentic("the key block does not verify")
    return plain


def _material(plain: bytes) -> bytes:
    bits = int.from_bytes(plain[:2], "big")
    if bits == 0 or bits % 8 or 2 + bits // 8 > len(plain):
        raise NotAuthentic("the key block does not verify")
    return plain[2 : 2 + bits // 8]


def _octets(text: str) -> bytes:
    if not frozenset("0123456789ABCDEFabcdef").issuperset(text) or len(text) % 2:
        raise Malformed("the key of a block is hexadecimal")
    return bytes.fromhex(text)
