"""Where PINs are hashed: few threads of low priority, a bounded queue, and a price for each source.

    place(source) -> admitted | 429 with when to come back
    place.run(make or check, ...) -> on a thread that yields to payments, and rests after each hash

A guess is slow on purpose, so that guessing must not become a way to stop payments: what does not
fit is refused before it is counted, and the threads give way.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2; RFC 9106, 4
"""

import asyncio
import os
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

from tallystick.entry.buckets import Buckets
from tallystick.kernel.errors import RateLimited

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 1
MOST_INSIDE = 32
NICENESS = 5
"""How far the threads stand back. Not further: one that waits for its turn while it holds the lock
of the interpreter would keep everybody waiting."""

REST = 1.0
"""How long a thread rests after a hash, as a share of what the hash took."""

SOURCE_RATE = 1.0
SOURCE_BURST = 30.0
"""Hashes a second that one source may ask for, and how many at once."""


class Place:
    """A place in the pool, held until whoever has it leaves.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` gives, computed on a thread of the pool; raises what it raises.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        loop = asyncio.get_running_loop()
        took = [0.0]

        def timed() -> T:
            began = monotonic()
            try:
                return work(*args, **kwargs)
            finally:
                took[0] = monotonic() - began

        try:
            return await loop.run_in_executor(self._threads, timed)
        finally:
            with suppress(RuntimeError):  # the pool is closing
                self._threads.submit(sleep, took[0] * REST)


class HashingPool:
    """Admits so many who wait, and so much of one source.

    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2
    """

    def __init__(
        self,
        *,
        threads: int = THREADS,
        most_inside: int = MOST_INSIDE,
        rate: float = SOURCE_RATE,
        burst: float = SOURCE_BURST,
    ) -> None:
        """Hash on `threads`; let `most_inside` be in work or wait at once.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._threads = ThreadPoolExecutor(
            max_workers=threads, thread_name_prefix="pin", initializer=_stand_back
        )
        self._most = most_inside
        self._sources = Buckets(rate=rate, burst=burst)
        self.inside = 0
        self.refused = 0

    @contextmanager
    def place(self, source: str, now: int) -> Generator[Place]:
        """A place for one check of `source` at `now` (ms).

        Raises RateLimited, with when to come back, while the pool is full or the source has had its
        share.
        Source: ISO/TS 12812-2:2017, 6.2.3; RFC 9110, 10.2.3
        """
        if self.inside >= self._most:
            self.refused += 1
            raise RateLimited(
                "too many PINs are being checked", remedy="come back in 2 s", retry_after_s=2
            )
        try:
            self._sources.take(source, now)
        except RateLimited:
            self.refused += 1
            raise
        self.inside += 1
        try:
            yield Place(self._threads)
        finally:
            self.inside -= 1

    def gauges(self) -> dict[str, Callable[[], int]]:
        """How many are inside, and how many were refused so far.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return {
            "hashing_inside": lambda: self.inside,
            "hashing_refused_total": lambda: self.refused,
        }

    def close(self) -> None:
        """End the threads once they have done what they began.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._threads.shutdown(wait=True)


def _stand_back() -> None:
    """Lower the priority of this thread alone, where the system knows priorities of threads."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
