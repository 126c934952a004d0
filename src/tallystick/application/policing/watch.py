"""Which of the things that the service leans on are failing, as those who ask them report.

    adapter --failed(name, now)---> counted; failing once FAILURES in a row span FOR_MS
            --answered(name, now)-> not failing any more, from the first answer on

A single lost question is no failure, and neither is a burst of them within a moment. What a module
refuses it refuses for good, so that one refusal of it is enough. The time of a failure is that of
the first question of the row that went unanswered: from then on its data is old.

The watch is in the memory of the writer's process, where decisions are made and where every adapter
is; fronts decide nothing and report nothing. After a start nothing counts as failing until it
failed anew.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.kernel.time import SECOND_MS, Instant
from tallystick.process.policy.facts import Dependency

FAILURES = 3
FOR_MS = 5 * SECOND_MS
_AT_ONCE = frozenset((Dependency.MODULE.value,))


@dataclass(frozen=True, slots=True)
class Change:
    """A dependency began to fail, or answers again; `since` is when it began to fail.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    name: str
    failing: bool
    since: Instant
    at: Instant


@dataclass(slots=True)
class _Row:
    """Questions in a row that went unanswered."""

    since: Instant
    count: int = 0
    failing: bool = False


class DependencyWatch:
    """Counts what adapters report; has no clock of its own.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._connected: set[str] = set()
        self.listeners: list[Callable[[Change], None]] = []

    def connect(self, name: str) -> None:
        """Say that something here asks the dependency `name` and reports what comes of it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._connected.add(name)

    def failed(self, name: str, now: Instant) -> None:
        """Count a question to `name` that nobody answered at `now`.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        row = self._rows.setdefault(name, _Row(now))
        row.count += 1
        if row.failing:
            return
        if name in _AT_ONCE or (row.count >= FAILURES and now - row.since >= FOR_MS):
            row.failing = True
            self._tell(Change(name, failing=True, since=row.since, at=now))

    def answered(self, name: str, now: Instant) -> None:
        """Count an answer of `name` at `now`: it does not fail any more.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        row = self._rows.pop(name, None)
        if row is not None and row.failing:
            self._tell(Change(name, failing=False, since=row.since, at=now))

    def is_failing(self, name: str) -> bool:
        """Whether `name` counts as failing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        row = self._rows.get(name)
        return row is not None and row.failing

    def degraded(self, now: Instant) -> tuple[tuple[str, int], ...]:
        """What is failing and for how long, in ms; the form in which decisions take it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if not self._rows:
            return ()
        rows = sorted(self._rows.items())
        return tuple((name, max(0, now - row.since)) for name, row in rows if row.failing)

    def states(self) -> dict[str, int]:
        """1 for what is failing and 0 for what is asked and answers, by name.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        names = sorted(self._connected | self._rows.keys())
        return {name: int(self.is_failing(name)) for name in names}

    def _tell(self, change: Change) -> None:
        for listener in self.listeners:
            listener(change)
