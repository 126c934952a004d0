"""Whether there is time for one more request that begins something, by how long it would wait.

Two times are looked at, and none of them costs a request that comes alone more than a look at the
clock. The first is how long this turn of the event loop has lasted: what arrived together is opened
and verified one after the other, and whatever comes last waits for all of it. The second is how
long the writer still needs for what waits before it, by what the last full batches took for each
command. The time that the store takes for a commit counts in neither: a slow disk makes answers
late, and refusing would not make it faster.

Only what begins something is refused: quotes, orders, new customers, new handshakes. Receipts,
balances, the ends of sessions, operators' acts and what a core system answers still go through.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import math
from collections.abc import Callable
from time import monotonic

from tallystick.kernel.errors import Unavailable

LONGEST_WAIT_S = 0.02
"""For how long requests may go on waiting before new ones are refused, unless the operator says."""

STANDING_S = 0.5
"""A wait that is longer than that for so long stands: it is no burst that passes."""

_GONE_S = 0.1
_PATIENCE = 5.0

RETRY_AFTER_S = (1, 2, 3)
"""When to come back, in turn: those who were refused together do not come back together."""

BEGINNINGS = frozenset({"payment.quote", "payment.order", "agent.open-customer"})
"""The sealed operations that begin something."""

_FULL_BATCH = 16
_FADING = 0.8


class Pace:
    """What the writer spends on one more command of a batch, by the last full batches.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    __slots__ = ("_commands", "_seconds", "each_s")

    def __init__(self) -> None:
        """Nothing is known, and nothing is refused, before the first full batch.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._commands = self._seconds = 0.0
        self.each_s = 0.0

    def note(self, commands: int, seconds: float) -> None:
        """Learn that a batch of `commands` took `seconds` of work; a small one says nothing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if commands >= _FULL_BATCH:
            self._commands = self._commands * _FADING + commands
            self._seconds = self._seconds * _FADING + seconds
            self.each_s = self._seconds / self._commands


class Standing:
    """Tells a wait that stands from a burst: a burst may take five times as long.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    __slots__ = ("_last", "_longest_s", "_since")

    def __init__(self, longest_s: float) -> None:
        """Judge waits against `longest_s` seconds.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._longest_s = longest_s
        self._since = self._last = -math.inf

    def is_too_long(self, wait_s: float, now: float) -> bool:
        """Whether a request that would wait `wait_s` seconds at `now` (monotonic) is one too many.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if wait_s <= self._longest_s:
            return False
        if now - self._last > _GONE_S:
            self._since = now
        self._last = now
        stands = now - self._since > STANDING_S
        return stands or wait_s > _PATIENCE * self._longest_s


class Admission:
    """Tells whether a request that begins something can still be answered in time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self,
        longest_s: float,
        soon: Callable[[Callable[[], None]], object],
        ahead_s: Callable[[], float],
    ) -> None:
        """Refuse where waits longer than `longest_s` seconds stand.

        `soon` calls with the next turn of the loop, `ahead_s` tells how many seconds the writer
        needs for what waits.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._standing = Standing(longest_s)
        self._soon = soon
        self._ahead_s = ahead_s
        self._turn_began = 0.0

    def full(self) -> bool:
        """Whether one more request would wait too long; ask once for each.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        now = monotonic()
        if not self._turn_began:
            self._turn_began = now
            self._soon(self._turned)
        return self._standing.is_too_long(max(now - self._turn_began, self._ahead_s()), now)

    def _turned(self) -> None:
        self._turn_began = 0.0


def overloaded(retry_after_s: int = RETRY_AFTER_S[0]) -> Unavailable:
    """The refusal of what would wait too long.

    Source: ISO/TS 12812-2:2017, 6.2.3; RFC 9110, 10.2.3
    """
    return Unavailable(
        "more is asked of the service than it can answer in time",
        remedy="try again with the same id",
        retry_after_s=retry_after_s,
    )
