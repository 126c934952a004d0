"""Oddities of a programme, the gate before the start, and operators out of an organisation."""

import pytest
from tests.unit.process.policy.policy_texts import demo, demo_text
from tests.unit.process.programme.programmes import LARGE, NOW, SMALL, changed, programme

from tallystick.kernel.model import replace
from tallystick.process.catalogue import catalogue
from tallystick.process.policy import compile_policy, read_policy
from tallystick.process.programme.checks import check_programme
from tallystick.process.programme.gate import minimum_set, start_gate
from tallystick.process.programme.model import Decision, DecisionKind
from tallystick.process.programme.organisation import (
    ACTS,
    check_organisation,
    operators_text,
    staffing,
)
from tallystick.process.programme.reading import open_questions, read_programme
from tallystick.process.programme.templates import PROFILES, profile_text
from tallystick.process.programme.words import Duty
from tallystick.process.yamltext.quantities import day_ms


def sorts(text: str, now: int = NOW) -> list[str]:
    return [one.sort for one in check_programme(read_programme(text), now)]


@pytest.mark.parametrize("name", PROFILES)
def test_a_shipped_programme_has_no_oddity(name: str) -> None:
    assert not check_programme(programme(name), NOW)
    assert not check_organisation(programme(name))


@pytest.mark.parametrize(
    ("sort", "old", "new"),
    [
        ("unused-asset", "carries: [operator-act, rules]", "carries: [rules]"),
        ("unused-device", "runs_on: [android, iphone]", "runs_on: [android]"),
        ("unused-environment", "secure_env: enclave", "secure_env: keystore"),
        ("empty-zone", "  vault: {trust: 90}\n", "  vault: {trust: 90}\n  moon: {trust: 1}\n"),
        (
            "lonely-node",
            "  console: {kind",
            "  spare: {kind: console, zone: hosted}\n  console: {kind",
        ),
        ("flow-without-asset", "carries: [pin], end_to_end", "carries: [], end_to_end"),
        (
            "unprotected-end-to-end",
            "protocol: tls1.3+sealed}, carries: [pin]",
            "protocol: none}, carries: [pin]",
        ),
        ("app-without-device", "zone: handset, runs_on: [android, iphone]", "zone: handset"),
        (
            "device-under-node",
            "console: {kind: console, zone: hosted}",
            "console: {kind: console, zone: hosted, runs_on: [android]}",
        ),
        (
            "service-without-flow",
            "services: [remote-payment, e-money]",
            "services: [proximate-payment]",
        ),
        (
            "flow-without-service",
            "pay: {from: app, to: platform, channel: {bearer: internet",
            "pay: {from: app, to: platform, channel: {bearer: nfc",
        ),
        (
            "idle-party",
            "  cloud: {role",
            "  idler: {role: supervisor, contract: x-1}\n  cloud: {role",
        ),
        ("party-without-contract", "role: vendor, contract: kyc-1,", "role: vendor,"),
        (
            "party-without-proof",
            ", isms: {standard: iso27001, valid_to: 2027-11-30}}",
            "}",
        ),
        ("kept-for-ever", "personal: true, retention: P1825D", "personal: true"),
        ("no-regime", "regimes: [eu-psd2-rts, gdpr, aml-eu]", "regimes: []"),
        ("duty-of-nobody", "duties: [privacy, training, audit]", "duties: [privacy, training]"),
    ],
)
def test_an_oddity_is_found(sort: str, old: str, new: str) -> None:
    assert sort in sorts(changed(old, new))


@pytest.mark.requirement("MFS-6.2.1-05")
def test_a_proof_counts_to_its_day_and_no_longer() -> None:
    ends = day_ms("2027-12-31")
    proven = [one for one in check_programme(programme(), ends - 1) if "start-up" in one.says]
    ended = [one for one in check_programme(programme(), ends) if "start-up" in one.says]
    assert not proven
    assert [one.sort for one in ended] == ["expired-proof"]


def test_a_certificate_counts_to_its_day() -> None:
    ends = day_ms("2029-01-01")
    assert "expired-certificate" not in sorts(profile_text(SMALL), ends - 1)
    assert "expired-certificate" in sorts(profile_text(SMALL), ends)


def everything(name: str = SMALL) -> dict[str, tuple[str, ...]]:
    """A control for each requirement of the minimum set."""
    return {f"control-of-{one.id}": (one.id,) for one in minimum_set(programme(name))}


def decided(**changes: object) -> Decision:
    fields: dict[str, object] = {
        "id": "late-notices",
        "kind": DecisionKind.EXCEPTION,
        "subject": "MFS-7.3.3-08",
        "who": "operations",
        "approved_by": "chief-security",
        "why": "notices follow in spring",
        "since": NOW - 1,
        "until": NOW + 1,
    }
    return Decision(**{**fields, **changes})


@pytest.mark.requirement("MFS-7.3.1-01")
def test_the_gate_opens_only_when_the_minimum_set_is_met() -> None:
    chosen = everything()
    assert start_gate(programme(), (), chosen, NOW).opens
    for control, served in chosen.items():
        fewer = {name: ids for name, ids in chosen.items() if name != control}
        gate = start_gate(programme(), (), fewer, NOW)
        strict = catalogue().requirement(served[0]).modality.value == "shall"
        assert gate.opens is not strict
        assert [gap.subject for gap in (*gate.missing, *gate.advised)] == list(served)


@pytest.mark.requirement("MFS-7.3.1-01")
@pytest.mark.parametrize(
    ("changes", "opens", "says"),
    [
        ({}, True, ""),
        ({"kind": DecisionKind.NOT_APPLICABLE}, True, ""),
        ({"until": NOW}, False, "has ended"),
        ({"since": NOW + 1, "until": NOW + 9}, False, "does not hold yet"),
        ({"approved_by": "operations"}, False, "approved by whoever asked"),
        ({"kind": DecisionKind.APPROVAL}, False, "no control in force"),
        ({"subject": "MFS-7.3.3-09"}, False, "no control in force"),
    ],
)
def test_only_a_dated_exception_of_two_people_excuses(changes, opens: bool, says: str) -> None:
    chosen = {name: ids for name, ids in everything().items() if "MFS-7.3.3-08" not in ids}
    offered = {"notice-by-sms": ("MFS-7.3.3-08",)}
    gate = start_gate(programme(), (decided(**changes),), chosen, NOW, offered=offered)
    assert gate.opens is opens
    if opens:
        assert gate.excused == {"MFS-7.3.3-08": "late-notices"}
    else:
        assert says in gate.missing[0].says
        assert "take notice-by-sms into the set" in gate.missing[0].remedy


def test_the_minimum_set_follows_what_is_offered() -> None:
    small = {one.id for one in minimum_set(programme(SMALL))}
    large = {one.id for one in minimum_set(programme(LARGE))}
    assert "MFS-7.4.1-08" in large
    assert "MFS-7.4.1-08" not in small
    assert not any(one.startswith("MFS-7.4.3-") for one in small | large)
    old = (
        "bearer: internet, protocol: tls1.3+signed}, carries: [app-code], end_to_end: false,"
        " reads: [st"
    )
    over_the_air = read_programme(changed(old, old.replace("internet", "ota")))
    assert "MFS-7.4.3-03" in {one.id for one in minimum_set(over_the_air)}
    assert all(one.startswith(("MFS-7.3.", "MFS-7.4.")) for one in small)


def test_an_open_question_keeps_the_gate_shut() -> None:
    text = changed("currency: EUR\n", "currency: EUR  # todo: which one\n")
    gate = start_gate(read_programme(text), (), everything(), NOW, questions=open_questions(text))
    assert [one.says for one in gate.missing] == ["a question was left open: which one"]


def test_a_programme_that_values_nothing_does_not_start() -> None:
    empty = {name: replace(flow, carries=()) for name, flow in programme().flows.items()}
    gate = start_gate(replace(programme(), flows=empty), (), everything(), NOW)
    assert [one.subject for one in gate.missing] == ["assets"]


@pytest.mark.requirement("MFS-6.2.1-01")
def test_the_operators_of_the_demonstration_come_out_of_its_organisation() -> None:
    rules = staffing(programme(LARGE)).rules
    own = demo().policy.operators
    assert {role: set(acts) for role, acts in rules.roles.items()} == {
        role: set(acts) for role, acts in own.roles.items() if role != "partner"
    }
    assert set(rules.two_people) == set(own.two_people)


def test_the_generated_section_is_read_by_the_policy() -> None:
    text = demo_text()
    head = text[: text.index("\noperators:\n") + 1]
    rules = staffing(programme(LARGE)).rules
    compiled = compile_policy(read_policy(head + operators_text(rules)))
    assert compiled.policy.operators == rules


def test_every_duty_has_its_acts_and_posts_have_tiers() -> None:
    assert set(ACTS) == set(Duty)
    tiers = staffing(programme(LARGE)).tiers
    assert tiers["security-officer"] == 1
    assert tiers["care-desk"] == 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "duties: [policy-approval,",
            "duties: [fund-account, policy-approval,",
            "policy-approval and fund-account",
        ),
        ("duties: [privacy, training, audit]", "duties: [audit, close-day]", "audit and close-day"),
        ("counsel: {reports_to: board", "counsel: {reports_to: operations", "whose work it audits"),
    ],
)
def test_duties_that_do_not_go_together_are_found(old: str, new: str, says: str) -> None:
    found = check_organisation(read_programme(changed(old, new)))
    assert any(says in one.says for one in found)
