"""Typed access to the tree of a text; what is wrong is collected, not the first thing only.

Source: ISO/TS 12812-2:2017, 6.1
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from tallystick.kernel.errors import Malformed
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.tree import Mapping, Node, Scalar, Sequence

UNBOUNDED = 2**62
"""An integer or length of time (ms) without bound."""

_DURATION = re.compile(
    r"^P(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$"
)
_PARTS = (86_400_000, 3_600_000, 60_000, 1_000)
_SHOWN = 40
_WHOLE = "the text"
_LISTED = 40
_NOWHERE = Position(line=1, column=1)


def duration_ms(text: str) -> int | None:
    """Milliseconds of an ISO 8601 duration in days, hours, minutes, seconds; None for other text.

    Source: ISO 8601-1, 5.5.2.4
    """
    match = _DURATION.match(text)
    if match is None or not any(match.groups()):
        return None
    return sum(int(part or 0) * unit for part, unit in zip(match.groups(), _PARTS, strict=True))


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...` with the nearest known word; where none is near, a list that is short.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    choices = sorted(known)
    near = get_close_matches(word, choices, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; use one of {', '.join(choices)}" if 0 < len(choices) <= _LISTED else ""


@dataclass(slots=True)
class Defects:
    """Everything that is wrong with a text, by position.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    found: list[tuple[Position, str]] = field(default_factory=list)
    remedy: str = "correct the policy and sign it again"

    def add(self, at: Position, text: str) -> None:
        """Note one defect.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.found.append((at, text))

    def refuse(self) -> None:
        """Pass if nothing is wrong.

        Raises Malformed with every defect, one a line, in the order of the text.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        if self.found:
            lines = [f"{at}: {text}" for at, text in sorted(self.found)]
            raise Malformed("\n".join(lines), remedy=self.remedy)


class Section:
    """A mapping of the text; `words` are the only keys that it may have.

    Reading a value that is missing or wrong notes a defect and gives a neutral value, so that one
    pass finds them all; the caller ends with `Defects.refuse`.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    __slots__ = ("_entries", "at", "defects", "trail")

    def __init__(
        self, node: Node, trail: str, defects: Defects, words: Iterable[str] | None = None
    ) -> None:
        """Look at `node`, named `trail` in errors; `words` None takes any key.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.at, self.trail, self.defects = node.at, trail, defects
        self._entries: dict[str, tuple[Position, Node]] = {}
        if not isinstance(node, Mapping):
            defects.add(node.at, f"{trail or _WHOLE} is a mapping")
            return
        self._entries = node.entries
        known = None if words is None else frozenset(words)
        for word, (at, _) in node.entries.items():
            if known is not None and word not in known:
                shown = f"{word[:_SHOWN]!r}{suggestion(word, known)}"
                defects.add(at, f"{trail or _WHOLE} has no word {shown}")

    def __contains__(self, word: str) -> bool:
        return word in self._entries

    def names(self) -> Iterator[tuple[str, Position]]:
        """Keys with their positions, in the order of the text.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return ((name, at) for name, (at, _) in self._entries.items())

    def values(self) -> Iterator[tuple[str, Node]]:
        """Keys with their values, in the order of the text.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return ((name, node) for name, (_, node) in self._entries.items())

    def position(self, word: str) -> Position:
        """Where `word` stands; the start of the section where it is missing.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._entries[word][0] if word in self._entries else self.at

    def node(self, word: str) -> Node | None:
        """The value of `word`; None and a defect where it is missing.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        if word not in self._entries:
            self.defects.add(self.at, f"{self.trail or _WHOLE} lacks {word!r}")
            return None
        return self._entries[word][1]

    def section(self, word: str, words: Iterable[str] | None = None) -> "Section":
        """The mapping under `word`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        node = self.node(word)
        if node is None:
            return Section(Mapping({}, self.at), word, Defects())
        return Section(node, f"{self.trail} {word}".strip(), self.defects, words)

    def sections(self, word: str, words: Iterable[str]) -> tuple["Section", ...]:
        """The list of mappings under `word`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        known = tuple(words)
        return tuple(
            Section(item, f"{self.trail} {word}".strip(), self.defects, known)
            for item in self.items(word)
        )

    def items(self, word: str) -> tuple[Node, ...]:
        """The list under `word`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        node = self.node(word)
        if isinstance(node, Sequence):
            return node.items
        if node is not None:
            self.defects.add(node.at, f"{self.trail} {word} is a list")
        return ()

    def text(self, word: str, pattern: str = r"(?s)^.{1,400}$", form: str = "text") -> str:
        """The words under `word`, of the shape `pattern` (called `form` in errors).

        Source: ISO/TS 12812-2:2017, 6.1
        """
        value, at = self.scalar(word)
        if value is None:
            return ""
        if not isinstance(value, str) or not re.match(pattern, value):
            self.defects.add(at, f"{self.trail} {word} is {form}")
            return ""
        return value

    def choice(self, word: str, known: Iterable[str]) -> str:
        """The one of `known` under `word`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        value, at = self.scalar(word)
        return "" if value is None else self._known(value, at, word, tuple(known))

    def choices(self, word: str, known: Iterable[str]) -> tuple[str, ...]:
        """The list of words out of `known` under `word`, without repetition.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._choices(word, tuple(known))

    def integer(self, word: str, low: int = 0, high: int = UNBOUNDED) -> int:
        """The integer under `word`, from `low` to `high`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        value, at = self.scalar(word)
        if value is None:
            return low
        if type(value) is not int or not low <= value <= high:
            bounds = f"from {low} to {high}" if high < UNBOUNDED else f"of at least {low}"
            self.defects.add(at, f"{self.trail} {word} is an integer {bounds}")
            return low
        return value

    def duration(self, word: str, low: int = 1, high: int = UNBOUNDED, *, why: str = "") -> int:
        """The duration under `word` in ms, from `low` to `high` ms; `why` explains the bound.

        Source: ISO 8601-1, 5.5.2.4
        """
        value, at = self.scalar(word)
        if value is None:
            return low
        length = duration_ms(value) if isinstance(value, str) else None
        if length is None:
            self.defects.add(at, f"{self.trail} {word} is an ISO 8601 duration such as PT5M or P1D")
            return low
        if not low <= length <= high:
            side = f"at most {high // 1000} s" if length > high else f"at least {low} ms"
            self.defects.add(at, f"{self.trail} {word} is {side}{why and ': ' + why}")
            return low
        return length

    def scalar(self, word: str) -> tuple[str | int | bool | Decimal | None, Position]:
        """The value under `word` and where it stands; None and a defect where it is not one value.

        Source: YAML 1.2.2, 3.2.1
        """
        node = self.node(word)
        if node is None:
            return None, _NOWHERE
        if not isinstance(node, Scalar):
            self.defects.add(node.at, f"{self.trail} {word} is one value")
            return None, node.at
        return node.value, node.at

    def _choices(self, word: str, known: tuple[str, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for item in self.items(word):
            value = item.value if isinstance(item, Scalar) else None
            if value in found:
                self.defects.add(item.at, f"{self.trail} {word} names {value!r} twice")
            elif value is None:
                self.defects.add(item.at, f"{self.trail} {word} is a list of words")
            else:
                found.append(self._known(value, item.at, word, known))
        return tuple(found)

    def _known(self, value: object, at: Position, word: str, known: tuple[str, ...]) -> str:
        if not isinstance(value, str) or value not in known:
            shown = str(value)[:_SHOWN]
            text = f"{self.trail} {word} cannot be {shown!r}{suggestion(shown, known)}"
            self.defects.add(at, text)
            return known[0] if known else ""
        return value
