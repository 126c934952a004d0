"""Where PINs are hashed: a bounded queue, a price for each source, and processes that stand back.

    place(source) -> admitted | 429 with when to come back
    place.run(make or check, ...) -> on a thread that waits for such a process, and rests after each

A guess is slow on purpose, so that guessing must not become a way to stop payments: what does not
fit is refused before it is counted, and what is slow takes only what payments leave.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2; RFC 9106, 4
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, sleep
from typing import ParamSpec, Self, TypeVar

from tallystick.application.pins import PinVerifier
from tallystick.entry.buckets import Buckets
from tallystick.infrastructure.modules.stretching import Draw, StretchingApart
from tallystick.kernel.errors import RateLimited

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 1
MOST_INSIDE = 32
REST, LONGEST_REST_S = 1.0, 0.05
"""How long a thread rests after a hash: so many times what the hash took, and never longer than
the second figure, since a machine that is busy makes it rest already."""

SOURCE_RATE = 1.0
SOURCE_BURST = 30.0
"""Hashes a second that one source may ask for, and how many at once."""


class Place:
    """A place in the pool, held from when it is given until its `with` block ends.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, threads: ThreadPoolExecutor, leave: Callable[[], None]) -> None:
        self._threads = threads
        self._leave = leave

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

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
                self._threads.submit(sleep, min(took[0] * REST, LONGEST_REST_S))


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
        apart: StretchingApart | None = None,
    ) -> None:
        """Hash on `threads`, `apart` if given; let `most_inside` be in work or wait at once.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="pin")
        self._apart = apart
        self._most = most_inside
        self._sources = Buckets(rate=rate, burst=burst)
        self.inside = 0
        self.refused = 0

    @classmethod
    def standing_back(cls, draw: Draw) -> "HashingPool":
        """A pool as a service has it, whose processes draw from `draw`.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2
        """
        return cls(apart=StretchingApart(draw))

    def place(self, source: str, now: int) -> Place:
        """A place for one check of `source` at `now` (ms); use it in a `with` block.

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
        return Place(self._threads, self._left)

    def _left(self) -> None:
        self.inside -= 1

    def verifier(self, usual: PinVerifier) -> PinVerifier:
        """`usual`, with what is slow done where this pool has it done.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return usual if self._apart is None else usual.stretched_by(self._apart.stretch)

    def gauges(self) -> dict[str, Callable[[], int]]:
        """How many are inside, how many were refused so far, and how many got no core in time.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        apart = self._apart
        return {
            "hashing_inside": lambda: self.inside,
            "hashing_refused_total": lambda: self.refused,
            "hashing_hurried_total": lambda: 0 if apart is None else apart.hurried,
        }

    def close(self) -> None:
        """End threads and processes once they have done what they began.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._threads.shutdown(wait=True)
        if self._apart is not None:
            self._apart.close()
