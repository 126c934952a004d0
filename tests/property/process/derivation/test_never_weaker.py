"""A stronger policy is nowhere weaker than the derived one, whatever rose and is in force."""

from functools import cache

import pytest

pytest.importorskip("highspy")

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.process.derivation.test_derivation import NAMES, analysed, basis
from tests.unit.process.policy.policy_texts import demo

from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.process.derivation.derive import Basis, derive
from tallystick.process.derivation.rules import PROFILES, Rules, load_rules
from tallystick.process.derivation.stronger import answering, stronger
from tallystick.process.derivation.wholes import chosen_in
from tallystick.process.policy import Policy, compile_policy, read_policy
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.language.lives import ProofRule
from tallystick.process.yamltext.section import duration_ms

PROOFS = ("proof_calm", "proof_raised", "proof_high")
AGES = ("calm_ms", "raised_ms", "high_ms")


@st.composite
def asked(draw: st.DrawFn) -> ProofRule:
    """What a policy in force may ask: three ages in order, and a time at less."""
    high = draw(st.integers(1, 5 * 60)) * 1000
    raised = draw(st.integers(high // 1000, HOUR_MS // 1000)) * 1000
    calm = draw(st.integers(raised // 1000, DAY_MS // 1000)) * 1000
    lowered = draw(st.sampled_from((0, MINUTE_MS, HOUR_MS, 3 * DAY_MS)))
    return draw(
        st.sampled_from(
            (
                ProofRule(),
                ProofRule(calm_ms=calm, raised_ms=raised, high_ms=high, lowered_ms=lowered),
            )
        )
    )


@cache
def rules() -> Rules:
    return load_rules()


def in_force(name: str, profile: str, proofs: ProofRule) -> Basis:
    """What is derived of `name` while a policy is in force that asks for `proofs`."""
    chosen = chosen_in(demo().policy)
    chosen = replace(chosen, devices=replace(chosen.devices, proofs=proofs))
    return replace(basis(name), profile=profile, chosen=chosen)


def made(of: Rules, at: Basis) -> Policy:
    return read_policy(derive(of, at).text)


def drawn_threats(data: st.DataObject, name: str) -> list[str]:
    return data.draw(st.lists(st.sampled_from(sorted(analysed(name)[0].rules)), max_size=4))


@cache
def answered(name: str) -> list[str]:
    """The threats that fresh evidence of a device answers."""
    pack = analysed(name)[0]
    return [one for one in sorted(pack.rules) if set(PROOFS) <= answering(rules(), pack, [one])]


@pytest.mark.requirement("MFS-6.1-06", "MFS-7.3.5-02")
@given(
    name=st.sampled_from(NAMES), profile=st.sampled_from(PROFILES), proofs=asked(), data=st.data()
)
@settings(max_examples=25, deadline=None)
def test_no_value_is_weaker_than_what_was_derived_or_is_in_force(
    name: str, profile: str, proofs: ProofRule, data: st.DataObject
) -> None:
    threats = drawn_threats(data, name)
    left = data.draw(st.frozensets(st.sampled_from(sorted(basis(name).controls))))
    at = in_force(name, profile, proofs)
    before = made(rules(), at)
    after = made(*stronger(rules(), analysed(name)[0], at, left, threats))

    ages = [getattr(after.devices.proofs, one) for one in AGES]
    assert ages == sorted(ages, reverse=True)
    assert all(ages)
    for age in (*AGES, "lowered_ms"):
        found = getattr(after.devices.proofs, age)
        assert found <= getattr(before.devices.proofs, age)
        if proofs.calm_ms:
            assert found <= getattr(proofs, age), "no older than what officers signed"
    limits = {one.id: one for one in after.limits}
    assert limits.keys() == {one.id for one in before.limits}
    for one in before.limits:
        assert limits[one.id].per_payment_minor <= one.per_payment_minor
        for was, now in zip(one.windows, limits[one.id].windows, strict=True):
            assert (now.max_amount, now.max_count) <= (was.max_amount, was.max_count)
    for channel, session in before.sessions.items():
        assert after.sessions[channel].idle_ms <= session.idle_ms
        assert after.sessions[channel].absolute_ms <= session.absolute_ms
    for dependency, rule in before.dependencies.items():
        assert (after.dependencies[dependency].stale_for_ms or 0) <= (rule.stale_for_ms or 0)
    assert after.attempts.limit <= before.attempts.limit
    assert after.attempts.block_ms >= before.attempts.block_ms
    assert after.quote_life_ms <= before.quote_life_ms
    assert after.education.large_minor <= before.education.large_minor < FOREVER
    assert {one.id for one in after.decisions} >= {one.id for one in before.decisions}


@given(
    name=st.sampled_from(NAMES), profile=st.sampled_from(PROFILES), proofs=asked(), data=st.data()
)
@settings(max_examples=25, deadline=None)
def test_where_fresh_evidence_answers_every_age_becomes_shorter(
    name: str, profile: str, proofs: ProofRule, data: st.DataObject
) -> None:
    """Shorter than derived, so that the answer is one: by the next profile, or by half."""
    pack = analysed(name)[0]
    threats = [data.draw(st.sampled_from(answered(name))), *drawn_threats(data, name)]
    assert set(PROOFS) <= answering(rules(), pack, threats)
    at = in_force(name, profile, proofs)
    column = PROFILES.index(profile)
    changed = stronger(rules(), pack, at, frozenset(at.controls), threats)[0]
    for value in (*PROOFS, "proof_lowered"):
        was, now = (duration_ms(each.values[value][column]) or 0 for each in (rules(), changed))
        assert now < was, value
        others = [i for i in range(len(PROFILES)) if i != column]
        assert [changed.values[value][i] for i in others] == [
            rules().values[value][i] for i in others
        ]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_lost_attestation_leads_to_holds_and_asks_for_fresher_proofs(name: str) -> None:
    pack = analysed(name)[0]
    threats = [one for one, rule in pack.rules.items() if "attestation" in str(rule.tree)][:3]
    assert threats
    assert set(PROOFS) <= answering(rules(), pack, threats)
    at = basis(name)
    left = frozenset(at.controls) - {"attestation"}
    text = derive(*stronger(rules(), pack, at, left, threats)).text
    found = compile_policy(read_policy(text)).policy.devices.proofs
    usual = made(rules(), at).devices.proofs
    assert found.calm_ms < usual.calm_ms
    assert found.high_ms < usual.high_ms
