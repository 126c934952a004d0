"""Explanations and differences, in words."""

import pytest
from tests.unit.process.policy.policy_texts import SIGNED, changed, demo, demo_text, payment

from tallystick.process.policy import read_policy
from tallystick.process.policy.explain import Tried, diff, explain, in_words


def test_every_row_before_the_match_says_why_not() -> None:
    tried = explain(demo(), payment(**SIGNED, payee_known=False, amount_minor=2_000_001))
    assert [one.row for one in tried][-1] == "person-signed-large"
    assert [one.matched for one in tried] == [False] * (len(tried) - 1) + [True]
    says = {one.row: one.says for one in tried}
    assert says["account-erased"] == "account_status is active, not erased"
    assert says["sim-just-changed"] == "channel is app, not ussd"
    assert says["repeated-failures"] == "recent_failures is 0, not at least 3"
    assert says["new-device-large"] == "device_age_ms is 31536000000, not at most 86399999"
    assert says["person-signed-large"] == "a large amount to a new payee"


def test_what_decides_after_the_rows_follows_them() -> None:
    capped = explain(demo(), payment(amount_minor=7_000_001))
    assert [one.row for one in capped][-2:] == ["person-attested", "tier-1"]
    lacking = explain(demo(), payment(factors=()))
    assert [one.row for one in lacking][-2:] == ["person-attested", "factors-pay"]
    reduced = explain(demo(), payment(amount_minor=400_000, degraded=(("sim-signal", 0),)))
    assert [one.row for one in reduced][-2:] == ["person-attested", "dependency-sim-signal"]


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"grade": "word"}, "unknown-word"),
        ({"currency": "USD"}, "currency"),
        ({"amount_minor": 0}, "amount"),
        ({"degraded": (("core", 0),)}, "dependency-core"),
        ({"operation": "operate", "act": "close-day", "operator_role": "auditor"}, "operators"),
    ],
)
def test_what_decides_before_the_rows_stands_alone(changes: dict[str, object], row: str) -> None:
    facts = payment(**changes)
    because = demo().decide(facts).because
    assert explain(demo(), facts) == (Tried(row=row, matched=True, says=because),)


def test_the_default_is_the_last_resort() -> None:
    tried = explain(demo(), payment(account_status="none"))
    assert len(tried) == len(demo().policy.decisions) + 1
    assert (tried[-1].row, tried[-1].matched) == ("default", True)


CHANGES = [
    ("version: 1\n", "version: 2\n", ["header version: 1 -> 2"]),
    (
        "per_payment: 7_000_000",
        "per_payment: 6_000_000",
        ["limit tier-1 per payment: KES 70,000.00 -> KES 60,000.00"],
    ),
    (
        "{window: PT24H, amount: 5_000_000, count: 30}",
        "{window: PT24H, amount: 5_000_000}",
        ["limit dialled-cap within 24 h: KES 50,000.00, 30 payments -> KES 50,000.00"],
    ),
    (
        "{window: PT24H, count: 500}",
        "{window: P7D, count: 500}",
        [
            "limit two-people-cap within 24 h: removed, was 500 payments",
            "limit two-people-cap within 7 d: new, 500 payments",
        ],
    ),
    ("app: {idle: PT5M", "app: {idle: PT90S", ["sessions app idle: 5 min -> 90 s"]),
    (
        "1_000_000, because: little",
        "900_000, because: little",
        ["tiers 0 max_balance: KES 10,000.00 -> KES 9,000.00"],
    ),
    (
        "device_age: {below: PT1H}",
        "device_age: {below: PT2H}",
        ["row protected-after-new-device when device_age_ms: at most 3599999 -> at most 7199999"],
    ),
    (
        "    delay: PT1H\n    because: the payer can",
        "    delay: PT2H\n    because: the payer can",
        ["row odd-and-risky delay: 60 min -> 2 h"],
    ),
    (
        "channel: [app, web, ussd], account_status: active}",
        "channel: [app, web], account_status: active}",
        ["row protected when channel: app or web or ussd -> app or web"],
    ),
    (
        "grade: sim-signed\n    because: a PIN",
        "grade: device-signed\n    because: a PIN",
        ["row dialled-large outcome: step-up sim-signed -> step-up device-signed"],
    ),
    (
        "auditor: [trace-payment, audit-records]",
        "auditor: [trace-payment]",
        ["operators roles auditor: trace-payment, audit-records -> trace-payment"],
    ),
]


@pytest.mark.parametrize(("old", "new", "says"), CHANGES)
def test_a_change_is_told_in_words(old: str, new: str, says: list[str]) -> None:
    assert list(diff(read_policy(demo_text()), read_policy(changed(old, new)))) == says


def test_no_change_is_told_as_none() -> None:
    assert diff(demo().policy, read_policy("# another comment\n" + demo_text())) == ()


def test_a_new_row_and_another_order_are_told() -> None:
    row = demo_text()[demo_text().index("  - id: inquire") :].partition("\ndefault:")[0]
    inquire, _, rest = row.partition("  - id: protected-after")
    moved = demo_text().replace(inquire, "").replace("  - id: enrol\n", inquire + "  - id: enrol\n")
    assert rest
    assert diff(demo().policy, read_policy(moved)) == ("rows: another order, first at inquire",)
    renamed = demo_text().replace("- id: inquire\n", "- id: look\n")
    found = diff(demo().policy, read_policy(renamed))
    assert "row inquire: removed, was allow" in found
    assert "row look outcome: new, allow" in found


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 s"),
        (1000, "1 s"),
        (119_000, "119 s"),
        (120_000, "2 min"),
        (86_400_000, "24 h"),
        (90_000_000, "25 h"),
        (172_800_000, "2 d"),
    ],
)
def test_durations_in_words(milliseconds: int, words: str) -> None:
    assert in_words(milliseconds) == words
