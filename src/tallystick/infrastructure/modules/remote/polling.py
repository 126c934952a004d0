"""How long to look for something again and again before sleeping until it comes.

A core that has nothing to do falls asleep, and on a virtual machine it takes tens of microseconds
to wake: more than a call of the module takes itself. Who looks for a moment longer stays awake.

    found while looking             -> look twice as long next time, up to a bound
    not found, and it came late     -> half as long; where little is left, not at all
    not found, and it came soon     -> twice as long, and a complaint
    the thread did not run for part of the look: others want the core, or the interpreter
                                    -> a complaint; too many of them: stop looking
    not looking, and it came soon   -> look again; after a stop only after ever longer pauses

Nobody looks on a machine with one core, and nobody holds the interpreter meanwhile.

Source: ISO/TS 12812-2:2017, 6.2.3; clock_gettime(2); sched_getaffinity(2)
"""

import os
from collections.abc import Callable
from time import perf_counter_ns, thread_time_ns
from typing import Final

MOST_NS: Final = 150_000
_FIRST_NS: Final = 60_000
_LEAST_NS: Final = 10_000
_SHORTEST_PAUSE: Final = 64
_LONGEST_PAUSE: Final = 4_096
_NOISE_NS: Final = 4_000
_COMPLAINT: Final = 4
_MOST_COMPLAINTS: Final = 8
_QUIET: Final = 256

Read = Callable[[], int]
"""Reads a clock, in nanoseconds."""


class Polling:
    """One adaptive bound; used by one thread at a time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    __slots__ = (
        "_complaints", "_left", "_most_ns", "_ns", "_paid", "_pause", "_ran", "_wall",
    )  # fmt: skip

    def __init__(
        self,
        most_ns: int = MOST_NS,
        *,
        cores: int | None = None,
        wall: Read = perf_counter_ns,
        ran: Read = thread_time_ns,
    ) -> None:
        """Look for at most `most_ns` nanoseconds; 0 is never, and so is one of `cores`.

        `cores` are those that this process may use, asked for where they are not given. `wall` is
        the time, and `ran` how much of it this thread had a core.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        alone = (usable_cores() if cores is None else cores) < 2
        self._most_ns = 0 if alone else most_ns
        self._ns = min(_FIRST_NS, self._most_ns)
        self._pause = _SHORTEST_PAUSE
        self._left = self._paid = self._complaints = 0
        self._wall, self._ran = wall, ran

    @property
    def ns(self) -> int:
        """How long to look now, in nanoseconds; 0 for not at all.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._ns

    def found(self, ready: Callable[[int], object]) -> bool:
        """Whether `ready(0)` gave something within the bound; whoever calls sleeps otherwise.

        `ready` lets other threads run while it asks the kernel.
        Source: poll(2)
        """
        if not self._ns:
            return False
        wall, ran, begun = self._wall, self._ran(), self._wall()
        end = begun + self._ns
        there = ready(0)
        while not there and wall() < end:
            there = ready(0)
        self._weigh(disturbed=wall() - begun - (self._ran() - ran) > _NOISE_NS, paid=bool(there))
        return bool(there)

    def slept(self, ns: int) -> None:
        """Learn that it came after `ns` nanoseconds asleep, where `found` did not find it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if ns >= self._most_ns:
            self._ns = self._ns // 2 if self._ns >= 2 * _LEAST_NS else 0
        elif self._ns:
            self._ns = min(2 * self._ns, self._most_ns)
            self._complain()
        elif self._left > 0:
            self._left -= 1
        else:
            self._ns = min(_FIRST_NS, self._most_ns)

    def _weigh(self, *, disturbed: bool, paid: bool) -> None:
        if paid:
            self._ns = min(2 * self._ns, self._most_ns)
            self._paid += 1
            if self._paid >= _QUIET:
                self._paid, self._pause = 0, _SHORTEST_PAUSE
        if disturbed:
            self._complain()
        elif self._complaints and paid:
            self._complaints -= 1

    def _complain(self) -> None:
        self._complaints += _COMPLAINT
        if self._complaints >= _MOST_COMPLAINTS:
            self._ns, self._left = 0, self._pause
            self._paid = self._complaints = 0
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def usable_cores() -> int:
    """How many cores this process may use.

    Source: sched_getaffinity(2)
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
