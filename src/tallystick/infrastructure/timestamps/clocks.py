"""Whether the clock is known to be right; an authority that does not know gives no time.

    kept      the kernel says that something keeps it, and by how much it may be off
    declared  an operator answers for it, where the kernel of a guest is not told by its host
    steps     it went on as fast as a clock that nobody sets; after a step it has to settle

Source: ISO/TS 12812-2:2017, 3.23; RFC 3161, 2.1; ETSI EN 319 421, 7.7.2
"""

from collections.abc import Callable
from typing import Final, Protocol

from tallystick.infrastructure.modules.clock import ClockState
from tallystick.kernel.time import MINUTE_MS, SECOND_MS, Instant

SETTLE_MS: Final = MINUTE_MS
_LOOK_MS: Final = SECOND_MS


class ClockHealth(Protocol):
    """Says why the clock is not known to be right.

    Source: ISO/TS 12812-2:2017, 3.23
    """

    def doubt(self, now: Instant) -> str:
        """Why `now` may be wrong by more than is promised; empty where it is known to be right.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        ...


class ClockGuard:
    """Watches the clock for an authority that promises `most_off_ms`.

    Source: ISO/TS 12812-2:2017, 3.23; ETSI EN 319 421, 7.7.2
    """

    def __init__(
        self,
        most_off_ms: int,
        state: Callable[[], ClockState | None],
        elapsed: Callable[[], int],
        *,
        declared: bool = False,
    ) -> None:
        """Begin; `elapsed` is a clock that nobody sets, `declared` that somebody answers for this.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        self._most_off = most_off_ms
        self._state = state
        self._elapsed = elapsed
        self._declared = declared
        self._before: tuple[int, int] | None = None
        self._settled_at = 0
        self._looked_at = 0
        self._said = "nobody looked yet"

    def doubt(self, now: Instant) -> str:
        """Why `now` may be wrong by more than is promised; empty where it is known to be right.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        elapsed = self._elapsed()
        if self._before is not None:
            off = (now - self._before[0]) - (elapsed - self._before[1])
            if abs(off) > self._most_off:
                self._settled_at = elapsed + SETTLE_MS
                self._before = (now, elapsed)
        else:
            self._before = (now, elapsed)
            self._looked_at = elapsed - _LOOK_MS
        if elapsed < self._settled_at:
            return "the clock was set a moment ago"
        if elapsed - self._looked_at >= _LOOK_MS:
            self._looked_at = elapsed
            self._before = (now, elapsed)
            self._said = self._looked()
        return self._said

    def _looked(self) -> str:
        if self._declared:
            return ""
        state = self._state()
        if state is None:
            return "the system does not say whether its clock is kept"
        if not state.synchronised:
            return "nothing keeps the clock"
        if state.most_off_ms > self._most_off:
            return f"the clock may be off by {state.most_off_ms} ms"
        return ""
