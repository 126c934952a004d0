"""The pool that hashes: bounded, priced, and refused with a time to come back."""

import asyncio
import os
import threading

import pytest
from tests.support.sealed_pins import verifier

from tallystick.entry.hashing import HashingPool
from tallystick.infrastructure.modules.stretching import StretchingApart
from tallystick.kernel.errors import NotAuthentic, RateLimited
from tallystick.kernel.secret import Secret


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


@pytest.mark.requirement("MFS-6.2.3-04")
def test_what_is_slow_is_done_in_another_process() -> None:
    apart = StretchingApart(os.urandom)
    pool = HashingPool(apart=apart)
    usual = verifier()
    slow = pool.verifier(usual)
    pin, wrong = usual.seal(Secret("7391"), "c"), usual.seal(Secret("1357"), "c")

    async def main() -> bytes:
        with pool.place("c", 0) as place:
            kept = await place.run(slow.make, pin, "c", "c")
            await place.run(slow.check, pin, "c", "c", kept)
            with pytest.raises(NotAuthentic):
                await place.run(slow.check, wrong, "c", "c", kept)
            with pytest.raises(NotAuthentic):
                await place.run(slow.refuse, pin, "c", "c")
        return kept

    kept = asyncio.run(main())
    assert apart.pids(), "nothing was done elsewhere"
    assert pool.gauges()["hashing_hurried_total"]() == apart.hurried
    usual.check(pin, "c", "c", kept)
    pool.close()
    assert not apart.pids()


def test_without_such_processes_the_verifier_is_as_it_was(pool: HashingPool) -> None:
    usual = verifier()
    assert pool.verifier(usual) is usual
