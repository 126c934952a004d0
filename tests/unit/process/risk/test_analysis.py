"""The whole result: the same bytes again, read back, counted, and consistent in itself."""

import json

import pytest
from bench.threats import large_pack
from tests.unit.process.risk.programmes import large_programme, programme, small_pack, wanted

from tallystick.kernel.errors import Malformed
from tallystick.process.risk.analysis import (
    Analysis,
    Options,
    analyse,
    analysis_json,
    read_analysis,
    treatments_of,
)

pytest.importorskip("highspy", reason="the extra risk is not installed")

QUICK = Options(years=300)


def result(**changes) -> Analysis:
    return analyse(programme(**changes), small_pack(), options=QUICK)


@pytest.mark.requirement("MFS-A-03")
def test_equal_inputs_give_equal_bytes_that_can_be_read_back() -> None:
    first = analysis_json(result())
    assert first == analysis_json(result())
    assert analysis_json(read_analysis(first)) == first
    other = analyse(programme(), small_pack(), options=Options(years=300, seed="other"))
    assert analysis_json(other) != first
    with pytest.raises(Malformed):
        read_analysis(first.replace(b'"format":1', b'"format": 1'))


def test_a_large_result_is_the_same_bytes_too() -> None:
    found, pack = large_programme(20, 20), large_pack(30, 30)
    first = analysis_json(analyse(found, pack, options=QUICK))
    assert first == analysis_json(analyse(found, pack, options=QUICK))
    counts = json.loads(first)["counts"]
    assert counts["instances"] > 200
    assert counts["units"] < counts["instances"]


def test_the_result_names_what_it_came_from() -> None:
    found = result()
    assert found.pack_digest == small_pack().digest
    assert found.basis == "declared"
    assert found.loss.curve.seed == "tallystick"
    assert len(found.programme_digest) == 64
    assert found.programme_digest != result(uses=("packs/other",)).programme_digest


def test_the_parts_agree_with_each_other() -> None:
    found = result()
    ids = {one.id for one in found.instances}
    assert {one.instance for one in found.standings} == ids
    assert {one.instance for one in found.paths} == ids
    assert found.counts["instances"] == len(ids)
    assert found.counts["open_designed"] == 0
    assert not found.selection.open_paths
    assert found.counts["open_observed"] == found.counts["open_inherent"] == 5
    chosen = {one.control for one in found.selection.chosen}
    for one in found.findings:
        assert set(one.missing) <= chosen
        assert one.missing
    assert found.selection.objective == found.selection.bound
    assert found.selection.cost + found.selection.friction == found.selection.objective
    assert found.profile.id == "P4"
    assert set(found.by_layer) <= {"process", "application", "infrastructure"}
    assert found.by_asset["master"].inherent == 25
    for one in found.by_asset.values():
        assert one.designed <= one.inherent
    assert found.by_service["remote-payment"].inherent == 25


def test_what_is_in_place_lowers_what_is_open() -> None:
    before = result()
    chosen = tuple(one.control for one in before.selection.chosen)
    after = result(controls=wanted(in_place=chosen))
    assert after.counts["open_observed"] == 0
    assert not after.findings
    assert after.selection.objective == before.selection.objective


def test_a_mandatory_control_that_is_not_to_be_had_is_named() -> None:
    found = result(controls=wanted(not_available={"sim-swap-hold": "no signal from the operator"}))
    assert found.unmet == {"sim-swap-hold": ("MFS-7.3.2-08",)}


def test_every_requirement_that_a_control_serves_has_its_treatment() -> None:
    found = treatments_of(small_pack(), frozenset({"device-bound-key"}))
    assert found["MFS-7.3.2-08"].chosen == ("device-bound-key",)
    assert found["MFS-7.3.2-08"].others == ("sim-swap-hold",)
    assert found["MFS-7.3.2-08"].mandatory
    assert not found["MFS-8.2.2-01"].mandatory


def test_the_stages_are_told_and_the_front_only_comes_when_asked_for() -> None:
    told: list[str] = []
    found = analyse(
        programme(), small_pack(), options=Options(years=300, front=True), stage=told.append
    )
    assert told[0] == "finding where threats arise"
    assert told[-1] == "simulating years of loss"
    assert found.front
    assert not result().front
