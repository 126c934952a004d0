"""The octets of ASN.1 values in their one form (DER), read strictly and written.

Tags are shortest, lengths definite and shortest, and nothing is left over; what is not so is
refused. A value is opened one level at a time, so that what nobody asks for costs nothing.

Source: ITU-T X.690, 8; 10; 11
"""

from dataclasses import dataclass
from typing import Final

from tallystick.kernel.errors import Malformed

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OBJECT: Final = 0x06
ENUMERATED: Final = 0x0A
TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

MOST_BYTES: Final = 1 << 20
MOST_VALUES: Final = 1_024
DEEPEST: Final = 16
"""What the reader takes: octets in all, values beside each other, levels below the first."""

_MANY: Final = 0x1F
_BUILT: Final = 0x20
_CONTEXT: Final = 0x80
_CLASS: Final = 0xC0
_TAG_OCTETS: Final = 4
_LENGTH_OCTETS: Final = 3
_SIGNED_OCTETS: Final = 9
_OBJECT_OCTETS: Final = 64
_OBJECT_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its tag, what is in it, its octets whole, and how many levels it lies below.

    `tag` is the identifier octets as one number (0xBF8540 for the context tag 704), `number` the
    number in it.
    Source: ITU-T X.690, 8.1
    """

    tag: int
    number: int
    body: bytes
    octets: bytes
    depth: int

    @property
    def context(self) -> int:
        """The number of its context tag; -1 for a tag of another class.

        Source: ITU-T X.690, 8.1.2
        """
        return self.number if self.octets[0] & _CLASS == _CONTEXT else -1

    @property
    def is_built(self) -> bool:
        """Whether it is made of other values.

        Source: ITU-T X.690, 8.1.2.5
        """
        return bool(self.octets[0] & _BUILT)

    def inside(self) -> tuple["Value", ...]:
        """The values that it is made of.

        Raises Malformed for a value that is made of none, for one that lies too deep, and for
        octets that are not whole values.
        Source: ITU-T X.690, 8.1
        """
        if not self.is_built:
            raise Malformed("a value holds no others")
        return _values(self.body, self.depth + 1)

    def holds(self, tag: int | None = None) -> "Value":
        """The one value in it, such as that in an explicit tag; with `tag`, where one is given.

        Raises Malformed for none, for more than one, and for another tag.
        Source: ITU-T X.690, 8.14
        """
        return _only(self.inside(), tag)


def values(octets: bytes) -> tuple[Value, ...]:
    """The values that stand one after the other in `octets`.

    Raises Malformed for anything else, and past 1 MiB or 1,024 values.
    Source: ITU-T X.690, 8.1; 10.1
    """
    return _values(octets, 0)


def single(octets: bytes, tag: int) -> Value:
    """The one value with `tag` that `octets` are.

    Raises Malformed for another tag, for none, and for more than one.
    Source: ITU-T X.690, 8.1
    """
    return _only(_values(octets, 0), tag)


def front(octets: bytes, tag: int) -> Value:
    """The value with `tag` at the front of `octets`, whatever follows; raises Malformed for none.

    Source: ITU-T X.690, 8.1
    """
    return _only((_value(octets, 0, 0),), tag)


def _only(found: tuple[Value, ...], tag: int | None) -> Value:
    if len(found) != 1 or (tag is not None and found[0].tag != tag):
        raise Malformed("the octets are not one value of the sort that is due")
    return found[0]


def _values(octets: bytes, depth: int) -> tuple[Value, ...]:
    if len(octets) > MOST_BYTES or depth > DEEPEST:
        raise Malformed("values of DER are too long, or lie too deep")
    found: list[Value] = []
    place = 0
    while place < len(octets):
        if len(found) == MOST_VALUES:
            raise Malformed(f"more than {MOST_VALUES} values stand beside each other")
        one = _value(octets, place, depth)
        found.append(one)
        place += len(one.octets)
    return tuple(found)


def _value(octets: bytes, start: int, depth: int) -> Value:
    try:
        number, place = _number(octets, start)
        tag = int.from_bytes(octets[start:place], "big")
        length, place = _length(octets, place)
    except IndexError as error:
        raise Malformed("a value is cut short") from error
    end = place + length
    if end > len(octets):
        raise Malformed("a value is cut short")
    return Value(tag, number, octets[place:end], octets[start:end], depth)


def _number(octets: bytes, start: int) -> tuple[int, int]:
    """The number of a tag and where the length begins; nothing has the tag of all zeros."""
    number = octets[start] & _MANY
    if number != _MANY:
        if not octets[start]:
            raise Malformed("a value has no tag")
        return number, start + 1
    number = 0
    for place in range(start + 1, start + _TAG_OCTETS + 1):
        octet = octets[place]
        number = number << 7 | octet & 0x7F
        if not number:
            break
        if octet < 0x80:
            if number < _MANY:
                break
            return number, place + 1
    raise Malformed("a tag is not the shortest, or too long")


def _length(octets: bytes, place: int) -> tuple[int, int]:
    length, place = octets[place], place + 1
    if length < 0x80:
        return length, place
    count = length & 0x7F
    said = octets[place : place + count]
    if not 1 <= count <= _LENGTH_OCTETS or len(said) != count or said[0] == 0:
        raise Malformed("a length is indefinite, cut short or too long")
    length = int.from_bytes(said, "big")
    if length < 0x80:
        raise Malformed("a length is not the shortest")
    return length, place + count


class Members:
    """The members of a constructed value, or values beside each other, taken in their order.

    Source: ITU-T X.690, 8.9
    """

    __slots__ = ("_at", "_found")

    def __init__(self, of: Value | tuple[Value, ...]) -> None:
        """Begin with the first member of `of`; raises Malformed for a value made of none.

        Source: ITU-T X.690, 8.9
        """
        self._found = of.inside() if isinstance(of, Value) else of
        self._at = 0

    def take(self, tag: int) -> Value:
        """The next member, which has `tag`; raises Malformed otherwise.

        Source: ITU-T X.690, 8.9
        """
        found = self.maybe(tag)
        if found is None:
            raise Malformed("a member is missing, or is of another sort")
        return found

    def maybe(self, tag: int) -> Value | None:
        """The next member if it has `tag`, else None.

        Source: ITU-T X.690, 8.9
        """
        if self._at < len(self._found) and self._found[self._at].tag == tag:
            self._at += 1
            return self._found[self._at - 1]
        return None

    def rest(self) -> tuple[Value, ...]:
        """All members that are left.

        Source: ITU-T X.690, 8.9
        """
        found, self._at = self._found[self._at :], len(self._found)
        return found

    def end(self) -> None:
        """Return only if no member is left; raises Malformed otherwise.

        Source: ITU-T X.690, 8.9
        """
        if self._at < len(self._found):
            raise Malformed("a value has a member too many")


def number(value: Value, tag: int = INTEGER) -> int:
    """The whole number that `value` is; raises Malformed for one below zero or not shortest.

    Source: ITU-T X.690, 8.3
    """
    if value.tag != tag or not value.body or value.body[0] & 0x80:
        raise Malformed("a whole number, not below zero, belongs here")
    return int.from_bytes(_shortest(value.body), "big")


def signed_number(value: Value, tag: int = INTEGER) -> int:
    """The number that `value` is, 64 bits and a sign at most; with ENUMERATED, one of a list.

    Raises Malformed for another tag, and for octets that are not needed.
    Source: ITU-T X.690, 8.3; 8.4
    """
    if value.tag != tag or not 0 < len(value.body) <= _SIGNED_OCTETS:
        raise Malformed("a number of 64 bits and a sign belongs here")
    return int.from_bytes(_shortest(value.body), "big", signed=True)


def _shortest(body: bytes) -> bytes:
    if len(body) > 1 and body[0] == (0xFF if body[1] & 0x80 else 0):
        raise Malformed("a number is not in its shortest form")
    return body


def truth(value: Value) -> bool:
    """Whether `value` is true: all bits are set for yes, none for no; raises Malformed otherwise.

    Source: ITU-T X.690, 11.1
    """
    if value.tag != BOOLEAN or value.body not in {b"\x00", b"\xff"}:
        raise Malformed("a boolean is 00 or FF")
    return value.body == b"\xff"


def octets_of(value: Value) -> bytes:
    """The octets of an octet string; raises Malformed for another value.

    Source: ITU-T X.690, 8.7
    """
    return must_be(value, OCTETS).body


def must_be(value: Value, tag: int) -> Value:
    """`value`, only if it has `tag`; raises Malformed otherwise.

    Source: ITU-T X.690, 8.1.2
    """
    return _only((value,), tag)


def dotted(value: Value) -> str:
    """The object identifier that `value` is, as numbers and points.

    Raises Malformed for another value and past 64 octets.
    Source: ITU-T X.690, 8.19
    """
    body = value.body
    if value.tag != OBJECT or not 0 < len(body) <= _OBJECT_OCTETS or body[-1] & 0x80:
        raise Malformed("an object identifier belongs here")
    arcs: list[int] = []
    arc, begun = 0, False
    for octet in body:
        if not begun and octet == 0x80:
            raise Malformed("an arc is not in its shortest form")
        arc, begun = arc << 7 | octet & 0x7F, bool(octet & 0x80)
        if not begun:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(one) for one in (first, arcs[0] - 40 * first, *arcs[1:]))


def write(tag: int, *parts: bytes) -> bytes:
    """The value with `tag` that has `parts` in it.

    Source: ITU-T X.690, 8.1; 10.1
    """
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def write_number(number: int) -> bytes:
    """A whole number that is not below zero.

    Source: ITU-T X.690, 8.3
    """
    return write(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def write_object(text: str) -> bytes:
    """The object identifier `text`, numbers and points; raises Malformed for another text.

    Source: ITU-T X.690, 8.19
    """
    parts = text.split(".")
    known = len(parts) > 1 and len(text) <= _OBJECT_TEXT
    if not known or not all(one.isascii() and one.isdigit() for one in parts):
        raise Malformed(f"{text[:40]!r} is no object identifier", remedy="such as 1.3.6.1.4.1.4146")
    first, second, *others = (int(one) for one in parts)
    if first > 2 or (first < 2 and second > 39):
        raise Malformed(f"{text[:40]!r} is no object identifier")
    return write(OBJECT, *(_arc(one) for one in (40 * first + second, *others)))


def _arc(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(0x80 | arc & 0x7F)
    return bytes(reversed(octets))
