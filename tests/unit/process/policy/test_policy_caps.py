"""Cohorts and caps: how they are written, what they do to a policy, and how shares are added up."""

import pytest
from tests.unit.process.policy.policy_texts import SIGNED, demo_text, payment
from tests.unit.process.policy.test_policy_tightening import (
    ENTRY,
    NOW,
    defects,
    measure,
    policy,
    with_entries,
)

from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.policy import compile_policy, read_policy, recompile
from tallystick.process.policy.caps import narrowest, touched_by, why_beyond
from tallystick.process.policy.explain import diff
from tallystick.process.policy.language.model import Policy, Tightening
from tallystick.process.policy.proofs.tighter import looser
from tallystick.process.policy.tightening import (
    Measure,
    Seen,
    effective,
    why_not_tighten,
)
from tallystick.process.policy.touching import Paid, Payer, touched
from tallystick.protocol.measures import Touched, TouchedClass

CAPS = (
    "{per_action: {customers_bp: 1_000, value_bp: 2_000},"
    " per_day: {customers_bp: 1_500, value_bp: 3_000}}"
)
COHORT = "{id: novices, when: {tier: [0, 1]}}"
WIDE = ENTRY.replace("dwell: PT0S", f"dwell: PT1H, cohorts: [{COHORT}], caps: {CAPS}")
TOGETHER = f"\ntightening_caps: {CAPS}\n"


def together(*entries: str, caps: str = CAPS) -> str:
    head, tail = with_entries(*entries).split("\ntightening:\n")
    return f"{head}\ntightening_caps: {caps}\n\ntightening:\n{tail}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("customers_bp: 1_000", "customers_bp: 0", "customers_bp is an integer from 1 to 10000"),
        ("value_bp: 3_000", "value_bp: 10_001", "value_bp is an integer from 1 to 10000"),
        ("customers_bp: 1_500, ", "", "lacks 'customers_bp'"),
        ("customers_bp: 1_500", "customers_bp: 999", "per_day customers_bp is below the 1000"),
        ("value_bp: 3_000", "value_bp: 1_999", "per_day value_bp is below the 2000"),
        ("per_day:", "per_week:", "has no word 'per_week'"),
        ("value_bp: 2_000", "value_pb: 2_000", "did you mean 'value_bp'?"),
        ("id: novices", "id: No Vices", "cohorts id is a slug such as unproven"),
        ("tier: [0, 1]", "tier: [0, 9]", "tier is not compared with '9'"),
        ("tier: [0, 1]", "channel: app", "has no word 'channel'"),
        ("{tier: [0, 1]}", "{}", "a cohort names device_trust or tier"),
        (COHORT, f"{COHORT}, {COHORT}", "the cohort 'novices' stands twice"),
        (COHORT, "{id: novices, when: {tier: [0, 1]}, share: 5}", "has no word 'share'"),
        ("dwell: PT1H", "dwell: PT0S", "dwell is at least 60000 ms: a cohort comes before all"),
        ("limit: unknown-payee", "limit: tier-2", "has none of the payments that"),
        ("limit: unknown-payee, per_payment: 2_000_000", "limit: tier-0, per_payment: 200_000",
         "the cohort 'novices' is not narrower than the entry"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_with_its_place(old: str, new: str, says: str) -> None:
    assert WIDE.count(old) >= 1
    found = defects(with_entries(WIDE.replace(old, new, 1)))
    assert says in found
    assert found.startswith("line ")


def test_caps_of_all_bind_and_one_that_never_would_is_refused() -> None:
    assert compile_policy(read_policy(together(WIDE))).policy.tightening_caps is not None
    less = CAPS.replace("1_000", "900")
    found = defects(together(WIDE, caps=less))
    assert "per_action customers_bp is above the 900 of tightening_caps" in found
    alone = with_entries(ENTRY).split("\ntightening:\n")[0] + TOGETHER + "\nregimes: [generic]\n"
    assert "there is no tightening to be capped" in defects(alone)


def test_a_policy_without_caps_or_cohorts_is_what_it_was() -> None:
    found = compile_policy(read_policy(demo_text())).policy
    assert found.tightening_caps is None
    assert all(one.caps is None and one.cohorts == () for one in found.tightening)
    assert why_beyond(found, found.tightening[0], None, (), NOW) == ""


def test_a_limit_named_like_a_cohorts_own_is_refused() -> None:
    text = with_entries(WIDE).replace("id: mandate-cap", "id: odd-novices")
    assert "has the name of the cohort's own" in defects(text)


def test_a_limit_is_lowered_for_the_cohort_alone_and_stays_for_all() -> None:
    base = policy(WIDE)
    now = recompile(effective(base, ["odd/novices"]))
    large = {"amount_minor": 3_000_000, "payee_known": False}
    novice, old = payment(**large, tier=1), payment(**large, tier=2)
    assert recompile(base).decide(novice).outcome == "allow"
    refused = now.decide(novice)
    assert (refused.outcome, refused.row) == ("deny", "odd-novices")
    assert "tightened by odd for novices" in refused.because
    assert now.decide(old).outcome == "allow"
    assert looser(base, effective(base, ["odd/novices"])) == ""
    both, whole = effective(base, ["odd/novices", "odd"]), effective(base, ["odd"])
    assert both == whole, "for all, the cohort adds nothing"
    assert recompile(whole).decide(old).outcome == "deny"


def test_a_row_is_narrowed_to_the_cohort() -> None:
    row = "{row: {id: odd-row, when: {operation: pay, kind: p2p}, outcome: deny, because: x}}"
    base = policy(WIDE.replace("{limit: unknown-payee, per_payment: 2_000_000}", row))
    now = recompile(effective(base, ["odd/novices"]))
    assert now.decide(payment(**SIGNED, tier=1)).row == "odd-row"
    assert now.decide(payment(**SIGNED, tier=2)).outcome == "allow"


def capped() -> tuple[Policy, Tightening]:
    found = compile_policy(read_policy(together(WIDE))).policy
    return found, found.tightening[0]


def counts(customers: int, value: int, of: int = 200) -> Touched:
    return Touched(
        days=30, customers=customers, of_customers=of, value_minor=value, of_value_minor=1_000,
        classes=(),
    )  # fmt: skip


def begun(customers: int, value: int, since: int, entry: str = "odd") -> Measure:
    text = encode_canonical(counts(customers, value)).decode()
    return measure(entry, since=since, touched=text)


@pytest.mark.parametrize(
    ("customers", "value", "beyond"),
    [(20, 200, ""), (21, 200, "10.50 % of customers"), (20, 201, "20.10 % of value"), (0, 0, "")],
)
def test_the_cap_of_one_beginning_is_exact(customers: int, value: int, beyond: str) -> None:
    found, entry = capped()
    said = why_beyond(found, entry, counts(customers, value), (), NOW)
    assert (beyond in said) if beyond else said == ""


def test_shares_are_rounded_up_so_that_nothing_slips_below_a_cap() -> None:
    assert counts(1, 1, of=30_001).customers_bp == 1
    assert counts(0, 0, of=0).customers_bp == 0
    found, entry = capped()
    assert why_beyond(found, entry, counts(1_001, 0, of=10_009), (), NOW)


def test_what_began_within_the_day_counts_and_what_is_older_does_not() -> None:
    found, entry = capped()
    now = counts(10, 100)
    early = begun(21, 0, NOW - DAY_MS)
    recent = begun(21, 0, NOW - DAY_MS + 1)
    other = begun(21, 0, NOW - 1, entry="another")
    assert why_beyond(found, entry, now, (early,), NOW) == ""
    assert "within 24 hours" in why_beyond(found, entry, now, (recent,), NOW)
    assert "of all tightenings" in why_beyond(found, entry, now, (other,), NOW)
    only_own = replace(found, tightening_caps=None)
    assert why_beyond(only_own, entry, now, (other,), NOW) == ""


def test_what_nobody_counted_or_too_few_is_beyond() -> None:
    found, entry = capped()
    assert why_beyond(found, entry, None, (), NOW) == "nobody counted whom it touches"
    assert "only 99 customers" in why_beyond(found, entry, counts(0, 0, of=99), (), NOW)
    assert why_beyond(found, entry, counts(0, 0, of=100), (), NOW) == ""
    assert touched_by(measure()) is None


def test_a_cohort_begins_and_all_follow_after_the_dwell_as_one_beginning() -> None:
    found, entry = capped()
    seen = Seen(failing=True, since=NOW - 2 * HOUR_MS, evidence="x", cohorts=("novices",))
    first = measure("odd", cohort="novices", since=NOW - HOUR_MS + 1)
    assert why_not_tighten(found, entry, seen, (), NOW) == ""
    said = why_not_tighten(found, entry, seen, (first,), NOW)
    assert said.startswith("it is in force for a cohort")
    later = replace(first, since=NOW - HOUR_MS)
    assert why_not_tighten(found, entry, seen, (later,), NOW) == ""
    wide = measure("odd", since=NOW)
    assert "in force already" in why_not_tighten(found, entry, seen, (later, wide), NOW)
    over = [replace(one, until=NOW + 1, ended="eased") for one in (later, wide)]
    assert "1 times" in why_not_tighten(found, entry, seen, over, NOW + 2)
    twice = replace(entry, at_most_per_day=2)
    assert why_not_tighten(found, twice, seen, over, NOW + 2) == "", "both are one beginning"


def test_of_the_cohorts_that_fail_the_one_that_touches_the_fewest_comes_first() -> None:
    entry = policy(
        WIDE.replace(COHORT, f"{COHORT}, {{id: unproven, when: {{device_trust: unknown}}}}")
    ).tightening[0]
    preview = {"novices": counts(7, 1), "unproven": counts(3, 9), "": counts(10, 10)}

    class Counted:
        touched = preview

    both = ("novices", "unproven")
    assert narrowest(entry, both, Counted()) == "unproven"  # type: ignore[arg-type]
    assert narrowest(entry, ("novices",), Counted()) == "novices"  # type: ignore[arg-type]
    assert narrowest(entry, (), Counted()) == ""  # type: ignore[arg-type]


def test_a_customer_counts_once_and_windows_are_followed_payment_by_payment() -> None:
    entry = ENTRY.replace(
        "per_payment: 2_000_000", "windows: [{window: PT24H, amount: 5_000_000, count: 2}]"
    )
    base = policy(entry)
    was, now = recompile(base), recompile(effective(base, ["odd"]))

    def paid(*amounts: int, apart: int = HOUR_MS, **facts: object) -> tuple[Paid, ...]:
        return tuple(
            Paid(
                at=NOW + number * apart,
                facts=payment(**SIGNED | {"payee_known": False, "amount_minor": one} | facts),
            )
            for number, one in enumerate(amounts)
        )

    people = (
        Payer(device="unknown", paid=paid(2_000_000, 2_000_000, 2_000_000)),
        Payer(device="unknown", paid=paid(2_000_000, 2_000_000, 2_000_000, apart=DAY_MS)),
        Payer(device="software", paid=paid(1, 1, 1, 1)),
        Payer(device="software", paid=paid(4_000_000, 4_000_000, payee_known=True)),
        Payer(device="none", paid=()),
    )
    found = touched(was, now, people, 30)
    assert (found.customers, found.of_customers) == (2, 5)
    assert found.value_minor == 2_000_000 + 2
    assert found.of_value_minor == 6_000_000 * 2 + 4 + 8_000_000
    assert found.classes == (
        TouchedClass(device="none", customers=0, of_customers=1),
        TouchedClass(device="software", customers=1, of_customers=2),
        TouchedClass(device="unknown", customers=1, of_customers=2),
    )


def test_caps_and_cohorts_are_told_among_the_changes() -> None:
    plain, text = with_entries(ENTRY.replace("dwell: PT0S", "dwell: PT1H")), together(WIDE)
    said = diff(read_policy(plain), read_policy(text))
    assert said == (
        "all tightenings caps: new, 10.00 % of customers, 20.00 % of value",
        "all tightenings caps a day: new, 15.00 % of customers, 30.00 % of value",
        "tightening odd caps: new, 10.00 % of customers, 20.00 % of value",
        "tightening odd caps a day: new, 15.00 % of customers, 30.00 % of value",
        "tightening odd cohort novices when tier: new, 0 or 1",
    )
