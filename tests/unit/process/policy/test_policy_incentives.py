"""Ladders: how they are read, what the proofs refuse and with which facts, when subjects move."""

import pytest
from tests.unit.process.policy.ladders import (
    DEVICES,
    LADDER,
    VENDOR,
    ladder_with,
    with_ladders,
)
from tests.unit.process.policy.policy_texts import AGENT, demo_text, payment

from tallystick.kernel.errors import LimitExceeded, Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy import CompiledPolicy, Denied, compile_policy, decide, read_policy
from tallystick.process.policy.changes import changes
from tallystick.process.policy.explain import diff, explain, explain_steps
from tallystick.process.policy.incentives import (
    FALLEN,
    RISEN,
    Counted,
    Standing,
    beginning,
    drops_by,
    falls_by,
    lifts_next,
    why_not_rise,
)
from tallystick.process.policy.language.model import Commission, Ladder
from tallystick.process.policy.proofs.ladders import lower_commission
from tallystick.process.policy.tightening import proven_tighter

NOW = 1_767_225_600_000
STEPS = {"agents": 1}


def compiled(text: str) -> CompiledPolicy:
    return compile_policy(read_policy(text))


def agents() -> Ladder:
    return compiled(with_ladders()).policy.incentives[0]


def standing(**changes: object) -> Standing:
    return replace(beginning(agents(), "cus_a", NOW), **changes)


def counted(**measures: int) -> Counted:
    named = {name.replace("_", "-"): value for name, value in measures.items()}
    return Counted(begun=NOW, measures=named)


def cash_in(amount: int, step: int | None = None, **more: object) -> object:
    steps = () if step is None else (("agents", step),)
    return payment(**{**AGENT, "amount_minor": amount, "steps": steps, **more})


@pytest.mark.requirement("MFS-6.1-02")
def test_a_step_caps_pays_and_refuses_with_its_reason() -> None:
    policy = compiled(with_ladders())
    low = policy.decide(cash_in(1_000_000))
    assert (low.outcome, low.commission_minor) == ("allow", 2_000)
    assert (low.limits[-1].id, low.limits[-1].max_amount) == ("agents/86400", 5_000_000)
    refused = decide(policy, cash_in(1_000_001), subject="ord_1")
    assert isinstance(refused, Denied)
    assert isinstance(refused.error(), LimitExceeded)
    assert refused.decision.reason == "agents: step 0: a new agent"
    high = policy.decide(cash_in(1_000_001, 1))
    assert (high.outcome, high.commission_minor) == ("allow", 3_100)
    assert high.limits[-1].id == "agents/86400"
    assert high.limits[-1].max_amount == 50_000_000


def test_what_no_incentive_touches_is_decided_as_before() -> None:
    with_, without = compiled(with_ladders()), compiled(demo_text())
    facts = payment(amount_minor=5_000_000)
    assert with_.decide(facts) == without.decide(facts)
    assert explain_steps(with_, facts) == ()


def test_the_agent_of_a_cash_out_is_the_payee() -> None:
    policy = compiled(with_ladders())
    out = payment(kind="cash-out", amount_minor=10_000)
    rule = policy.decide(out).limits[-1]
    assert (rule.id, rule.on_payee) == ("agents/86400", True)
    assert not policy.decide(cash_in(10_000)).limits[-1].on_payee


def test_classes_of_devices_and_vendors_cap_too_and_the_lowest_binds() -> None:
    policy = compiled(with_ladders(DEVICES, VENDOR))
    soft = {"grade": "device-signed", "device_trust": "software"}
    assert policy.decide(payment(**soft, amount_minor=150_000)).row == "software-phones"
    risen = policy.decide(payment(**soft, amount_minor=150_000, steps=(("software-phones", 1),)))
    assert risen.outcome == "allow"
    assert risen.commission_minor == 0
    assert policy.decide(payment(amount_minor=150_000)).outcome == "allow"
    dialled = payment(
        channel="ussd", grade="pin-verified", device_trust="none", amount_minor=150_000,
        factors=("possession", "knowledge"),
    )  # fmt: skip
    assert policy.decide(dialled).row == "gateway"
    assert policy.decide(replace(dialled, steps=(("gateway", 1),))).outcome == "allow"


def test_a_step_beyond_a_ladder_that_became_shorter_is_its_highest() -> None:
    policy = compiled(with_ladders())
    assert policy.decide(cash_in(9_000_000, 7)).outcome == "allow"
    assert policy.decide(cash_in(9_000_001, 7)).row == "agents"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("per_payment: 5_000_000", "per_payment: 900_000", "900000 in one payment, not 1000000"),
        ("amount: 50_000_000", "amount: 4_000_000", "4000000 within 86400 s, not 5000000"),
        ("window: PT24H, amount: 50_000_000", "window: PT1H, amount: 50_000_000",
         "one lacks that of 3600 s"),
        ("basis_points: 30, cap: 5_000", "basis_points: 30, cap: 1_999",
         "a commission of 1999 on 1000000, not 2000"),
        ("flat: 100, basis_points: 30", "flat: 99, basis_points: 30", "99 on 1, not 100"),
        ("        commission: {flat: 100, basis_points: 30, cap: 5_000}\n", "",
         "a commission of 0 on 1, not 100"),
        ("per_payment: 9_000_000", "per_payment: 60_000_000", "'tier-3' refuses it"),
        ("amount: 90_000_000", "amount: 6_000_000_000", "limits of the policy hold every payment"),
        ("at_least: 1, drops: 1", "at_least: 0, drops: 1", "'given-back' always stands"),
        ("on: reversed-payments, at_least: 1", "on: reversed-permille, at_least: 20",
         "is earned with reversed-permille at 20"),
    ],
)  # fmt: skip
def test_what_the_proofs_refuse_and_with_what(old: str, new: str, says: str) -> None:
    with pytest.raises(Malformed, match=r"line \d+") as refused:
        compiled(ladder_with(old, new))
    assert says in refused.value.detail


def test_an_agent_never_stands_on_two_ladders_in_one_payment() -> None:
    twice = LADDER.replace("incentives:\n", "").replace("id: agents", "id: others")
    with pytest.raises(Malformed, match="both of the same payment and subject") as refused:
        compiled(with_ladders(twice))
    assert "kind cash-in" in refused.value.detail
    apart = twice.replace("[cash-in, cash-out]", "[cash-out]")
    only_in = LADDER.replace("[cash-in, cash-out]", "[cash-in]")
    assert len(compiled(with_ladders(apart, ladder=only_in)).policy.incentives) == 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kind: [cash-in, cash-out]", "kind: [cash-in, p2p]", "where an agent acts"),
        ("kind: [cash-in, cash-out], ", "", "where an agent acts"),
        ("subject: agent", "subject: agent\n    of: software", "leave out of"),
        ("        because: a new agent", "        dwell: P1D\n        because: a new agent",
         "all begin on the first step"),
        ("{settled-payments: {at_least: 4}, distinct-customers: {at_least: 3}}", "{}",
         "time alone earns nothing"),
        ("settled-payments: {at_least: 4}", "copies: {at_least: 4}", "copies"),
        ("settled-payments: {at_least: 4}", "settled-payments: {at_least: 4, at_most: 9}",
         "one of at_least and at_most"),
        ("flat: 200, basis_points: 30", "basis_points: 30_000", "from 1 to 1000"),
        ("id: agents", "id: tier-3", "stands twice"),
        ("dwell: P7D", "dwell: PT1H", "dwell"),
    ],
)  # fmt: skip
def test_what_the_language_refuses(old: str, new: str, says: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_policy(ladder_with(old, new))
    assert says in refused.value.detail


def test_other_subjects_are_named_and_get_no_commission() -> None:
    paid = DEVICES.replace("        windows: []\n        because: keys",
                           "        windows: []\n        commission: {flat: 1, cap: 1}\n"
                           "        because: keys")  # fmt: skip
    with pytest.raises(Malformed, match="to agents only"):
        read_policy(with_ladders(paid))
    with pytest.raises(Malformed, match="not for vendors"):
        read_policy(with_ladders(VENDOR.replace("    within", "    least: 5\n    within")))


def test_setting_a_step_takes_two_people_in_every_policy() -> None:
    alone = demo_text().split("two_people: ")
    text = alone[0] + "two_people: " + alone[1].replace("set-incentive, ", "", 1)
    with pytest.raises(Malformed, match="set-incentive loosens"):
        read_policy(text)


def test_commissions_are_compared_on_amounts_and_not_by_their_parts() -> None:
    steep = Commission(flat_minor=0, basis_points=100, cap_minor=300)
    broad = Commission(flat_minor=300, basis_points=1, cap_minor=400)
    assert lower_commission(steep, broad, 10**9) == 0
    assert lower_commission(broad, steep, 10**9) == 1
    assert lower_commission(None, steep, 10**9) == 0
    assert lower_commission(steep, None, 10**9) == 100
    late = Commission(flat_minor=0, basis_points=1, cap_minor=10)
    assert lower_commission(late, None, 9_999) == 0


@pytest.mark.requirement("MFS-6.1-02")
def test_a_subject_rises_by_one_step_with_all_evidence_after_its_time() -> None:
    good = counted(settled_payments=9, distinct_customers=4, reversed_payments=0)
    assert why_not_rise(agents(), standing(), good, NOW + DAY_MS) == ""
    early = why_not_rise(agents(), standing(), good, NOW + DAY_MS - 1)
    assert early == "it stays here for another 1 h"
    few = counted(settled_payments=9, distinct_customers=2)
    says = why_not_rise(agents(), standing(), few, NOW + DAY_MS)
    assert says == "distinct-customers is 2, at least 3 counts"
    unknown = why_not_rise(agents(), standing(step=1), good, NOW + 30 * DAY_MS)
    assert unknown == "reversed-permille is not known, at most 20 counts"
    top = why_not_rise(agents(), standing(step=2), good, NOW + 30 * DAY_MS)
    assert top == "it is on the highest step"
    assert lifts_next(agents(), standing(step=2)) == ""
    assert lifts_next(agents(), standing()).startswith("settled-payments at least 4")


def test_nobody_rises_while_a_finding_stands() -> None:
    bad = counted(settled_payments=9, distinct_customers=4, reversed_payments=1)
    says = why_not_rise(agents(), standing(), bad, NOW + DAY_MS)
    assert says == "given-back stands: one was given back"
    assert "reversed-payments at least 1: 1 down" in drops_by(agents())


def test_a_subject_falls_by_the_deepest_finding_and_never_below_the_first_step() -> None:
    both = counted(reversed_payments=1, training_days=0)
    found = falls_by(agents(), standing(step=2, how=RISEN), both)
    assert found is not None
    assert (found.id, found.drops) == ("untrained", 2)
    assert falls_by(agents(), standing(step=0), both) is None
    assert falls_by(agents(), standing(step=2), counted(reversed_payments=0)) is None


def test_a_lasting_finding_lets_a_subject_fall_once_and_a_counted_one_each_time() -> None:
    untrained = counted(training_days=0)
    fallen = standing(step=1, how=FALLEN, finding="untrained")
    assert falls_by(agents(), fallen, untrained) is None
    again = falls_by(agents(), replace(fallen, finding="given-back"), counted(reversed_payments=1))
    assert again is not None


def test_changes_are_told_and_nothing_tightens_an_incentive() -> None:
    old = read_policy(with_ladders())
    new = read_policy(ladder_with("cap: 5_000", "cap: 6_000"))
    (line,) = diff(old, new)
    assert line.startswith("incentive agents step 1: KES 50,000.00 a payment")
    assert "at most KES 60.00" in line
    assert changes(old, new) == ()
    with pytest.raises(Exception, match="incentives is another"):
        proven_tighter(old, new)


def test_what_is_explained_of_a_step() -> None:
    policy = compiled(with_ladders())
    (low,) = explain_steps(policy, cash_in(2_000_000))
    assert (low.row, low.matched) == ("agents", False)
    assert low.says == (
        "step 0: a new agent; KES 10,000.00 a payment, KES 50,000.00 within 24 h,"
        " commission KES 1.00 and 0.20 %, at most KES 20.00"
    )
    assert explain(policy, cash_in(2_000_000))[-1].row == "agents"
    (high,) = explain_steps(policy, cash_in(2_000_000, 1))
    assert high.matched
