"""What officers let the service tighten by itself: how it is written, what it does, and when."""

import pytest
from tests.unit.process.policy.policy_texts import DIALLED, SIGNED, demo, demo_text, payment

from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.policy import FOREVER, compile_policy, read_policy, recompile
from tallystick.process.policy.explain import diff
from tallystick.process.policy.language.model import Policy, Tightening
from tallystick.process.policy.tightening import (
    Measure,
    Seen,
    effective,
    entry_of,
    proven_tighter,
    why_not_ease,
    why_not_tighten,
)

NOW = 1_800_000_000_000
HEAD, TAIL = demo_text().split("\ntightening:\n")[0], "\nregimes: [generic]\n"
ENTRY = (
    "{id: odd, on: probe, of: record.audit, dwell: PT0S, keep: PT1H, at_most_per_day: 1,"
    " then: {limit: unknown-payee, per_payment: 2_000_000}, because: x}"
)
ROW = "{id: odd-row, when: {operation: pay, kind: p2p}, outcome: deny, because: x}"


def with_entries(*entries: str) -> str:
    return f"{HEAD}\ntightening:\n" + "".join(f"  - {one}\n" for one in entries) + TAIL


def entry_with(old: str, new: str) -> str:
    assert ENTRY.count(old) == 1
    return with_entries(ENTRY.replace(old, new))


def defects(text: str) -> str:
    with pytest.raises(Malformed) as refused:
        compile_policy(read_policy(text))
    return refused.value.detail


def policy(*entries: str) -> Policy:
    return compile_policy(read_policy(with_entries(*entries))).policy


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("keep: PT1H", "keep: PT1M", "keep is at least 3600000 ms: a measure does not flap"),
        ("dwell: PT0S", "dwell: P8D", "dwell is at most 604800 s"),
        ("at_most_per_day: 1", "at_most_per_day: 25", "an integer from 1 to 24"),
        ("on: probe", "on: rumour", "on cannot be 'rumour'"),
        ("limit: unknown-payee", "limit: unknown-paye", "did you mean 'unknown-payee'"),
        ("per_payment: 2_000_000", "per_payment: 10_000_000", "is below the 10000000 of"),
        (", per_payment: 2_000_000", "", "nothing of the limit 'unknown-payee' is lowered"),
        ("per_payment: 2_000_000", "windows: [{window: PT24H, amount: 14_000_000}]",
         "a window of 86400 s does not tighten"),
        ("on: probe, of: record.audit", "on: attested-share, of: x, below_permille: 5",
         "leave out of"),
        ("on: probe, of: record.audit", "on: attested-share, above_permille: 5",
         "above_permille does not go with attested-share"),
        ("on: probe, of: record.audit", "on: dependency, of: weather", "of cannot be 'weather'"),
        ("limit: unknown-payee", "row: " + ROW + ", limit: unknown-payee",
         "either a lower limit or a row"),
        ("limit: unknown-payee, per_payment: 2_000_000", "row: " + ROW.replace("deny", "allow"),
         "it never allows"),
        ("limit: unknown-payee, per_payment: 2_000_000",
         "row: {id: odd-row, when: {operation: pay}, outcome: delay, delay: PT1H, because: x}",
         "the tightening odd loosens: 'default' says deny, 'odd-row' says delay 3600 s"),
        ("because: x", "after: nobody, because: x", "after names an earlier entry"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_with_its_place(old: str, new: str, says: str) -> None:
    found = defects(entry_with(old, new))
    assert says in found
    assert found.startswith("line ")


def test_the_narrower_entry_comes_first_and_the_wider_one_waits() -> None:
    narrow = ENTRY.replace("limit: unknown-payee, per_payment: 2_000_000", "row: " + ROW)
    wide = narrow.replace("id: odd,", "id: wide,").replace(
        "{id: odd-row, when: {operation: pay, kind: p2p}", "{id: wide-row, when: {operation: pay}"
    )
    assert "add after: odd" in defects(with_entries(narrow, wide))
    assert "put it before that" in defects(with_entries(wide, narrow))
    found = policy(narrow, wide.replace("on: probe", "after: odd, on: probe"))
    assert found.tightening[1].after == "odd"


def test_only_two_people_may_lift() -> None:
    text = demo_text().replace("two_people: [activate-policy, shadow-policy, lift-tightening,",
                               "two_people: [activate-policy, shadow-policy,")  # fmt: skip
    assert "so that two people agree on it" in defects(text)


def test_a_lower_limit_refuses_names_the_entry_and_keeps_its_count() -> None:
    base = demo()
    now = recompile(effective(base.policy, ["attestation-low"]))
    facts = payment(amount_minor=1_500_000, **SIGNED)
    assert base.decide(facts).outcome == "allow"
    refused = now.decide(facts)
    assert (refused.outcome, refused.row) == ("deny", "software-device")
    assert "tightened by attestation-low" in refused.because
    smaller = payment(amount_minor=900_000, **SIGNED)
    before, after = base.decide(smaller).limits, now.decide(smaller).limits
    assert [one.id for one in before] == [one.id for one in after]
    assert next(one for one in after if one.id == "software-device/86400").max_amount == 3_000_000
    untouched = payment(amount_minor=1_500_000, **DIALLED)
    assert base.decide(untouched) == now.decide(untouched)


def test_a_row_stands_before_the_others_and_those_that_deny_first() -> None:
    when = "when: {operation: pay, kind: p2p, channel: app, grade: device-signed,"
    step = (
        f"{{id: step-row, {when} account_status: active, device_age: {{at_least: P1D}},"
        " recent_failures: {below: 3}, risk_score: {below: 600}}, outcome: step-up,"
        " grade: device-signed-attested, because: prove it}"
    )
    then = "limit: unknown-payee, per_payment: 2_000_000"
    base = policy(
        ENTRY.replace("id: odd", "id: ask").replace(then, f"row: {step}"),
        ENTRY.replace("id: odd", "id: stop")
        .replace("record.audit", "x")
        .replace(then, f"row: {ROW}"),
    )
    facts = payment(**SIGNED)
    asked = recompile(effective(base, ["ask"])).decide(facts)
    assert (asked.outcome, asked.row) == ("step-up", "step-row")
    stopped = recompile(effective(base, ["ask", "stop"])).decide(facts)
    assert (stopped.outcome, stopped.row) == ("deny", "odd-row")
    assert stopped.because == "x (tightened by stop)"


def test_whatever_is_looser_is_refused_with_an_example() -> None:
    base = demo().policy
    raised = [replace(one, per_payment_minor=one.per_payment_minor + 1) for one in base.limits]
    rows = list(base.decisions)
    cases = {
        "lets more pass in one payment": replace(base, limits=(raised[0], *base.limits[1:])),
        "is gone": replace(base, limits=base.limits[1:]),
        "lets more pass within": replace(
            base, limits=(replace(base.limits[0], windows=()), *base.limits[1:])
        ),
        "'account-erased' says deny": replace(base, decisions=tuple(rows[1:])),
        "says step-up device-signed-attested": replace(
            base, decisions=tuple(one for one in rows if one.outcome != "step-up")
        ),
        "says delay 86400 s": replace(
            base,
            decisions=tuple(
                replace(one, delay_ms=1000) if one.id == "new-device-large" else one for one in rows
            ),
        ),
        "attempts is another": replace(base, attempts=replace(base.attempts, limit=4)),
        "factors is another": replace(base, factors={}),
        "operators is another": replace(base, operators=replace(base.operators, two_people=())),
        "dependencies is another": replace(base, dependencies={}),
    }
    for says, now in cases.items():
        with pytest.raises(NotPermitted) as refused:
            proven_tighter(base, now)
        assert says in refused.value.because, (says, refused.value.because)
    proven_tighter(base, base)


def entry(name: str) -> Tightening:
    found = entry_of(demo().policy, name)
    assert found is not None
    return found


def measure(name: str = "unwitnessed", **changes: object) -> Measure:
    begun = {
        "id": "tgt_1", "version": 1, "entry": name, "since": NOW - HOUR_MS, "until": 0,
        "ended": "", "blocked_until": 0, "evidence": "seen", "file": "", "event": 1,
        "end_event": -1,
    }  # fmt: skip
    return Measure(**(begun | changes))  # type: ignore[arg-type]


def fails(since: int) -> Seen:
    return Seen(failing=True, since=since, evidence="seen")


def test_it_begins_after_its_dwell_at_most_so_often_and_not_while_lifted() -> None:
    found, rules = demo().policy, entry("unwitnessed")
    long = fails(NOW - 6 * HOUR_MS)
    assert why_not_tighten(found, rules, long, (), NOW) == ""
    assert why_not_tighten(found, rules, fails(NOW - 6 * HOUR_MS + 1), (), NOW)
    assert why_not_tighten(found, rules, Seen(failing=False, since=0, evidence="x"), (), NOW)
    assert why_not_tighten(found, rules, long, (measure(),), NOW) == "it is in force already"
    over = [measure(since=NOW - DAY_MS + 1 + n, until=NOW - 1) for n in range(4)]
    assert "4 times" in why_not_tighten(found, rules, long, over, NOW)
    assert why_not_tighten(found, rules, long, over, NOW + 1) == ""
    assert "4 times" in why_not_tighten(
        found, rules, long, [replace(one, version=0) for one in over], NOW
    )
    lifted = measure(until=NOW - 1, ended="lifted", blocked_until=NOW + 5)
    assert "lifted it until 2027" in why_not_tighten(found, rules, long, (lifted,), NOW)
    assert why_not_tighten(found, rules, long, (lifted,), NOW + 5) == ""
    assert why_not_tighten(found, rules, long, (replace(lifted, version=0),), NOW) == ""
    for_good = replace(lifted, blocked_until=FOREVER)
    assert "the next version" in why_not_tighten(found, rules, long, (for_good,), NOW)


def test_the_wider_one_waits_until_the_narrower_one_was_in_force_for_its_dwell() -> None:
    found = demo().policy
    waiting = replace(entry("unwitnessed"), after="record-in-doubt")
    first = measure("record-in-doubt", since=NOW - 6 * HOUR_MS)
    long = fails(NOW - 9 * HOUR_MS)
    assert why_not_tighten(found, waiting, long, (), NOW) == "it waits for record-in-doubt"
    assert why_not_tighten(found, waiting, long, (first,), NOW) == ""
    assert why_not_tighten(found, waiting, long, (first,), NOW - 1)
    ended = replace(first, until=NOW - 1)
    assert why_not_tighten(found, waiting, long, (ended,), NOW)


def test_it_stays_until_the_signal_was_well_for_its_time() -> None:
    rules = entry("unwitnessed")
    well = Seen(failing=False, since=NOW, evidence="x")
    assert why_not_ease(rules, fails(NOW), measure(), NOW + DAY_MS) == "the signal still fails"
    assert why_not_ease(rules, well, measure(), NOW + HOUR_MS - 1)
    assert why_not_ease(rules, well, measure(), NOW + HOUR_MS) == ""
    early = Seen(failing=False, since=0, evidence="x")
    assert why_not_ease(rules, early, measure(since=NOW), NOW + HOUR_MS - 1)


def test_a_new_entry_is_told_among_the_changes() -> None:
    said = diff(policy(ENTRY), policy(ENTRY.replace("keep: PT1H", "keep: PT2H")))
    assert said == ("tightening odd keep: 60 min -> 2 h",)
