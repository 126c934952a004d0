"""The proofs over sets against brute force: every point of a small grid, tried one by one."""

import json
from itertools import pairwise, product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.process.policy.test_policy_equivalence import FRAME

from tallystick.process.policy import CompiledPolicy, Decision, Facts, Outcome, read_policy
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.proofs import Box, Breach, Space, Table, breaches
from tallystick.process.policy.proofs.order import steps

HOUR = 3_600_000
WORDS: dict[str, list[Any]] = {
    "operation": ["pay", "login"],
    "kind": ["p2p", "none"],
    "channel": ["app", "ussd"],
    "grade": [
        "device-signed-attested",
        "device-signed",
        "passkey",
        "sim-signed",
        "pin-verified",
    ],
    "tier": [0, 1],
    "device_trust": ["attested-hardware", "software", "unknown"],
    "account_status": ["active", "suspended"],
    "payee_known": [False, True],
}
AMOUNTS = [1, 100, 101, 500, 501]
AGES = [0, HOUR - 1, HOUR]
COUNTS = [0, 2, 3]


def some(field: str) -> st.SearchStrategy[Any]:
    words = st.sampled_from(WORDS[field])
    return words | st.lists(words, min_size=1, max_size=3, unique=True)


WHEN = st.fixed_dictionaries(
    {},
    optional={field: some(field) for field in WORDS}
    | {
        "amount_minor": st.sampled_from([{"above": 100}, {"at_most": 500}, {"at_most": 100}]),
        "device_age": st.sampled_from([{"below": "PT1H"}, {"at_least": "PT1H"}]),
        "recent_failures": st.sampled_from([{"at_least": 3}, {"below": 3}]),
    },
)
LIMIT_WHEN = st.fixed_dictionaries(
    {}, optional={field: some(field) for field in WORDS if field != "operation"}
)
OUTCOME = st.sampled_from(["allow", "allow", "deny", "step-up"])


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    policy = FRAME | {"dependencies": {}}
    policy["decisions"] = [
        {"id": f"r{number}", "when": when, "because": "x", "outcome": outcome}
        | ({"grade": "two-operators"} if outcome == "step-up" else {})
        for number, (when, outcome) in enumerate(
            draw(st.lists(st.tuples(WHEN, OUTCOME), min_size=1, max_size=6))
        )
    ]
    policy["limits"] = [
        {
            "id": f"l{number}",
            "when": when,
            "because": "x",
            "per_payment": cap,
            "windows": [{"window": length, "amount": amount}],
        }
        for number, (when, cap, length, amount) in enumerate(
            draw(
                st.lists(
                    st.tuples(
                        LIMIT_WHEN,
                        st.sampled_from([100, 500]),
                        st.sampled_from(["PT1H", "PT24H"]),
                        st.sampled_from([7, 9]),
                    ),
                    max_size=3,
                )
            )
        )
    ]
    return policy


def facts_at(point: dict[str, Any]) -> Facts:
    ordinary: dict[str, Any] = {
        "operation": "pay",
        "kind": "p2p",
        "channel": "app",
        "grade": "passkey",
        "tier": 0,
        "device_trust": "software",
        "account_status": "active",
        "payee_known": False,
        "amount_minor": 1,
        "factors": ("possession", "knowledge", "inherence"),
        "currency": "KES",
    }
    return Facts(**(ordinary | point))


def lets_pass(decision: Decision, length: int) -> int:
    return min(
        (rule.max_amount for rule in decision.limits if rule.window_ms >= length), default=FOREVER
    )


def less(worse: Decision, better: Decision) -> bool:
    """Whether what is better is permitted less."""
    if worse.outcome is not Outcome.ALLOW:
        return False
    if better.outcome is not Outcome.ALLOW:
        return True
    return any(rule.max_amount < lets_pass(worse, rule.window_ms) for rule in better.limits)


def first_breach(policy: CompiledPolicy) -> dict[str, Any] | None:
    """A point of the grid with a better neighbour that is permitted less, or None."""
    fields = [*WORDS, "amount_minor", "device_age_ms", "recent_failures"]
    grid = [*WORDS.values(), AMOUNTS, AGES, COUNTS]
    decided = {
        values: policy.decide(facts_at(dict(zip(fields, values, strict=True))))
        for values in product(*grid)
    }
    ladders = {
        "amount_minor": AMOUNTS[::-1],
        "device_age_ms": AGES,
        "recent_failures": COUNTS[::-1],
    }
    moves = [(one.field, one.worse, one.better, one.given) for one in steps([0, 1])]
    for field, values in ladders.items():
        moves += [(field, a, b, None) for a, b in pairwise(values)]
    places = {field: index for index, field in enumerate(fields)}
    for values, decision in decided.items():
        if decision.outcome is not Outcome.ALLOW:
            continue
        for field, worse, better, given_ in moves:
            if values[places[field]] != worse:
                continue
            if given_ is not None and values[places[given_[0]]] != given_[1]:
                continue
            moved = list(values)
            moved[places[field]] = better
            neighbour = decided.get(tuple(moved))
            if neighbour is not None and less(decision, neighbour):
                return dict(zip(fields, values, strict=True)) | {field: (worse, better)}
    return None


def is_real(policy: CompiledPolicy, breach: Breach) -> bool:
    point = dict(breach.point)
    worse = policy.decide(facts_at(point | {breach.field: breach.worse}))
    return less(worse, policy.decide(facts_at(point | {breach.field: breach.better})))


@settings(max_examples=25, deadline=None)
@given(policies())
def test_monotonicity_is_proved_exactly(policy: dict[str, Any]) -> None:
    """What the proof names is real, and where it names nothing the whole grid has nothing."""
    compiled = CompiledPolicy(read_policy(json.dumps(policy)))
    found = breaches(Table(compiled.policy))
    assert all(is_real(compiled, one) for one in found), found
    if not found:
        assert first_breach(compiled) is None


INTERVAL = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: tuple(sorted(pair)))
KINDS = ("p2p", "merchant", "cash-in")
DOORS = ("app", "web", "ussd")
BOX = st.builds(
    lambda kinds, doors, first, second: Box(
        {"kind": kinds, "channel": doors}, {"amount_minor": first, "recent_failures": second}
    ),
    st.frozensets(st.sampled_from(KINDS), min_size=1),
    st.frozensets(st.sampled_from(DOORS), min_size=1),
    INTERVAL,
    INTERVAL,
)


def inside(box: Box, point: tuple[Any, ...]) -> bool:
    kind, door, first, second = point
    (low, high), (least, most) = box.bounds["amount_minor"], box.bounds["recent_failures"]
    words = kind in box.words["kind"] and door in box.words["channel"]
    return words and low <= first <= high and least <= second <= most


@settings(max_examples=150, deadline=None)
@given(st.lists(BOX, min_size=1, max_size=2), st.lists(BOX, max_size=6))
def test_a_point_outside_of_boxes_is_found_exactly(must: list[Box], taken: list[Box]) -> None:
    space = Space([*must, *taken], [0])
    all_of = (1 << len(must)) - 1
    found = space.find(all_of, space.all & ~all_of)
    left = [
        point
        for point in product(KINDS, DOORS, range(7), range(7))
        if all(inside(box, point) for box in must) and not any(inside(box, point) for box in taken)
    ]
    assert (found is not None) == bool(left)
    if found is not None:
        names = ("kind", "channel", "amount_minor", "recent_failures")
        assert tuple(found.get(name, "p2p") for name in names) in left
