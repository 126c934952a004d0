"""A text as a tree of values with their positions.

YAML 1.2 without what makes it ambiguous: no anchors, tags, directives, nulls, exponents, octal or
hexadecimal numbers, repeated keys, several documents; `no` and `on` are words. Where a text may
have decimal fractions they are exact. Where a text is all words, nothing is guessed: every value is
what stands there.

Source: YAML 1.2.2, 3.2; 10.3; ISO/TS 12812-2:2017, 6.1
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.process.yamltext.position import Position

MAX_TEXT = 256 * 1024
MAX_DEPTH = 8

_INTEGER = re.compile(r"^(?:0|-?[1-9][0-9]{0,2}(?:_[0-9]{3})+|-?[1-9][0-9]{0,18})$")
_DECIMAL = re.compile(r"^-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,9}$")
_AMBIGUOUS = re.compile(
    r"^(?:|~|null|true|false|y|n"
    r"|[-+]?[0-9][0-9_]*|0o[0-7_]+|0x[0-9a-f_]+|0b[01_]+"
    r"|[-+]?(?:\.[0-9]+|[0-9][0-9_]*\.[0-9]*|[0-9]+)(?:e[-+]?[0-9]+)?"
    r"|[-+]?\.inf|\.nan)$",
    re.IGNORECASE,
)
"""Plain words that some reader of YAML takes for a number, boolean or null."""
_NOTHING = frozenset({"", "~", "null"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word, integer, boolean or decimal fraction.

    Source: YAML 1.2.2, 3.2.1
    """

    value: str | int | bool | Decimal
    at: Position


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list.

    Source: YAML 1.2.2, 3.2.1
    """

    items: tuple["Node", ...]
    at: Position


@dataclass(frozen=True, slots=True)
class Mapping:
    """Entries by key, each with the position of its key, in the order of the text.

    Source: YAML 1.2.2, 3.2.1
    """

    entries: dict[str, tuple[Position, "Node"]]
    at: Position


Node = Scalar | Sequence | Mapping


def wrong(at: Position, text: str) -> Malformed:
    """The refusal of a text for one defect at one position.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return Malformed(f"{at}: {text}")


def read_nodes(
    text: str,
    what: str = "policy",
    *,
    most: int = MAX_TEXT,
    decimals: bool = False,
    as_written: bool = False,
    deepest: int = MAX_DEPTH,
) -> Node:
    """The tree in `text`, called `what` in errors; with `as_written` every value is its text.

    Raises TooLarge past `most` characters, Malformed with a position for anything that has two
    readings (a decimal fraction is one of them unless `decimals`) or stands below level `deepest`.
    Source: YAML 1.2.2, 3.2
    """
    if len(text) > most:
        raise TooLarge(f"the {what} has at most {most} characters")
    yaml: Any = YAML(typ="safe", pure=True)
    try:
        events = iter(yaml.parse(text))
        how = _How(what, decimals=decimals, as_written=as_written, deepest=deepest)
        return _Reading(events, how).document()
    except MarkedYAMLError as error:
        marked: Any = error
        raise wrong(_mark(marked.problem_mark), str(marked.problem)) from error
    except (YAMLError, ValueError) as error:
        raise Malformed(f"the {what} is not YAML", remedy="look for odd characters") from error


def _mark(mark: Any) -> Position:
    return Position(line=mark.line + 1, column=mark.column + 1)


def _refuse_properties(event: Any, at: Position) -> None:
    if getattr(event, "anchor", None):
        raise wrong(at, "anchors and aliases are not used here")
    if getattr(event, "tag", None):
        raise wrong(at, "tags are not used here")


def _starts_document(event: object) -> bool:
    return isinstance(event, DocumentStartEvent)


@dataclass(frozen=True, slots=True)
class _How:
    """What a text is called, which values it may have, and how deep it may go."""

    what: str
    decimals: bool
    as_written: bool
    deepest: int


class _Reading:
    """One pass over the events of a text."""

    def __init__(self, events: Iterator[Any], how: _How) -> None:
        self._events = events
        self._how = how

    def document(self) -> Node:
        """The one document of the text."""
        next(self._events)
        start = next(self._events)
        if not _starts_document(start):
            raise Malformed(f"the {self._how.what} is empty")
        if getattr(start, "version", None) or getattr(start, "tags", None):
            raise wrong(_mark(start.start_mark), "directives are not used here")
        root = self._node(next(self._events), 1)
        next(self._events)
        after = next(self._events)
        if _starts_document(after):
            raise wrong(_mark(after.start_mark), f"the {self._how.what} is one document")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        at = _mark(event.start_mark)
        _refuse_properties(event, at)
        if depth > self._how.deepest:
            raise wrong(at, f"nested deeper than {self._how.deepest} levels")
        if isinstance(event, SequenceStartEvent):
            return Sequence(tuple(self._items(depth + 1)), at)
        if isinstance(event, MappingStartEvent):
            return Mapping(self._entries(depth + 1), at)
        return Scalar(self._value(event, at), at)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._node(event, depth)

    def _entries(self, depth: int) -> dict[str, tuple[Position, Node]]:
        entries: dict[str, tuple[Position, Node]] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            at = _mark(event.start_mark)
            if not isinstance(event, ScalarEvent):
                raise wrong(at, "a key is a word")
            _refuse_properties(event, at)
            word = str(self._value(event, at))
            if word in entries:
                raise wrong(at, f"{word[:40]!r} stands twice, first at {entries[word][0]}")
            entries[word] = (at, self._node(next(self._events), depth))
        return entries

    def _value(self, event: Any, at: Position) -> str | int | bool | Decimal:
        text = str(event.value)
        if event.style is not None:
            return text
        if self._how.as_written:
            if text.lower() in _NOTHING:
                raise wrong(at, "an empty or null value cannot stand here")
            return text
        if text in {"true", "false"}:
            return text == "true"
        if _INTEGER.match(text):
            return int(text.replace("_", ""))
        if self._how.decimals and _DECIMAL.match(text):
            return Decimal(text)
        if _AMBIGUOUS.match(text):
            number = "a number" if self._how.decimals else "a decimal integer"
            raise wrong(at, f"{text[:40]!r} is not a word, {number}, true or false")
        return text
