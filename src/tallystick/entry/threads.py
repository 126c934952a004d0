"""Work on another thread that uses what its caller closes: over before the caller goes on.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(work: Callable[[], T]) -> T:
    """Run `work` on another thread; who is cancelled meanwhile is told only when it has ended.

    `asyncio.to_thread` lets a cancelled caller go on at once, while the thread still works: a
    connection that the caller then closes is freed under the thread, which ends the process.
    Raises what `work` raises.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    working = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait([working])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        working.exception()  # it was asked for, and nobody waits for it any more
        raise cancelled
    return working.result()
