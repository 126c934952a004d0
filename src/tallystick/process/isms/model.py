"""Registers: what is kept of parties, assets, vendors, people and so on, one text each.

A register is a list of entries of one shape. The shape says which fields an entry has, which of
them start clocks, and which requirements the register bears on; it is data (`shapes`), so that
reading, clocks, evidence and the reference page follow from one table.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from collections.abc import Mapping
from enum import StrEnum

from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.process.yamltext.position import Position

Value = str | int | bool | tuple[str, ...]
"""What a field holds: text, a number, an instant or length of time in ms, a flag, or words."""


class FieldKind(StrEnum):
    """What a field holds, and how it is written.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    TEXT = "text"
    WORDS = "list of words"
    DAY = "day"
    MOMENT = "moment"
    DURATION = "duration"
    CHOICE = "one of"
    FLAG = "true or false"
    NUMBER = "number"


class Field(Record, frozen=True, kw_only=True):
    """One field of an entry; `known` are its words, where the list is closed.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    name: str
    kind: FieldKind
    says: str
    required: bool = True
    known: tuple[str, ...] = ()


class ClockKind(StrEnum):
    """How a clock runs.

    EXPIRES ends at a field. REPEATS falls due a length of time after the last time. ANSWER falls
    due a length of time after the beginning, and stops once it is answered.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    EXPIRES = "expires"
    REPEATS = "repeats"
    ANSWER = "answer"


class ClockRule(Record, frozen=True, kw_only=True):
    """One clock of every entry: from `start`, after `length` (a field's name), until `done`.

    `unless` names a flag that stops the clock while it is false (somebody who is not active).
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    kind: ClockKind
    what: str
    start: str
    length: str = ""
    done: str = ""
    unless: str = ""


class Shape(Record, frozen=True, kw_only=True):
    """What the entries of a register look like, and what they prove; `least` must be there.

    A register that may be empty proves by its review that there was nothing to enter.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9
    """

    name: str
    says: str
    requirements: tuple[str, ...]
    fields: tuple[Field, ...]
    clocks: tuple[ClockRule, ...] = ()
    least: tuple[str, ...] = ()
    may_be_empty: bool = False

    def field(self, name: str) -> Field:
        """The field of this name.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        for one in self.fields:
            if one.name == name:
                return one
        raise NotFound(f"register {self.name} has no field {name[:40]!r}")


class Entry(Record, frozen=True, kw_only=True):
    """One entry: its id, what it holds by field, and where it stands in the text.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    values: Mapping[str, Value]
    at: Position

    def text(self, name: str) -> str:
        """The text under `name`; empty where there is none.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self.values.get(name)
        return found if isinstance(found, str) else ""

    def number(self, name: str) -> int:
        """The number, instant or length of time (ms) under `name`; 0 where there is none.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self.values.get(name)
        return found if isinstance(found, int) and not isinstance(found, bool) else 0

    def flag(self, name: str) -> bool:
        """The flag under `name`; true where it is not said.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return self.values.get(name) is not False

    def words(self, name: str) -> tuple[str, ...]:
        """The words under `name`; none where there are none.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self.values.get(name)
        return found if isinstance(found, tuple) else ()


class Register(Record, frozen=True, kw_only=True):
    """One register: who answers for it, when it was reviewed last (ms), how often it must be (ms).

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    shape: Shape
    owner: str
    reviewed: int
    review_ms: int
    entries: Mapping[str, Entry]

    @property
    def name(self) -> str:
        """The name of the register.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return self.shape.name


class Unreadable(Record, frozen=True, kw_only=True):
    """A register whose text has defects, one a line with its position.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    name: str
    defects: str


class Registers(Record, frozen=True, kw_only=True):
    """Every register that is kept, by name, and those that cannot be read.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    kept: Mapping[str, Register]
    unreadable: tuple[Unreadable, ...] = ()

    def entries(self, name: str) -> Mapping[str, Entry]:
        """The entries of a register; none where it is not kept.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self.kept.get(name)
        return {} if found is None else found.entries

    def is_broken(self, name: str) -> bool:
        """Whether the text of this register is there and cannot be read.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return any(one.name == name for one in self.unreadable)
