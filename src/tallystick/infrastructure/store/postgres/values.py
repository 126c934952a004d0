"""Parameters and columns in PostgreSQL's binary form.

Source: PostgreSQL 15, 55.7
"""

from collections.abc import Callable, Sequence
from struct import Struct

from tallystick.infrastructure.store.table import Value
from tallystick.kernel.errors import Broken

INT8, INT4, TEXT, NAME, BYTEA, BOOL, NUMERIC = 20, 23, 25, 19, 17, 16, 1700
"""The object identifiers of the types that our tables have."""

INT8_ARRAY, TEXT_ARRAY, BYTEA_ARRAY = 1016, 1009, 1001
_ARRAY_OF = {INT8: INT8_ARRAY, TEXT: TEXT_ARRAY, BYTEA: BYTEA_ARRAY}

Sent = tuple[Sequence[bytes | None], Sequence[int]]
"""Parameters as octets, and for each whether they are binary (1) or text (0)."""

_HEAD = Struct("!iiIii").pack
_LENGTH = Struct("!i").pack
_LONG = Struct("!iq").pack
_read_long = Struct("!q").unpack
_read_int = Struct("!i").unpack
_read_short = Struct("!h").unpack
_read_numeric = Struct("!hhHh").unpack
_read_bool = Struct("!?").unpack


def parameters_of(values: Sequence[Value]) -> Sent:
    """`values` for a statement whose types the server infers.

    Source: PostgreSQL 15, 34.3
    """
    octets: list[bytes | None] = []
    forms: list[int] = []
    for value in values:
        if isinstance(value, bytes):
            octets.append(value)
            forms.append(1)
        else:
            octets.append(None if value is None else str(value).encode())
            forms.append(0)
    return octets, forms


def array_type(element: int) -> int:
    """The type of an array of `element`.

    Raises Broken for a type that our tables do not have.
    Source: PostgreSQL 15, 55.7
    """
    try:
        return _ARRAY_OF[element]
    except KeyError:
        raise Broken(f"a column has type {element}, which the store does not write") from None


def array_of(element: int, values: Sequence[Value]) -> bytes:
    """One column of many rows: an array of `element` without a null.

    Raises ValueError or struct.error for a value that the type cannot hold.
    Source: PostgreSQL 15, 55.7
    """
    if not values:
        return _HEAD(0, 0, element, 0, 1)[:12]
    head = _HEAD(1, 0, element, len(values), 1)
    if element == INT8:
        return head + b"".join([_LONG(8, value) for value in values])
    if element == TEXT:
        texts = [_text(value) for value in values]
        return head + b"".join([_LENGTH(len(one)) + one for one in texts])
    return head + b"".join([_LENGTH(len(one)) + one for one in map(_octets, values)])


def _text(value: Value) -> bytes:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a text column takes text without NUL")
    return value.encode()


def _octets(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a column of octets takes octets")  # noqa: TRY004 - as every bad value
    return value


def _long(octets: bytes) -> int:
    return int(_read_long(octets)[0])


def _int(octets: bytes) -> int:
    return int(_read_int(octets)[0])


def _bool(octets: bytes) -> int:
    return int(_read_bool(octets)[0])


def _numeric(octets: bytes) -> int:
    """A sum of integers: digits to the base of 10,000, the first of weight `weight`."""
    count, weight, sign, _ = _read_numeric(octets[:8])
    value = 0
    for digit in range(weight + 1):
        value *= 10_000
        if digit < count:
            value += int(_read_short(octets[8 + 2 * digit : 10 + 2 * digit])[0])
    return -value if sign else value


READ: dict[int, Callable[[bytes], str | int | bytes]] = {
    INT8: _long,
    INT4: _int,
    TEXT: bytes.decode,
    NAME: bytes.decode,
    BYTEA: bytes,
    BOOL: _bool,
    NUMERIC: _numeric,
}
"""How a column of each type is read."""
