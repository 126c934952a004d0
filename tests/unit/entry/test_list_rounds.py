"""Rounds to sources of lists: what is asked when sources change, and on whose threads."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from simulators.vendor_lists import REVOKED, Fault, ListServer, status_list
from tests.support.attested import AT

from tallystick.entry.vendors.fetching import Fetch
from tallystick.entry.vendors.rounds import Rounds, fetched
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.time import Instant, SimulatedClock

WITHIN_S = 10


@pytest.fixture
def silent() -> Iterator[ListServer]:
    with ListServer() as server:
        server.publish(REVOKED, status_list({}), AT)
        server.fails(REVOKED, Fault.SILENT)
        yield server


class Asked:
    """What is asked, one answer at a time."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.go = asyncio.Event()
        self.rounds = Rounds[str](
            SimulatedClock(), self.ask, lambda *_: None, lambda *_: 3_600, lambda: 0
        )

    async def ask(self, name: str, source: str, at: Instant) -> int:
        self.sources.append(source)
        await self.go.wait()
        return -1

    async def settle(self, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while len(self.sources) < count:
                self.rounds.begin()
                await asyncio.sleep(0)


def test_a_source_that_changed_while_it_was_asked_is_asked_at_once_and_not_after_its_period() -> (
    None
):
    async def run() -> list[str]:
        asked = Asked()
        asked.rounds.take({"west": "slow"})
        await asked.settle(1)
        asked.rounds.take({"west": "new"})
        asked.go.set()
        await asked.settle(2)
        for _ in range(5):
            asked.rounds.begin()
            await asyncio.sleep(0)
        await asked.rounds.end()
        return asked.sources

    assert asyncio.run(run()) == ["slow", "new"], "in time, and once"


def test_slow_servers_take_no_threads_that_others_wait_for(silent: ListServer) -> None:
    async def run() -> int:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        asking = asyncio.ensure_future(fetched(Fetch(silent.url + REVOKED)))
        async with asyncio.timeout(WITHIN_S):
            while not silent.heard:
                await asyncio.sleep(0.01)
            found = await asyncio.to_thread(lambda: 7)
        assert not asking.done()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return found

    assert asyncio.run(run()) == 7


def test_a_request_that_was_ended_before_it_was_connected_asks_nothing(silent: ListServer) -> None:
    """A name with many dead addresses takes longer than the whole request may."""
    asking = Fetch(silent.url + REVOKED)
    asking.cut()
    with pytest.raises(Unavailable, match="took too long"):
        asking.run()
    assert silent.heard == []
