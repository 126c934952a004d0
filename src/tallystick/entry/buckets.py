"""What each caller may still ask for, also where several processes answer callers.

Every process has the whole limit of a caller and takes off what the others say that they gave. It
says so itself whenever it gave a small share more, so that one connection gets the whole limit, and
many over all processes together get hardly more than that.

    given in all  <=  burst + rate * time + what was not told yet

Each process keeps less than `burst / (8 * processes)` of a caller untold, so that is at most an
eighth of the burst, and what is given while the word is on its way: a turn of two event loops. It
is a debt of the caller, not a gift: every process waits until it has come in again.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Callable
from math import inf

from tallystick.kernel.errors import RateLimited

UNTOLD_SHARE = 1 / 8
"""Which part of a burst all processes together give at most before they tell each other."""

_MAX_BUCKETS = 100_000


class Buckets:
    """A token bucket for each source: `rate` tokens a second, at most `burst`.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, *, rate: float, burst: float) -> None:
        self._per_ms = rate / 1000
        self._burst = burst
        self._levels: dict[str, tuple[float, int]] = {}
        self._untold: dict[str, float] = {}
        self._tell: Callable[[str, float], None] | None = None
        self._share = inf

    def tell_others(self, tell: Callable[[str, float], None], processes: int) -> None:
        """Call `tell` with a source and its tokens, before it took more than its share untold.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._tell = tell
        self._share = self._burst * UNTOLD_SHARE / processes

    def take(self, source: str, now: int, cost: float = 1.0) -> None:
        """Take `cost` tokens of `source` at `now` (ms).

        Raises RateLimited, with when to come back.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        level = self._level(source, now) - cost
        if level < 0:
            wait = int(-level / self._per_ms / 1000) + 1 if self._per_ms else 60
            raise RateLimited(
                "too many requests", remedy=f"come back in {wait} s", retry_after_s=wait
            )
        self._keep(source, level, now)
        if self._tell is not None:
            untold = self._untold.get(source, 0.0) + cost
            if untold < self._share:
                self._untold[source] = untold
            else:
                self._untold.pop(source, None)
                self._tell(source, untold)

    def taken_elsewhere(self, source: str, now: int, tokens: float) -> None:
        """Take off what another process gave `source`; the level may fall below nothing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._keep(source, self._level(source, now) - tokens, now)

    def _level(self, source: str, now: int) -> float:
        level, since = self._levels.get(source, (self._burst, now))
        return min(self._burst, level + max(0, now - since) * self._per_ms)

    def _keep(self, source: str, level: float, now: int) -> None:
        if len(self._levels) >= _MAX_BUCKETS:
            self._levels.clear()
            self._untold.clear()
        self._levels[source] = (level, now)
