"""A policy is derived from controls, profile and regimes; what comes out is proven and signed."""

from functools import cache
from importlib.resources import files
from itertools import pairwise

import pytest

pytest.importorskip("highspy")

from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.process.derivation.amounts import caps_for_appetite, multiples, rounded
from tallystick.process.derivation.basis import (
    Header,
    asking,
    basis_of,
    channels_of,
    controls_in,
    following,
    regimes_of,
)
from tallystick.process.derivation.derive import EMITTER, Basis, Derived, derive
from tallystick.process.derivation.rules import PROFILES, load_rules, read_rules
from tallystick.process.policy import CompiledPolicy, compile_policy, read_policy
from tallystick.process.policy.facts import FOREVER, Channel
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.analysis import Analysis, Options, analyse
from tallystick.process.risk.model import Pack
from tallystick.process.risk.packs import pack_for

NAMES = ("mobile-money-operator", "wallet-start-up", "bank-app", "merchant-acquirer")
LARGE, SMALL = NAMES[0], NAMES[1]
HEADER = Header(
    provider="demo-wallet",
    version=2,
    effective_at=1_767_225_600_000,
    utc_offset="+03:00",
    approval="demo",
)


@cache
def programme(name: str) -> Programme:
    folder = files("tallystick.process.programme") / "profiles"
    return read_programme((folder / f"{name}.yaml").read_text(encoding="utf-8"))


@cache
def analysed(name: str) -> tuple[Pack, Analysis]:
    pack = pack_for(programme(name).uses)
    return pack, analyse(programme(name), pack, options=Options(years=100))


@cache
def basis(name: str) -> Basis:
    return basis_of(load_rules(), programme(name), *analysed(name), HEADER)


@cache
def derived(name: str) -> Derived:
    return derive(load_rules(), basis(name))


def compiled(found: Derived) -> CompiledPolicy:
    return compile_policy(read_policy(found.text))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.requirement("MFS-7.4.1-09", "MFS-7.3.6-03", "MFS-7.3.2-12")
def test_no_section_of_the_shipped_policy_is_lost(name: str) -> None:
    """What is derived replaces the policy of the set-up, and is not laxer by silence."""
    policy = compiled(derived(name)).policy
    shipped = read_policy(demo_policy())
    assert policy.attempts.backoff_ms >= shipped.attempts.backoff_ms > 0
    assert 0 < policy.attempts.blocks <= shipped.attempts.blocks
    for operation, rule in shipped.factors.items():
        assert 0 < policy.factors[operation].fresh_ms <= rule.fresh_ms or not rule.fresh_ms
    recovery, usual = policy.recovery, shipped.recovery
    assert recovery.codes == usual.codes == "recovery"
    assert recovery.cooling_ms >= usual.cooling_ms
    assert recovery.after_ms >= usual.after_ms
    assert recovery.per_payment_minor <= recovery.day_minor < FOREVER
    assert recovery.day_count <= usual.day_count
    assert policy.education.large_minor <= programme(name).offer.largest_payment.minor
    assert policy.tightening


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.requirement("MFS-7.3.2-01")
def test_where_no_policy_is_in_force_the_usual_codes_count(name: str) -> None:
    found = compiled(derived(name)).policy.authenticators
    usual = read_policy(demo_policy()).authenticators
    offered = set(basis(name).channels)
    assert found.keys() == usual.keys()
    for kind, rule in usual.items():
        assert replace(found[kind], at=rule.at, channels=rule.channels) == rule
        assert set(found[kind].channels) == set(rule.channels) & offered
        assert found[kind].channels


def followed(text: str) -> CompiledPolicy:
    """What is derived while the policy in `text` is in force."""
    header = following(read_policy(text), HEADER.effective_at)
    return compiled(
        derive(load_rules(), basis_of(load_rules(), programme(LARGE), *analysed(LARGE), header))
    )


@pytest.mark.requirement("MFS-7.3.2-01", "MFS-7.3.6-03", "MFS-6.2.1-01")
def test_what_the_provider_decided_in_the_policy_in_force_is_carried_on() -> None:
    """Codes that customers hold keep counting; terms, warnings, hours and caps stay as strict."""
    before = demo_policy().replace("  ocra:", "  # ocra:")
    before = before.replace(
        "channels: [app, web], because: an event", "channels: [web, app], because: an event"
    )
    before = before.replace("per_day: 20}", "per_day: 20, enrolment: bounded}")
    before = before.replace(
        "\neducation:\n", "\neducation:\n  terms: 3\n  acknowledge: [urgency]\n"
    )
    before += """
tightening_caps:
  per_action: {customers_bp: 500, value_bp: 700}
  per_day: {customers_bp: 900, value_bp: 1100}
"""
    was, now = read_policy(before), followed(before).policy
    assert was.authenticators.keys() == now.authenticators.keys() == {"hotp", "totp"}
    for kind, rule in was.authenticators.items():
        left = tuple(one for one in rule.channels if one in basis(LARGE).channels)
        assert replace(now.authenticators[kind], at=rule.at) == replace(rule, channels=left)
    assert (now.education.terms, now.education.acknowledge) == (3, ("urgency",))
    assert now.recovery.agents.enrolment
    assert now.tightening_caps == was.tightening_caps is not None


@pytest.mark.requirement("MFS-7.3.2-01")
def test_codes_that_officers_took_out_do_not_come_back() -> None:
    text = demo_policy()
    lines = [
        one
        for one in text.splitlines()
        if not one.startswith(("authenticators:", "  hotp:", "  totp:", "  ocra:"))
    ]
    now = followed("\n".join(lines)).policy
    assert now.authenticators == {}
    assert now.education.terms == 0
    assert now.tightening_caps is None
    assert not now.recovery.agents.enrolment


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.requirement("MFS-6.1-01")
def test_what_may_be_tightened_halves_a_limit_that_is_there(name: str) -> None:
    policy = compiled(derived(name)).policy
    limits = {one.id: one for one in policy.limits}
    for entry in policy.tightening:
        assert entry.lowered is not None
        limit = limits[entry.lowered.limit]
        assert entry.lowered.per_payment_minor == limit.per_payment_minor // 2
    offered = {channel for channel in ("app", "ussd") if channel in basis(name).channels}
    named = {one.id for one in policy.tightening}
    assert "record-in-doubt" in named
    assert ("unwitnessed" in named) == ("ussd" in offered and "dialled-cap" in limits)
    assert ("attestation-low" in named) == ("software-device" in limits)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.requirement("MFS-6.1-01")
def test_what_is_derived_is_proven_like_any_other_policy(name: str) -> None:
    policy = compiled(derived(name)).policy
    assert policy.header.version == 2
    assert policy.header.currency == programme(name).offer.currency
    rows = (*policy.limits, *policy.decisions, *policy.incentives, *policy.tightening)
    assert {row.id for row in rows} == {one.row for one in derived(name).reasons}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_basis_gives_the_same_bytes(name: str) -> None:
    assert derive(load_rules(), basis(name)).text == derived(name).text


@pytest.mark.requirement("MFS-6.1-01")
def test_every_row_of_a_control_says_which_risk_and_requirement_it_answers() -> None:
    pack, analysis = analysed(LARGE)
    chosen = {one.control for one in analysis.selection.chosen}
    rows = {row.id: row.because for row in compiled(derived(LARGE)).policy.decisions}
    rows |= {row.id: row.because for row in compiled(derived(LARGE)).policy.limits}
    rows |= {row.id: row.because for row in compiled(derived(LARGE)).policy.tightening}
    answering = [one for one in derived(LARGE).reasons if one.controls]
    assert len(answering) >= 8
    for reason in answering:
        assert set(reason.controls) <= chosen
        assert reason.threats
        assert set(reason.threats) <= set(pack.rules)
        assert reason.threats[0] in rows[reason.row]
        assert reason.requirements[0] in rows[reason.row]


def test_a_row_goes_with_the_last_control_that_asks_for_it() -> None:
    whole = basis(LARGE)
    asking = {
        name
        for name, one in whole.controls.items()
        if f"{EMITTER}risk-score-deny" in one.enforced_by
    }
    assert asking
    without = {name: one for name, one in whole.controls.items() if name not in asking}
    less = derive(load_rules(), replace(whole, controls=without))
    before, after = ({one.row for one in found.reasons} for found in (derived(LARGE), less))
    assert before - after == {"fraud-suspected"}
    assert "fraud-suspected" not in less.text


@pytest.mark.requirement("MFS-7.3.2-10")
def test_a_regime_gets_its_pause_though_no_control_asks_for_it() -> None:
    whole = basis(LARGE)
    bare = derive(load_rules(), replace(whole, controls={}))
    reason = next(one for one in bare.reasons if one.row == "sim-just-changed")
    assert reason.controls == ()
    assert any("generic" in one for one in reason.articles)
    compiled(bare)


def test_a_regimes_cap_binds_and_its_article_is_named() -> None:
    low = replace(
        programme(LARGE),
        offer=replace(
            programme(LARGE).offer,
            average_payment=replace_minor(programme(LARGE), 50_000_000),
            largest_payment=replace_minor(programme(LARGE), 5_000_000_000),
        ),
    )
    found = derive(
        load_rules(), replace(basis(LARGE), programme=low, caps=uncapped(low, basis(LARGE)))
    )
    tier = next(one for one in found.reasons if one.row == "tier-1")
    assert any("CBK" in article for article in tier.articles)
    limit = next(one for one in compiled(found).policy.limits if one.id == "tier-1")
    assert limit.per_payment_minor == 25_000_000
    assert "CBK" in limit.because


def replace_minor(found: Programme, minor: int):
    return type(found.offer.average_payment)(minor, found.offer.currency)


def uncapped(found: Programme, whole: Basis):
    return caps_for_appetite(load_rules(), found, dict.fromkeys(whole.caps, 0))  # type: ignore[arg-type]


def test_a_stronger_profile_never_allows_more() -> None:
    rules, offer = load_rules(), programme(LARGE).offer
    columns = [multiples(rules, offer, profile) for profile in PROFILES]
    for weaker, stronger in pairwise(columns):
        assert all(stronger[name] <= weaker[name] for name in weaker)


@pytest.mark.parametrize(
    ("minor", "expected"),
    [(0, 1), (1, 1), (4, 2), (5, 5), (99, 50), (100, 100), (199, 100), (250_000, 200_000)],
)
def test_amounts_are_one_two_or_five_times_a_power_of_ten(minor: int, expected: int) -> None:
    assert rounded(minor) == expected


def test_more_attacks_or_less_appetite_never_raise_a_cap() -> None:
    rules, found = load_rules(), programme(LARGE)
    seen: list[int] = []
    for successes in (0, 1, 10, 100, 1000, 10**9):
        caps = caps_for_appetite(rules, found, {"dialled_cap": successes})  # type: ignore[dict-item]
        seen.append(caps["dialled_cap"].amount)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == found.offer.average_payment.minor
    assert seen[0] > seen[-1]


def test_a_channel_that_nobody_can_use_is_not_spoken_of() -> None:
    assert "ussd" in channels_of(programme(LARGE), frozenset())
    dialling = frozenset(name for name, one in programme(LARGE).devices.items() if one.os == "none")
    assert dialling
    assert "ussd" not in channels_of(programme(SMALL), frozenset())
    policy = compiled(derived(SMALL)).policy
    spoken = {
        word
        for row in policy.decisions
        for one in row.words
        if one.field == "channel"
        for word in one.words
    }
    assert spoken <= set(channels_of(programme(SMALL), frozenset())) <= {c.value for c in Channel}


def test_the_controls_behind_a_cap_are_those_that_ask_for_it() -> None:
    cap, chosen = load_rules().caps["dialled_cap"], basis(LARGE).controls
    assert "dialled-cap" in asking(chosen.values(), cap)
    without = [one for one in chosen.values() if EMITTER + cap.emitter not in one.enforced_by]
    assert asking(without, cap) == frozenset()


def test_regimes_come_from_the_jurisdictions() -> None:
    assert regimes_of(programme(LARGE)) == ("generic", "ke")
    assert "eu-psd2-rts" in regimes_of(programme("bank-app"))


def test_every_emitter_of_the_pack_has_a_rule_or_a_value() -> None:
    rules = load_rules()
    known = {word for row in (*rules.limits, *rules.decisions) for word in row.emitters}
    by_value = {
        "two-factors", "idle-timeout", "session-life", "quote-life", "attestation-age",
        "two-operators", "hybrid-suites", "dependency-closed", "tier-limits",
    }  # fmt: skip
    pack, _ = analysed(LARGE)
    asked = {
        word.removeprefix(EMITTER)
        for one in pack.controls.values()
        for word in one.enforced_by
        if word.startswith(EMITTER)
    }
    assert asked <= known | by_value
    assert not known & by_value


def test_controls_are_found_in_the_whole_tree() -> None:
    pack, _ = analysed(LARGE)
    assert any(len(set(controls_in(rule.tree))) > 3 for rule in pack.rules.values())


def test_rules_that_lack_a_profile_are_refused_with_their_place() -> None:
    text = (files("tallystick.process.derivation") / "rules.yaml").read_text(encoding="utf-8")
    broken = text.replace("idle: [PT5M, PT5M, PT3M, PT2M]", "idle: [PT5M, PT3M, PT2M]")
    with pytest.raises(Malformed) as caught:
        read_rules(broken)
    assert "idle has a value for each profile" in caught.value.detail
    assert "line" in caught.value.detail
