"""A policy that grants acts which are gone is mended of them, and of nothing else."""

from pathlib import Path

import pytest

from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.process.policy import OperatorAct, compile_policy, read_policy
from tallystick.process.policy.explain import diff
from tallystick.process.policy.language.removed import (
    REMOVED,
    check_mended,
    mend,
    read_kept,
    removed_in,
    without_removed,
)

NOW = demo_policy()
OLD = (
    NOW.replace("set-incentive, enrol-operator,", "set-incentive, rotate-keys, enrol-operator,")
    .replace("resume-service, audit-records,", "resume-service, export-evidence,")
    .replace("[erase-subject, audit-records]", "[erase-subject, export-evidence]")
    .replace("[trace-payment, audit-records]", '[trace-payment, "export-evidence"]')
    .replace(
        "set-incentive, enrol-operator, fund", "set-incentive, rotate-keys, enrol-operator, fund"
    )
)


def test_no_act_that_is_gone_exists() -> None:
    assert not set(REMOVED) & {act.value for act in OperatorAct}
    assert removed_in(NOW) == ()
    with pytest.raises(Malformed, match="every act"):
        mend(NOW)


def test_the_draft_differs_in_the_acts_that_are_gone_and_in_the_version() -> None:
    with pytest.raises(Malformed, match="rotate-keys"):
        read_policy(OLD)
    assert [(one.where, one.act) for one in removed_in(OLD)] == [
        ("roles.security-officer", "rotate-keys"),
        ("roles.security-officer", "export-evidence"),
        ("roles.privacy-officer", "export-evidence"),
        ("roles.auditor", "export-evidence"),
        ("two_people", "rotate-keys"),
    ]
    draft = mend(OLD)
    policy = compile_policy(read_policy(draft)).policy
    assert policy.header.version == read_policy(NOW).header.version + 1
    assert policy.operators.roles["privacy-officer"] == ("erase-subject",)
    assert policy.operators.roles["auditor"] == ("trace-payment",)
    lines, before = draft.splitlines(), OLD.splitlines()
    assert len(lines) == len(before)
    changed = [(old, new) for old, new in zip(before, lines, strict=True) if old != new]
    assert len(changed) == 5, "four lists of acts and the version"
    told = diff(read_kept(OLD), policy)
    assert [one for one in told if "version" not in one] == []


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("fund-account, cover-commission, close-day", "fund-account, close-day"),
        ("[erase-subject]", "[erase-subject, fund-account]"),
        ("on_failure: closed", "on_failure: open"),
        ("version: 2", "version: 1"),
        ("profile: demo", "profile: production"),
        ("limit: 3", "limit: 5"),
    ],
)
def test_a_draft_that_differs_in_more_is_refused(was: str, becomes: str) -> None:
    draft = mend(OLD)
    check_mended(OLD, draft)
    assert was in draft, was
    with pytest.raises(NotPermitted, match="more than"):
        check_mended(OLD, draft.replace(was, becomes, 1))


@pytest.mark.parametrize(
    ("lists", "left"),
    [
        ("    a: [rotate-keys]\n    b: [clear-risk, rotate-keys, export-evidence]\n", "a: []"),
        ("    a: [export-evidence , rotate-keys, clear-risk]   # why\n", "[clear-risk]   # why"),
        ("    a:\n      - rotate-keys   # why\n      - clear-risk\n", "a:\n      - clear-risk"),
        ("    a:\n    - rotate-keys\n    - export-evidence\n    b: [clear-risk]\n", "a:\n      []"),
        ("    a: [clear-risk,\n        rotate-keys]\n", "a: [clear-risk]"),
        ("    a: ['rotate-keys', 'clear-risk']\n", "a: ['clear-risk']"),
    ],
)
def test_lists_are_mended_however_they_are_written(lists: str, left: str) -> None:
    text = f"policy: {{version: 1}}\noperators:\n  roles:\n{lists}  two_people: []\n"
    assert left in without_removed(text)


def test_a_text_that_is_no_policy_is_not_mended(tmp_path: Path) -> None:
    text = "policy: {version: 1}\noperators:\n  roles:\n    a: [rotate-keys]\n  two_people: []\n"
    with pytest.raises(Malformed, match="tiers"):
        mend(text)
    with pytest.raises(Malformed, match="version"):
        check_mended("a: 1", "a: 1")
