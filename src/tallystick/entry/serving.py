"""A platform served on loopback beside what this process does otherwise, and ended with it.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvloop

from tallystick.entry.assembly import Platform
from tallystick.entry.http.server import Listening, serve
from tallystick.kernel.errors import Unavailable


@contextmanager
def served_beside(
    platform: Platform,
    listening: Listening,
    log: Callable[[bytes], None],
    *,
    within_s: float,
    what: str,
) -> Generator[str]:
    """Serve `platform` until the block ends; gives its address. `log` hears every line.

    Raises Unavailable if `what` (such as `the provider`) is not up within `within_s` seconds.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    ready, ends, ports = threading.Event(), list[Callable[[], None]](), list[int]()

    def started(port: int) -> None:
        ports.append(port)
        ready.set()

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def end() -> None:
            loop.call_soon_threadsafe(stop.set)

        ends.append(end)
        await serve(platform, listening, log=log, started=started, stop=stop)

    thread = threading.Thread(target=lambda: uvloop.run(main()), daemon=True)
    thread.start()
    try:
        if not ready.wait(within_s):
            raise Unavailable(f"{what} did not come up on loopback")
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        for end in ends:
            end()
        thread.join()  # what it uses is closed next
