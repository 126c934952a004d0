"""What a decision is told of a SIM where one network is asked and another one reports."""

from types import SimpleNamespace
from typing import Any

import pytest

from tallystick.application.signals import SignalRow, Signals, SimFacts
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.process.policy.facts import FOREVER, Dependency

NOW = 100 * DAY_MS
SIGNAL = Dependency.SIM_SIGNAL.value
LATE = ((SIGNAL, 10 * MINUTE_MS),)


def answers(changed_ms: int, asked_ms: int = 0) -> SignalRow:
    """What a network said `asked_ms` ago of a SIM that changed `changed_ms` ago, or never."""
    return SignalRow(
        customer="cus_1",
        asked_at=NOW - asked_ms,
        sim_changed_at=0 if changed_ms == FOREVER else NOW - changed_ms,
        sim_seen_ms=120 * DAY_MS,
        device_changed_at=0,
        device_seen_ms=120 * DAY_MS,
        recycled=0,
        roaming=0,
    )


def told(row: SignalRow | None, reported_ms: int, *, signalled: bool) -> SimFacts:
    nobody: Any = None
    sims: Any = SimpleNamespace(signalled=signalled, age_ms=lambda _customer, _now: reported_ms)
    signals = Signals(nobody, nobody, nobody, sims, nobody, connected=row is not None, capacity=1)
    rows: Any = SimpleNamespace(get=lambda _customer: row)
    signals._rows = rows
    customer: Any = SimpleNamespace(id="cus_1", opened_at=1)
    return signals.facts(customer, NOW)


@pytest.mark.requirement("MFS-7.3.2-10")
@pytest.mark.parametrize(
    ("asked", "reported_ms", "signalled", "facts"),
    [
        (None, FOREVER, False, SimFacts(FOREVER, ((SIGNAL, 0),))),
        (None, FOREVER, True, SimFacts(FOREVER, ())),
        (None, HOUR_MS, False, SimFacts(HOUR_MS, ((SIGNAL, 0),))),
        (answers(FOREVER), FOREVER, False, SimFacts(FOREVER, ())),
        (answers(DAY_MS), HOUR_MS, True, SimFacts(HOUR_MS, ())),
        (answers(HOUR_MS), DAY_MS, True, SimFacts(HOUR_MS, ())),
        (answers(HOUR_MS), FOREVER, True, SimFacts(HOUR_MS, ())),
        (answers(HOUR_MS, asked_ms=10 * MINUTE_MS), FOREVER, True, SimFacts(HOUR_MS, ())),
        (answers(DAY_MS, asked_ms=10 * MINUTE_MS), HOUR_MS, False, SimFacts(HOUR_MS, LATE)),
    ],
)
def test_the_younger_age_counts_and_one_who_tells_is_enough(
    asked: SignalRow | None, reported_ms: int, signalled: bool, facts: SimFacts
) -> None:
    assert told(asked, reported_ms, signalled=signalled) == facts
