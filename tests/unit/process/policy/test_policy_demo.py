"""The demonstration policy: a truth table, its boundaries, its parameters."""

import pytest
from tests.unit.process.policy.policy_texts import (
    AGENT,
    DIALLED,
    OPERATORS,
    SIGNED,
    changed,
    demo,
    payment,
)

from tallystick.kernel.errors import NotPermitted
from tallystick.process.policy import (
    FOREVER,
    Channel,
    Facts,
    Grade,
    Kind,
    compile_policy,
    read_policy,
)
from tallystick.process.policy.language.reading import TWO_FACTORS
from tallystick.protocol.payments import PaymentKind

HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def asked(facts: Facts) -> tuple[str, str]:
    decision = demo().decide(facts)
    return decision.outcome.value, decision.row


TRUTH = [
    # a person with a key proven to be in hardware
    ({}, "allow", "person-attested"),
    ({"kind": "merchant"}, "allow", "person-attested"),
    ({"kind": "cash-out"}, "allow", "person-attested"),
    ({"device_trust": "software"}, "deny", "default"),
    # a person with any key
    (SIGNED, "allow", "person-signed"),
    (SIGNED | {"device_trust": "unknown"}, "allow", "person-signed"),
    (SIGNED | {"payee_known": False, "amount_minor": 2_000_000}, "allow", "person-signed"),
    (SIGNED | {"payee_known": False, "amount_minor": 2_000_001}, "step-up", "person-signed-large"),
    (SIGNED | {"minute_of_day": 299, "amount_minor": 1_000_000}, "allow", "person-signed"),
    (
        SIGNED | {"minute_of_day": 299, "amount_minor": 1_000_001},
        "step-up",
        "person-signed-at-night",
    ),
    (SIGNED | {"minute_of_day": 300, "amount_minor": 1_000_001}, "allow", "person-signed"),
    (SIGNED | {"recent_failures": 2}, "allow", "person-signed"),
    (SIGNED | {"recent_failures": 3}, "step-up", "repeated-failures"),
    ({"recent_failures": 3}, "allow", "person-attested"),
    ({"channel": "web", "grade": "passkey"} | {"device_trust": "none"}, "allow", "person-signed"),
    # new device, monitoring
    ({"device_age_ms": DAY_MS - 1, "amount_minor": 1_000_000}, "allow", "person-attested"),
    ({"device_age_ms": DAY_MS - 1, "amount_minor": 1_000_001}, "delay", "new-device-large"),
    ({"device_age_ms": DAY_MS, "amount_minor": 1_000_001}, "allow", "person-attested"),
    ({"risk_score": 899}, "allow", "person-attested"),
    ({"risk_score": 900}, "deny", "fraud-suspected"),
    ({"risk_score": 600, "payee_known": False}, "delay", "odd-and-risky"),
    # a telephone that only dials
    (DIALLED, "allow", "dialled"),
    (DIALLED | {"grade": "sim-signed"}, "allow", "dialled"),
    (DIALLED | {"payee_known": False, "amount_minor": 500_000}, "allow", "dialled"),
    (DIALLED | {"payee_known": False, "amount_minor": 500_001}, "step-up", "dialled-large"),
    (DIALLED | {"grade": "device-signed"}, "deny", "default"),
    (DIALLED | {"sim_age_ms": 72 * HOUR_MS - 1}, "deny", "sim-just-changed"),
    (DIALLED | {"sim_age_ms": 72 * HOUR_MS}, "allow", "dialled"),
    # agents, merchants, mandates
    (AGENT, "allow", "cash-in"),
    (AGENT | {"grade": "pin-verified"}, "deny", "default"),
    (AGENT | {"kind": "p2p", "channel": "agent", "grade": "agent-assisted"}, "allow", "assisted"),
    ({"kind": "salary", "tier": 3}, "allow", "merchant-pays"),
    ({"kind": "salary", "tier": 2}, "deny", "default"),
    ({"channel": "scheduled", "grade": "standing-mandate"}, "allow", "mandate"),
    (
        {"channel": "scheduled", "grade": "standing-mandate", "payee_known": False},
        "deny",
        "default",
    ),
    # operators
    (OPERATORS | {"kind": "reversal"}, "allow", "two-operators"),
    (OPERATORS | {"kind": "reversal", "grade": "none"}, "step-up", "one-operator"),
    (OPERATORS | {"kind": "funding", "grade": "device-signed"}, "step-up", "one-operator"),
    (OPERATORS | {"kind": "p2p"}, "deny", "default"),
    ({"kind": "reversal"}, "deny", "default"),
    # accounts
    ({"account_status": "suspended"}, "deny", "account-stopped"),
    ({"account_status": "dormant"}, "deny", "account-stopped"),
    ({"account_status": "erased"}, "deny", "account-erased"),
    ({"account_status": "none"}, "deny", "default"),
    # what the policy cannot judge
    ({"grade": "signed"}, "deny", "unknown-word"),
    ({"channel": "fax"}, "deny", "unknown-word"),
    ({"tier": 4}, "deny", "unknown-word"),
    ({"kind": "loan"}, "deny", "unknown-word"),
    ({"device_trust": "rooted"}, "deny", "unknown-word"),
    ({"operation": "borrow"}, "deny", "unknown-word"),
    ({"currency": "USD"}, "deny", "currency"),
    ({"currency": ""}, "deny", "currency"),
    ({"amount_minor": 0}, "deny", "amount"),
    ({"amount_minor": -1}, "deny", "amount"),
    # what moves no money
    ({"operation": "quote", "grade": "none", "factors": ()}, "allow", "quote"),
    ({"operation": "login", "kind": "none", "grade": "none"}, "allow", "login"),
    ({"operation": "inquire", "kind": "none", "factors": ()}, "allow", "inquire"),
    ({"operation": "enrol", "account_status": "none", "factors": ()}, "allow", "enrol"),
    (
        {"operation": "activate", "kind": "none", "sim_age_ms": 72 * HOUR_MS - 1},
        "deny",
        "code-to-changed-sim",
    ),
    ({"operation": "activate", "kind": "none", "sim_age_ms": 72 * HOUR_MS}, "allow", "enrol"),
    ({"operation": "change-pin", "kind": "none"}, "allow", "protected"),
    (
        {"operation": "change-profile", "kind": "none", "device_age_ms": HOUR_MS - 1},
        "delay",
        "protected-after-new-device",
    ),
]


@pytest.mark.parametrize(("changes", "outcome", "row"), TRUTH)
def test_truth_table(changes: dict[str, object], outcome: str, row: str) -> None:
    assert asked(payment(**changes)) == (outcome, row)


def test_every_row_of_the_demonstration_policy_decides_something() -> None:
    decided = {row for _, _, row in TRUTH}
    assert {row.id for row in demo().policy.decisions} <= decided


CAPS = [
    ({"tier": 0}, 500_000, "tier-0"),
    ({"tier": 1}, 7_000_000, "tier-1"),
    ({"tier": 2}, 25_000_000, "tier-2"),
    ({"tier": 3}, 50_000_000, "tier-3"),
    ({"tier": 2} | SIGNED, 5_000_000, "software-device"),
    (DIALLED, 2_000_000, "dialled-cap"),
    ({"tier": 3, "payee_known": False}, 10_000_000, "unknown-payee"),
    (
        {"tier": 3, "kind": "p2p", "channel": "agent", "grade": "agent-assisted"},
        1_000_000,
        "assisted-cap",
    ),
    (
        {"tier": 2, "channel": "scheduled", "grade": "standing-mandate"},
        3_000_000,
        "mandate-cap",
    ),
    (OPERATORS | {"kind": "reversal"}, 10_000_000_000, "two-people-cap"),
]


@pytest.mark.parametrize(("changes", "cap", "limit"), CAPS)
def test_the_cap_of_one_payment_is_exact(changes: dict[str, object], cap: int, limit: str) -> None:
    at = demo().decide(payment(**changes, amount_minor=cap))
    above = demo().decide(payment(**changes, amount_minor=cap + 1))
    assert at.outcome == "allow"
    assert at.cap_minor == cap
    assert (above.outcome, above.row, above.cap_passed) == ("deny", limit, True)
    assert str(cap) in above.remedy


def test_every_limit_that_matches_goes_to_the_ledger() -> None:
    rules = demo().decide(payment(**SIGNED, payee_known=False)).limits
    assert {(rule.id, rule.max_amount, rule.max_count) for rule in rules} == {
        ("tier-1/86400", 15_000_000, FOREVER),
        ("tier-1/2592000", 150_000_000, FOREVER),
        ("software-device/86400", 10_000_000, FOREVER),
        ("unknown-payee/86400", 14_000_000, FOREVER),
    }
    assert {rule.window_ms for rule in rules} == {DAY_MS, 30 * DAY_MS}
    assert all(rule.because for rule in rules)


TOP: dict[tuple[str, str], int] = {
    ("app", "device-signed-attested"): 25_000_000,
    ("app", "device-signed"): 25_000_000,
    ("app", "passkey"): 25_000_000,
    ("web", "device-signed-attested"): 25_000_000,
    ("web", "device-signed"): 25_000_000,
    ("web", "passkey"): 25_000_000,
    ("ussd", "sim-signed"): 2_000_000,
    ("ussd", "pin-verified"): 2_000_000,
    ("agent", "agent-assisted"): 1_000_000,
    ("scheduled", "standing-mandate"): 3_000_000,
}
"""The most that one payment to a known person moves for a customer of tier 2; absent is nothing."""


@pytest.mark.requirement("MFS-12.2-01")
@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("grade", Grade)
def test_strength_depends_on_channel_and_amount(channel: Channel, grade: Grade) -> None:
    top = TOP.get((channel.value, grade.value), 0)
    asked = {"channel": channel.value, "grade": grade.value, "tier": 2}
    for amount in {1, top or 1, top + 1}:
        outcome = demo().decide(payment(**asked, amount_minor=amount)).outcome
        assert (outcome == "allow") == (amount <= top)


@pytest.mark.requirement("MFS-7.3.2-01")
@pytest.mark.parametrize(
    ("factors", "enough"),
    [
        ((), False),
        (("possession",), False),
        (("knowledge",), False),
        (("inherence",), False),
        (("possession", "possession"), False),
        (("possession", "shoe-size"), False),
        (("possession", "knowledge"), True),
        (("possession", "knowledge", "inherence"), True),
    ],
)
@pytest.mark.parametrize("operation", TWO_FACTORS)
def test_a_single_factor_is_never_enough(
    operation: str, factors: tuple[str, ...], enough: bool
) -> None:
    operator = {"operator_role": "auditor", "act": "trace-payment"}
    decision = demo().decide(payment(operation=operation, factors=factors, **operator))
    assert decision.outcome == ("allow" if enough else "step-up")
    if not enough:
        assert decision.required_factors == 2
        assert decision.row == f"factors-{operation}"


DEGRADED = [
    ("core", 0, "pay", "deny"),
    ("core", 0, "login", "allow"),
    ("module", 0, "login", "deny"),
    ("witness", 10**12, "pay", "allow"),
    ("revocation", HOUR_MS, "pay", "allow"),
    ("revocation", HOUR_MS + 1, "pay", "deny"),
    ("attestation", DAY_MS + 1, "pay", "deny"),
    ("a-new-thing", 0, "pay", "deny"),
]


@pytest.mark.parametrize(("name", "stale_ms", "operation", "outcome"), DEGRADED)
def test_a_failed_dependency_does_what_its_row_says(
    name: str, stale_ms: int, operation: str, outcome: str
) -> None:
    kind = "p2p" if operation == "pay" else "none"
    facts = payment(operation=operation, kind=kind, degraded=((name, stale_ms),))
    decision = demo().decide(facts)
    assert decision.outcome == outcome
    if outcome == "deny":
        assert decision.row in {f"dependency-{name}", "dependency-unknown"}


def test_a_reduced_limit_lowers_the_cap_and_the_lowest_wins() -> None:
    both = (("fraud-score", 0), ("sim-signal", 0))
    at = demo().decide(payment(amount_minor=300_000, degraded=both))
    above = demo().decide(payment(amount_minor=300_001, degraded=both))
    assert at.outcome == "allow"
    assert (above.outcome, above.row, above.cap_minor) == ("deny", "dependency-sim-signal", 300_000)
    other = demo().decide(payment(amount_minor=1_000_000, degraded=(("fraud-score", 0),)))
    assert other.outcome == "allow"


def act(**changes: object) -> Facts:
    facts = {"operation": "operate", "kind": "none", "grade": "none", "channel": "operator"}
    return payment(**(facts | {"approvals": 1} | changes))


ACTS = [
    ({"operator_role": "care-desk", "act": "trace-payment"}, "allow", "operators"),
    ({"operator_role": "care-desk", "act": "fund-account"}, "deny", "operators"),
    ({"operator_role": "auditor", "act": "reverse-payment"}, "deny", "operators"),
    ({"operator_role": "nobody", "act": "trace-payment"}, "deny", "operators"),
    ({"operator_role": "", "act": ""}, "deny", "operators"),
    (
        {"operator_role": "operations", "act": "fund-account"},
        "step-up",
        "operators-two-people",
    ),
    (
        {"operator_role": "operations", "act": "fund-account", "approvals": 2},
        "allow",
        "operators-two-people",
    ),
    (
        {"operator_role": "care-desk", "act": "trace-payment", "account_status": "suspended"},
        "deny",
        "operators",
    ),
    (
        {"operator_role": "care-desk", "act": "trace-payment", "factors": ("possession",)},
        "step-up",
        "factors-operate",
    ),
]


@pytest.mark.threat("THR-INS-01")
@pytest.mark.parametrize(("changes", "outcome", "row"), ACTS)
def test_acts_of_operators(changes: dict[str, object], outcome: str, row: str) -> None:
    assert asked(act(**changes)) == (outcome, row)


def test_a_failed_dependency_closes_acts_that_lean_on_it() -> None:
    text = changed("operations: [login, pay, change-pin], tell", "operations: [pay, operate], tell")
    policy = compile_policy(read_policy(text))
    asked = {"operator_role": "auditor", "act": "trace-payment"}
    for degraded, row in (
        ((("module", 0),), "dependency-module"),
        ((("core", 0),), "operators"),
        ((("a-new-thing", 0),), "operators"),
    ):
        assert policy.decide(act(**asked, degraded=degraded)).row == row


def test_parameters() -> None:
    policy = demo()
    assert policy.session("app").idle_ms == 300_000
    assert policy.session("ussd").idle_ms < policy.session("app").idle_ms
    assert policy.policy.attempts.limit == 5
    assert policy.policy.attempts.activation_tries == 5
    assert policy.policy.quote_life_ms == 120_000
    assert policy.policy.handshake.preferred in policy.policy.handshake.suites
    assert policy.ceiling_minor(1) == 10_000_000
    assert policy.ceiling_minor(3) == FOREVER
    with pytest.raises(NotPermitted):
        policy.session("scheduled")
    with pytest.raises(NotPermitted):
        policy.ceiling_minor(9)


def test_the_minute_of_the_day_is_local() -> None:
    midnight = 1_767_225_600_000
    assert demo().minute_of_day(midnight) == 180
    assert demo().minute_of_day(midnight + 21 * HOUR_MS - 1) == 1439
    assert demo().minute_of_day(midnight + 21 * HOUR_MS) == 0


def test_kinds_are_those_of_the_protocol() -> None:
    assert {kind.value for kind in Kind} == {kind.value for kind in PaymentKind} | {"none"}


@pytest.mark.requirement("MFS-6.1-01")
def test_the_policy_gives_every_role_its_duties() -> None:
    operators = demo().policy.operators
    assert all(operators.roles.values())
    assert set(operators.two_people) <= {act for acts in operators.roles.values() for act in acts}
