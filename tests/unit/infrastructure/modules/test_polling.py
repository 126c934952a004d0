"""Looking before sleeping: when it pays, when it stops, and what it costs who has nothing to do."""

import os
import sys
import time
from pathlib import Path

import pytest
from tests.unit.infrastructure.modules.module_under_test import MASTER

from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote.polling import MOST_NS, Polling, usable_cores
from tallystick.infrastructure.modules.remote.starting import DoorOf, ModuleProcess

SOON_NS, LATE_NS = 5_000, 10 * MOST_NS
STEP_NS = 1_000


class Stage:
    """A clock that a look moves on; part of the time may go to others."""

    def __init__(self, *, cores: int = 2) -> None:
        self.now = self.others = self.looks = 0
        self.polling = Polling(cores=cores, wall=lambda: self.now, ran=self._ran)

    def _ran(self) -> int:
        return self.now - self.others

    def call(self, takes_ns: int, *, lost_ns: int = 0) -> bool:
        """One wait for something that comes after `takes_ns`; whether looking found it."""
        comes = self.now + takes_ns

        def ready(_: int) -> bool:
            self.looks += 1
            self.now += STEP_NS + lost_ns
            self.others += lost_ns
            return self.now >= comes

        if self.polling.found(ready):
            return True
        asleep = max(0, comes - self.now)
        self.now += asleep
        self.polling.slept(asleep)
        return False


def test_what_comes_soon_is_found_and_the_bound_grows() -> None:
    stage = Stage()
    assert all(stage.call(20_000) for _ in range(1_000))
    assert stage.polling.ns == MOST_NS


@pytest.mark.requirement("MFS-6.2.3-01")
def test_what_comes_late_ends_the_looking_at_once() -> None:
    stage = Stage()
    for _ in range(10):
        stage.call(LATE_NS)
    looked, before = stage.looks * STEP_NS, stage.looks
    assert stage.polling.ns == 0
    assert looked <= 2 * MOST_NS, "half as long each time: together twice the first at most"
    for _ in range(1_000):
        stage.call(LATE_NS)
    assert stage.looks == before


def test_bursts_are_found_again_after_quiet_times() -> None:
    stage = Stage()
    found = 0
    for _ in range(100):
        stage.call(LATE_NS)
        found += sum(stage.call(60_000) for _ in range(8))
    assert found >= 500, "most calls of a burst, though each begins after a long sleep"


def test_looking_that_only_delays_what_it_looks_for_stops() -> None:
    """Both ends on one core: what is looked for comes a moment after the looker sleeps."""
    stage = Stage()
    calls, vain = 20_000, 0
    for _ in range(calls):
        bound = stage.polling.ns
        vain += bound
        stage.call(bound + SOON_NS)
    assert vain / calls < 2_000, "nanoseconds in vain for each call, all trials counted"


def test_a_thread_that_loses_its_core_stops_looking() -> None:
    stage = Stage()
    found = [stage.call(30_000, lost_ns=8_000) for _ in range(20_000)]
    assert sum(found) < 100
    assert sum(found[:1_000]) > sum(found[-4_000:]), "trials are ever further apart"


def test_after_a_crowd_is_gone_looking_comes_back() -> None:
    stage = Stage()
    for _ in range(500):
        stage.call(30_000, lost_ns=8_000)
    found = [stage.call(30_000) for _ in range(6_000)]
    assert all(found[-1_000:])


def test_nobody_looks_on_one_core_or_with_a_bound_of_none() -> None:
    alone, never = Stage(cores=1), Polling(0, cores=8)
    for _ in range(1_000):
        assert not alone.call(SOON_NS)
        never.slept(SOON_NS)
    assert alone.looks == alone.polling.ns == never.ns == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the affinity of a thread is of Linux")
def test_the_cores_are_those_that_this_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    assert usable_cores() == len(before)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
        assert Polling().ns == 0
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.requirement("MFS-6.2.3-01")
@pytest.mark.skipif(sys.platform != "linux", reason="process times are read as Linux says them")
def test_a_module_that_nobody_calls_takes_next_to_no_core(tmp_path: Path) -> None:
    roots = MasterKey(MASTER).roots((Purpose.QUOTE,))
    door = DoorOf(name="door", purposes=frozenset({Purpose.QUOTE}))
    process = ModuleProcess.start(roots, [door], profile="test", folder=tmp_path)
    module = process.module("door")
    try:
        handle = module.generate(Purpose.QUOTE)
        for _ in range(200):
            module.mac(handle, b"m")
        before, ours = _ran_s(process.pid), time.process_time()
        begun = time.monotonic()
        while time.monotonic() - begun < 3:
            module.mac(handle, b"the watch asks now and then")
            time.sleep(0.25)
        took = time.monotonic() - begun
        assert (_ran_s(process.pid) - before) / took < 0.01
        assert (time.process_time() - ours) / took < 0.01
    finally:
        module.close()
        process.close()


def _ran_s(pid: int) -> float:
    """How many seconds a process had a core, to the nanosecond where the kernel says so."""
    exact = Path(f"/proc/{pid}/schedstat")
    if exact.exists():
        return int(exact.read_text().split()[0]) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
