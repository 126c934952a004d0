"""What a class of devices may pay: found by asking the policy, and checked amount by amount."""

import random

import pytest
from tests.unit.process.policy.policy_texts import demo

from tallystick.process.policy import compile_policy, read_policy
from tallystick.process.policy.facts import FOREVER, Outcome
from tallystick.process.policy.reach import KINDS, People, _facts, narrowed, reach_of

TEXT = demo().policy
TRUSTS = ("attested-hardware", "software", "unknown", "none")


def compiled(change=lambda text: text):
    from tallystick.entry.setup import demo_policy  # noqa: PLC0415 - the text, not the policy

    return compile_policy(read_policy(change(demo_policy())))


@pytest.mark.requirement("MFS-8.1.1-01")
@pytest.mark.parametrize("trust", TRUSTS)
@pytest.mark.parametrize("tier", [0, 1, 2, 3])
def test_the_most_passes_and_one_unit_more_does_not(trust: str, tier: int) -> None:
    policy = compiled()
    drawn = random.Random(f"{trust} {tier}")
    for one in reach_of(policy, trust, tier):
        assert one.most_minor < FOREVER
        below = [drawn.randint(1, one.most_minor) for _ in range(200)] if one.most_minor else []
        for amount in (*below, *([one.most_minor] if one.most_minor else [])):
            decision = policy.decide(_facts(policy, trust, tier, one.kind, amount))
            assert decision.outcome in (Outcome.ALLOW, Outcome.DELAY)
            assert all(amount <= rule.max_amount for rule in decision.limits)
        over = policy.decide(_facts(policy, trust, tier, one.kind, one.most_minor + 1))
        full = [rule.id for rule in over.limits if one.most_minor + 1 > rule.max_amount]
        refused = over.outcome not in (Outcome.ALLOW, Outcome.DELAY)
        assert (refused and over.row == one.by) or one.by in full


def test_keys_in_software_have_less_and_the_clause_is_named() -> None:
    policy = compiled()
    hard, soft = (reach_of(policy, trust, 2)[0] for trust in ("attested-hardware", "software"))
    assert soft.most_minor < hard.most_minor
    assert soft.by == "software-device"
    assert soft.because


@pytest.mark.requirement("MFS-6.1-01")
def test_a_proposed_policy_says_whom_it_gives_less_and_nobody_else() -> None:
    was = compiled()
    people = [
        People(trust="software", tier=2, devices=7, customers=5),
        People(trust="attested-hardware", tier=2, devices=11, customers=9),
    ]
    assert narrowed(was, was, people) == ()
    cap = next(one for one in TEXT.limits if one.id == "software-device").per_payment_minor
    lower = f"per_payment: {cap // 2}"

    def halved(text: str) -> str:
        head, found, tail = text.partition("  - id: software-device\n")
        line = next(one for one in tail.splitlines() if "per_payment" in one)
        return head + found + tail.replace(line, f"    {lower}", 1)

    found = narrowed(was, compiled(halved), people)
    assert {one.people.trust for one in found} == {"software"}
    assert {one.now.kind for one in found} == set(KINDS)
    assert {one.now.most_minor for one in found} == {cap // 2}
    assert {one.now.by for one in found} == {"software-device"}
    shut = narrowed(was, compiled(lambda text: text.replace(
        "  - id: person-signed\n",
        "  - id: no-software\n    when: {operation: pay, kind: [p2p, merchant, cash-out],"
        " channel: [app, web], device_trust: [software, unknown], account_status: active}\n"
        "    outcome: deny\n    because: keys in software pay nothing\n  - id: person-signed\n", 1,
    )), people)  # fmt: skip
    assert {(one.now.most_minor, one.now.by) for one in shut} == {(0, "no-software")}


@pytest.mark.requirement("MFS-7.3.2-01")
def test_who_shows_one_category_only_loses_by_a_policy_that_counts_what_is_shown() -> None:
    said = compiled()
    shown = compiled(lambda text: text.replace("  proofs: {", "  factors: as-shown\n  proofs: {"))
    assert shown.policy.devices.factors == "as-shown"

    def software(many: int, *factors: str) -> People:
        return People(trust="software", tier=2, devices=many, customers=many, factors=factors)

    alone, person = software(7, "possession"), software(2, "possession", "inherence")
    pin, nobody_looked = software(3, "possession", "knowledge"), software(9)
    dials = People(trust="none", tier=2, devices=0, customers=4, factors=("possession",))
    people = [alone, person, pin, nobody_looked, dials]
    found = narrowed(said, shown, people)
    assert {one.people for one in found} == {alone}
    assert {one.now.kind for one in found} == set(KINDS)
    assert {(one.now.most_minor, one.now.outcome) for one in found} == {(0, "step-up")}
    assert narrowed(shown, said, people) == ()
    assert reach_of(said, "software", 2, ("possession",)) == reach_of(said, "software", 2)
