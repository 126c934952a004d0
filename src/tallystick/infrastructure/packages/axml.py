"""The manifest of an Android package: XML in chunks, read for what the package says that it is.

    chunk = type (2), length of its head (2), length (4) | string pool | numbers of attributes
          | begin and end of elements

Android looks an attribute up by its number, not by its name; so does this.

Source: ISO/TS 12812-2:2017, 7.4.4
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.kernel.errors import Malformed, TooLarge

MAX_MANIFEST: Final = 4 * 1024 * 1024
_NAMESPACE: Final = "http://schemas.android.com/apk/res/android"
_POOL, _XML, _NUMBERS = 0x0001, 0x0003, 0x0180
_BEGINS_SPACE, _ENDS_SPACE, _BEGINS, _ENDS, _TEXT = 0x0100, 0x0101, 0x0102, 0x0103, 0x0104
_NONE: Final = 0xFFFFFFFF
_UTF8: Final = 0x100
_STRING, _WHOLE, _HEX, _TRUTH = 0x03, 0x10, 0x11, 0x12
_MAX_STRINGS: Final = 65_536
_MAX_DEPTH: Final = 64
_DEBUGGABLE, _MIN_SDK, _TARGET_SDK = 0x0101000F, 0x0101020C, 0x01010270
_VERSION_CODE, _VERSION_NAME, _TEST_ONLY = 0x0101021B, 0x0101021C, 0x01010272
_VERSION_MAJOR: Final = 0x01010576

Value = str | int | bool
Attributes = Mapping[int | str, Value]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package says of itself; `version` orders its releases, `version_name` is for people.

    `least_system` and `target_system` are levels of API. `debuggable` and `test_only` are never
    so in what customers get.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    package: str
    version: int
    version_name: str
    least_system: int
    target_system: int
    debuggable: bool
    test_only: bool


@dataclass(frozen=True, slots=True)
class _Chunk:
    sort: int
    head: bytes
    body: bytes


def read_manifest(octets: bytes) -> Manifest:
    """The manifest in `octets`.

    Raises TooLarge past 4 MiB, Malformed for anything that two readers could read in two ways.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    if len(octets) > MAX_MANIFEST:
        raise TooLarge(f"a manifest has at most {MAX_MANIFEST} octets")
    whole = tuple(_chunks(octets))
    if len(whole) != 1 or whole[0].sort != _XML:
        raise Malformed("the manifest of the package is no XML in chunks")
    elements = tuple(_elements(tuple(_chunks(whole[0].body))))
    tops = [attributes for depth, name, attributes in elements if (depth, name) == (1, "manifest")]
    if len(tops) != 1 or sum(depth == 1 for depth, _, _ in elements) != 1:
        raise Malformed("a manifest has one outermost element")
    systems = [found for depth, name, found in elements if (depth, name) == (2, "uses-sdk")]
    apps = [found for depth, name, found in elements if (depth, name) == (2, "application")]
    if len(systems) > 1 or len(apps) > 1:
        raise Malformed("an element of the manifest comes twice")
    return _manifest(tops[0], systems[0] if systems else {}, apps[0] if apps else {})


def _manifest(top: Attributes, system: Attributes, app: Attributes) -> Manifest:
    package = _text(top, "package")
    if not package or len(package) > 255 or not package.isascii():
        raise Malformed("the manifest names no package")
    least = _number(system, _MIN_SDK, 1)
    return Manifest(
        package=package,
        version=_number(top, _VERSION_MAJOR, 0) << 32 | _number(top, _VERSION_CODE, 0),
        version_name=_text(top, _VERSION_NAME)[:80],
        least_system=least,
        target_system=_number(system, _TARGET_SDK, least),
        debuggable=app.get(_DEBUGGABLE, False) is not False,
        test_only=app.get(_TEST_ONLY, False) is not False,
    )


def _number(found: Attributes, name: int, otherwise: int) -> int:
    value = found.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed("a number of the manifest is none")
    return value


def _text(found: Attributes, name: int | str) -> str:
    value = found.get(name, "")
    if not isinstance(value, str):
        raise Malformed("a word of the manifest is none")
    return value


def _chunks(octets: bytes) -> Iterator[_Chunk]:
    at = 0
    while at < len(octets):
        if at + 8 > len(octets):
            raise Malformed("the manifest of the package is cut off")
        sort, head, length = struct.unpack_from("<2HI", octets, at)
        if not 8 <= head <= length <= len(octets) - at or length % 4 or head % 4:
            raise Malformed("a part of the manifest says a wrong length")
        yield _Chunk(sort, octets[at + 8 : at + head], octets[at + head : at + length])
        at += length


def _elements(chunks: Sequence[_Chunk]) -> Iterator[tuple[int, str, Attributes]]:
    """Depth, name and attributes of each element, in order."""
    strings: tuple[str, ...] | None = None
    numbers: tuple[int, ...] = ()
    open_: list[str] = []
    for one in chunks:
        if one.sort == _POOL and strings is None:
            strings = _strings(one)
        elif one.sort == _NUMBERS and not numbers and not open_:
            numbers = struct.unpack(f"<{len(one.body) // 4}I", one.body)
        elif one.sort == _BEGINS and strings is not None and len(open_) < _MAX_DEPTH:
            name, attributes = _element(one, strings, numbers)
            open_.append(name)
            yield len(open_), name, attributes
        elif one.sort == _ENDS and strings is not None:
            if not open_ or len(one.body) != 8 or open_.pop() != _name(one.body, 4, strings):
                raise Malformed("an element of the manifest ends that did not begin")
        elif one.sort not in {_BEGINS_SPACE, _ENDS_SPACE, _TEXT} or strings is None:
            raise Malformed("a part of the manifest stands where it does not belong")
    if open_:
        raise Malformed("an element of the manifest does not end")


def _element(
    chunk: _Chunk, strings: Sequence[str], numbers: Sequence[int]
) -> tuple[str, Attributes]:
    if len(chunk.body) < 20:
        raise Malformed("an element of the manifest is cut off")
    start, size, count = struct.unpack_from("<3H", chunk.body, 8)
    if (start, size) != (20, 20) or len(chunk.body) != 20 + 20 * count:
        raise Malformed("an element of the manifest has attributes of another size")
    found: dict[int | str, Value] = {}
    for at in range(20, len(chunk.body), 20):
        space, name, raw, length, zero, sort, data = struct.unpack_from("<3IHBBI", chunk.body, at)
        if length != 8 or zero:
            raise Malformed("a value of the manifest has another size")
        word = _string(name, strings)
        named: int | str = word
        if space != _NONE and _string(space, strings) == _NAMESPACE:
            named = numbers[name] if name < len(numbers) else f"android:{word}"
        elif space != _NONE:
            named = f"{_string(space, strings)}:{word}"
        if named in found:
            raise Malformed("an attribute of the manifest comes twice")
        found[named] = _value(sort, data, raw, strings)
    return _name(chunk.body, 4, strings), found


def _value(sort: int, data: int, raw: int, strings: Sequence[str]) -> Value:
    if sort == _STRING:
        if raw not in {data, _NONE}:
            raise Malformed("a value of the manifest says two things")
        return _string(data, strings)
    if sort in {_WHOLE, _HEX}:
        return data
    if sort == _TRUTH:
        return data != 0
    return f"@{sort:02x}:{data:08x}"


def _name(body: bytes, at: int, strings: Sequence[str]) -> str:
    if len(body) < at + 4:
        raise Malformed("an element of the manifest is cut off")
    return _string(int(struct.unpack_from("<I", body, at)[0]), strings)


def _string(index: int, strings: Sequence[str]) -> str:
    if index >= len(strings):
        raise Malformed("the manifest names a string that it does not have")
    return strings[index]


def _strings(chunk: _Chunk) -> tuple[str, ...]:
    if len(chunk.head) != 20:
        raise Malformed("the strings of the manifest have another head")
    count, styles, flags, start, _ = struct.unpack("<5I", chunk.head)
    start -= 28
    if count > _MAX_STRINGS or not 4 * (count + styles) <= start <= len(chunk.body):
        raise Malformed("the strings of the manifest are cut off")
    offsets = struct.unpack_from(f"<{count}I", chunk.body)
    data = chunk.body[start:]
    read = _utf8 if flags & _UTF8 else _utf16
    total, found = 0, list[str]()
    for offset in offsets:
        found.append(read(data, offset))
        total += len(found[-1])
        if total > MAX_MANIFEST:
            raise TooLarge("the strings of the manifest are too long together")
    return tuple(found)


def _length(data: bytes, at: int, wide: int) -> tuple[int, int]:
    """A length of one or two units of `wide` octets at `at`, and where it ends."""
    unit = int.from_bytes(data[at : at + wide], "little")
    mark = 1 << (8 * wide - 1)
    if not unit & mark:
        return unit, at + wide
    low = int.from_bytes(data[at + wide : at + 2 * wide], "little")
    return (unit ^ mark) << (8 * wide) | low, at + 2 * wide


def _utf8(data: bytes, at: int) -> str:
    _, at = _length(data, at, 1)
    size, at = _length(data, at, 1)
    return _decoded(data[at : at + size + 1], size, 1, "utf-8")


def _utf16(data: bytes, at: int) -> str:
    size, at = _length(data, at, 2)
    return _decoded(data[at : at + 2 * size + 2], 2 * size, 2, "utf-16-le")


def _decoded(octets: bytes, size: int, wide: int, coding: str) -> str:
    if len(octets) != size + wide or octets[size:].strip(b"\x00"):
        raise Malformed("a string of the manifest does not end")
    try:
        return octets[:size].decode(coding)
    except UnicodeDecodeError as error:
        raise Malformed("a string of the manifest is not Unicode") from error
