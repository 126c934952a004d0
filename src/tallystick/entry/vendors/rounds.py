"""Asks sources of lists in turn, each in its time: one request a source, and none holds others up.

A period is the longest time between two answers; a server that says that its list is good for less
is asked sooner. After a failure it is asked in seconds, each time later up to the period.

Source: RFC 9111, 4.2; ISO/TS 12812-2:2017, 6.2.3; 7.2.6
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tallystick.entry.vendors.fetching import Fetch, Fetched
from tallystick.infrastructure.modules.interface import CryptoModule
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import SECOND_MS, Clock, Instant

DEADLINE_S: Final = 60.0
"""The whole request; what takes longer is ended."""

_FIRST_S: Final = 5
_MOST_DOUBLED: Final = 12
SOONEST_S: Final = 60
"""A server that says that its list is good for less than this is asked as often as this."""

S = TypeVar("S")


@dataclass(slots=True)
class Line:
    """How it goes with one source; times in ms, `failing_since` 0 while it answers.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    begun: int
    due_at: int = 0
    failures: int = 0
    failing_since: int = 0
    task: asyncio.Task[None] | None = None


class Rounds(Generic[S]):
    """The rounds to the sources of one sort of lists.

    Source: RFC 9111, 4.2; ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self,
        clock: Clock,
        ask: Callable[[str, S, Instant], Awaitable[int]],
        fails: Callable[[str, Exception], None],
        period_s: Callable[[str, S], int],
        part: Callable[[], int],
    ) -> None:
        """Go round with `ask`: name, source and instant; it gives for how many seconds that counts.

        It gives -1 where the server does not say. `fails` is told of what it raises; `period_s` is
        the longest time between two answers now, `part` a random part of a thousand.
        Source: RFC 9111, 4.2
        """
        self._clock, self._part = clock, part
        self._ask_one, self._fails, self._period_s = ask, fails, period_s
        self.sources: dict[str, S] = {}
        self._lines: dict[str, Line] = {}

    def take(self, sources: Mapping[str, S]) -> None:
        """Ask `sources` from now on, and each of them at once.

        Source: RFC 9111, 4.2
        """
        self.sources = dict(sources)
        now = self._clock.now()
        for name in self.sources:
            self._lines.setdefault(name, Line(now)).due_at = 0

    def begun(self, name: str) -> int:
        """Since when a source is asked (ms).

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._lines[name].begun

    def failing(self) -> dict[str, int]:
        """For how many seconds each source has not given a list that counts; 0 while it does.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        now = self._clock.now()
        since = {name: self._lines[name].failing_since or now for name in self.sources}
        return {name: max(0, now - one) // SECOND_MS for name, one in since.items()}

    def begin(self) -> None:
        """Begin the requests that are due.

        Source: RFC 9111, 4.2
        """
        now = self._clock.now()
        for name, source in self.sources.items():
            line = self._lines[name]
            if line.task is not None:
                if not line.task.done():
                    continue
                line.task.result()
                line.task = None
            most_ms = self._period_s(name, source) * SECOND_MS
            if now >= line.due_at or line.due_at - now > most_ms:
                line.task = asyncio.create_task(self._ask(name, source, line))

    async def end(self) -> None:
        """Begin nothing more, and come back once nothing is under way.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        tasks = [one.task for one in self._lines.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, name: str, source: S, line: Line) -> None:
        began, good_for_s = self._clock.now(), -1
        try:
            good_for_s = await self._ask_one(name, source, began)
        except Exception as error:  # noqa: BLE001 - what one server sends ends no other's round
            line.failures += 1
            line.failing_since = line.failing_since or began
            self._fails(name, error)
        else:
            line.failures = line.failing_since = 0
        wait = wait_ms(self._period_s(name, source), line.failures, good_for_s, self._part())
        was_replaced = self.sources.get(name) != source
        line.due_at = 0 if was_replaced else self._clock.now() + wait


def wait_ms(every_s: int, failures: int, good_for_s: int, part: int) -> int:
    """How long to wait (ms) for the next request: a little less than `every_s` while it goes well.

    `failures` in a row double a short wait up to the period; a list that is `good_for_s` (-1: not
    said) less is asked for sooner, at most once a minute. `part` (0 to 999) is random, so that
    providers do not ask all at once.
    Source: RFC 9111, 4.2; ISO/TS 12812-2:2017, 6.2.3
    """
    most = every_s * SECOND_MS
    if failures:
        doubled = _FIRST_S * SECOND_MS << min(failures - 1, _MOST_DOUBLED)
        return min(most, doubled) * (500 + part // 2) // 1000
    if good_for_s >= 0:
        most = min(most, max(good_for_s, SOONEST_S) * SECOND_MS)
    return most * (900 + part // 10) // 1000


def part_of(module: CryptoModule) -> Callable[[], int]:
    """Gives a random part of a thousand each time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def part() -> int:
        with suppress(MfsError):  # a module that is away is told by its own watch
            return int.from_bytes(module.random(2)) * 1000 // 0x10000
        return 0

    return part


async def fetched(fetch: Fetch) -> Fetched:
    """The answer; the request is ended when it takes too long or nobody waits any more.

    It has a thread of its own: servers that are slow take none of those that payments wait for.
    Raises what `Fetch.run` raises.
    Source: RFC 9110, 15; ISO/TS 12812-2:2017, 6.2.3
    """
    own = ThreadPoolExecutor(max_workers=1, thread_name_prefix="list")
    asked = asyncio.get_running_loop().run_in_executor(own, fetch.run)
    own.shutdown(wait=False)
    try:
        done, _ = await asyncio.wait({asked}, timeout=DEADLINE_S)
        if not done:
            fetch.cut()
        return await asked
    except asyncio.CancelledError:
        fetch.cut()
        asked.cancel()
        raise
