"""The pool that hashes: bounded, priced, and refused with a time to come back."""

import asyncio
import os
import threading

import pytest

from tallystick.entry.hashing import NICENESS, HashingPool
from tallystick.kernel.errors import NotAuthentic, RateLimited


@pytest.fixture
def pool():
    made = HashingPool(threads=1, most_inside=4, rate=1.0, burst=3.0)
    yield made
    made.close()


@pytest.mark.requirement("MFS-6.2.3-04")
def test_what_does_not_fit_is_refused_with_a_time(pool: HashingPool) -> None:
    gate = threading.Event()

    async def wait(source: str) -> None:
        with pool.place(source, 0) as place:
            await place.run(gate.wait)

    async def main() -> None:
        waiting = [asyncio.create_task(wait(f"s{n}")) for n in range(4)]
        await asyncio.sleep(0.05)
        assert pool.inside == 4
        with pytest.raises(RateLimited) as full, pool.place("other", 0):
            pass
        assert full.value.status == 429
        assert full.value.retry_after_s == 2
        gate.set()
        await asyncio.gather(*waiting)
        assert pool.inside == 0
        with pool.place("other", 0):
            assert pool.gauges()["hashing_inside"]() == 1

    asyncio.run(main())
    assert pool.gauges()["hashing_refused_total"]() == 1


@pytest.mark.requirement("MFS-6.2.3-04")
def test_a_source_pays_for_each_hash(pool: HashingPool) -> None:
    for _ in range(3):
        with pool.place("one", 0):
            pass
    with pytest.raises(RateLimited) as spent, pool.place("one", 0):
        pass
    assert spent.value.retry_after_s
    with pool.place("two", 0):
        pass
    with pool.place("one", 1_000):
        pass


def test_what_the_work_raises_comes_out_and_the_place_is_free(pool: HashingPool) -> None:
    def wrong() -> None:
        raise NotAuthentic("no")

    async def main() -> None:
        with pytest.raises(NotAuthentic), pool.place("one", 0) as place:
            await place.run(wrong)

    asyncio.run(main())
    assert pool.inside == 0


def test_its_threads_stand_back_and_nobody_elses(pool: HashingPool) -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def main() -> int:
        with pool.place("one", 0) as place:
            return await place.run(nice)

    before = nice()
    assert asyncio.run(main()) == min(19, max(before, NICENESS))
    assert nice() == before
