"""Every field promised outside says how sensitive it is; every struct is strict and frozen."""

import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any

import msgspec
import pytest

import tallystick
import tallystick.protocol
from tallystick.kernel.classification import AUTHENTICATION, PERSONAL, PUBLIC, Classification
from tallystick.kernel.model import Amount, CurrencyCode, Record, Wire, pattern

Struct = type[msgspec.Struct]


@cache
def import_everything() -> None:
    """Import every module, so that every struct is known."""
    for found in pkgutil.walk_packages(tallystick.__path__, "tallystick."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def structs(root: Struct, package: str) -> list[Struct]:
    """Every struct below `root` that is defined in `package`."""
    import_everything()
    found = [root]
    for struct in found:
        found.extend(sub for sub in struct.__subclasses__() if sub not in found)
    return [one for one in found if f"{one.__module__}.".startswith(f"{package}.")]


def hints(struct: Struct) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in typing.get_type_hints(struct, include_extras=True).items()
        if name in struct.__struct_fields__
    }


def marks(hint: Any) -> list[Classification]:
    """The classifications in the outermost `Annotated` of a field."""
    metadata = getattr(hint, "__metadata__", ())
    return [mark for mark in metadata if isinstance(mark, Classification)]


def unclassified(found: Iterable[Struct]) -> Iterator[str]:
    for struct in found:
        for name, hint in hints(struct).items():
            if len(marks(hint)) != 1:
                count = len(marks(hint))
                yield f"{struct.__module__}.{struct.__name__}.{name}: {count} classifications"


def loose(found: Iterable[Struct]) -> Iterator[str]:
    """Structs that are not frozen, take unknown fields, or take fields by position."""
    for struct in found:
        name, settings = f"{struct.__module__}.{struct.__name__}", struct.__struct_config__
        if not settings.frozen:
            yield f"{name} is not frozen"
        if not settings.forbid_unknown_fields:
            yield f"{name} takes unknown fields"
        parameters = inspect.signature(struct).parameters.values()
        if any(one.kind is not inspect.Parameter.KEYWORD_ONLY for one in parameters):
            yield f"{name} takes fields by position (repeat kw_only=True)"


def carries_authentication(hint: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Whether a field can hold sensitive authentication data, at any depth."""
    if hint in seen:
        return False
    if AUTHENTICATION in marks(hint):
        return True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        inner = hints(hint).values()
    else:
        inner = typing.get_args(hint)
    return any(
        carries_authentication(one, seen | {hint})
        for one in inner
        if typing.get_origin(hint) is not typing.Literal
    )


def loose_patterns(found: Iterable[Struct]) -> Iterator[str]:
    """Patterns that are not anchored, or whose classes take letters and digits of every script."""
    for struct in found:
        for name, hint in hints(struct).items():
            for regex in sorted(patterns(hint)):
                if not regex.startswith("^") or "$" not in regex[-8:]:
                    yield f"{struct.__module__}.{struct.__name__}.{name}: not anchored: {regex}"
                if re.search(r"\\[dw]", regex):
                    yield f"{struct.__module__}.{struct.__name__}.{name}: any script: {regex}"


def patterns(hint: Any) -> set[str]:
    """Every pattern in a field's type, at any depth short of another struct."""
    metadata = getattr(hint, "__metadata__", ())
    own = {mark.pattern for mark in metadata if isinstance(mark, msgspec.Meta) and mark.pattern}
    return own.union(*(patterns(inner) for inner in typing.get_args(hint)))


def stored_authentication(found: Iterable[Struct]) -> Iterator[str]:
    """Rows of a store that could hold a PIN or a one-time code."""
    for struct in found:
        if struct.__name__.endswith("Row"):
            for name, hint in hints(struct).items():
                if carries_authentication(hint):
                    yield f"{struct.__module__}.{struct.__name__}.{name}"


@pytest.mark.requirement("MFS-7.3.4-01")
def test_every_field_of_the_protocol_has_one_classification() -> None:
    found = sorted(unclassified(structs(Wire, "tallystick.protocol")))
    assert not found, "\n".join(found)


def test_every_pattern_is_anchored_and_of_ascii() -> None:
    found = sorted(loose_patterns(structs(msgspec.Struct, "tallystick")))
    assert not found, "\n".join(found)


def test_every_message_is_defined_in_protocol_or_kernel() -> None:
    elsewhere = [
        f"{one.__module__}.{one.__name__}"
        for one in structs(Wire, "tallystick")
        if not one.__module__.startswith(("tallystick.protocol", "tallystick.kernel"))
    ]
    assert not elsewhere


def test_every_struct_is_frozen_strict_and_named() -> None:
    found = [*structs(Wire, "tallystick"), *structs(Record, "tallystick")]
    wrong = sorted(loose(found))
    assert not wrong, "\n".join(wrong)


def test_every_struct_is_a_wire_or_a_record() -> None:
    ours = set(structs(msgspec.Struct, "tallystick"))
    known = {*structs(Wire, "tallystick"), *structs(Record, "tallystick")}
    assert ours == known


def test_no_stored_row_can_hold_authentication_data() -> None:
    assert not sorted(stored_authentication(structs(msgspec.Struct, "tallystick")))


class Classified(Wire, frozen=True, kw_only=True):
    amount: Annotated[Amount, PUBLIC]
    memo: Annotated[str | None, PERSONAL] = None


class Patterned(Wire, frozen=True, kw_only=True):
    good: Annotated[tuple[CurrencyCode, ...], PUBLIC]
    open: Annotated[str, pattern("^[0-9]+"), PUBLIC]
    digits: Annotated[Annotated[str, pattern(r"^\d+$")] | None, PUBLIC]


class Unclassified(Wire, frozen=True, kw_only=True):
    amount: Amount
    inner: Annotated[str, PUBLIC] | None = None
    both: Annotated[str, PUBLIC, PERSONAL] = ""


class ByPosition(Wire, frozen=True):
    amount: Annotated[Amount, PUBLIC]


class Thawed(msgspec.Struct):
    amount: int


class Dialled(Wire, frozen=True, kw_only=True):
    pin: Annotated[str, AUTHENTICATION]


class HonestRow(Record, frozen=True, kw_only=True):
    kind: typing.Literal["a", "b"]
    message: Classified


class LeakyRow(Record, frozen=True, kw_only=True):
    pin: Annotated[str, AUTHENTICATION]
    messages: tuple[Dialled, ...]
    last: dict[str, Dialled | None]
    kind: str


def test_a_missing_or_double_mark_is_found() -> None:
    assert not list(unclassified([Classified]))
    names = [line.partition(":")[0].rpartition(".")[2] for line in unclassified([Unclassified])]
    assert names == ["amount", "inner", "both"]


def test_a_loose_pattern_is_found_at_any_depth() -> None:
    names = [line.partition(":")[0].rpartition(".")[2] for line in loose_patterns([Patterned])]
    assert names == ["open", "digits"]
    assert patterns(hints(Patterned)["good"])


def test_a_loose_struct_is_found() -> None:
    assert not list(loose([Classified, HonestRow]))
    assert len(list(loose([ByPosition]))) == 1
    assert len(list(loose([Thawed]))) == 3


def test_a_row_with_authentication_data_is_found_at_any_depth() -> None:
    assert not list(stored_authentication([HonestRow, Dialled]))
    names = [line.rpartition(".")[2] for line in stored_authentication([LeakyRow])]
    assert names == ["pin", "messages", "last"]
