"""Base classes of all data: `Wire` for what is promised outside, `Record` for what stays inside.

Both are frozen msgspec structs that refuse unknown fields; `kw_only` must be repeated by each
subclass (it is not inherited), which tests/architecture holds.

Source: ISO/TS 12812-2:2017, 11.2.3
"""

from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec

from tallystick.kernel.classification import Classification
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

    Printed or logged it shows fields that are public or internal and no others. One that has
    sensitive authentication data is not pickled or copied either.
    Source: ISO/TS 12812-2:2017, 7.3.4; 11.2.3
    """

    def __repr__(self) -> str:
        said = ", ".join(
            f"{name}={getattr(self, name)!r}" if shown else f"{name}=***"
            for name, shown in _shown(type(self)).items()
        )
        return f"{type(self).__name__}({said})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [
            (name, getattr(self, name) if shown else "***")
            for name, shown in _shown(type(self)).items()
        ]

    def __reduce__(self) -> str | tuple[Any, ...]:
        if _authenticates(type(self)):
            raise TypeError("sensitive authentication data are not pickled or copied")
        return super().__reduce__()


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Data that stays inside: state, facts, rows.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """


def classification_of(hint: Any) -> Classification | None:
    """How sensitive a field with this annotation is; None where it does not say.

    Source: ISO/TS 12812-2:2017, 3.21
    """
    marks = getattr(hint, "__metadata__", ())
    return next((one for one in marks if isinstance(one, Classification)), None)


@cache
def _marked(type_: type[msgspec.Struct]) -> dict[str, Classification | None]:
    hints = get_type_hints(type_, include_extras=True)
    return {name: classification_of(hints[name]) for name in type_.__struct_fields__}


@cache
def _shown(type_: type[msgspec.Struct]) -> dict[str, bool]:
    return {
        name: mark in {Classification.PUBLIC, Classification.INTERNAL}
        for name, mark in _marked(type_).items()
    }


@cache
def _authenticates(type_: type[msgspec.Struct]) -> bool:
    return Classification.AUTHENTICATION in _marked(type_).values()


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
