"""The few CBOR items of the envelope, written and read in their one deterministic encoding.

Source: RFC 8949, 4.2.1
"""

from tallystick.kernel.errors import Malformed


def head(major: int, value: int) -> bytes:
    """The head of an item: `major` type 0 to 7 and `value` (0 to 2^32 - 1) in the shortest form.

    Source: RFC 8949, 3
    """
    high = major << 5
    if value < 24:
        return bytes((high | value,))
    if value < 0x100:
        return bytes((high | 24, value))
    if value < 0x10000:
        return bytes((high | 25, value >> 8, value & 0xFF))
    return bytes((high | 26,)) + value.to_bytes(4, "big")


def octets(value: bytes) -> bytes:
    """`value` as a byte string.

    Source: RFC 8949, 3.1
    """
    return head(2, len(value)) + value


def text(value: str) -> bytes:
    """`value` as a text string.

    Source: RFC 8949, 3.1
    """
    encoded = value.encode()
    return head(3, len(encoded)) + encoded


def rest_as_octets(message: bytes, start: int) -> bytes:
    """The byte string that begins at `start` and ends with `message`.

    Raises Malformed for another type, a longer head than needed, and octets missing or left over.
    Source: RFC 8949, 4.2.1
    """
    left = len(message) - start
    kind = message[start] if left > 0 else 0
    if kind == 0x59 and left >= 3:
        length, begin, least = (message[start + 1] << 8) | message[start + 2], start + 3, 0x100
    elif kind == 0x58 and left >= 2:
        length, begin, least = message[start + 1], start + 2, 24
    elif kind == 0x5A and left >= 5:
        length = int.from_bytes(message[start + 1 : start + 5], "big")
        begin, least = start + 5, 0x10000
    elif 0x40 <= kind < 0x58:
        length, begin, least = kind - 0x40, start + 1, 0
    else:
        raise Malformed("the sealed message ends in no byte string")
    if length < least or begin + length != len(message):
        raise Malformed("the sealed message has another length than it says")
    return message[begin:]
