"""ZIP archives, read so that every reader sees the same: no gap, no overlap, nothing twice.

    octets -> end record at the very end -> directory -> each entry where the one before ends

What stands before the first entry, after the end record or between two entries, a name that comes
twice, a local header that says something else than the directory: all of it is refused.

Source: ISO/IEC 21320-1, 4; ISO/TS 12812-2:2017, 7.4.4
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tallystick.kernel.errors import Malformed, NotFound, TooLarge

MAX_PACKAGE: Final = 512 * 1024 * 1024
MAX_ENTRIES: Final = 65_534
MAX_TOLD: Final = 128 * 1024 * 1024
"""The most octets that one entry is unpacked to."""

_END: Final = struct.Struct("<4s4H2IH")
_ROW: Final = struct.Struct("<4s6H3I5H2I")
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_AFTER: Final = struct.Struct("<3I")
_STORED, _DEFLATED = 0, 8
_FOLLOWS: Final = 0x0008
_TAKEN_FLAGS: Final = 0x0806 | _FOLLOWS
"""Bits for the effort of packing, for sizes that follow, for names in UTF-8; no other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its name, where its local header begins, where it ends, and its data.

    Sizes in octets, `check` the CRC-32 of what is unpacked.
    Source: ISO/IEC 21320-1, 4.3
    """

    name: str
    begins: int
    ends: int
    data: int
    packed: int
    size: int
    method: int
    check: int


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was checked: its octets, its entries in the order of the file.

    `directory` and `end` are where the directory and the end record begin.
    Source: ISO/IEC 21320-1, 4
    """

    octets: bytes
    entries: tuple[Entry, ...]
    directory: int
    end: int

    @property
    def entries_end(self) -> int:
        """Where the last entry ends.

        Source: ISO/IEC 21320-1, 4.3
        """
        return self.entries[-1].ends if self.entries else 0

    def find(self, name: str) -> Entry | None:
        """The entry called `name`; None where there is none.

        Source: ISO/IEC 21320-1, 4.3
        """
        return next((one for one in self.entries if one.name == name), None)

    def unpacked(self, name: str) -> bytes:
        """What the entry called `name` holds.

        Raises NotFound, TooLarge past 128 MiB, Malformed where size or CRC-32 differ.
        Source: ISO/IEC 21320-1, 4.3; RFC 1951
        """
        entry = self.find(name)
        if entry is None:
            raise NotFound(f"the package has no {name[:60]}")
        if entry.size > MAX_TOLD:
            raise TooLarge(f"an entry is unpacked to at most {MAX_TOLD} octets")
        data = self.octets[entry.data : entry.data + entry.packed]
        if entry.method == _DEFLATED:
            data = _inflated(data, entry.size)
        if len(data) != entry.size or zlib.crc32(data) != entry.check:
            raise Malformed("an entry of the package is not what its header says")
        return data


def read_archive(octets: bytes, *, gap: bool = False) -> Archive:
    """The archive in `octets`; with `gap` something may stand before its directory.

    What the gap holds is for the caller to judge. Raises TooLarge past 512 MiB, Malformed for
    whatever two readers could read in two ways.
    Source: ISO/IEC 21320-1, 4
    """
    if len(octets) > MAX_PACKAGE:
        raise TooLarge(f"a package has at most {MAX_PACKAGE} octets")
    end = len(octets) - _END.size
    if end < 0 or octets[end : end + 4] != b"PK\x05\x06":
        raise Malformed("a package ends with the end record of a ZIP archive, without a comment")
    disks = _END.unpack_from(octets, end)
    if any(disks[1:3]) or disks[3] != disks[4] or disks[7]:
        raise Malformed("an archive in several parts, or with a comment, is not taken")
    count, size, directory = disks[4], disks[5], disks[6]
    if count > MAX_ENTRIES or directory + size != end:
        raise Malformed("the directory of the package does not end where its end record begins")
    entries = tuple(_entries(octets, directory, end, count))
    archive = Archive(octets=octets, entries=entries, directory=directory, end=end)
    _check_row_of_entries(archive, gap=gap)
    return archive


def _check_row_of_entries(archive: Archive, *, gap: bool) -> None:
    at, seen = 0, set[str]()
    for one in archive.entries:
        if one.begins != at:
            raise Malformed("something stands before, between or under the entries of the package")
        if one.name in seen:
            raise Malformed("an entry of the package comes twice")
        seen.add(one.name)
        at = one.ends
    if at > archive.directory or (at < archive.directory and not gap):
        raise Malformed("something stands between the entries and the directory of the package")


def _entries(octets: bytes, at: int, end: int, count: int) -> Iterator[Entry]:
    rows: list[tuple[int, tuple[int, ...], bytes]] = []
    for _ in range(count):
        if at + _ROW.size > end or octets[at : at + 4] != b"PK\x01\x02":
            raise Malformed("the directory of the package is cut off")
        row = _ROW.unpack_from(octets, at)
        name_at = at + _ROW.size
        at = name_at + row[10] + row[11] + row[12]
        if at > end or row[12] or row[13]:
            raise Malformed("a row of the directory has a comment, another part, or no end")
        rows.append((row[16], row[1:], octets[name_at : name_at + row[10]]))
    if at != end:
        raise Malformed("the directory of the package is longer than its rows")
    for begins, row, name in sorted(rows, key=lambda one: one[0]):
        yield _entry(octets, begins, row, name)


def _entry(octets: bytes, begins: int, row: tuple[int, ...], name: bytes) -> Entry:
    """The entry at `begins`, whose local header says what its row of the directory says."""
    flags, method, check, packed, size = row[2], row[3], row[6], row[7], row[8]
    if begins + _LOCAL.size > len(octets) or octets[begins : begins + 4] != b"PK\x03\x04":
        raise Malformed("an entry of the package is not where the directory says")
    local = _LOCAL.unpack_from(octets, begins)
    data = begins + _LOCAL.size + local[9] + local[10]
    if octets[begins + _LOCAL.size : begins + _LOCAL.size + local[9]] != name:
        raise Malformed("an entry has another name than the directory says")
    follows = bool(flags & _FOLLOWS)
    said = (0, 0, 0) if follows and not any(local[6:9]) else (check, packed, size)
    if (local[2], local[3]) != (flags, method) or local[6:9] != said:
        raise Malformed("an entry has another header than the directory says")
    if flags & ~_TAKEN_FLAGS or method not in {_STORED, _DEFLATED}:
        raise Malformed("an entry is packed in a way that is not taken")
    if method == _STORED and packed != size:
        raise Malformed("an entry that is not packed has two sizes")
    ends = data + packed + (_following(octets, data + packed, row) if follows else 0)
    if ends > len(octets):
        raise Malformed("an entry of the package is cut off")
    return Entry(
        name=_named(name), begins=begins, ends=ends, data=data, packed=packed, size=size,
        method=method, check=check,
    )  # fmt: skip


def _following(octets: bytes, at: int, row: tuple[int, ...]) -> int:
    """How long the record of sizes at `at` is, which follows the data and repeats the row."""
    length = 16 if octets[at : at + 4] == b"PK\x07\x08" else 12
    said = octets[at + length - 12 : at + length]
    if len(said) != _AFTER.size or _AFTER.unpack(said) != (row[6], row[7], row[8]):
        raise Malformed("the sizes after an entry are not those of the directory")
    return length


def _named(name: bytes) -> str:
    """`name` in words, if it stays inside the package on every system."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("the name of an entry is not UTF-8") from error
    parts = text.removesuffix("/").split("/")
    if any(one in {"", ".", ".."} for one in parts) or any(
        ord(one) < 0x20 or one in "\\:\x7f" for one in text
    ):
        raise Malformed("the name of an entry leads out of the package")
    return text


def _inflated(data: bytes, size: int) -> bytes:
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = machine.decompress(data, size + 1)
    except zlib.error as error:
        raise Malformed("an entry of the package cannot be unpacked") from error
    if not machine.eof or machine.unused_data or machine.unconsumed_tail:
        raise Malformed("an entry of the package is not what its header says")
    return found
