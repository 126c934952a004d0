"""CBOR as authenticators write it, read strictly: shortest heads, definite lengths, no key twice.

Source: RFC 8949, 4.2; WebAuthn Level 3, 6.1; FIDO CTAP 2.2, 8
"""

from typing import Final

from tallystick.kernel.errors import Malformed, TooLarge

MAX_CBOR: Final = 64 * 1024
MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 512

Item = int | bytes | str | bool | list["Item"] | dict[int | str, "Item"]
"""What is read: no float, no tag, no null."""


class _Reading:
    """One pass over octets, with a budget of items."""

    __slots__ = ("at", "left", "octets")

    def __init__(self, octets: bytes, at: int) -> None:
        self.octets, self.at, self.left = octets, at, MAX_ITEMS

    def item(self, depth: int) -> Item:
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            raise Malformed("CBOR is nested too deep, or has too many items")
        major, value = self._head()
        if major == 0:
            return value
        if major == 1:
            return -1 - value
        if major in {2, 3}:
            return self._string(major, value)
        if major == 4:
            self._fits(value)
            return [self.item(depth + 1) for _ in range(value)]
        if major == 5:
            return self._map(value, depth)
        if major == 7 and value in {20, 21}:
            return value == 21
        raise Malformed("CBOR of a type that is not used here")

    def _map(self, count: int, depth: int) -> Item:
        self._fits(count)
        found: dict[int | str, Item] = {}
        for _ in range(count):
            name = self.item(depth + 1)
            if isinstance(name, bool) or not isinstance(name, int | str) or name in found:
                raise Malformed("a map of CBOR has a name twice, or of another type")
            found[name] = self.item(depth + 1)
        return found

    def _string(self, major: int, length: int) -> bytes | str:
        end = self.at + length
        if end > len(self.octets):
            raise Malformed("CBOR is cut off")
        raw = self.octets[self.at : end]
        self.at = end
        try:
            return raw if major == 2 else raw.decode()
        except UnicodeDecodeError as error:
            raise Malformed("a text of CBOR is not UTF-8") from error

    def _fits(self, count: int) -> None:
        if count > self.left or count > len(self.octets) - self.at:
            raise Malformed("CBOR is cut off, or has too many items")

    def _head(self) -> tuple[int, int]:
        if self.at >= len(self.octets):
            raise Malformed("CBOR is cut off")
        first = self.octets[self.at]
        major, short = first >> 5, first & 0x1F
        self.at += 1
        if short < 24:
            return major, short
        if short > 27 or major == 7:
            raise Malformed("CBOR of a form that is not used here")
        size = 1 << (short - 24)
        end = self.at + size
        if end > len(self.octets):
            raise Malformed("CBOR is cut off")
        value = int.from_bytes(self.octets[self.at : end], "big")
        self.at = end
        if value < (24, 1 << 8, 1 << 16, 1 << 32)[short - 24]:
            raise Malformed("a head of CBOR is not in its shortest form")
        return major, value


def read(octets: bytes) -> Item:
    """The one item in `octets`.

    Raises TooLarge past 64 KiB, Malformed for anything that is not exactly one item.
    Source: RFC 8949, 4.2.1
    """
    item, end = read_first(octets, 0)
    if end != len(octets):
        raise Malformed("something follows the item of CBOR")
    return item


def read_first(octets: bytes, at: int) -> tuple[Item, int]:
    """The item that begins at `at`, and where it ends.

    Raises as `read`.
    Source: RFC 8949, 4.2.1
    """
    if len(octets) > MAX_CBOR:
        raise TooLarge(f"CBOR has at most {MAX_CBOR} bytes")
    reading = _Reading(octets, at)
    return reading.item(0), reading.at


def mapping(item: Item | None) -> dict[int | str, Item]:
    """`item` as a map. Raises Malformed otherwise.

    Source: RFC 8949, 3.1
    """
    if not isinstance(item, dict):
        raise Malformed("CBOR holds another type than a map")
    return item


def octets_of(item: Item | None) -> bytes:
    """`item` as a byte string. Raises Malformed otherwise.

    Source: RFC 8949, 3.1
    """
    if not isinstance(item, bytes):
        raise Malformed("CBOR holds another type than a byte string")
    return item


def text_of(item: Item | None) -> str:
    """`item` as a text. Raises Malformed otherwise.

    Source: RFC 8949, 3.1
    """
    if not isinstance(item, str):
        raise Malformed("CBOR holds another type than a text")
    return item


def integer_of(item: Item | None) -> int:
    """`item` as an integer. Raises Malformed otherwise.

    Source: RFC 8949, 3.1
    """
    if isinstance(item, bool) or not isinstance(item, int):
        raise Malformed("CBOR holds another type than an integer")
    return item


def octets_list(item: Item | None) -> tuple[bytes, ...]:
    """`item` as a list of byte strings. Raises Malformed otherwise.

    Source: RFC 8949, 3.1
    """
    if not isinstance(item, list):
        raise Malformed("CBOR holds another type than a list")
    return tuple(octets_of(one) for one in item)
