"""The octets of ASN.1 values in their one form (DER), read strictly and written.

Tags are single octets; lengths are definite and shortest. What is not is refused.

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
TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
_MOST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its tag, what is in it, and its octets whole.

    Source: ITU-T X.690, 8.1
    """

    tag: int
    body: bytes
    octets: bytes


def values(octets: bytes) -> tuple[Value, ...]:
    """The values that stand one after the other in `octets`.

    Raises Malformed for anything else.
    Source: ITU-T X.690, 8.1; 10.1
    """
    found: list[Value] = []
    place = 0
    while place < len(octets):
        one = _value(octets, place)
        found.append(one)
        place += len(one.octets)
    return tuple(found)


def single(octets: bytes, tag: int) -> Value:
    """The one value with `tag` that `octets` are.

    Raises Malformed for another tag, for none, and for more than one.
    Source: ITU-T X.690, 8.1
    """
    found = values(octets)
    if len(found) != 1 or found[0].tag != tag:
        raise Malformed("the octets are not one value of the sort that is due")
    return found[0]


def _value(octets: bytes, start: int) -> Value:
    if start + 2 > len(octets) or octets[start] & 0x1F == 0x1F:
        raise Malformed("a value is cut short, or has a tag of more than one octet")
    place, length = start + 2, octets[start + 1]
    if length & 0x80:
        count = length & 0x7F
        said = octets[place : place + count]
        if not 1 <= count <= 4 or len(said) != count or said[0] == 0:
            raise Malformed("a length is indefinite, cut short or too long")
        place, length = place + count, int.from_bytes(said, "big")
        if length < 0x80:
            raise Malformed("a length is not the shortest")
    if length > _MOST or place + length > len(octets):
        raise Malformed("a value is cut short")
    return Value(octets[start], octets[place : place + length], octets[start : place + length])


class Members:
    """The members of a constructed value, taken one by one in their order.

    Source: ITU-T X.690, 8.9
    """

    def __init__(self, of: Value) -> None:
        """Begin with the first member of `of`; raises Malformed if it has none of DER.

        Source: ITU-T X.690, 8.9
        """
        self._left = list(values(of.body))

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
        if self._left and self._left[0].tag == tag:
            return self._left.pop(0)
        return None

    def rest(self) -> tuple[Value, ...]:
        """All members that are left.

        Source: ITU-T X.690, 8.9
        """
        found, self._left = tuple(self._left), []
        return found

    def end(self) -> None:
        """Return only if no member is left; raises Malformed otherwise.

        Source: ITU-T X.690, 8.9
        """
        if self._left:
            raise Malformed("a value has a member too many")


def number(value: Value) -> int:
    """The whole number that `value` is; raises Malformed for one below zero or not shortest.

    Source: ITU-T X.690, 8.3
    """
    body = value.body
    if value.tag != INTEGER or not body or body[0] & 0x80:
        raise Malformed("a whole number, not below zero, belongs here")
    if len(body) > 1 and body[0] == 0 and not body[1] & 0x80:
        raise Malformed("a number is not in its shortest form")
    return int.from_bytes(body, "big")


def dotted(value: Value) -> str:
    """The object identifier that `value` is, as numbers and points.

    Source: ITU-T X.690, 8.19
    """
    body = value.body
    if value.tag != OBJECT or not body or body[-1] & 0x80:
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
    if len(parts) < 2 or not all(one.isascii() and one.isdigit() for one in parts):
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
