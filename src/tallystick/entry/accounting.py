"""What is counted, limited and logged at the door; nothing in it is personal or secret.

Counters are Prometheus text, log lines are JSON with an allow-list of fields, and each source has a
token bucket. A log line is written to memory and flushed a few times a second.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.4
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Literal

from tallystick.entry.buckets import Buckets
from tallystick.entry.durations import Durations
from tallystick.entry.notes import Note
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import MfsError, RateLimited, Unavailable
from tallystick.kernel.time import Clock, iso_utc

_MAX_LINES = 20_000

LimitKind = Literal["session", "source"]
"""Whose limit it is."""

TellSpent = Callable[[LimitKind, str, float], None]
"""Told to the other processes: whose limit, which one's, and the tokens that it took here."""


class Accounting:
    """Counts answers, keeps the log, limits sessions and sources.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self,
        clock: Clock,
        write: Callable[[bytes], None],
        *,
        session_rate: float = 50.0,
        source_rate: float = 50.0,
    ) -> None:
        """Log through `write`; allow so many requests a second to a session and to a source.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._clock = clock
        self._write = write
        self._sessions = Buckets(rate=session_rate, burst=session_rate * 4)
        self._sources = Buckets(rate=source_rate, burst=source_rate * 6)
        self._buckets: dict[LimitKind, Buckets] = {
            "session": self._sessions,
            "source": self._sources,
        }
        self._answers: dict[tuple[str, int, str], int] = {}
        self._lines: list[bytes] = []
        self._dropped = 0
        self.shed = 0
        self._notes = dict.fromkeys(Note, 0)
        self.durations = Durations()
        self.listeners: list[Callable[[Note, Mapping[str, int | str]], None]] = []
        self.gauges: dict[str, Callable[[], int]] = {}
        self.labelled: dict[str, tuple[str, Callable[[], Mapping[str, int]]]] = {}

    def share_limits(self, tell: TellSpent, processes: int) -> None:
        """Keep the limits together with other processes, so many in all: `tell` reaches the others.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for kind, buckets in self._buckets.items():
            buckets.tell_others(partial(tell, kind), processes)

    def spent_elsewhere(self, kind: LimitKind, name: str, tokens: float) -> None:
        """Take off what a session or source took at another process.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._buckets[kind].taken_elsewhere(name, self._clock.now(), tokens)

    def admit(self, session: str, now: int) -> None:
        """Count a request of `session` against its rate.

        Raises RateLimited.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._sessions.take(session, now)

    def admit_source(self, peer: str, now: int, cost: float = 1.0) -> None:
        """Count a request from a stranger against the rate of its address.

        Raises RateLimited.
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.1
        """
        self._sources.take(peer, now, cost)

    def answered(self, operation: str, status: int, code: str, began: float = 0.0) -> None:
        """Count and log one answer; how long it took, too, if its request `began` (monotonic).

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if began:
            self.durations.since(operation, began)
        entry = (operation, status, code)
        self._answers[entry] = self._answers.get(entry, 0) + 1
        self._keep(
            b'{"at":%d,"operation":"%b","status":%d,"code":"%b"}'
            % (self._clock.now(), operation.encode(), status, code.encode())
        )

    def refused(self, operation: str, error: MfsError, peer: str, began: float = 0.0) -> None:
        """Count and log a request that came with no valid session; strangers pay from their bucket.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self.answered(operation, error.status, error.code, began)
        try:
            self._sources.take(peer, self._clock.now())
        except RateLimited:
            self.answered(operation, RateLimited.status, RateLimited.code)

    def overloaded(self, operation: str) -> None:
        """Count a request that was refused unread because it would have waited too long; no line.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.shed += 1
        self._answers[operation, Unavailable.status, Unavailable.code] = (
            self._answers.get((operation, Unavailable.status, Unavailable.code), 0) + 1
        )

    def note(self, message: Note, **fields: int | str) -> None:
        """Log one line about the service itself, and count it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._notes[message] += 1
        for listener in self.listeners:
            listener(message, fields)
        at = self._clock.now()
        self._keep(encode({"at": at, "time": iso_utc(at), "message": message, **fields}))

    def _keep(self, line: bytes) -> None:
        if len(self._lines) >= _MAX_LINES:
            self._dropped += 1 + line.count(b"\n")
        else:
            self._lines.append(line)

    def flush(self) -> None:
        """Write the log lines that wait; while that fails they wait on, as many as are kept.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._lines:
            try:
                self._write(b"\n".join(self._lines) + b"\n")
            except OSError:
                return
            self._lines.clear()

    def answers(self) -> dict[tuple[str, int, str], int]:
        """How many answers there were so far, by operation, status and code.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._answers.copy()

    def taken(self) -> list[tuple[str, int, str, int]]:
        """What was answered since the last call, by operation, status and code; counts begin anew.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        taken = [(*entry, count) for entry, count in self._answers.items()]
        self._answers.clear()
        return taken

    def absorb(self, answers: Iterable[tuple[str, int, str, int]], lines: bytes) -> None:
        """Add what another process answered, and its log lines, to those of this one.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for operation, status, code, count in answers:
            entry = (operation, status, code)
            self._answers[entry] = self._answers.get(entry, 0) + count
        if lines:
            self._keep(lines.rstrip(b"\n"))

    def exposition(self) -> bytes:
        """All counters and gauges as Prometheus text.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return ("\n".join(self._exposed()) + "\n").encode()

    def _exposed(self) -> Iterable[str]:
        yield "# HELP tallystick_answers_total Answers by operation, status and refusal."
        yield "# TYPE tallystick_answers_total counter"
        for (operation, status, code), count in sorted(self._answers.items()):
            labels = f'operation="{operation}",status="{status}",refusal="{code}"'
            yield f"tallystick_answers_total{{{labels}}} {count}"
        yield "# HELP tallystick_log_lines_dropped_total Log lines that were not kept."
        yield "# TYPE tallystick_log_lines_dropped_total counter"
        yield f"tallystick_log_lines_dropped_total {self._dropped}"
        yield "# HELP tallystick_notes_total Log lines about the service itself, by message."
        yield "# TYPE tallystick_notes_total counter"
        for message, count in self._notes.items():
            yield f'tallystick_notes_total{{message="{message}"}} {count}'
        yield from self.durations.exposed()
        for name, read in sorted(self.gauges.items()):
            yield f"# TYPE tallystick_{name} {_kind(name)}"
            yield f"tallystick_{name} {read()}"
        for name, (label, values) in sorted(self.labelled.items()):
            yield f"# TYPE tallystick_{name} {_kind(name)}"
            for value, number in values().items():
                yield f'tallystick_{name}{{{label}="{value}"}} {number}'


def _kind(name: str) -> str:
    return "counter" if name.endswith("_total") else "gauge"
