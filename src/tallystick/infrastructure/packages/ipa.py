"""A package for iOS: its property list, and the code directory that its signature is over.

    archive -> Payload/<one>.app -> Info.plist (bound by slot 1) -> executable, each 64-bit slice
        -> code directory: identifier, team, a digest of every page -> cdhash

Every page is held against its digest. The signature over the code directory (CMS, to a root of the
platform's maker) is looked at by phones and not here: a package read here says who it is, and the
cdhash says which code that is.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5
"""

import plistlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from xml.parsers.expat import ExpatError

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.packages.archive import Archive, read_archive
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge

_LIST: Final = re.compile(r"Payload/[^/]+\.app/Info\.plist")
_MAX_LIST: Final = 512 * 1024
_MAX_SLICES: Final = 4
_MAX_COMMANDS: Final = 1024
_FAT, _THIN = 0xCAFEBABE, 0xFEEDFACF
_SIGNED_AT: Final = 0x1D
_EMBEDDED, _DIRECTORY = 0xFADE0CC0, 0xFADE0C02
_DIRECTORY_SLOTS: Final = frozenset((0, *range(0x1000, 0x1005)))
_SHA256: Final = 2
_LIST_SLOT, _TEAM_SINCE = 1, 0x20200
_HEAD: Final = struct.Struct(">9I4BI")
_BROKEN_LISTS: Final = (
    plistlib.InvalidFileException, ExpatError, ValueError, KeyError, TypeError, IndexError,
    OverflowError, RecursionError, AttributeError, struct.error,
)  # fmt: skip
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,154}")


@dataclass(frozen=True, slots=True)
class ApplePackage:
    """What the package says: bundle, build, version for people, least system, team, cdhash.

    `cdhashes` are in hexadecimal, one for each slice in the order of the file; `digest` is the
    SHA-256 of the package (hexadecimal).
    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    bundle: str
    build: str
    version_name: str
    least_system: str
    team: str
    cdhashes: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class CodeDirectory:
    """A code directory whose pages were held against it.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    identifier: str
    team: str
    cdhash: str


def read_ipa(octets: bytes) -> ApplePackage:
    """The package for iOS in `octets`.

    Raises Malformed or TooLarge for what is none; NotAuthentic where a page or the property list
    is not what the code directory says, or slices are of different teams.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    archive = read_archive(octets)
    listed = [one.name for one in archive.entries if _LIST.fullmatch(one.name)]
    if len(listed) != 1:
        raise Malformed("a package for iOS holds one application")
    told = archive.unpacked(listed[0])
    found = read_list(told)
    bundle = _word(found, "CFBundleIdentifier")
    directories = tuple(_directories(archive, listed[0], _word(found, "CFBundleExecutable"), told))
    if any(one.identifier != bundle for one in directories):
        raise NotAuthentic("the code of the package is signed under another identifier")
    if len({one.team for one in directories}) != 1:
        raise NotAuthentic("the code of the package is signed by several teams")
    return ApplePackage(
        bundle=bundle,
        build=_word(found, "CFBundleVersion"),
        version_name=_word(found, "CFBundleShortVersionString"),
        least_system=_word(found, "MinimumOSVersion"),
        team=directories[0].team,
        cdhashes=tuple(one.cdhash for one in directories),
        digest=sha256(octets).hex(),
    )


def read_list(octets: bytes) -> Mapping[str, Any]:
    """The property list in `octets`, XML or binary.

    Raises TooLarge past 512 KiB, Malformed for anything that is no dictionary.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    if len(octets) > _MAX_LIST:
        raise TooLarge(f"a property list has at most {_MAX_LIST} octets")
    if not octets.startswith((b"bplist00", b"<?xml", b"<plist", b"<!DOCTYPE")):
        raise Malformed("the property list of the package cannot be read")
    try:
        found: Any = plistlib.loads(octets)
    except _BROKEN_LISTS as error:
        raise Malformed("the property list of the package cannot be read") from error
    if not isinstance(found, dict):
        raise Malformed("the property list of the package is no dictionary")
    return cast("dict[str, Any]", found)


def _word(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise Malformed(f"the property list of the package says no {name}")
    return value


def _directories(archive: Archive, listed: str, executable: str, told: bytes) -> Iterator[
    CodeDirectory
]:  # fmt: skip
    code = archive.unpacked(listed.removesuffix("Info.plist") + executable)
    for one in _slices(code):
        yield read_code(one, told)


def _slices(code: bytes) -> tuple[bytes, ...]:
    """The 64-bit programs in `code`, which may be one or several in one file."""
    if int.from_bytes(code[:4], "big") != _FAT:
        return (code,)
    count = int.from_bytes(code[4:8], "big")
    if not 0 < count <= _MAX_SLICES or len(code) < 8 + 20 * count:
        raise Malformed("the executable of the package has no or too many slices")
    found: list[bytes] = []
    ended = 8 + 20 * count
    for at in range(8, 8 + 20 * count, 20):
        _, _, offset, size, _ = struct.unpack_from(">5I", code, at)
        if offset < ended or offset + size > len(code):
            raise Malformed("a slice of the executable lies over another, or is cut off")
        found.append(code[offset : offset + size])
        ended = offset + size
    return tuple(found)


def read_code(code: bytes, told: bytes) -> CodeDirectory:
    """The code directory of the 64-bit program `code`; `told` is the property list beside it.

    Raises Malformed, NotAuthentic where a page or `told` is another than was signed.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    at, size = _signature_place(code)
    blobs = _blobs(code[at : at + size])
    strongest = [one for one in blobs if one[36:38] == bytes((32, _SHA256))]
    if len(strongest) != 1:
        raise NotAuthentic("the code of the package has not one code directory of SHA-256")
    return _directory(strongest[0], code[:at], told)


def _signature_place(code: bytes) -> tuple[int, int]:
    if len(code) < 32 or int.from_bytes(code[:4], "little") != _THIN:
        raise Malformed("the executable of the package is no 64-bit program")
    count, size = struct.unpack_from("<2I", code, 16)
    if count > _MAX_COMMANDS or 32 + size > len(code):
        raise Malformed("the executable of the package is cut off")
    at, end, places = 32, 32 + size, list[tuple[int, int]]()
    for _ in range(count):
        if at + 8 > end:
            raise Malformed("the commands of the executable are cut off")
        command, length = struct.unpack_from("<2I", code, at)
        if length < 8 or length % 4 or at + length > end:
            raise Malformed("a command of the executable says a wrong length")
        if command == _SIGNED_AT:
            if length != 16:
                raise Malformed("a command of the executable says a wrong length")
            places.append(struct.unpack_from("<2I", code, at + 8))
        at += length
    if len(places) != 1:
        raise NotAuthentic("the executable of the package is not signed once")
    if places[0][0] < end or sum(places[0]) != len(code):
        raise Malformed("the signature of the executable is not at its end")
    return places[0]


def _blobs(octets: bytes) -> list[bytes]:
    """The code directories in a signature."""
    if len(octets) < 12:
        raise Malformed("the signature of the executable is cut off")
    magic, length, count = struct.unpack_from(">3I", octets)
    if magic != _EMBEDDED or not 12 + 8 * count <= length <= len(octets):
        raise Malformed("the signature of the executable has another shape")
    found, seen = list[bytes](), set[int]()
    for at in range(12, 12 + 8 * count, 8):
        slot, offset = struct.unpack_from(">2I", octets, at)
        if slot in seen or not 12 + 8 * count <= offset <= length - 8:
            raise Malformed("a part of the signature comes twice, or is cut off")
        seen.add(slot)
        size = int.from_bytes(octets[offset + 4 : offset + 8], "big")
        if slot in _DIRECTORY_SLOTS:
            if size < _HEAD.size or offset + size > length:
                raise Malformed("a code directory is cut off")
            found.append(octets[offset : offset + size])
    return found


def _directory(blob: bytes, pages: bytes, told: bytes) -> CodeDirectory:
    (magic, _, version, _, hashes, name, special, slots, limit, size, sort, _, page, _) = (
        _HEAD.unpack_from(blob)
    )
    if (magic, size, sort) != (_DIRECTORY, 32, _SHA256) or not 9 <= page <= 16:
        raise Malformed("a code directory has another shape")
    first = hashes - 32 * special
    if first < _HEAD.size or hashes + 32 * slots > len(blob) or special < _LIST_SLOT:
        raise Malformed("the digests of a code directory are cut off")
    if limit != len(pages) or slots != -(-limit // (1 << page)):
        raise NotAuthentic("the code directory does not cover the executable")
    for one in range(slots):
        octets = pages[one << page : (one + 1) << page]
        if sha256(octets) != blob[hashes + 32 * one : hashes + 32 * (one + 1)]:
            raise NotAuthentic("a page of the executable is not what was signed")
    if sha256(told) != blob[hashes - 32 * _LIST_SLOT : hashes][:32]:
        raise NotAuthentic("the property list is not what was signed")
    if version < _TEAM_SINCE or first < _HEAD.size + 8:
        raise NotAuthentic("the code of the package names no team")
    team = int.from_bytes(blob[_HEAD.size + 4 : _HEAD.size + 8], "big")
    return CodeDirectory(
        identifier=_word_at(blob, name, first),
        team=_word_at(blob, team, first),
        cdhash=sha256(blob)[:20].hex(),
    )


def _word_at(blob: bytes, at: int, end: int) -> str:
    ends = blob.find(b"\x00", at, end)
    word = blob[at:ends].decode("latin-1") if _HEAD.size <= at < ends else ""
    if not _PLAIN.fullmatch(word):
        raise NotAuthentic("the code of the package names no identifier or team")
    return word
