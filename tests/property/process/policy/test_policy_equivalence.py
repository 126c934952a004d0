"""The compiled policy against a naive interpreter of the text, over random policies and facts.

The interpreter below works on the plain words of the policy, row by row, and shares no code with
the compiled form; the checks are held to what sampling finds.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tests.unit.process.policy.policy_texts import demo, demo_text, payment

from tallystick.kernel.errors import Malformed
from tallystick.process.policy import CompiledPolicy, Facts, compile_policy, read_policy
from tallystick.process.policy.explain import explain
from tallystick.process.policy.facts import VOCABULARY

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LENGTHS = {
    "PT5M": 5 * MINUTE, "PT1H": HOUR, "PT24H": DAY, "PT72H": 3 * DAY, "P3D": 3 * DAY,
    "P30D": 30 * DAY,
}  # fmt: skip
TIMES = {"05:00": 300, "12:30": 750, "23:00": 1380}
COUNTS = [0, 1, 3, 600, 5000]

WORDS: dict[str, list[Any]] = {
    "operation": ["login", "inquire", "quote", "pay", "change-pin"],
    "kind": ["none", "p2p", "merchant", "cash-out"],
    "channel": ["app", "ussd", "agent"],
    "grade": ["none", "device-signed", "pin-verified"],
    "tier": [0, 1],
    "device_trust": ["attested-hardware", "software", "none"],
    "account_status": ["active", "suspended"],
    "payee_known": [False, True],
}
AGES = {"device_age": "device_age_ms", "sim_age": "sim_age_ms", "session_age": "session_age_ms"}
NUMBERS = ["amount_minor", "recent_failures", "risk_score"]

# A small policy around the parts that vary.
FRAME: dict[str, Any] = {
    "policy": {
        "provider": "random",
        "version": 3,
        "effective_at": "2026-01-01T00:00:00Z",
        "currency": "KES",
        "profile": "demo",
        "utc_offset": "-05:30",
    },
    "tiers": {"0": {"label": "a", "because": "x"}, "1": {"label": "b", "because": "x"}},
    "factors": {
        "login": {"categories": 2, "because": "two"},
        "pay": {"categories": 2, "because": "two"},
        "add-payee": {"categories": 2, "because": "two"},
        "change-profile": {"categories": 2, "because": "two"},
        "change-pin": {"categories": 3, "fresh": "PT5M", "because": "three"},
        "manage-device": {"categories": 2, "because": "two"},
        "operate": {"categories": 2, "because": "two"},
    },
    "sessions": {"app": {"idle": "PT5M", "absolute": "PT1H"}},
    "attempts": {"limit": 5, "block": "PT5M", "activation": {"life": "PT5M", "tries": 5}},
    "quotes": {"life": "PT2M"},
    "handshake": {"suites": ["hpke-p256"], "preferred": "hpke-p256"},
    "default": {"outcome": "deny", "because": "nothing else"},
    "operators": {"roles": {"ops": ["close-day"]}, "two_people": []},
}


def some_words(field: str) -> st.SearchStrategy[Any]:
    words = st.sampled_from(WORDS[field])
    return words | st.lists(words, min_size=1, max_size=3, unique=True)


def bounds(values: list[Any], order: Callable[[Any], int]) -> st.SearchStrategy[dict[str, Any]]:
    def build(low: Any, high: Any, words: tuple[str, str], sides: int) -> dict[str, Any]:
        low, high = sorted((low, high), key=order)
        built = {words[0]: low} if sides & 1 else {}
        if sides & 2 and (order(low) + 1 < order(high) or not sides & 1):
            built[words[1]] = high
        return built or {"at_least": low}

    return st.builds(
        build,
        st.sampled_from(values),
        st.sampled_from(values),
        st.tuples(st.sampled_from(["above", "at_least"]), st.sampled_from(["below", "at_most"])),
        st.integers(1, 3),
    ).filter(lambda one: not ("below" in one and order(one["below"]) == 0))


WHEN = st.fixed_dictionaries(
    {},
    optional={field: some_words(field) for field in WORDS}
    | {field: bounds(list(LENGTHS), LENGTHS.__getitem__) for field in AGES}
    | {field: bounds(COUNTS, int) for field in NUMBERS}
    | {"time_of_day": bounds(list(TIMES), TIMES.__getitem__)},
)
LIMIT_WHEN = st.fixed_dictionaries(
    {}, optional={field: some_words(field) for field in WORDS if field != "operation"}
)
ROW = st.fixed_dictionaries({"when": WHEN, "outcome": st.sampled_from(["allow", "deny", "delay"])})
LIMIT = st.fixed_dictionaries(
    {
        "when": LIMIT_WHEN,
        "per_payment": st.sampled_from([1, 600, 4999, 10**9]),
        "windows": st.lists(st.sampled_from(["PT1H", "PT24H"]), max_size=2, unique=True),
    }
)
DEPENDENCY = st.sampled_from(
    [
        {"on_failure": "open"},
        {"on_failure": "closed"},
        {"on_failure": "stale", "stale_for": "PT1H"},
        {"on_failure": "reduced-limit", "reduced_limit": 500},
    ]
)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    policy = dict(FRAME)
    policy["decisions"] = [
        one
        | {"id": f"r{number}", "because": f"row {number}"}
        | ({"delay": "PT1H"} if one["outcome"] == "delay" else {})
        for number, one in enumerate(draw(st.lists(ROW, max_size=9)))
    ]
    policy["limits"] = [
        one
        | {
            "id": f"l{number}",
            "because": f"limit {number}",
            "windows": [{"window": length, "amount": 7, "count": 9} for length in one["windows"]],
        }
        for number, one in enumerate(draw(st.lists(LIMIT, max_size=5)))
    ]
    policy["dependencies"] = {
        name: draw(DEPENDENCY)
        | {"operations": operations, "tell": ["ops"], "because": f"{name} failed"}
        for name, operations in (("core", ["pay"]), ("screening", ["pay", "login"]))
    }
    return policy


MEASURES: dict[str, st.SearchStrategy[Any]] = {
    "factors": st.sampled_from([("possession", "knowledge")] * 4 + [("possession",), ()]),
    "amount_minor": st.sampled_from([0, 1, 2, 500, 501, 600, 601, 4999, 5000, 5001, 10**9 + 1]),
    "currency": st.sampled_from(["KES"] * 6 + ["USD"]),
    "device_age_ms": st.sampled_from([0, 5 * MINUTE, HOUR - 1, HOUR, HOUR + 1, DAY, 90 * DAY]),
    "sim_age_ms": st.sampled_from([0, DAY, 3 * DAY - 1, 3 * DAY, 90 * DAY]),
    "session_age_ms": st.sampled_from([0, 5 * MINUTE - 1, 5 * MINUTE, 5 * MINUTE + 1, HOUR]),
    "factor_age_ms": st.sampled_from([0, 5 * MINUTE, 5 * MINUTE + 1, 2**62]),
    "minute_of_day": st.sampled_from([0, 299, 300, 301, 749, 750, 1380, 1439]),
    "recent_failures": st.sampled_from([0, 1, 2, 3, 4]),
    "risk_score": st.sampled_from([0, 599, 600, 601, 1000]),
    "degraded": st.sampled_from(
        [()] * 5
        + [(("core", 0),), (("screening", HOUR),), (("core", HOUR + 1), ("screening", 0))]
        + [(("other", 0),)]
    ),
}
FACTS = st.builds(
    Facts, **{field: st.sampled_from(words) for field, words in WORDS.items()}, **MEASURES
)
DEMO_WORDS = {field: list(words) for field, words in VOCABULARY.items()} | {"tier": [0, 1, 2, 3]}
DEMO_FACTS = st.builds(
    Facts, **{field: st.sampled_from(words) for field, words in DEMO_WORDS.items()}, **MEASURES
)


def number(word: Any) -> int:
    return LENGTHS.get(word, TIMES.get(word, word))


def matches(when: dict[str, Any], facts: Facts) -> bool:
    for field, wanted in when.items():
        if isinstance(wanted, dict):
            name = {"time_of_day": "minute_of_day"}.get(field, AGES.get(field, field))
            value = getattr(facts, name)
            for comparison, word in wanted.items():
                bound = number(word)
                if comparison == "above" and not value > bound:
                    return False
                if comparison == "at_least" and not value >= bound:
                    return False
                if comparison == "below" and not value < bound:
                    return False
                if comparison == "at_most" and not value <= bound:
                    return False
        elif getattr(facts, field) not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def interpret(policy: dict[str, Any], facts: Facts) -> tuple[Any, ...]:
    """Outcome, deciding row, and ids of the rolling limits, from the words of the policy."""
    priced = facts.operation in ("pay", "quote")
    if priced and facts.currency != policy["policy"]["currency"]:
        return "deny", "currency", ()
    if priced and facts.amount_minor < 1:
        return "deny", "amount", ()
    caps: list[tuple[int, str]] = []
    for name, stale in facts.degraded:
        rule = policy["dependencies"].get(name)
        if rule is None:
            return "deny", "dependency-unknown", ()
        if facts.operation not in rule["operations"]:
            continue
        late = rule["on_failure"] == "stale" and stale > LENGTHS[rule["stale_for"]]
        if rule["on_failure"] == "closed" or late:
            return "deny", f"dependency-{name}", ()
        if rule["on_failure"] == "reduced-limit":
            caps.append((rule["reduced_limit"], f"dependency-{name}"))
    row = next(
        (row for row in policy["decisions"] if matches(row["when"], facts)),
        {"id": "default", "outcome": "deny"},
    )
    if row["outcome"] in {"deny", "step-up"}:
        return row["outcome"], row["id"], ()
    categories = {"possession", "knowledge", "inherence"} & set(facts.factors)
    rule = policy["factors"].get(facts.operation, {"categories": 0})
    stale = "fresh" in rule and facts.factor_age_ms > 5 * MINUTE
    if len(categories) < rule["categories"] or stale:
        return "step-up", f"factors-{facts.operation}", ()
    limits = [one for one in policy["limits"] if priced and matches(one["when"], facts)]
    caps = [(one["per_payment"], one["id"]) for one in limits] + caps
    low = min(caps, key=lambda cap: cap[0], default=(10**18, ""))
    if facts.amount_minor > low[0]:
        return "deny", low[1], ()
    windows = tuple(
        f"{one['id']}/{LENGTHS[window['window']] // 1000}"
        for one in limits
        for window in one["windows"]
    )
    return row["outcome"], row["id"], windows


def compiled_says(policy: CompiledPolicy, facts: Facts) -> tuple[Any, ...]:
    decision = policy.decide(facts)
    return decision.outcome.value, decision.row, tuple(limit.id for limit in decision.limits)


@settings(max_examples=120)
@given(policies(), st.lists(FACTS, min_size=20, max_size=60))
def test_compiled_decides_as_the_words_say(policy: dict[str, Any], asked: list[Facts]) -> None:
    compiled = CompiledPolicy(read_policy(json.dumps(policy)))
    for facts in asked:
        assert compiled_says(compiled, facts) == interpret(policy, facts)
        assert compiled_says(compiled, facts) == interpret(policy, facts)  # from the index
        assert explain(compiled, facts)[-1].row == compiled.decide(facts).row


@cache
def demo_words() -> dict[str, Any]:
    """The demonstration policy as another reader of YAML sees it."""
    words: dict[str, Any] = YAML(typ="safe", pure=True).load(demo_text())
    return words


@settings(max_examples=60)
@given(st.lists(DEMO_FACTS, min_size=50, max_size=100))
def test_the_demonstration_policy_decides_as_its_words_say(asked: list[Facts]) -> None:
    for facts in asked:
        assert compiled_says(demo(), facts) == interpret(demo_words(), facts)


PAYMENTS = [
    {"channel": channel, "grade": grade, "kind": kind, "device_trust": trust, "payee_known": known}
    for channel, grade, trust in (
        ("app", "device-signed-attested", "attested-hardware"),
        ("app", "device-signed", "software"),
        ("web", "passkey", "none"),
        ("ussd", "pin-verified", "none"),
        ("ussd", "sim-signed", "none"),
        ("agent", "agent-assisted", "none"),
        ("scheduled", "standing-mandate", "none"),
        ("operator", "two-operators", "none"),
        ("operator", "none", "none"),
    )
    for kind in ("p2p", "merchant", "cash-out", "cash-in", "refund", "reversal")
    for known in (False, True)
]


@settings(max_examples=60)
@given(st.sampled_from(PAYMENTS), st.integers(0, 3), st.data())
def test_payments_under_the_demonstration_policy_decide_as_its_words_say(
    words: dict[str, Any], tier: int, data: st.DataObject
) -> None:
    edges = (300_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 7_000_000, 10_000_000, 25_000_000)
    measures = data.draw(st.fixed_dictionaries(MEASURES)) | {"currency": "KES"}
    for amount in (cap + step for cap in edges for step in (-1, 0, 1)):
        facts = payment(**(words | {"tier": tier} | measures | {"amount_minor": amount}))
        assert compiled_says(demo(), facts) == interpret(demo_words(), facts)


def defects_of(policy: dict[str, Any]) -> str:
    try:
        compile_policy(read_policy(json.dumps(policy)))
    except Malformed as error:
        return error.detail
    return ""


@settings(max_examples=80)
@given(policies(), st.lists(FACTS, min_size=60, max_size=120))
def test_the_checks_agree_with_what_sampling_finds(
    policy: dict[str, Any], asked: list[Facts]
) -> None:
    """A row called unreachable never decides; a policy without defects lets no payment uncapped."""
    defects = defects_of(policy)
    compiled = CompiledPolicy(read_policy(json.dumps(policy)))
    for facts in asked:
        decision = compiled.decide(facts)
        assert f"{decision.row!r} is never reached" not in defects
        capped = any(matches(one["when"], facts) for one in policy["limits"])
        if decision.outcome in {"allow", "delay"} and facts.operation == "pay" and not capped:
            assert f"the row {decision.row!r} lets a payment pass" in defects


@settings(max_examples=60)
@given(policies(), st.lists(FACTS, min_size=30, max_size=60))
def test_a_limit_that_never_binds_is_not_missed(policy: dict[str, Any], asked: list[Facts]) -> None:
    """Without the limits that the checks call idle, every decision on an amount is the same."""
    defects = defects_of(policy)
    idle = {one["id"] for one in policy["limits"] if f"{one['id']!r} never binds" in defects}
    less = policy | {"limits": [one for one in policy["limits"] if one["id"] not in idle]}
    compiled = CompiledPolicy(read_policy(json.dumps(policy)))
    without = CompiledPolicy(read_policy(json.dumps(less)))
    for facts in asked:
        assert compiled.decide(facts).outcome == without.decide(facts).outcome
