"""What a decision is told of a SIM where one network is asked and another one reports."""

from types import SimpleNamespace
from typing import Any

import pytest

from tallystick.application.desks import Desks
from tallystick.application.signals import SimFacts
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.policy.facts import FOREVER, Dependency

MISSING = ((Dependency.SIM_SIGNAL.value, 0),)


@pytest.mark.requirement("MFS-7.3.2-10")
@pytest.mark.parametrize(
    ("asked", "reported_ms", "signalled", "told"),
    [
        (SimFacts(FOREVER, MISSING), FOREVER, False, SimFacts(FOREVER, MISSING)),
        (SimFacts(FOREVER, MISSING), FOREVER, True, SimFacts(FOREVER, ())),
        (SimFacts(FOREVER, ()), FOREVER, False, SimFacts(FOREVER, ())),
        (SimFacts(DAY_MS, ()), HOUR_MS, True, SimFacts(HOUR_MS, ())),
        (SimFacts(HOUR_MS, ()), DAY_MS, True, SimFacts(HOUR_MS, ())),
        (SimFacts(HOUR_MS, MISSING), FOREVER, True, SimFacts(HOUR_MS, ())),
        (SimFacts(FOREVER, MISSING), HOUR_MS, False, SimFacts(HOUR_MS, MISSING)),
    ],
)
def test_the_younger_age_counts_and_one_who_tells_is_enough(
    asked: SimFacts, reported_ms: int, signalled: bool, told: SimFacts
) -> None:
    desks: Any = SimpleNamespace(
        signals=SimpleNamespace(facts=lambda _customer, _now: asked),
        sims=SimpleNamespace(signalled=signalled, age_ms=lambda _customer, _now: reported_ms),
    )
    customer: Any = SimpleNamespace(id="cus_1")
    assert Desks.sim_facts(desks, customer, 1) == told
