"""Yearly loss: distributions, the same bytes again, and the direction of every effect."""

import math
import statistics

import pytest
from tests.unit.process.risk.programmes import appetite, programme, small_pack, spread

from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.process.risk.losses.draws import (
    Stream,
    corners,
    exponential,
    logarithm,
    logistic,
    normal,
    poisson,
    triangular,
)
from tallystick.process.risk.losses.report import (
    ASSUMPTIONS,
    Inputs,
    Simulation,
    loss_report,
    saved_by_control,
    tornado,
)
from tallystick.process.risk.losses.scenarios import capability
from tallystick.process.risk.losses.simulating import Beliefs
from tallystick.process.risk.matching import match_rules
from tallystick.process.risk.paths import Scenes

np = pytest.importorskip("numpy", reason="the extra risk is not installed")

EVERYTHING = frozenset(
    {"device-bound-key", "sim-swap-hold", "no-sms-only", "call-back", "master-in-module",
     "split-knowledge"}
)  # fmt: skip


def inputs(years: int = 2_000, seed: str = "one", limits=None, **changes) -> Inputs:
    found, pack = programme(**changes), small_pack()
    return Inputs(
        programme=found, pack=pack, instances=match_rules(found, pack),
        scenes=Scenes(found, pack), shut_out=frozenset(), limits=limits or {}, seed=seed,
        years=years,
    )  # fmt: skip


def test_the_words_of_a_stream_are_fixed() -> None:
    first = Stream("one", "two").uniforms(4)
    assert [int(one * 2**52) for one in first] == [
        int(one * 2**52) for one in Stream("one", "two").uniforms(4)
    ]
    assert (Stream("one", "three").uniforms(4) != first).all()
    assert [int(one * 2**52) for one in Stream("tallystick").uniforms(3)] == FIXED


def test_exponential_and_logarithm_agree_with_the_library() -> None:
    values = np.linspace(-690.0, 690.0, 5001)
    exact = np.array([math.exp(one) for one in values])
    assert np.max(np.abs(exponential(values) / exact - 1.0)) < 1e-14
    positive = np.exp(np.linspace(-200.0, 200.0, 5001))
    exact = np.array([math.log(one) for one in positive])
    assert np.max(np.abs(logarithm(positive) - exact)) < 1e-13
    assert logistic(np.array([0.0]))[0] == 0.5


def test_normal_numbers_are_near_the_exact_quantiles() -> None:
    uniforms = (np.arange(9_999) + 1.0) / 10_000
    exact = [statistics.NormalDist().inv_cdf(one) for one in uniforms]
    assert np.max(np.abs(normal(uniforms) - np.array(exact))) < 4.6e-4


def test_a_triangle_has_one_in_twenty_outside_on_either_side() -> None:
    shape = corners(spread("50", "200", "800"))
    drawn = triangular((np.arange(100_000) + 0.5) / 100_000, shape)
    assert 0.045 < (drawn < 50).mean() < 0.055
    assert 0.045 < (drawn > 800).mean() < 0.055
    assert corners(spread("3", "3", "3")) == (3.0, 3.0, 3.0)
    assert (triangular(np.array([0.1, 0.9]), (3.0, 3.0, 3.0)) == 3.0).all()


@pytest.mark.parametrize("rate", [0.001, 0.5, 3.0, 19.0, 150.0])
def test_counts_have_the_mean_and_variance_of_their_rate(rate: float) -> None:
    uniforms = Stream("poisson", str(rate)).uniforms(50_000)
    counts = poisson(uniforms, np.full(50_000, rate))
    tolerance = 5 * math.sqrt(rate / 50_000) + 0.001
    assert abs(counts.mean() - rate) < tolerance + 0.002 * rate
    assert abs(counts.var() - rate) < 0.05 * rate + tolerance


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    first = encode_canonical(loss_report(inputs(), EVERYTHING))
    assert first == encode_canonical(loss_report(inputs(), EVERYTHING))
    assert first != encode_canonical(loss_report(inputs(seed="two"), EVERYTHING))


def test_controls_lower_the_loss_and_the_same_years_say_by_how_much() -> None:
    bare = loss_report(inputs(), frozenset())
    done = loss_report(inputs(), EVERYTHING)
    assert done.curve.mean.minor < bare.curve.mean.minor // 4
    assert done.curve.percentiles["p95"] < bare.curve.percentiles["p95"]
    saved = saved_by_control(inputs(), EVERYTHING)
    assert all(one.minor >= 0 for one in saved.values())
    assert saved["master-in-module"].minor > 0


def test_the_curve_hangs_together() -> None:
    report = loss_report(inputs(), frozenset({"sim-swap-hold"}))
    curve = report.curve
    levels = [curve.percentiles[name].minor for name in ("p50", "p90", "p95", "p99", "es99")]
    assert levels == sorted(levels)
    assert [one.minor for one, _ in curve.exceedance] == sorted(
        one.minor for one, _ in curve.exceedance
    )
    parts = sum(one.minor for one in curve.by_actor.values())
    assert abs(parts - curve.mean.minor) <= len(curve.by_actor)
    targets = sum(one.minor for one in report.by_target.values())
    assert abs(targets - curve.mean.minor) <= len(report.by_target)
    assert report.within is (curve.percentiles["p95"].minor <= report.tolerated.minor)
    assert report.assumptions == ASSUMPTIONS
    generous = appetite(annual_loss_p95=Money(2**60, "KES"))
    assert loss_report(inputs(years=200, appetite=generous), EVERYTHING).within


def test_a_known_limit_bounds_each_loss() -> None:
    capped = frozenset({"payment-cap"})
    by_step = Simulation(inputs(), 500)
    limited = Simulation(inputs(limits={"payment-cap": Money(1_000, "KES")}), 500)
    for name in ("clone",):
        target = next(one for one in by_step.targets if one.rule == name)
        free = by_step.terrain.difficulty(target, frozenset())
        assert free is not None
        assert free.ceiling == target.ceiling == 10 * target.gain
        stepped = by_step.terrain.difficulty(target, capped)
        assert stepped is not None
        assert stepped.ceiling == target.gain // 100
        bounded = limited.terrain.difficulty(target, capped)
        assert bounded is not None
        assert bounded.ceiling == 1_000
    assert limited.mean(capped) < by_step.mean(capped) < by_step.mean(frozenset())


def test_more_than_one_event_a_year_is_counted() -> None:
    busy = Simulation(inputs(), 500)
    target = next(one for one in busy.targets if one.rule == "sim-swap")
    losses = busy.losses(target, frozenset())["fraudster"]
    assert losses.max() > target.ceiling


def test_the_years_of_one_actor_are_bad_together() -> None:
    simulation = Simulation(inputs(), 2_000)
    found = {
        one.rule: simulation.losses(one, frozenset())["fraudster"].astype("float64")
        for one in simulation.targets
    }
    both = np.corrcoef(found["sim-swap"], found["clone"])[0, 1]
    assert both > 0.1


def test_ability_is_what_the_actor_has_in_the_words_of_the_table() -> None:
    found, pack = programme(), small_pack()
    table = pack.tables["iso-18045"]
    assert capability(found.actors["fraudster"], table) == 2 + 3 + 3 + 4 + 0
    phases = pack.tables["two-phases"]
    assert capability(found.actors["organised"], phases) == 0 + 0 + 0
    rich = replace(found.actors["organised"], budget_ms=60 * 86_400_000)
    assert capability(rich, phases) == 3 + 4


def test_the_tornado_names_the_widest_swing_first() -> None:
    swings = tornado(inputs(years=500), EVERYTHING)
    widths = [abs(one.high.minor - one.low.minor) for one in swings]
    assert widths == sorted(widths, reverse=True)
    by_input = {one.input: one for one in swings}
    for name in ("attempts, half to twice", "ability, 3 points", "points of paths, 2 points"):
        assert by_input[name].low < by_input[name].high
    assert Beliefs().slope == 2.0


FIXED = [1682526575740582, 242672485754282, 4450663117969909]
