"""For whom a new version decides otherwise: what is named is real, and nothing is left out."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.process.policy.test_policy_proofs import WORDS, facts_at, policies
from tests.unit.process.policy.policy_texts import changed, demo

from tallystick.process.policy import CompiledPolicy, Facts, Policy, read_policy
from tallystick.process.policy.changes import changes

POINT = st.fixed_dictionaries(
    {field: st.sampled_from(words) for field, words in WORDS.items()}
    | {
        "amount_minor": st.sampled_from([1, 100, 101, 500, 501]),
        "device_age_ms": st.sampled_from([0, 3_599_999, 3_600_000]),
        "recent_failures": st.sampled_from([0, 2, 3]),
    }
)


def says(policy: CompiledPolicy, facts: Facts) -> tuple[str, str]:
    decision = policy.decide(facts)
    return f"{decision.outcome.value} {decision.required_grade}".strip(), decision.row


def read(example: str) -> dict[str, Any]:
    pairs = [one.split(" ", 1) for one in example.split(", ")] if example != "any facts" else []
    words: dict[str, Any] = {"true": True, "false": False}
    return {
        name: words.get(value, int(value) if value.isdigit() else value) for name, value in pairs
    }


@settings(max_examples=60, deadline=None)
@given(policies(), policies(), st.lists(POINT, min_size=20, max_size=60))
def test_changes_are_exact(
    before: dict[str, Any], after: dict[str, Any], points: list[dict[str, Any]]
) -> None:
    old, new = (CompiledPolicy(read_policy(json.dumps(one))) for one in (before, after))
    found = changes(old.policy, new.policy)
    kinds = {(one.was, one.now, one.before, one.after) for one in found}
    for point in points:
        (was, by), (now, by_now) = says(old, facts_at(point)), says(new, facts_at(point))
        assert was == now or (was, now, by, by_now) in kinds
    for one in found:
        point = facts_at(read(one.example))
        assert says(old, point) == (one.was, one.before)
        assert says(new, point) == (one.now, one.after)


@settings(max_examples=20, deadline=None)
@given(policies())
def test_a_policy_does_not_change_against_itself(policy: dict[str, Any]) -> None:
    one = read_policy(json.dumps(policy))
    assert changes(one, one) == ()
    renamed = json.loads(json.dumps(policy))
    for row in (*renamed["decisions"], *renamed["limits"]):
        row["id"] += "-x"
    assert changes(one, read_policy(json.dumps(renamed))) == ()


def demo_changed(old: str, new: str) -> Policy:
    return read_policy(changed(old, new))


def test_a_change_says_for_whom_from_what_to_what_and_by_which_row() -> None:
    found = changes(
        demo().policy,
        demo_changed("amount_minor: {above: 500_000}", "amount_minor: {above: 400_000}"),
    )
    assert len(found) == 1
    told = str(found[0])
    assert told.startswith("allow -> step-up sim-signed: operation pay")
    assert "channel ussd, grade pin-verified" in told
    assert "(dialled -> dialled-large)" in told
    assert "amount_minor 400001" in told
