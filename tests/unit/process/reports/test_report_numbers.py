"""The numbers of a report agree with the analysis and with each other, and come out again."""

import json
from decimal import Decimal

import pytest
from tests.support.reported import course, material, report

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.reports.course import history_line, is_news, point_of, read_history
from tallystick.process.reports.gathering import gather
from tallystick.process.reports.ladders import EACH, TIGHTEST, WORST
from tallystick.process.reports.page import report_json
from tallystick.process.reports.standing import WORST as STATES

pytest.importorskip("highspy", reason="the extra risk is not installed")


def test_equal_material_gives_equal_numbers() -> None:
    assert report_json(gather(material())) == report_json(gather(material()))


def test_the_numbers_are_canonical_and_whole() -> None:
    octets = report_json(report())
    plain = json.loads(octets)
    assert json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == (
        octets.decode()
    )
    assert plain["counts"]["instances"] == len(material().analysis.instances)


def test_the_matrix_and_its_moves_count_every_place_once_in_each_state() -> None:
    found, places = report(), len(material().analysis.instances)
    assert sum(one.places for one in found.moves) == places
    assert sum(one.inherent for one in found.matrix) == places
    served = sum(one.designed is not None for one in material().analysis.standings)
    assert sum(one.designed for one in found.matrix) == served
    assert len({(one.likelihood, one.impact) for one in found.matrix}) == 25


def test_ladders_are_rated_as_the_verdicts_are() -> None:
    verdicts = {
        one.designed.path: one.designed for one in material().analysis.standings if one.designed
    }
    tight = [one for one in report().ladders if one.picked == TIGHTEST]
    assert len(tight) == EACH
    for one in tight:
        verdict = verdicts[one.path]
        assert one.points[1] == verdict.points == sum(rung.lifted for rung in one.rungs)
        assert one.required[1] == verdict.required_points
    spare = min(verdict.points - verdict.required_points for verdict in verdicts.values())
    assert min(one.points[1] - one.required[1] for one in tight) == spare


def test_a_ladder_names_only_chosen_controls_and_only_where_they_lift() -> None:
    chosen = material().chosen()
    worst = [one for one in report().ladders if one.picked == WORST]
    highest = max(one.inherent.risk for one in material().analysis.standings)
    bare = {one.inherent.path: one.inherent.risk for one in material().analysis.standings}
    assert bare[worst[0].path] == highest
    for one in report().ladders:
        for rung in one.rungs:
            assert rung.lifted >= rung.bare
            assert bool(rung.by) == (rung.lifted > rung.bare)
            assert chosen >= set(rung.by)


def test_clauses_count_each_row_once_and_take_the_worst_state() -> None:
    found = report()
    assert len(found.clauses) == 61
    assert sum(one.rows for one in found.clauses) == found.rows == sum(found.states.values())
    assert sum(one.of for one in found.clauses) == 250
    for one in found.clauses:
        present = [state for state in STATES if one.states[state]]
        assert one.state == (present[0] if present else "not-applicable")
    assert found.states["stale"] == found.rows, "nothing was observed of a programme alone"


def test_the_population_is_the_programmes() -> None:
    found = report().population
    assert sum(one.share for one in found) == Decimal(1)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    out = {one.id for one in found if one.shut_out}
    assert out == set(material().analysis.selection.shut_out)


def test_the_curves_are_of_the_same_years_and_fall() -> None:
    losses = report().losses
    assert [one.state for one in losses.curves] == ["inherent", "designed", "observed"]
    for one in losses.curves:
        amounts = [amount.minor for amount, _ in one.points]
        assert amounts == sorted(amounts)
    bare, designed, observed = losses.curves
    assert designed.p95 < bare.p95
    assert observed == replace(bare, state="observed"), "nothing is in place"


def test_the_front_has_the_choice_once() -> None:
    (chosen,) = [one for one in report().front if one.chosen]
    assert (chosen.cost, chosen.friction) == (report().cost, report().friction)
    assert not chosen.adds
    assert not chosen.drops


def test_a_chain_leads_from_risks_that_arise_to_findings_of_rows_that_apply() -> None:
    trace = report().trace
    assert {one.control for one in trace.chains} == material().chosen()
    risks, checks = {one.id for one in trace.risks}, {one.id: one for one in trace.checks}
    findings = {one.id for one in trace.findings}
    for chain in trace.chains:
        control = material().pack.controls[chain.control]
        assert risks >= set(chain.risks)
        assert findings >= set(chain.findings)
        assert set(chain.findings) <= {*control.requirements, *control.mandatory}
        for check in chain.checks:
            assert set(checks[check].bears) & set(chain.findings)
    assert all(one.state == "never" for one in trace.checks)


def test_the_summary_is_five_sentences_with_the_numbers() -> None:
    found = report()
    assert len(found.summary) == 5
    assert f"{found.counts['open_inherent']:,} are open without controls" in found.summary[0]
    assert f"{found.cost} points a year" in found.summary[1]
    assert f"Of {found.rows} rows" in found.summary[3]
    assert all(one.endswith(".") for one in found.summary)


def test_the_history_is_read_as_it_was_written_and_in_order() -> None:
    points = course(4)
    octets = b"".join(history_line(one) for one in points)
    assert read_history(octets) == points
    with pytest.raises(Malformed, match="line 2"):
        read_history(history_line(points[1]) + history_line(points[0]))
    with pytest.raises(Malformed, match="line 2"):
        read_history(history_line(points[0]) + b"{}\n")


def test_a_line_is_added_for_news_or_after_a_day() -> None:
    point = point_of(report())
    assert is_news((), point)
    assert not is_news((point,), replace(point, at=point.at + DAY_MS - 1))
    assert is_news((point,), replace(point, at=point.at + DAY_MS))
    assert is_news((point,), replace(point, policy_version=9))
    again = gather(_with_history((point,)))
    assert again.history == (point,)


def _with_history(points):
    found = material()
    fields = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return type(found)(**fields | {"history": points})
