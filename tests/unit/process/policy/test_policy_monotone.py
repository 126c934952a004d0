"""More security is never permitted less, unless a row says why."""

import pytest
from tests.unit.process.policy.policy_texts import DEMO, changed, demo_text

from tallystick.kernel.errors import Malformed
from tallystick.process.policy import compile_policy, read_policy


def defects(text: str) -> list[str]:
    try:
        compile_policy(read_policy(text))
    except Malformed as error:
        return [line for line in error.detail.splitlines() if "monotone" in line]
    return []


def with_row(row: str) -> str:
    """The demonstration policy with one more row before those that allow."""
    return changed("  # App and web: a person signs.\n", f"  - {row}\n")


@pytest.mark.parametrize("name", ["demo", "replay"])
def test_the_shipped_policies_are_monotone(name: str) -> None:
    assert not defects(DEMO.with_name(f"{name}.yaml").read_text(encoding="utf-8"))


FRAME = "operation: pay, kind: p2p, channel: app"


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("device_trust: attested-hardware",
         "device_trust attested-hardware is permitted less than software"),
        ("device_trust: software, grade: device-signed",
         "device_trust software is permitted less than unknown"),
        ("grade: device-signed-attested",
         "grade device-signed-attested is permitted less than device-signed"),
        ("amount_minor: {below: 5_000}", "amount_minor 1 is permitted less than 5000"),
        ("device_age: {at_least: P30D}", "device_age_ms 2592000000 is permitted less than"),
        ("account_age: {at_least: P30D}", "account_age_ms 2592000000 is permitted less than"),
        ("sim_age: {at_least: P30D}", "sim_age_ms 2592000000 is permitted less than"),
        ("session_age: {below: PT1M}", "session_age_ms 0 is permitted less than 60000"),
        ("recent_failures: {below: 2}", "recent_failures 0 is permitted less than 2"),
        ("risk_score: {below: 100}", "risk_score 0 is permitted less than 100"),
        ("payee_known: true", "payee_known true is permitted less than false"),
        ("tier: 2", "tier 2 is permitted less than 1"),
    ],
)  # fmt: skip
def test_a_row_against_the_order_is_refused_with_an_example(when: str, says: str) -> None:
    row = f"{{id: odd, when: {{{FRAME}, {when}}}, outcome: deny, because: odd}}"
    found = defects(with_row(row))
    assert any(says in line and "'odd' against 'person-" in line for line in found), found
    assert all("as with" in line for line in found)
    excused = row.replace("because: odd", "because: odd, non_monotone: we know")
    assert not defects(with_row(excused))


def test_a_row_that_stops_nobody_better_needs_no_excuse() -> None:
    row = (
        f"{{id: odd, when: {{{FRAME}, risk_score: {{at_least: 500}}}}, outcome: deny,"
        " because: odd, non_monotone: just in case}"
    )
    assert defects(with_row(row)) == [
        line for line in defects(with_row(row)) if "'odd' is monotone: take non_monotone" in line
    ]
    assert len(defects(with_row(row))) == 1


def test_a_smaller_cap_for_more_security_is_refused() -> None:
    limit = "{id: extra, when: {kind: p2p, device_trust: attested-hardware}, per_payment: 1_000"
    capped = f"  - {limit}, windows: [], because: x}}\n\n# Ordered; the first"
    found = defects(changed("\n# Ordered; the first", capped))
    assert any("is capped lower than software: 'extra' against" in line for line in found), found


@pytest.mark.parametrize(
    ("amount", "length", "breaks"),
    [
        (9_999_999, "PT24H", True),
        (9_999_999, "PT25H", True),
        (9_999_999, "PT23H", True),
        (10_000_000, "PT24H", False),
    ],
)
def test_a_window_that_lets_less_pass_is_a_smaller_cap(
    amount: int, length: str, breaks: bool
) -> None:
    limit = (
        f"  - {{id: extra, when: {{kind: p2p, device_trust: attested-hardware}},"
        f" per_payment: 25_000_000, windows: [{{window: {length}, amount: {amount}}}], because: x}}"
    )
    found = defects(changed("\n# Ordered; the first", f"{limit}\n\n# Ordered; the first"))
    steps = "device_trust attested-hardware is capped lower than software: 'extra'"
    assert any(steps in line for line in found) is breaks, found


def test_grades_of_other_doors_are_not_compared() -> None:
    """A dialled PIN is not a weaker signature: each door has its own ladder."""
    assert "channel: ussd, grade: [sim-signed, pin-verified]" in demo_text()
    only = changed(
        "grade: [sim-signed, pin-verified], account_status: active}",
        "grade: pin-verified, account_status: active}",
    )
    assert any(
        "grade sim-signed is permitted less than pin-verified" in one for one in defects(only)
    )
