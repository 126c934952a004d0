"""The export against Cedar itself: the same answer to every request."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from bench.policy_decision import some_facts
from tests.unit.entry.cli.command_line import DEMO, tallystick
from tests.unit.process.policy.policy_texts import changed, demo, demo_text

from tallystick.kernel.model import replace
from tallystick.process.policy import CompiledPolicy, Facts, compile_policy, read_policy
from tallystick.process.policy.cedar import cedar_policies, cedar_request, cedar_schema
from tallystick.process.policy.facts import VOCABULARY

cedarpy = pytest.importorskip("cedarpy")

DAY = 86_400_000
SET = 1_000
CAPS = (300_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 7_000_000, 10_000_000, 25_000_000)
EDGES: dict[str, tuple[Any, ...]] = {
    "amount_minor": (0, 1, *(cap + step for cap in CAPS for step in (0, 1))),
    "currency": ("KES", "KES", "KES", "USD"),
    "tier": (0, 1, 2, 3),
    "device_age_ms": (0, 3_599_999, 3_600_000, DAY - 1, DAY, 90 * DAY),
    "sim_age_ms": (0, 3 * DAY - 1, 3 * DAY, 2**62),
    "minute_of_day": (0, 299, 300, 1439),
    "recent_failures": (0, 2, 3),
    "risk_score": (0, 599, 600, 899, 900),
    "factors": (("possession", "knowledge"), ("possession",), (), ("possession", "possession")),
    "degraded": (
        (),
        (("core", 0),),
        (("revocation", 3_600_000),),
        (("revocation", 3_600_001),),
        (("sim-signal", 5), ("sms", 5)),
        (("fraud-score", 5),),
        (("time-stamp", 10**9),),
    ),
} | {field: tuple(words) for field, words in VOCABULARY.items()}


def requests(count: int, seed: int = 4) -> Iterator[Facts]:
    """Payments as a service sees them, most with one to three facts of another kind."""
    source = random.Random(seed)
    ordinary = some_facts(seed)
    for _ in range(count):
        facts = source.choice(ordinary)
        fields = source.sample(list(EDGES), source.choice((0, 1, 1, 2, 3)))
        yield replace(facts, **{field: source.choice(EDGES[field]) for field in fields})


def differences(policy: CompiledPolicy, asked: list[Facts]) -> tuple[int, int]:
    """How many answers differ from Cedar's, and how many are `allow`."""
    text = cedar_policies(policy.policy)
    wrong = allowed = 0
    for start in range(0, len(asked), SET):
        some = asked[start : start + SET]
        found = cedarpy.is_authorized_batch([cedar_request(one) for one in some], text, [])
        for facts, one in zip(some, found, strict=True):
            assert not one.diagnostics.errors
            ours = policy.decide(facts).outcome == "allow"
            allowed += ours
            wrong += one.allowed is not ours
    return wrong, allowed


def test_the_export_is_valid_under_its_schema() -> None:
    policy = demo().policy
    found = cedarpy.validate_policies(cedar_policies(policy), cedar_schema(policy))
    assert found.validation_passed, [str(error) for error in found.errors]


def test_ten_thousand_requests_are_answered_as_cedar_answers() -> None:
    wrong, allowed = differences(demo(), list(requests(10_000)))
    assert wrong == 0
    assert 2_000 < allowed < 8_000


@pytest.mark.soak
def test_a_hundred_thousand_requests_are_answered_as_cedar_answers() -> None:
    wrong, allowed = differences(demo(), list(requests(100_000, seed=5)))
    assert wrong == 0
    assert 20_000 < allowed < 80_000


def test_a_dependency_that_is_not_named_and_odd_reasons_are_exported() -> None:
    text = demo_text()
    line = next(one for one in text.splitlines() if one.startswith("  sms:"))
    text = text.replace(line + "\n", "")
    text = text.replace(
        "because: people see what is theirs", 'because: "it\'s \\"theirs\\" \\\\ \u00e9"'
    )
    policy = compile_policy(read_policy(text))
    wrong, _ = differences(policy, list(requests(1_000, seed=6)))
    assert wrong == 0


def test_an_export_of_another_policy_is_caught() -> None:
    """The comparison sees a changed bound: it can fail."""
    other = CompiledPolicy(read_policy(changed("per_payment: 7_000_000", "per_payment: 6_999_999")))
    asked = [replace(one, amount_minor=7_000_000, tier=1) for one in requests(1_000, seed=7)]
    text = cedar_policies(other.policy)
    found = cedarpy.is_authorized_batch([cedar_request(one) for one in asked], text, [])
    ours = [demo().decide(one).outcome == "allow" for one in asked]
    assert [one.allowed for one in found] != ours


def test_the_command_prints_what_cedar_reads(tmp_path: Any) -> None:
    schema = tmp_path / "demo.cedarschema"
    ran = tallystick("policy", "export", DEMO, "--cedar", "--schema-out", schema)
    assert ran.code == 0
    found = cedarpy.validate_policies(ran.out, schema.read_text(encoding="utf-8"))
    assert found.validation_passed
    named = json.loads(cedarpy.policies_to_json_str(ran.out))["staticPolicies"].values()
    rows = {one["annotations"]["id"] for one in named}
    assert {"person-attested", "tier-1", "factors-pay", "currency", "dependency-core"} <= rows
