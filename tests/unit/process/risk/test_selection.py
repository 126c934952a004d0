"""The cheapest set is exact: held against brute force, whole trees, and itself in another order."""

import random
from itertools import chain, combinations

import pytest
from bench.threats import large_pack
from tests.unit.process.risk.programmes import (
    appetite,
    large_programme,
    programme,
    small_pack,
    wanted,
)

from tallystick.kernel.errors import Conflict
from tallystick.kernel.model import replace
from tallystick.process.risk.matching import match_rules
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.selection.choosing import choose, open_units
from tallystick.process.risk.selection.explain import explain_chosen, explain_rejected
from tallystick.process.risk.selection.pareto import front
from tallystick.process.risk.selection.problem import (
    Row,
    Rules,
    points_given,
    row_of,
    rules_of,
    units_of,
)
from tallystick.process.risk.selection.robustness import moved, robust_controls, variants
from tallystick.process.risk.selection.solving import Solver, missing_points

pytest.importorskip("highspy", reason="the extra risk is not installed")


def random_choice(seed: int) -> tuple[Rules, tuple[Row, ...]]:
    source = random.Random(seed)
    names = [f"c{number}" for number in range(source.randint(4, 8))]
    rows = []
    for number in range(source.randint(3, 10)):
        gains = [[] for _ in range(4)]
        for name in sorted(source.sample(names, source.randint(1, len(names)))):
            for factor in source.sample(range(4), source.randint(1, 3)):
                gains[factor].append((name, source.choice([1, 3, 4, 6, 7, 10])))
        rows.append(
            Row(
                id=f"p{number}",
                unit=f"u{source.randint(0, 6)}",
                device=source.choice(["", "", "d0", "d1"]),
                deficit=source.randint(1, 22),
                gains=tuple(tuple(factor) for factor in gains if factor),
                weight=1,
            )
        )
    friction = {name: source.randint(0, 4) for name in names}
    rules = Rules(
        cost={name: source.randint(0, 9) + friction[name] for name in names},
        friction=friction,
        shut_out={"d0": source.randint(1, 30), "d1": source.randint(1, 30)},
        chosen=frozenset(names[:1] if source.random() < 0.3 else ()),
        excluded=frozenset(names[-1:] if source.random() < 0.3 else ()),
        within=((names[1], names[2]),) if source.random() < 0.5 else (),
        apart=((names[0], names[3]),) if source.random() < 0.5 else (),
        budget=source.choice([0, 0, 6, 10]),
    )
    return rules, tuple(rows)


def subsets(names):
    listed = sorted(names)
    return chain.from_iterable(combinations(listed, size) for size in range(len(listed) + 1))


def brute_force(rules: Rules, rows: tuple[Row, ...]) -> tuple[int, int] | None:
    """The least weighted gap and the least objective with it, by trying everything."""
    best: tuple[int, int] | None = None
    for names in subsets(rules.cost):
        chosen = frozenset(names)
        if not keeps(rules, chosen):
            continue
        for devices in subsets(rules.shut_out):
            gap = sum(missing_points(rows, chosen, frozenset(devices)).values())
            cost = sum(rules.cost[one] for one in chosen)
            cost += sum(rules.shut_out[one] for one in devices)
            best = min(best, (gap, cost)) if best else (gap, cost)
    return best


def keeps(rules: Rules, chosen: frozenset[str]) -> bool:
    friction = sum(rules.friction[one] for one in chosen)
    most = max(rules.budget, sum(rules.friction[one] for one in rules.chosen))
    return (
        rules.chosen <= chosen
        and not chosen & rules.excluded
        and all(other in chosen for one, other in rules.within if one in chosen)
        and not any({one, other} <= chosen for one, other in rules.apart)
        and (rules.budget == 0 or friction <= most)
    )


@pytest.mark.requirement("MFS-6.1-06")
def test_two_hundred_small_choices_are_as_brute_force_finds_them() -> None:
    enough = open_ = 0
    for seed in range(200):
        rules, rows = random_choice(seed)
        expected = brute_force(rules, rows)
        assert expected is not None, seed
        solver = Solver(rules)
        answer = solver.solve(rows)
        gap = sum(answer.missing.values())
        assert (gap, answer.objective) == expected, seed
        assert answer.optimal, seed
        assert answer.bound == answer.objective, seed
        settled = solver.canonical(rows, answer)
        assert keeps(rules, settled.chosen), seed
        assert (sum(settled.missing.values()), settled.objective) == expected, seed
        enough, open_ = enough + (gap == 0), open_ + (gap > 0)
    assert enough > 40
    assert open_ > 20


def test_the_canonical_set_does_not_depend_on_the_order_of_the_paths() -> None:
    for seed in range(40):
        rules, rows = random_choice(seed)
        found = set()
        for order in (rows, rows[::-1]):
            solver = Solver(rules)
            settled = solver.canonical(order, solver.solve(order))
            found.add((settled.chosen, settled.shut_out))
        assert len(found) == 1, seed


def test_rules_that_contradict_themselves_are_refused() -> None:
    rules, rows = random_choice(3)
    names = sorted(rules.cost)
    both = replace(
        rules, chosen=frozenset(names[:2]), excluded=frozenset(), within=(),
        apart=((names[0], names[1]),),
    )  # fmt: skip
    with pytest.raises(Conflict):
        Solver(both).solve(rows)


def prepared(found=None, pack=None):
    found, pack = found or programme(), pack or small_pack()
    instances = match_rules(found, pack)
    return found, pack, instances, units_of(instances, Scenes(found, pack))


def test_rounds_over_trees_find_what_all_paths_at_once_give() -> None:
    rounds = 0
    for seed in range(6):
        found, pack, _, units = prepared(large_programme(12, 12, seed), large_pack(25, 20, seed))
        rules = rules_of(found, pack)
        chosen = choose(rules, units)
        rows = tuple(
            row_of(unit, scene, way)
            for unit, scene in units.values()
            for way in scene.weakest_ways(frozenset(), 10_000)
        )
        whole = Solver(rules).solve(rows)
        gaps = [
            sum(points * units[name][0].weight for name, points in one.items())
            for one in (chosen.missing, whole.missing)
        ]
        assert gaps[0] == gaps[1], seed
        assert chosen.answer.objective == whole.objective, seed
        assert chosen.answer.optimal
        assert len(chosen.rows) < len(rows)
        assert chosen.missing == open_units(units, chosen.answer.chosen, chosen.answer.shut_out)
        rounds = max(rounds, chosen.rounds)
    assert rounds >= 2


def test_the_small_programme_gets_what_it_needs() -> None:
    found, pack, _, units = prepared()
    chosen = choose(rules_of(found, pack), units)
    answer = chosen.answer
    assert {"master-in-module", "split-knowledge"} & answer.chosen
    assert "master-in-software" not in answer.chosen
    assert "sim-swap-hold" in answer.chosen
    assert answer.optimal
    assert not chosen.missing


def test_devices_that_nothing_protects_are_shut_out_if_that_is_cheaper() -> None:
    found, pack, _, units = prepared()
    own = wanted(not_available={"call-back": "no", "payment-cap": "no"})
    without = rules_of(replace(found, controls=own), pack)
    answer = choose(without, units).answer
    assert answer.shut_out == {"dialling", "modern"}
    assert answer.objective >= 200
    dear = replace(found, appetite=appetite(inclusion_weight=100))
    assert not choose(rules_of(dear, pack), units).answer.shut_out


def test_what_is_in_place_stays_and_what_is_not_to_be_had_does_not_come() -> None:
    found, pack, _, units = prepared()
    own = wanted(in_place=("blister-seal",), not_available={"master-in-module": "no"})
    chosen = choose(rules_of(replace(found, controls=own), pack), units)
    assert "blister-seal" in chosen.answer.chosen
    assert "master-in-module" not in chosen.answer.chosen
    assert chosen.missing
    assert set(chosen.missing) == {"master-key@platform@master"}


def test_a_mandatory_control_that_no_device_can_have_is_not_forced() -> None:
    pack = small_pack()
    name = "device-bound-key"
    forced = replace(pack.controls[name], mandatory=("MFS-7.3.2-08",))
    changed = replace(pack, controls={**pack.controls, name: forced})
    assert name in rules_of(programme(), changed).chosen
    only = replace(forced, environments=("tee",))
    changed = replace(pack, controls={**pack.controls, name: only})
    assert name not in rules_of(programme(), changed).chosen
    assert name in rules_of(programme(), changed).excluded


def test_own_costs_move_the_choice() -> None:
    found, pack, _, units = prepared()
    cheap = replace(found, controls=wanted(costs={"call-back": 0, "master-in-module": 99}))
    before, after = rules_of(found, pack).cost, rules_of(cheap, pack).cost
    assert (before["call-back"], after["call-back"]) == (36, 6)
    assert after["master-in-module"] == 99
    assert "call-back" in choose(rules_of(cheap, pack), units).answer.chosen


def test_a_budget_of_friction_that_is_too_small_leaves_the_least_open() -> None:
    found, pack, _, units = prepared()
    tight = replace(found, appetite=appetite(friction_budget=2, inclusion_weight=100))
    chosen = choose(rules_of(tight, pack), units)
    assert sum(pack.controls[one].friction for one in chosen.answer.chosen) <= 2
    assert chosen.missing
    assert chosen.answer.optimal


def test_every_choice_and_every_rejection_has_its_reason() -> None:
    found, pack, _, units = prepared()
    rules = rules_of(found, pack)
    chosen = choose(rules, units)
    choices = {one.control: one for one in explain_chosen(pack, chosen, units, frozenset())}
    assert set(choices) == chosen.answer.chosen
    needed = {other for _, other in rules.within}
    for one in choices.values():
        assert one.paths or one.mandatory or one.control in needed
    assert choices["sim-swap-hold"].mandatory == ("MFS-7.3.2-08",)
    rejections = explain_rejected(rules, chosen, units)
    assert {one.control for one in rejections} == set(pack.controls) - chosen.answer.chosen
    assert all(one.dearer_by >= 0 for one in rejections)
    assert {one.control for one in rejections if one.substitutes}


def test_a_rejected_control_with_what_it_replaces_is_enough_too() -> None:
    for seed in range(4):
        found, pack, _, units = prepared(large_programme(12, 12, seed), large_pack(25, 24, seed))
        rules = rules_of(found, pack)
        chosen = choose(rules, units)
        for one in explain_rejected(rules, chosen, units):
            assert one.dearer_by >= 0, (seed, one)
            held = (chosen.answer.chosen | {one.control}) - set(one.substitutes)
            apart = {a for pair in rules.apart for a in pair if one.control in pair}
            if one.substitutes and not apart and one.control not in dict(rules.within):
                assert set(open_units(units, held, chosen.answer.shut_out)) <= set(chosen.missing)


def test_moving_every_rating_one_word_says_which_choices_stay() -> None:
    found, pack, instances, units = prepared()
    harder, easier = moved(pack, 1), moved(pack, -1)
    step = pack.rules["clone"].tree.steps[0].rating
    assert step["time"] == "P7D"
    assert harder.rules["clone"].tree.steps[0].rating["time"] == "P14D"
    assert easier.rules["clone"].tree.steps[0].rating["time"] == "P1D"
    assert easier.rules["clone"].tree.steps[0].rating["equipment"] == "standard"
    tried = variants(found, pack, instances)
    assert [one.name for one in tried] == ["easier", "harder"]
    chosen = choose(rules_of(found, pack), units).answer.chosen
    robust = robust_controls(chosen, tried)
    assert robust <= chosen
    assert "sim-swap-hold" in robust
    assert tried[0].objective >= tried[1].objective


def test_the_front_has_only_sets_that_none_beats() -> None:
    found, pack, _, units = prepared(large_programme(12, 12, 2), large_pack(20, 24, 2))
    points = front(found, pack, units)
    assert points
    for one in points:
        for other in points:
            same = one.shut_out == other.shut_out and one is not other
            assert not (same and other.cost <= one.cost and other.friction <= one.friction)


def test_an_answer_counts_its_points_without_the_solver() -> None:
    row = Row(
        id="p", unit="u", device="d", deficit=9, weight=1,
        gains=((("a", 4), ("b", 6)), (("a", 3),)),
    )  # fmt: skip
    assert points_given(row, frozenset({"a", "b"})) == 9
    assert missing_points([row], frozenset({"a"}), frozenset()) == {"u": 2}
    assert missing_points([row], frozenset(), frozenset({"d"})) == {}
