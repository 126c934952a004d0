"""DER as attestations use it, read strictly: shortest lengths, no indefinite ones, nothing left.

Source: X.690, 10; 11; RFC 5280, B
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tallystick.kernel.errors import Malformed, TooLarge

MAX_DER: Final = 16 * 1024
MAX_DEPTH: Final = 12
UNIVERSAL, CONTEXT = 0, 2
BOOLEAN, INTEGER, OCTETS, NULL, ENUMERATED, SEQUENCE, SET = 1, 2, 4, 5, 10, 16, 17
_MAX_INTEGER: Final = 9


@dataclass(frozen=True, slots=True)
class Element:
    """One item: class (0 universal, 2 context), tag number, form, content.

    Source: X.690, 8.1
    """

    sort: int
    number: int
    constructed: bool
    content: bytes
    depth: int

    def children(self) -> tuple["Element", ...]:
        """The items inside.

        Raises Malformed for an item that has none, or content that is not whole items.
        Source: X.690, 8.1.2
        """
        if not self.constructed:
            raise Malformed("an item of DER holds no others")
        return tuple(_items(self.content, self.depth + 1))

    def of(self, number: int) -> "Element":
        """Itself, if it is of the universal type `number`.

        Raises Malformed otherwise.
        Source: X.690, 8.1.2
        """
        built = number in {SEQUENCE, SET}
        if self.sort != UNIVERSAL or self.number != number or self.constructed is not built:
            raise Malformed("an item of DER has another type")
        return self

    def explicit(self) -> "Element":
        """The one item inside an explicit tag.

        Raises Malformed where there is not exactly one.
        Source: X.690, 8.14
        """
        inside = self.children()
        if len(inside) != 1:
            raise Malformed("an explicit tag holds one item")
        return inside[0]

    def integer(self) -> int:
        """The integer or enumerated value, at most 64 bits and a sign.

        Raises Malformed for another type and for octets that are not needed.
        Source: X.690, 8.3
        """
        known = self.sort == UNIVERSAL and self.number in {INTEGER, ENUMERATED}
        if not known or self.constructed or not 0 < len(self.content) <= _MAX_INTEGER:
            raise Malformed("an integer of DER has another shape")
        if len(self.content) > 1 and (
            (self.content[0] == 0 and self.content[1] < 0x80)
            or (self.content[0] == 0xFF and self.content[1] >= 0x80)
        ):
            raise Malformed("an integer of DER has more octets than it needs")
        return int.from_bytes(self.content, "big", signed=True)

    def boolean(self) -> bool:
        """The truth value: all bits set, or none.

        Raises Malformed for anything else.
        Source: X.690, 11.1
        """
        if self.of(BOOLEAN).content not in {b"\x00", b"\xff"}:
            raise Malformed("a boolean of DER is 00 or FF")
        return self.content == b"\xff"

    def octets(self) -> bytes:
        """The octets of an octet string.

        Raises Malformed for another type.
        Source: X.690, 8.7
        """
        return self.of(OCTETS).content


def read(octets: bytes) -> Element:
    """The one item in `octets`.

    Raises TooLarge past 16 KiB, Malformed for anything that is not exactly one item.
    Source: X.690, 10.1
    """
    if len(octets) > MAX_DER:
        raise TooLarge(f"an item of DER has at most {MAX_DER} bytes")
    found = tuple(_items(octets, 0))
    if len(found) != 1:
        raise Malformed("there is not exactly one item of DER")
    return found[0]


def _items(octets: bytes, depth: int) -> Iterator[Element]:
    if depth > MAX_DEPTH:
        raise Malformed("DER is nested too deep")
    at = 0
    try:
        while at < len(octets):
            first = octets[at]
            number, at = _number(octets, at)
            length, at = _length(octets, at)
            if at + length > len(octets):
                raise Malformed("an item of DER is cut off")
            yield Element(
                sort=first >> 6,
                number=number,
                constructed=bool(first & 0x20),
                content=octets[at : at + length],
                depth=depth,
            )
            at += length
    except IndexError as error:
        raise Malformed("an item of DER is cut off") from error


def _number(octets: bytes, at: int) -> tuple[int, int]:
    number = octets[at] & 0x1F
    at += 1
    if number != 0x1F:
        return number, at
    number = 0
    for place in range(4):
        octet = octets[at + place]
        number = number << 7 | octet & 0x7F
        if not number:
            break
        if octet < 0x80:
            if number < 0x1F:
                break
            return number, at + place + 1
    raise Malformed("a tag of DER is not in its shortest form")


def _length(octets: bytes, at: int) -> tuple[int, int]:
    length = octets[at]
    at += 1
    if length < 0x80:
        return length, at
    size = length & 0x7F
    if not 0 < size <= 3 or at + size > len(octets):
        raise Malformed("a length of DER is not in its shortest form")
    length = int.from_bytes(octets[at : at + size], "big")
    if length < 0x80 or length >> 8 * (size - 1) == 0:
        raise Malformed("a length of DER is not in its shortest form")
    return length, at + size
