"""Simulated time: a list of what happens next, and clocks that follow it or jump.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import heapq
from collections.abc import Callable
from typing import Any

from tallystick.kernel.time import Instant


class Agenda:
    """What happens next, in milliseconds; events of one moment run in the order in which they came.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, start: int) -> None:
        self.now = float(start)
        self.events = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Run `action` `delay_ms` from now.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._number += 1
        heapq.heappush(self._queue, (self.now + max(0.0, delay_ms), self._number, action))

    def step(self) -> bool:
        """Run the next event; False if there is none.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if not self._queue:
            return False
        at, _, action = heapq.heappop(self._queue)
        self.now = max(self.now, at)
        self.events += 1
        action()
        return True

    def run_until(self, done: Callable[[], bool], limit_ms: float) -> bool:
        """Run events until `done` or `limit_ms` have passed; whether it is done.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        until = self.now + limit_ms
        while not done():
            if not self._queue or self._queue[0][0] > until:
                self.now = max(self.now, until)
                return done()
            self.step()
        return True


class DriftingClock:
    """The clock of one machine, which somebody may set wrong.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self.off_ms = 0

    def now(self) -> Instant:
        """What it shows.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return Instant(int(self._agenda.now) + self.off_ms)


class SimulatedLoop:
    """An event loop on simulated time, of a process that may die or stand still.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, agenda: Agenda, run: Callable[[Callable[[], None]], None]) -> None:
        """Hand each callback to `run`, which knows whether the process lives.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._agenda = agenda
        self._run = run

    def call_soon(self, callback: Callable[..., object], *arguments: Any) -> None:
        """Run `callback` with the next events.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._agenda.after(0, lambda: self._run(lambda: void(callback(*arguments))))

    call_soon_threadsafe = call_soon

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> None:
        """Run `callback` after `delay` seconds.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        later = delay * 1000
        self._agenda.after(later, lambda: self._run(lambda: void(callback(*arguments))))


def void(value: object) -> None:
    """Drop what a callback gives.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    del value
