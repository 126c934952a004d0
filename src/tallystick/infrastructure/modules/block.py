"""Key blocks: a key wrapped together with what it is for, so that neither changes alone.

A block is `TKB1`, the length of the header (2 bytes), the header (canonical JSON), a nonce of 12
bytes, and the key under AES-256-GCM with everything before it as associated data. Each block is
wrapped under a key of its own, derived from the root of its purpose and its id: a process that has
the roots of some purposes can open no block of another.

A reference, `TKR1`, is made the same way and holds the name of a key that stays in a device.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038; ISO 11568; NIST SP 800-38D
"""

from collections.abc import Iterable
from typing import NoReturn

from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, AeadKey
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.crypto.kdf import hkdf_sha256
from tallystick.infrastructure.modules.interface import MEMORY_ONLY, KeyHandle, Purpose
from tallystick.kernel.codec import (
    Decoder,
    b64url,
    b64url_decode,
    encode_canonical,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted, Refused
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

MAX_BLOCK = 4096
_MAGIC = b"TKB1"
_REFERENCE = b"TKR1"
_ROOT_INFO = b"tallystick key block root v1|"
_KEY_INFO = b"tallystick key block v1|"
_CHECK_INFO = b"tallystick key block roots check v1"
_PREFIX = len(_MAGIC) + 2


class BlockHeader(Record, frozen=True, kw_only=True):
    """What a block says of its key in clear; `profile` keeps test keys out of production.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
    """

    id: str
    purpose: Purpose
    mechanism: str
    exportable: bool
    created_at: int
    profile: str


_header_decoder = Decoder(BlockHeader)
_roots_decoder = Decoder(dict[Purpose, str])


class BlockRoots:
    """The wrapping secrets of some purposes, derived from the master key; never prints.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 11770-6
    """

    __slots__ = ("_roots",)

    def __init__(self, roots: dict[Purpose, bytes]) -> None:
        self._roots = roots

    @classmethod
    def derive(cls, master: bytes, purposes: Iterable[Purpose]) -> "BlockRoots":
        """The roots of `purposes`; purposes that live in memory only have none.

        Source: ISO/IEC 11770-6; RFC 5869
        """
        return cls(
            {
                purpose: hkdf_sha256(
                    master, salt=b"", info=_ROOT_INFO + purpose.value.encode(), length=32
                )
                for purpose in purposes
                if purpose not in MEMORY_ONLY
            }
        )

    @classmethod
    def from_octets(cls, octets: bytes) -> "BlockRoots":
        """The roots that a parent process wrote; raises Malformed for anything else.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = {
            purpose: b64url_decode(text)
            for purpose, text in _roots_decoder.decode_canonical(octets).items()
        }
        if any(len(root) != 32 for root in found.values()):
            raise Malformed("a root of key blocks has 32 bytes")
        return cls(found)

    def to_octets(self) -> Secret[bytes]:
        """The roots for a child process, over a pipe and nowhere else.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return Secret(
            encode_canonical({purpose: b64url(root) for purpose, root in self._roots.items()})
        )

    def purposes(self) -> tuple[Purpose, ...]:
        """The purposes whose blocks can be opened.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return tuple(self._roots)

    def wrapping(self, header: BlockHeader) -> AeadKey:
        """The key that wraps the block of `header`; raises NotPermitted without its root.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        root = self._roots.get(header.purpose)
        if root is None:
            raise NotPermitted(
                f"this process has no access to keys of the purpose {header.purpose.value}",
                remedy="run the act in the process that holds them",
            )
        return AeadKey(hmac_sha256(root, _KEY_INFO + header.id.encode()))

    def check_value(self) -> str:
        """Three bytes in hex that tell whether two people have the same roots, and no more.

        Source: ISO 11568
        """
        octets = self.to_octets().reveal()
        return hkdf_sha256(octets, salt=b"", info=_CHECK_INFO, length=3).hex().upper()

    def __repr__(self) -> str:
        return "BlockRoots(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("roots are not pickled or copied")

    __getstate__ = __reduce__


def header_of(handle: KeyHandle, profile: str) -> BlockHeader:
    """The header of the block that carries the key of `handle`.

    Source: ISO 20038
    """
    return BlockHeader(
        id=handle.id,
        purpose=handle.purpose,
        mechanism=handle.mechanism,
        exportable=handle.exportable,
        created_at=handle.created_at,
        profile=profile,
    )


def handle_of(header: BlockHeader) -> KeyHandle:
    """The handle of the key in the block with this header.

    Source: ISO 20038
    """
    return KeyHandle(
        id=header.id,
        purpose=header.purpose,
        mechanism=header.mechanism,
        exportable=header.exportable,
        created_at=header.created_at,
    )


def wrap(roots: BlockRoots, header: BlockHeader, material: bytes, nonce: bytes) -> bytes:
    """The block of `material`, bound to `header`.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
    """
    return _join(roots, header, material, nonce, _MAGIC)


def wrap_reference(roots: BlockRoots, header: BlockHeader, name: bytes, nonce: bytes) -> bytes:
    """The reference to the key called `name` in a device, bound to `header`; it holds no key.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return _join(roots, header, name, nonce, _REFERENCE)


def is_reference(block: bytes) -> bool:
    """Whether `block` only names a key that stays in a device; not verified.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return block[: len(_REFERENCE)] == _REFERENCE


def peek(block: bytes) -> BlockHeader:
    """What a block or a reference claims to carry; not verified before it is unwrapped.

    Raises NotAuthentic if it is no block.
    Source: ISO 20038
    """
    return _split(block, _REFERENCE if is_reference(block) else _MAGIC)[0]


def unwrap(roots: BlockRoots, block: bytes) -> tuple[BlockHeader, bytes]:
    """The header and the key of `block`, only if not a bit of either was changed.

    Raises NotAuthentic otherwise, NotPermitted without the root of its purpose.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
    """
    return _open(roots, block, _MAGIC)


def unwrap_reference(roots: BlockRoots, block: bytes) -> tuple[BlockHeader, bytes]:
    """The header and the name in a reference, only if not a bit of either was changed.

    Raises NotAuthentic otherwise, NotPermitted without the root of its purpose.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return _open(roots, block, _REFERENCE)


def rewrap(before: BlockRoots, after: BlockRoots, block: bytes, nonce: bytes) -> bytes:
    """The key or name of `block` under the roots `after`; `block` itself if it is there already.

    Raises NotAuthentic if it opens under neither, NotPermitted without the root of its purpose.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    magic = _REFERENCE if is_reference(block) else _MAGIC
    try:
        _open(after, block, magic)
    except NotAuthentic:
        header, content = _open(before, block, magic)
        return _join(after, header, content, nonce, magic)
    return block


def _join(
    roots: BlockRoots, header: BlockHeader, content: bytes, nonce: bytes, magic: bytes
) -> bytes:
    text = encode_canonical(header)
    head = magic + len(text).to_bytes(2, "big") + text
    return head + nonce + roots.wrapping(header).seal(nonce, content, head)


def _open(roots: BlockRoots, block: bytes, magic: bytes) -> tuple[BlockHeader, bytes]:
    header, end = _split(block, magic)
    nonce, sealed = block[end : end + NONCE_LENGTH], block[end + NONCE_LENGTH :]
    return header, roots.wrapping(header).open(nonce, sealed, block[:end])


def _split(block: bytes, magic: bytes) -> tuple[BlockHeader, int]:
    end = _PREFIX + int.from_bytes(block[len(magic) : _PREFIX], "big")
    if block[: len(magic)] != magic or not end < len(block) <= MAX_BLOCK:
        raise NotAuthentic("the key block does not verify")
    try:
        return _header_decoder.decode_canonical(block[_PREFIX:end]), end
    except Refused as error:
        raise NotAuthentic("the key block does not verify") from error
