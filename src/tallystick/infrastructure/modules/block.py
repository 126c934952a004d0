"""Key blocks: a key wrapped together with what it is for, so that neither changes alone.

A block is `TKB1`, the length of the header (2 bytes), the header (canonical JSON), a nonce of 12
bytes, and the key under AES-256-GCM with everything before it as associated data. Each block is
wrapped under a key of its own, derived from the root of its purpose and its id: a process that has
the roots of some purposes can open no block of another.

Keys in rows, one for each customer, may be wrapped under a key that has generations of its own: a
block `TKB2` says in 8 characters more, before the length, which one. Another generation changes the
wrapping of a key, and by its mechanism what the key seals by from then on; never the key.

A reference, `TKR1`, is made the same way and holds the name of a key that stays in a device.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038; ISO 11568; NIST SP 800-38D
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, AeadKey
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.crypto.kdf import hkdf_sha256
from tallystick.infrastructure.modules.interface import (
    AES_256_CCM,
    AES_256_GCM,
    HKDF_CCM,
    HKDF_SHA256,
    MEMORY_ONLY,
    KeyHandle,
    Purpose,
)
from tallystick.kernel.codec import (
    Decoder,
    b64url,
    b64url_decode,
    encode_canonical,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted, Refused
from tallystick.kernel.model import Record, replace
from tallystick.kernel.secret import Secret

MAX_BLOCK = 4096
_MAGIC = b"TKB1"
_UNDER = b"TKB2"
_TAG: Final = 8
_REFERENCE = b"TKR1"
_ROOT_INFO = b"tallystick key block root v1|"
_KEY_INFO = b"tallystick key block v1|"
_CHECK_INFO = b"tallystick key block roots check v1"
_PREFIX = len(_MAGIC) + 2
_SEALS_BY: Final = {AES_256_GCM: HKDF_SHA256, AES_256_CCM: HKDF_CCM}
"""By the mechanism of a generation: that of the keys of subjects under it."""


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


@dataclass(frozen=True, slots=True, repr=False)
class Generation:
    """One key that wraps the keys of subjects: how it is named, its mechanism, its 32 bytes.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    tag: str
    mechanism: str
    octets: bytes


class _Handed(Record, frozen=True, kw_only=True):
    """Roots and generations on their way to another process."""

    roots: dict[Purpose, str]
    generations: tuple[tuple[str, str, str], ...] = ()


_header_decoder = Decoder(BlockHeader)
_roots_decoder = Decoder(_Handed)


class BlockRoots:
    """The wrapping secrets of some purposes, derived from the master key; never prints.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 11770-6
    """

    __slots__ = ("_generations", "_roots")

    def __init__(
        self, roots: dict[Purpose, bytes], generations: tuple[Generation, ...] = ()
    ) -> None:
        self._roots = roots
        self._generations = generations

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
        handed = _roots_decoder.decode_canonical(octets)
        found = {purpose: b64url_decode(text) for purpose, text in handed.roots.items()}
        under = tuple(
            Generation(tag, by, b64url_decode(one)) for tag, by, one in handed.generations
        )
        if any(len(one) != 32 for one in (*found.values(), *(one.octets for one in under))):
            raise Malformed("a root of key blocks has 32 bytes")
        return cls(found, under)

    def with_generations(self, blocks: Iterable[bytes]) -> "BlockRoots":
        """The same roots with the generations among `blocks`; they replace the root they are under.

        Without the root of subjects there are none. Raises NotAuthentic for a changed block.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        mine = [one for one in blocks if peek(one).purpose is Purpose.SUBJECT_WRAP]
        opened = sorted(
            (unwrap(self, one) for one in mine if Purpose.SUBJECT_WRAP in self._roots),
            key=lambda one: (one[0].created_at, one[0].id),
            reverse=True,
        )
        found = tuple(
            Generation(header.id[-_TAG:], header.mechanism, octets) for header, octets in opened
        )
        left = dict(self._roots)
        left.pop(Purpose.SUBJECT_WRAP, None)
        return BlockRoots(left, found if Purpose.SUBJECT in left else ())

    def to_octets(self) -> Secret[bytes]:
        """The roots for a child process, over a pipe and nowhere else.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        handed = _Handed(
            roots={purpose: b64url(root) for purpose, root in self._roots.items()},
            generations=tuple(
                (one.tag, one.mechanism, b64url(one.octets)) for one in self._generations
            ),
        )
        return Secret(encode_canonical(handed))

    def purposes(self) -> tuple[Purpose, ...]:
        """The purposes whose blocks can be opened.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return tuple(self._roots)

    def newest(self, purpose: Purpose) -> str:
        """The name of the generation that wraps new keys of `purpose`; empty for its root.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        under = purpose is Purpose.SUBJECT and self._generations
        return under[0].tag if under else ""

    def preferred(self, purpose: Purpose) -> str:
        """The mechanism that the newest generation asks of keys of `purpose`; empty where none is.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        under = purpose is Purpose.SUBJECT and self._generations
        return _SEALS_BY[under[0].mechanism] if under else ""

    def wrapping(self, header: BlockHeader, tag: str = "") -> AeadKey:
        """The key that wraps the block of `header`, of the generation `tag` where one is named.

        Raises NotPermitted without its root, NotAuthentic for a generation that there is none of.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        root, mechanism = self._roots.get(header.purpose), AES_256_GCM
        if root is None:
            raise NotPermitted(
                f"this process has no access to keys of the purpose {header.purpose.value}",
                remedy="run the act in the process that holds them",
            )
        if tag:
            under = next((one for one in self._generations if one.tag == tag), None)
            if under is None or header.purpose is not Purpose.SUBJECT:
                raise NotAuthentic("the key block is under a key that is not here")
            root, mechanism = under.octets, under.mechanism
        return AeadKey(hmac_sha256(root, _KEY_INFO + header.id.encode()), mechanism=mechanism)

    def check_value(self) -> str:
        """Three bytes in hex that tell whether two people have the same roots, and no more.

        Source: ISO 11568
        """
        octets = BlockRoots(self._roots).to_octets().reveal()
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
    """The block of `material`, bound to `header`, under the newest generation if there is one.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
    """
    return _join(roots, header, material, nonce, _MAGIC, roots.newest(header.purpose))


def wrapped_under(block: bytes) -> str:
    """The name of the generation that wraps a block; empty for a root. The first 12 bytes suffice.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return block[4:12].decode("ascii", "replace") if block[:4] == _UNDER else ""


def unwrap_now(roots: BlockRoots, block: bytes) -> tuple[BlockHeader, bytes]:
    """What `unwrap` gives, the header with the mechanism that the newest generation asks for.

    Raises what `unwrap` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    header, material = unwrap(roots, block)
    return _as_now(roots, header), material


def wrapped_now(roots: BlockRoots, block: bytes, draw: Callable[[int], bytes]) -> bytes:
    """The key of `block` as it is wrapped now; `block` itself where that is so already.

    Raises what `unwrap` raises, for a block that has to change.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    header = peek(block)
    if roots.newest(header.purpose) == wrapped_under(block) and _as_now(roots, header) == header:
        return block
    return wrap(roots, *unwrap_now(roots, block), draw(NONCE_LENGTH))


def _as_now(roots: BlockRoots, header: BlockHeader) -> BlockHeader:
    wanted = roots.preferred(header.purpose)
    return replace(header, mechanism=wanted) if wanted else header


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

    A block under a generation stays: the key of the generation is what changes its roots. Raises
    NotAuthentic if it opens under neither, NotPermitted without the root of its purpose.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    if wrapped_under(block):
        return block
    magic = _REFERENCE if is_reference(block) else _MAGIC
    try:
        _open(after, block, magic)
    except NotAuthentic:
        header, content = _open(before, block, magic)
        return _join(after, header, content, nonce, magic)
    return block


def _join(
    roots: BlockRoots,
    header: BlockHeader,
    content: bytes,
    nonce: bytes,
    magic: bytes,
    tag: str = "",
) -> bytes:
    text = encode_canonical(header)
    begin = _UNDER + tag.encode("ascii") if tag else magic
    head = begin + len(text).to_bytes(2, "big") + text
    return head + nonce + roots.wrapping(header, tag).seal(nonce, content, head)


def _open(roots: BlockRoots, block: bytes, magic: bytes) -> tuple[BlockHeader, bytes]:
    header, end = _split(block, magic)
    nonce, sealed = block[end : end + NONCE_LENGTH], block[end + NONCE_LENGTH :]
    tag = wrapped_under(block)
    return header, roots.wrapping(header, tag).open(nonce, sealed, block[:end])


def _split(block: bytes, magic: bytes) -> tuple[BlockHeader, int]:
    begins = _PREFIX
    if magic == _MAGIC and block[: len(_UNDER)] == _UNDER:
        magic, begins = _UNDER, _PREFIX + _TAG
    end = begins + int.from_bytes(block[begins - 2 : begins], "big")
    if block[: len(magic)] != magic or not end < len(block) <= MAX_BLOCK:
        raise NotAuthentic("the key block does not verify")
    try:
        return _header_decoder.decode_canonical(block[begins:end]), end
    except Refused as error:
        raise NotAuthentic("the key block does not verify") from error
