"""What many trusted telephones report makes their threats more likely now, and nothing less."""

import pytest
from tests.unit.process.risk.programmes import small_pack
from tests.unit.process.risk.test_residual import CHOSEN, observed, state, stood

from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.checks import CheckKind, Observation
from tallystick.process.risk.packs import shipped_pack
from tallystick.process.risk.pressing import SHOWN, SIGNALS, pressed_by, steps_for, under

NOW = Instant(1_796_000_000_000)


def answer(verdict: Verdict = Verdict.FAIL, **measured: int) -> dict[str, Observation]:
    seen = Observation(
        check=SIGNALS,
        requirements=("MFS-7.2.2-04",),
        kind=CheckKind.TELEMETRY,
        attempts=False,
        verdict=verdict,
        observed_at=Instant(NOW - 1000),
        fresh_until=Instant(NOW + 1000),
        summary="",
        measured={one.replace("_", "-"): value for one, value in measured.items()},
        records=(),
        environment="test",
    )
    return {SIGNALS: seen}


@pytest.mark.requirement("MFS-8.1.3-01")
@pytest.mark.parametrize(
    ("count", "watched", "steps"),
    [(0, 1000, 0), (9, 1000, 0), (10, 1000, 1), (49, 1000, 1), (50, 1000, 2), (99, 99, 0)],
)
def test_a_share_becomes_steps_and_few_devices_say_nothing(count, watched, steps) -> None:
    assert steps_for(count, watched) == steps
    found = pressed_by(answer(watched=watched, signal_rooted=count), NOW)
    assert found == ({"THR-DEV-02": steps, "THR-MAL-04": steps} if steps else {})


def test_what_is_old_or_was_not_seen_presses_nothing() -> None:
    seen = answer(watched=1000, signal_rooted=500)
    assert pressed_by(seen, NOW)
    assert pressed_by(seen, NOW + 1001) == {}
    assert pressed_by(answer(Verdict.UNKNOWN, watched=1000, signal_rooted=500), NOW) == {}
    assert pressed_by(answer(signal_rooted=500), NOW) == {}
    assert pressed_by({}, NOW) == {}


def test_every_signal_shows_a_threat_that_the_catalogue_and_the_pack_know() -> None:
    from tallystick.process.attestation.signals import Signal  # noqa: PLC0415 - beside its use

    assert set(SHOWN) == {one.value for one in Signal}
    ruled = {one.threat for one in shipped_pack().rules.values()}
    for threats in SHOWN.values():
        assert set(threats) <= set(catalogue().threats)
        assert set(threats) <= ruled


@pytest.mark.requirement("MFS-6.1-06")
def test_the_observed_likelihood_rises_and_falls_back_and_the_design_stays() -> None:
    full = observed(*(state(name) for name in CHOSEN))
    calm, _ = stood(full)
    rule = next(iter(small_pack().rules.values()))
    pressed, _ = stood(replace(full, pressed={rule.threat: 2}))
    moved = 0
    for name, before in calm.items():
        after = pressed[name]
        assert (after.inherent, after.designed) == (before.inherent, before.designed)
        assert before.observed is not None
        assert after.observed is not None
        if small_pack().rules[name.partition("@")[0]].threat != rule.threat:
            assert after.observed == before.observed
            continue
        moved += 1
        assert after.observed.likelihood == min(5, before.observed.likelihood + 2)
        assert after.observed.risk == after.observed.likelihood * after.observed.impact
        assert after.observed.gap == before.observed.gap, "points are not touched"
    assert moved
    assert stood(replace(full, pressed={}))[0] == calm
    verdict = next(iter(calm.values())).observed
    assert verdict is not None
    assert under(verdict, 9).likelihood == 5
