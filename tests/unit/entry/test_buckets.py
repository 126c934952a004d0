"""Limits of callers: whole at one process, and no more at several that tell each other."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.entry.accounting import Accounting
from tallystick.entry.buckets import UNTOLD_SHARE, Buckets
from tallystick.kernel.errors import RateLimited
from tallystick.kernel.time import SimulatedClock

RATE, BURST = 50.0, 200.0


def taken(buckets: Buckets, tries: int, now: int, caller: str = "one") -> int:
    count = 0
    for _ in range(tries):
        try:
            buckets.take(caller, now)
        except RateLimited:
            continue
        count += 1
    return count


class Together:
    """Some processes whose word to each other takes `delay_ms`."""

    def __init__(self, processes: int, delay_ms: int) -> None:
        self.now, self.delay_ms = 0, delay_ms
        self.on_the_way: list[tuple[int, int, str, float]] = []
        self.all = [Buckets(rate=RATE, burst=BURST) for _ in range(processes)]
        for number, one in enumerate(self.all):
            one.tell_others(
                lambda name, tokens, number=number: self.on_the_way.append(
                    (self.now + delay_ms, number, name, tokens)
                ),
                processes,
            )

    def pass_ms(self, milliseconds: int) -> None:
        self.now += milliseconds
        arrived = [one for one in self.on_the_way if one[0] <= self.now]
        self.on_the_way = [one for one in self.on_the_way if one[0] > self.now]
        for _, origin, name, tokens in arrived:
            for number, one in enumerate(self.all):
                if number != origin:
                    one.taken_elsewhere(name, self.now, tokens)


@pytest.mark.parametrize("processes", [2, 3, 8])
def test_a_caller_of_one_process_gets_its_whole_limit(processes: int) -> None:
    together = Together(processes, delay_ms=1)
    count = 0
    for _ in range(1000):
        together.pass_ms(10)
        count += taken(together.all[0], 3, together.now)
    assert count == pytest.approx(BURST + RATE * 10, abs=2)


@settings(max_examples=60)
@given(
    processes=st.integers(2, 6),
    seed=st.integers(0, 2**32),
    tries=st.integers(1, 4),
    delay_ms=st.integers(0, 40),
)
def test_a_caller_of_all_processes_gets_little_more(
    processes: int, seed: int, tries: int, delay_ms: int
) -> None:
    together, dice = Together(processes, delay_ms), random.Random(seed)
    count = 0
    for step in range(600):
        together.pass_ms(10)
        count += taken(dice.choice(together.all), tries, together.now)
        on_the_way = tries * (delay_ms / 10 + 1)
        limit = BURST * (1 + UNTOLD_SHARE) + RATE * (step + 1) / 100
        assert count <= limit + on_the_way


def test_what_was_given_twice_is_a_debt() -> None:
    together = Together(2, delay_ms=100)
    assert sum(taken(one, 500, together.now) for one in together.all) == 2 * BURST
    count = 0
    for _ in range(100):
        together.pass_ms(100)
        count += sum(taken(one, 20, together.now) for one in together.all)
    total = 2 * BURST + count
    assert total <= BURST * (1 + UNTOLD_SHARE) + RATE * 10


def test_a_refusal_in_debt_says_when_it_is_over() -> None:
    buckets = Buckets(rate=RATE, burst=BURST)
    buckets.taken_elsewhere("one", 0, BURST + 3 * RATE)
    with pytest.raises(RateLimited) as refused:
        buckets.take("one", 0)
    assert refused.value.retry_after_s == 4
    assert taken(buckets, 1, 4_000) == 1
    assert taken(buckets, 1, 0, "another") == 1


def test_who_is_alone_tells_nobody() -> None:
    buckets = Buckets(rate=RATE, burst=BURST)
    assert taken(buckets, 1000, 0) == BURST


def test_sessions_and_sources_are_told_apart() -> None:
    told: list[tuple[str, str, float]] = []
    clock = SimulatedClock()
    now = clock.now()
    accounting = Accounting(clock, lambda _: None, session_rate=2, source_rate=2)
    accounting.share_limits(lambda *one: told.append(one), 2)
    accounting.admit("ses-1", now)
    accounting.admit_source("192.0.2.1", now)
    assert told == [("session", "ses-1", 1.0), ("source", "192.0.2.1", 1.0)]
    accounting.spent_elsewhere("session", "ses-1", 7.0)
    with pytest.raises(RateLimited):
        accounting.admit("ses-1", now)
    accounting.admit_source("192.0.2.1", now)
