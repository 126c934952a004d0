"""Paths of trees: the order, the weakest of all, what controls do, and caps as one more factor."""

import itertools
import random

import pytest
from tests.unit.process.risk.programmes import appetite, programme, small_pack

from tallystick.process.programme.words import Impact, Strength
from tallystick.process.risk.matching import match_rules
from tallystick.process.risk.model import Gate, Step, Tree
from tallystick.process.risk.paths import Scenes, attack_paths
from tallystick.process.risk.reading.rules import steps_of, ways
from tallystick.process.risk.verdicts import judge
from tallystick.process.risk.ways import harder, ways_in_order


def leaf(name: str) -> Step:
    return Step(id=name, text="", rating={}, controls=())


def random_tree(source: random.Random, depth: int, counter: itertools.count) -> Tree:
    steps = tuple(leaf(f"s{next(counter)}") for _ in range(source.randint(1, 3)))
    below = source.randint(0, 2) if depth else 0
    trees = tuple(random_tree(source, depth - 1, counter) for _ in range(below))
    return Tree(gate=source.choice(list(Gate)), steps=steps, trees=trees)


def every_way(tree: Tree) -> list[frozenset[str]]:
    """Plain enumeration, to hold the search against."""
    below = [[frozenset({one.id})] for one in tree.steps] + [every_way(one) for one in tree.trees]
    if tree.gate is Gate.ANY:
        return [way for ways_ in below for way in ways_]
    return [frozenset().union(*parts) for parts in itertools.product(*below)]


@pytest.mark.parametrize("seed", range(60))
def test_the_search_gives_every_way_once_and_the_weakest_first(seed: int) -> None:
    source = random.Random(seed)
    tree = random_tree(source, 3, itertools.count())
    points = {
        step.id: tuple(source.choice([0, 1, 3, 7]) for _ in range(3)) for step in steps_of(tree)
    }
    expected = every_way(tree)
    if len(expected) > 3000:
        pytest.skip("more ways than a test enumerates")
    found = list(ways_in_order(tree, lambda step: points[step.id]))
    assert len(found) == ways(tree) == len(expected)
    assert {frozenset(step.id for step in one.steps) for one in found} == set(expected)
    assert [one.total for one in found] == sorted(one.total for one in found)
    for one in found[:50]:
        hardest = points[one.steps[0].id]
        for step in one.steps:
            hardest = harder(hardest, points[step.id])
        assert one.points == hardest


def scene_of(rule: str, device: str = "", **changes):
    found = programme(**changes)
    scenes = Scenes(found, small_pack())
    instance = next(
        one for one in match_rules(found, small_pack()) if one.rule == rule and one.device == device
    )
    return scenes.of(instance), instance


def test_a_path_is_as_hard_per_factor_as_its_hardest_step() -> None:
    scene, instance = scene_of("sim-swap", "modern")
    paths, more = attack_paths(scene, instance, 5)
    assert more == 0
    assert [one.steps for one in paths] == [
        ("move-number", "read-code"), ("move-number", "ask-for-code"),
    ]  # fmt: skip
    assert paths[0].rating == {
        "time": "P7D", "expertise": "proficient", "knowledge": "public", "window": "easy",
        "equipment": "standard",
    }  # fmt: skip
    assert paths[0].lifts == {
        "device-bound-key": {"expertise": "expert", "equipment": "specialised"},
        "no-sms-only": {"knowledge": "restricted"},
        "sim-swap-hold": {"time": "P30D", "window": "moderate"},
    }
    assert paths[0].caps == {"payment-cap": Impact.MINOR}
    assert paths[0].id == "sim-swap@order-app@pin@modern#move-number+read-code"


def test_paths_are_cut_after_the_weakest_and_the_rest_is_counted() -> None:
    scene, instance = scene_of("sim-swap", "modern")
    paths, more = attack_paths(scene, instance, 1)
    assert ([one.steps[1] for one in paths], more) == (["read-code"], 1)


def test_a_device_is_not_helped_by_what_it_cannot_have() -> None:
    scene, _ = scene_of("sim-swap", "dialling")
    assert "device-bound-key" not in scene.controls
    assert "sim-swap-hold" in scene.controls


def test_two_controls_on_one_factor_do_not_add_up() -> None:
    scene, _ = scene_of("master-key")
    bare = scene.weakest(frozenset()).total
    one = scene.weakest(frozenset({"master-in-module"})).total
    both = scene.weakest(frozenset({"master-in-module", "master-in-software"})).total
    assert (bare, one, both) == (7, 19 + 8 + 3 + 1 + 7, one)


def test_a_cap_counts_as_what_the_smaller_impact_asks_for_less() -> None:
    scene, instance = scene_of("clone", "modern")
    capped = frozenset({"payment-cap"})
    assert scene.needed == 20
    assert scene.weakest(capped).total == scene.weakest(frozenset()).total + 10
    verdict = judge(small_pack(), scene, instance, capped, fixed=False)
    assert (verdict.impact, verdict.required_points, verdict.points) == (Impact.MINOR, 10, 5)
    assert (verdict.gap, verdict.likelihood, verdict.risk) == (5, 5, 10)


def test_an_appetite_for_the_asset_stands_whatever_caps_the_impact() -> None:
    own = appetite(resistance={"credential": Strength.MODERATE})
    scene, instance = scene_of("clone", "modern", appetite=own)
    capped = frozenset({"payment-cap"})
    assert scene.weakest(capped).total == scene.weakest(frozenset()).total
    verdict = judge(small_pack(), scene, instance, capped, fixed=True)
    assert (verdict.impact, verdict.required_points, verdict.gap) == (Impact.MINOR, 20, 15)
