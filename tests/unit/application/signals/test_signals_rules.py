"""What answers of a network mean: ages, missing signals, and what is news."""

import pytest

from tallystick.application.signals import UNKNOWN, Answers, SignalKind, SignalRow
from tallystick.application.signals.rules import (
    FRESH_MS,
    GRACE_MS,
    SIGNAL,
    facts_of,
    is_fresh,
    news,
    row_of_answers,
)
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.policy.facts import FOREVER

OPENED = 1_000 * DAY_MS
NOW = OPENED + 100 * DAY_MS
CLEAN = Answers(sim_changed_at=OPENED - DAY_MS, device_changed_at=OPENED - DAY_MS)


def row(**said) -> SignalRow:
    return row_of_answers("cus_1", replace(CLEAN, **said), NOW)


def test_a_sim_from_before_the_account_is_no_change() -> None:
    assert facts_of(row(), OPENED, NOW) == (FOREVER, ())


@pytest.mark.parametrize("which", ["sim_changed_at", "device_changed_at"])
def test_a_change_counts_from_its_moment(which: str) -> None:
    found = facts_of(row(**{which: NOW - HOUR_MS}), OPENED, NOW + 1000)
    assert found == (HOUR_MS + 1000, ())


def test_the_later_change_counts() -> None:
    both = row(sim_changed_at=NOW - 5 * HOUR_MS, device_changed_at=NOW - HOUR_MS)
    assert facts_of(both, OPENED, NOW).sim_age_ms == HOUR_MS


def test_a_number_of_somebody_else_has_no_age_at_all() -> None:
    assert facts_of(row(recycled=True), OPENED, NOW).sim_age_ms == 0


def test_a_change_in_the_future_of_this_clock_is_one_of_now() -> None:
    assert facts_of(row(sim_changed_at=NOW + HOUR_MS), OPENED, NOW).sim_age_ms == 0


def test_no_date_within_a_monitored_period_is_an_age_of_that_period() -> None:
    found = facts_of(row(sim_changed_at=0, sim_seen_ms=30 * DAY_MS), OPENED, NOW)
    assert found == (30 * DAY_MS, ())
    longer = row(sim_changed_at=0, sim_seen_ms=200 * DAY_MS)
    assert facts_of(longer, OPENED, NOW) == (FOREVER, ())


def test_no_date_and_no_period_is_unknown_and_not_clean() -> None:
    found = facts_of(row(sim_changed_at=UNKNOWN), OPENED, NOW)
    assert found == (FOREVER, ((SIGNAL, 0),))


def test_without_answers_the_signal_is_missing_since_the_account_was_opened() -> None:
    assert facts_of(None, OPENED, NOW).degraded == ((SIGNAL, NOW - OPENED),)


def test_old_answers_are_missing_and_a_change_that_they_know_still_counts() -> None:
    known = row(sim_changed_at=NOW - HOUR_MS)
    late = NOW + FRESH_MS + GRACE_MS + 1
    assert facts_of(known, OPENED, late) == (HOUR_MS + late - NOW, ((SIGNAL, late - NOW),))
    assert facts_of(known, OPENED, late - 1).degraded == ()


def test_freshness_ends_after_a_minute_and_before_the_answer() -> None:
    assert is_fresh(row(), NOW + FRESH_MS)
    assert not is_fresh(row(), NOW + FRESH_MS + 1)
    assert not is_fresh(row(), NOW - 1)
    assert not is_fresh(None, NOW)


def test_what_was_known_is_no_news() -> None:
    changed = row(sim_changed_at=NOW - HOUR_MS, recycled=True)
    assert news(None, row(), OPENED) == ()
    assert news(None, changed, OPENED) == (SignalKind.SIM_SWAP, SignalKind.RECYCLED)
    assert news(row(), changed, OPENED) == (SignalKind.SIM_SWAP, SignalKind.RECYCLED)
    assert news(changed, changed, OPENED) == ()
    moved = row(sim_changed_at=NOW - HOUR_MS, recycled=True, device_changed_at=NOW)
    assert news(changed, moved, OPENED) == (SignalKind.DEVICE_SWAP,)
