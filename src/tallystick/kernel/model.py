"""Base classes of all data: `Wire` for what is promised outside, `Record` for what stays inside.

Both are frozen msgspec structs that refuse unknown fields; `kw_only` must be repeated by each
subclass (it is not inherited), which tests/architecture holds.

Source: ISO/TS 12812-2:2017, 11.2.3
"""

from typing import Annotated, Any, TypeVar

import msgspec

from tallystick.kernel.errors import Malformed

S = TypeVar("S", bound=msgspec.Struct)


Absent = msgspec.UnsetType
"""The type of a field that is left out where it says nothing, so that older bytes stay the same."""

ABSENT = msgspec.UNSET
"""The value of a field that is left out."""


def pattern(regex: str) -> msgspec.Meta:
    """A mark for `typing.Annotated`: the text must match `regex` (anchored by the caller).

    A `$` at the end means the very end: Python's would let one line feed follow.
    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    return msgspec.Meta(pattern=regex + r"(?!\n)" if regex.endswith("$") else regex)


def length(least: int, most: int) -> msgspec.Meta:
    """A mark for `typing.Annotated`: the text has `least` to `most` characters.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    return msgspec.Meta(min_length=least, max_length=most)


Amount = Annotated[int, msgspec.Meta(gt=0, le=2**53 - 1)]
"""A positive amount in minor units; within 2^53 so that every JSON reader keeps it exact."""

Natural = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""Zero or a positive integer that every JSON reader keeps exact."""

ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
"""1 to 80 characters for people to read."""

CurrencyCode = Annotated[str, pattern("^[A-Z]{3}$")]
"""An ISO 4217 alphabetic code."""

Base64Url = Annotated[str, pattern("^[A-Za-z0-9_-]+$"), msgspec.Meta(max_length=8192)]
"""Unpadded base64url text."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A message or part of one that somebody outside may send or read.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Data that stays inside: state, facts, rows.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """


def replace(value: S, **changes: Any) -> S:
    """A copy of `value` with `changes`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return msgspec.structs.replace(value, **changes)


def field_names(type_: type[msgspec.Struct]) -> tuple[str, ...]:
    """The field names of a struct, in order.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return type_.__struct_fields__


def row_of(value: msgspec.Struct) -> tuple[Any, ...]:
    """The field values of a struct, in order, for a store.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return msgspec.structs.astuple(value)


def from_row(type_: type[S], row: tuple[Any, ...]) -> S:
    """A struct from a stored row, checked like any other input.

    Raises Malformed when the row does not fit.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    try:
        return msgspec.convert(dict(zip(type_.__struct_fields__, row, strict=True)), type_)
    except (msgspec.ValidationError, ValueError) as error:
        raise Malformed(f"a stored {type_.__name__} has another shape") from error
