"""Every act that a policy may grant is one that somebody can do: no name without a deed."""

import ast
from pathlib import Path

import pytest

from tallystick.entry.http.console.drafting import ANYBODY
from tallystick.entry.http.operations import ACT_NAMES, OPERATIONS
from tallystick.process.policy.facts import OperatorAct
from tallystick.process.programme.organisation import ACTS, TWO_PEOPLE
from tallystick.process.purposes import LOOKING, PURPOSES, purposes_for
from tallystick.protocol.authzen import EVALUATE

SOURCES = Path(__file__).resolve().parents[2] / "src" / "tallystick"
GRANTED = {act.value for act in OperatorAct}
SIGNED = GRANTED - {act.value for act in LOOKING} - {EVALUATE}


def parsed(shelf: str) -> list[ast.Module]:
    files = sorted((SOURCES / shelf).rglob("*.py"))
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


def named(trees: list[ast.Module]) -> dict[str, str]:
    """Constants of modules that are a text."""
    return {
        target.id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def performed() -> set[str]:
    """Every name that a table of performers has, in the sources of the application."""
    trees = parsed("application")
    constants = named([*trees, *parsed("protocol")])
    keys = [
        key
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
    ]
    texts = {key.value for key in keys if isinstance(key, ast.Constant)}
    return texts | {
        constants[key.id] for key in keys if isinstance(key, ast.Name) and key.id in constants
    }


def test_every_act_of_the_policy_is_an_operation_and_every_operation_an_act() -> None:
    assert set() == SIGNED - ACT_NAMES, "granted, and nobody can do it"
    assert ACT_NAMES - SIGNED == ANYBODY, "done, and no policy can grant it"


def test_every_act_has_a_performer_in_the_application() -> None:
    assert SIGNED - performed() == set()


@pytest.mark.parametrize("act", sorted(LOOKING))
def test_an_act_that_is_a_look_opens_a_purpose_and_is_no_operation(act: OperatorAct) -> None:
    assert act.value not in ACT_NAMES
    opened = purposes_for([act.value])
    assert opened
    assert all(PURPOSES[one].opens for one in opened)


def test_evaluating_the_policy_is_what_the_decision_point_answers() -> None:
    assert EVALUATE in GRANTED
    assert "access.evaluation" in {one.name for one in OPERATIONS}


def test_every_act_but_a_programs_follows_from_some_duty() -> None:
    follows = {act.value for acts in ACTS.values() for act in acts}
    assert GRANTED - follows == {EVALUATE}
    assert set(TWO_PEOPLE) <= {act for acts in ACTS.values() for act in acts}
