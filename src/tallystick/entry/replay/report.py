"""What a replay came to, row by row against the recording's own columns.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from dataclasses import dataclass, field

from tallystick.entry.replay.rows import Row
from tallystick.kernel.errors import InsufficientFunds
from tallystick.kernel.model import Record

MOST_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """The provider's answer to an order: the refusal's code or empty, and the event it is under.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    error: str
    detail: str
    event: int
    payer_minor: int


class TypeTotal(Record, frozen=True, kw_only=True):
    """The rows of one type: how many, how many posted and refused, what was moved (minor units).

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    type: str
    rows: int
    posted: int
    refused: int
    moved_minor: int


class Phase(Record, frozen=True, kw_only=True):
    """How long one part took, for how many.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    name: str
    count: int
    seconds: float


class Difference(Record, frozen=True, kw_only=True):
    """A row that did not come to what its columns say.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    line: int
    says: str


class Replayed(Record, frozen=True, kw_only=True):
    """The outcome of a replay.

    `exact` and `rounded` split the posted rows by their balance column: equal to the minor unit, or
    within the column's own rounding. `again_same` counts the orders of the second pass that were
    answered as before, `again_events` what it added to the tally. `findings` is what the audit of
    the finished tally found.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    rows: int
    parties: int
    devices: int
    posted: int
    refused_funds: int
    exact: int
    rounded: int
    differ: int
    differences: tuple[Difference, ...]
    again: int
    again_same: int
    again_events: int
    events: int
    findings: int
    types: tuple[TypeTotal, ...]
    phases: tuple[Phase, ...]

    def as_recorded(self) -> bool:
        """Whether every row came to what the recording says, once.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        once = self.again_same == self.again and not self.again_events
        return not self.differ and not self.findings and once


@dataclass(slots=True)
class Comparison:
    """Compares answers with the columns, as they come.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    posted: int = 0
    refused_funds: int = 0
    exact: int = 0
    rounded: int = 0
    differ: int = 0
    differences: list[Difference] = field(default_factory=list[Difference])
    types: dict[str, TypeTotal] = field(default_factory=dict[str, TypeTotal])

    def note(self, row: Row, answer: Answer, balance_minor: int) -> None:
        """Count `answer` to `row`, after which its name has `balance_minor`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._total(row, answer)
        if answer.error:
            self._refused(row, answer, balance_minor)
        else:
            self._posted(row, balance_minor)

    def _posted(self, row: Row, balance_minor: int) -> None:
        self.posted += 1
        if not row.funded:
            self._differs(row, "posted without the money")
        elif balance_minor == row.closing_minor:
            self.exact += 1
        elif row.agrees(balance_minor):
            self.rounded += 1
        else:
            self._differs(row, f"balance {balance_minor}, recorded {row.closing_minor}")

    def _refused(self, row: Row, answer: Answer, balance_minor: int) -> None:
        if answer.error != InsufficientFunds.code or row.funded:
            self._differs(row, f"refused: {answer.error}")
        elif balance_minor != row.opening_minor:
            self._differs(row, f"refused, and the balance is {balance_minor}")
        else:
            self.refused_funds += 1

    def _differs(self, row: Row, says: str) -> None:
        self.differ += 1
        if len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(Difference(line=row.line, says=says))

    def _total(self, row: Row, answer: Answer) -> None:
        known = self.types.get(row.type)
        posted = not answer.error
        self.types[row.type] = TypeTotal(
            type=row.type,
            rows=1 + (known.rows if known else 0),
            posted=posted + (known.posted if known else 0),
            refused=(not posted) + (known.refused if known else 0),
            moved_minor=(row.amount_minor if posted else 0) + (known.moved_minor if known else 0),
        )
