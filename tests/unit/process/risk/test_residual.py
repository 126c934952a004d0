"""Three states of a risk: stale counts as absent, and the worst part of the devices decides."""

from decimal import Decimal

import pytest
from tests.unit.process.risk.programmes import programme, small_pack, wanted

from tallystick.process.risk.findings import Open, findings_of
from tallystick.process.risk.matching import match_rules
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.residual import (
    ControlState,
    Observation,
    Seen,
    declared,
    in_effect,
    standings,
)

CHOSEN = frozenset(
    {"sim-swap-hold", "payment-cap", "call-back", "master-in-module", "split-knowledge"}
)


def state(name: str, seen: Seen = Seen.ENFORCED, **shares: str) -> ControlState:
    found = {one.rstrip("_"): Decimal(share) for one, share in (shares or {"": "1"}).items()}
    return ControlState(control=name, seen=seen, shares=found)


def observed(*states: ControlState, shut_out: tuple[str, ...] = ()) -> Observation:
    return Observation(states={one.control: one for one in states}, shut_out=shut_out)


def stood(observation: Observation, shut_out: frozenset[str] = frozenset()):
    found, pack = programme(), small_pack()
    scenes, instances = Scenes(found, pack), match_rules(found, pack)
    listed = standings(found, pack, scenes, instances, CHOSEN, shut_out, observation)
    by_rule = {one.instance: one for one in listed}
    reported = findings_of(
        pack, scenes, {one.id: one for one in instances}, listed, CHOSEN, observation
    )
    return by_rule, {one.id: one for one in reported}


@pytest.mark.requirement("MFS-6.1-06")
def test_what_works_is_worth_what_the_design_says() -> None:
    full = observed(*(state(name) for name in CHOSEN))
    by_id, found = stood(full)
    for one in by_id.values():
        assert one.designed == one.observed
        assert one.inherent.gap > 0
        assert one.worst_share == 1
        assert not one.absent
    assert not found


@pytest.mark.parametrize("seen", [Seen.STALE, Seen.UNKNOWN])
def test_what_nobody_saw_lately_counts_as_absent(seen: Seen) -> None:
    others = [state(name) for name in CHOSEN - {"master-in-module"}]
    by_id, found = stood(observed(*others, state("master-in-module", seen)))
    one = by_id["master-key@platform@master"]
    assert one.observed is not None
    assert one.observed.gap > 0
    assert one.absent == ("master-in-module",)
    finding = found["master-key@master"]
    assert (finding.why, finding.missing) == (Open.NOT_THERE, ("master-in-module",))
    assert finding.cheap == "time"
    assert finding.path == "master-key@platform@master#read-settings"
    assert set(found) == {"master-key@master"}


def test_the_worst_part_of_the_devices_decides_and_its_size_is_told() -> None:
    others = [state(name) for name in CHOSEN - {"call-back"}]
    partly = state("call-back", _="1", modern="0.93")
    by_id, found = stood(observed(*others, partly))
    one = by_id["clone@app@credential@modern"]
    assert one.worst_share == Decimal("0.07")
    assert one.observed is not None
    assert one.observed.gap > 0
    assert set(found) == {"clone@credential"}
    assert by_id["sim-swap@order-ussd@pin@dialling"].worst_share == 1


def test_shares_that_lack_add_up_to_everybody_at_most() -> None:
    states = observed(state("a", _="0.5"), state("b", _="0.3"), state("c", _="0"), state("d"))
    there, share = in_effect(states, "x", frozenset({"a", "b", "c", "d"}))
    assert (there, share) == ({"d"}, Decimal(1))
    there, share = in_effect(states, "x", frozenset({"a", "d"}))
    assert (there, share) == ({"d"}, Decimal("0.5"))


def test_who_gets_no_service_has_no_verdict() -> None:
    full = [state(name) for name in CHOSEN]
    by_id, _ = stood(observed(*full, shut_out=("dialling",)), frozenset({"dialling"}))
    one = by_id["sim-swap@order-ussd@pin@dialling"]
    assert one.designed is None
    assert one.observed is None
    assert one.inherent.gap > 0
    by_id, _ = stood(observed(*full), frozenset({"dialling"}))
    assert by_id["sim-swap@order-ussd@pin@dialling"].observed is not None


def test_what_no_choice_closes_is_said_to_be_open_by_design() -> None:
    found, pack = programme(), small_pack()
    scenes, instances = Scenes(found, pack), match_rules(found, pack)
    few = frozenset({"sim-swap-hold"})
    seen = observed(state("sim-swap-hold"))
    listed = standings(found, pack, scenes, instances, few, frozenset(), seen)
    reported = findings_of(pack, scenes, {one.id: one for one in instances}, listed, few, seen)
    by_id = {one.id: one for one in reported}
    assert by_id["master-key@master"].why is Open.BY_DESIGN
    assert by_id["sim-swap@pin"].places == 2
    assert [one.risk for one in reported] == sorted((one.risk for one in reported), reverse=True)


def test_what_is_in_place_is_taken_as_seen_before_anything_is_observed() -> None:
    found = declared(programme(controls=wanted(in_place=("call-back",))))
    assert found.states["call-back"].share("anything") == 1
    assert not found.shut_out
