"""Instants print as RFC 3339, and the simulated clock moves only when told to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, SimulatedClock, iso_utc

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = 253_402_300_799_999


@given(st.integers(0, LAST))
@example(0)
@example(LAST)
@example(1_767_225_599_999)
def test_an_instant_prints_as_integer_arithmetic_says(instant: int) -> None:
    exact = EPOCH + timedelta(seconds=instant // 1000)
    assert iso_utc(instant) == f"{exact:%Y-%m-%dT%H:%M:%S}.{instant % 1000:03d}Z"
    assert datetime.fromisoformat(iso_utc(instant)) == exact + timedelta(
        milliseconds=instant % 1000
    )


def test_before_the_epoch_the_milliseconds_still_count_up() -> None:
    assert iso_utc(-1) == "1969-12-31T23:59:59.999Z"


def test_the_units_are_what_they_say() -> None:
    assert timedelta(milliseconds=SECOND_MS) == timedelta(seconds=1)
    assert timedelta(milliseconds=MINUTE_MS) == timedelta(minutes=1)
    assert timedelta(milliseconds=HOUR_MS) == timedelta(hours=1)
    assert timedelta(milliseconds=DAY_MS) == timedelta(days=1)


@given(st.lists(st.integers(-(10**9), 10**9), max_size=8))
def test_the_simulated_clock_is_the_sum_of_its_moves(moves: list[int]) -> None:
    clock = SimulatedClock(1_000)
    for move in moves:
        clock.advance(move)
        assert clock.now() == clock.now()
    assert clock.now() == 1_000 + sum(moves)


def test_the_simulated_clock_is_set_outright() -> None:
    clock = SimulatedClock()
    assert iso_utc(clock.now()) == "2026-01-01T00:00:00.000Z"
    clock.set(5)
    assert clock.now() == 5


@pytest.mark.parametrize(("instant", "text"), [(0, "1970-01-01T00:00:00.000Z")])
def test_the_epoch(instant: int, text: str) -> None:
    assert iso_utc(instant) == text
