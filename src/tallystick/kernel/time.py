"""Time as an integer: milliseconds since the Unix epoch, UTC, handed in by whoever owns a clock.

Source: ISO/TS 12812-2:2017, 3.23
"""

from datetime import UTC, datetime
from typing import NewType, Protocol

from tallystick.kernel.errors import Malformed

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class Clock(Protocol):
    """Tells the time; the only ones that read the machine's are built in entry/assembly.

    Source: ISO/TS 12812-2:2017, 3.23
    """

    def now(self) -> Instant:
        """The present instant, in milliseconds.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        ...


class SimulatedClock:
    """A clock that only moves when told to; for tests, replays and simulations.

    Source: ISO/TS 12812-2:2017, 3.23
    """

    def __init__(self, start: int = 1_767_225_600_000) -> None:
        """Start at `start` milliseconds (2026-01-01T00:00:00Z unless told otherwise).

        Source: ISO/TS 12812-2:2017, 3.23
        """
        self._now = start

    def now(self) -> Instant:
        """The instant it was last moved to, in milliseconds.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return Instant(self._now)

    def advance(self, milliseconds: int) -> None:
        """Move by `milliseconds`; a negative number turns the clock back, as broken clocks do.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        self._now += milliseconds

    def set(self, instant: int) -> None:
        """Move to `instant` milliseconds.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        self._now = instant


def iso_utc(instant: int) -> str:
    """`instant` (milliseconds) as an RFC 3339 string with milliseconds and Z.

    Source: RFC 3339, 5.6
    """
    moment = datetime.fromtimestamp(instant / 1000, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant % 1000:03d}Z"


def instant_of(text: str) -> Instant:
    """The instant (ms) that `text` such as 2026-01-31T12:00:00Z names.

    Raises Malformed for a text that names none.
    Source: RFC 3339, 5.6
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Malformed("an instant is written as in 2026-01-31T12:00:00Z")
    return Instant(int(moment.timestamp() * 1000))
