"""Warnings are pure rules, and every language says everything."""

import pytest
from tests.unit.process.policy.ladders import DEVICES, VENDOR, with_ladders

from tallystick.application.education import CONTENT, Circumstances, to_acknowledge, warnings_of
from tallystick.application.education.card import most_at_once, protection, protection_card
from tallystick.application.education.content import TOPICS, read_content, same_versions
from tallystick.application.education.texts import LINES, check_lines, in_time
from tallystick.application.education.texts.words import Plain
from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import Broken, Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy import CompiledPolicy, Decision
from tallystick.process.policy.compile import compile_policy
from tallystick.process.policy.facts import MEASURED, Facts, Outcome
from tallystick.process.policy.language.lives import EducationRule
from tallystick.process.policy.language.reading import read_policy
from tallystick.protocol.channels import Language
from tallystick.protocol.education import Aspect
from tallystick.protocol.gsm7 import USSD_PLACES, places, to_gsm7
from tallystick.protocol.payments import PaymentKind

VALUES = ("5 h", "5 heures", "saa 5", "07:0", " 7 ", " 0.0", "fraud", "ulaghai")
"""What a bound of seven, or of five hours, looks like in some language."""

RULE = EducationRule(large_minor=1_000, acknowledge=("first-large-amount",))


def moment(kind: PaymentKind = PaymentKind.P2P, **changes) -> Circumstances:
    return Circumstances(**{"kind": kind, "amount_minor": 10, "payee_known": True, **changes})


@pytest.mark.requirement("MFS-7.3.6-03")
def test_each_warning_has_its_trigger() -> None:
    assert warnings_of(moment(), RULE) == ()
    assert warnings_of(moment(payee_known=False), RULE) == ("new-payee",)
    assert warnings_of(moment(payee_known=False, amount_minor=1_000), RULE) == (
        "new-payee", "first-large-amount",
    )  # fmt: skip
    assert warnings_of(moment(amount_minor=1_000), RULE) == ()
    for claim in ("screen-shared", "remote-tool", "urgency"):
        assert warnings_of(moment(seen=(claim, claim)), RULE) == (claim,)
    assert warnings_of(moment(seen=("new-payee", "made-up")), RULE) == ()
    assert warnings_of(moment(PaymentKind.REFUND, seen=("urgency",)), RULE) == ()


def test_only_what_the_policy_names_becomes_part_of_the_terms() -> None:
    assert to_acknowledge(("new-payee", "first-large-amount"), RULE) == ("first-large-amount",)


@pytest.mark.requirement("MFS-7.3.6-01")
@pytest.mark.requirement("MFS-7.3.6-04")
def test_every_language_has_every_topic_and_its_own_terms() -> None:
    assert set(CONTENT) == set(Language)
    for told in CONTENT.values():
        assert tuple(topic.name for topic in told.topics) == TOPICS
        assert len(told.never_contact) == 4
        assert len(told.complaints) == 3
    assert len({told.digest for told in CONTENT.values()}) == 3


def test_content_that_lacks_a_topic_or_differs_in_version_does_not_load() -> None:
    lacking = """version: 1
topics: {phishing: {title: t, text: t}}
never_contact: [a]
complaints: [b]
terms: {version: 1, text: t}
"""
    with pytest.raises(Broken):
        read_content(lacking)
    other = {**CONTENT, Language.FRENCH: replace(CONTENT[Language.FRENCH], terms_version=2)}
    with pytest.raises(Broken):
        same_versions(other)


@pytest.mark.requirement("MFS-7.3.6-04")
def test_a_card_follows_the_policy_in_every_language() -> None:
    now = compile_policy(read_policy(demo_policy()))
    tighter = demo_policy().replace("limit: 5    ", "limit: 3    ", 1)
    after = compile_policy(read_policy(tighter))
    for language in Language:
        before = protection_card(now, 1, "app", language)
        changed = protection_card(after, 1, "app", language)
        differing = [one for one in zip(before, changed, strict=True) if one[0] != one[1]]
        assert len(differing) == 1
        assert "5" in differing[0][0]
        assert "3" in differing[0][1]


def usual(policy: CompiledPolicy, **changes: object) -> Decision:
    """What the policy says to a small payment of somebody who dials."""
    facts = Facts(
        operation="pay",
        channel="ussd",
        tier=1,
        device_trust="none",
        account_status="active",
        kind="p2p",
        grade="pin-verified",
        factors=("possession", "knowledge"),
        currency="KES",
        amount_minor=1,
        payee_known=True,
    )
    return policy.decide(replace(facts, **changes))


@pytest.mark.requirement("MFS-7.3.6-04")
def test_what_the_card_says_is_what_the_policy_decides() -> None:
    policy = compile_policy(read_policy(demo_policy()))
    lines = protection(policy, 1, "ussd", Language.ENGLISH)
    assert lines[Aspect.LIMITS] == (
        "Your account keeps at most KES 100,000.00.",
        "One payment: at most KES 20,000.00.",
        "Within 24 h: at most KES 50,000.00.",
        "Within 24 h: at most 30 payments.",
        "Within 30 days: at most KES 1,500,000.00.",
        "One payment while we cannot check all that we usually do: at most KES 3,000.00.",
    )
    assert usual(policy, amount_minor=2_000_000).outcome is Outcome.ALLOW
    assert usual(policy, amount_minor=2_000_001).outcome is Outcome.DENY
    unseen = {"degraded": (("sim-signal", 0),)}
    assert usual(policy, amount_minor=300_000, **unseen).outcome is Outcome.ALLOW
    assert usual(policy, amount_minor=300_001, **unseen).outcome is Outcome.DENY
    waits = lines[Aspect.WAITS]
    assert "A payment within 3 days after your SIM changed is refused." in waits
    assert usual(policy, sim_age_ms=3 * DAY_MS - 1).outcome is Outcome.DENY
    assert usual(policy, sim_age_ms=3 * DAY_MS).outcome is Outcome.ALLOW
    assert "A payment to somebody new, above KES 5,000.00 takes more than your PIN." in waits
    stranger = {"payee_known": False}
    assert usual(policy, amount_minor=500_000, **stranger).outcome is Outcome.ALLOW
    assert usual(policy, amount_minor=500_001, **stranger).outcome is Outcome.STEP_UP


def test_what_is_refused_before_it_is_shown_is_refused_on_every_step_of_an_incentive() -> None:
    policy = CompiledPolicy(read_policy(with_ladders(VENDOR)))
    most = most_at_once(policy, 1, "p2p")
    assert most == 500_000
    for step, allowed in ((0, 100_000), (1, most)):
        steps = {"steps": (("gateway", step),)}
        assert usual(policy, amount_minor=allowed, **steps).outcome is Outcome.ALLOW
        assert usual(policy, amount_minor=allowed + 1, **steps).outcome is Outcome.DENY
    assert most_at_once(policy, 1, "merchant") == 2_000_000


def test_a_card_tells_the_step_of_today_and_what_comes_next() -> None:
    policy = CompiledPolicy(read_policy(with_ladders(VENDOR)))

    def told(language: Language, step: int) -> tuple[str, ...]:
        return protection(policy, 1, "ussd", language, (("gateway", step),))[Aspect.LIMITS]

    first, last = told(Language.ENGLISH, 0), told(Language.ENGLISH, 1)
    assert "One payment (sending): at most KES 1,000.00." in first
    assert first[-1] == (
        "If all goes well, after 24 h or more: One payment (sending): at most KES 5,000.00."
    )
    assert "One payment (sending): at most KES 5,000.00." in last
    assert not any(line.startswith("If all goes well") for line in last)
    assert told(Language.FRENCH, 0)[-1] == (
        "Si tout va bien, après 24 heures ou plus: Un paiement (envoyer): au plus KES 5,000.00."
    )
    assert told(Language.SWAHILI, 0)[-1] == (
        "Mambo yakienda vizuri, baada ya saa 24 au zaidi:"
        " Malipo moja (kutuma): si zaidi ya KES 5,000.00."
    )
    for language in Language:
        assert all(places(to_gsm7(line)) <= USSD_PLACES for line in told(language, 0))


def test_a_ladder_of_devices_is_told_to_whose_payments_it_bounds() -> None:
    policy = CompiledPolicy(read_policy(with_ladders(DEVICES)))

    def told(step: int) -> tuple[str, ...]:
        steps = (("software-phones", step), ("agents", 0))
        return protection(policy, 1, "app", Language.ENGLISH, steps)[Aspect.LIMITS]

    unproven = "from a phone that proves no safe place of its keys: at most KES"
    assert f"One payment (sending) {unproven} 1,000.00." in told(0)
    assert told(0)[-1].startswith("If all goes well, after 24 h or more: One payment")
    assert f"{unproven} 1,000.00." not in " ".join(told(1))
    assert not any(line.startswith("If all goes well") for line in told(1))


def test_a_kind_that_the_policy_bounds_otherwise_has_its_own_lines() -> None:
    text = demo_policy().replace(
        "  - id: unknown-payee\n",
        "  - id: shops\n    when: {kind: merchant}\n    per_payment: 100_000\n"
        "    windows: [{window: PT24H, amount: 400_000}]\n"
        "    because: shops are robbed\n  - id: unknown-payee\n",
        1,
    )
    lines = protection(compile_policy(read_policy(text)), 1, "ussd", Language.ENGLISH)
    assert "One payment (sending, withdrawing): at most KES 20,000.00." in lines[Aspect.LIMITS]
    assert "One payment (paying a merchant): at most KES 1,000.00." in lines[Aspect.LIMITS]
    closed = demo_policy().replace(
        "  - id: dialled\n",
        "  - id: no-shops\n    when: {operation: pay, kind: merchant, channel: ussd}\n"
        "    outcome: deny\n    because: shops take the app\n  - id: dialled\n",
        1,
    )
    lines = protection(compile_policy(read_policy(closed)), 1, "ussd", Language.ENGLISH)
    assert "Not possible this way: paying a merchant." in lines[Aspect.LIMITS]
    assert "One payment: at most KES 20,000.00." in lines[Aspect.LIMITS]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("channel", ["app", "ussd"])
def test_no_line_names_a_row_or_says_its_reason(language: Language, channel: str) -> None:
    policy = compile_policy(read_policy(demo_policy()))
    rows = [*policy.policy.decisions, *policy.policy.limits]
    for tier in policy.policy.tiers:
        for line in protection_card(policy, tier, channel, language):
            assert not any(f"{row.id}:" in line or row.because in line for row in rows), line
            assert "{" not in line
            if channel == "ussd":
                assert places(to_gsm7(line)) <= USSD_PLACES


def test_every_field_that_a_row_may_bound_has_words() -> None:
    text = demo_policy()
    for name in MEASURED:
        value = "07:00" if name == "time_of_day" else "PT5H" if name.endswith("age") else 7
        shown = f'"{value}"' if name == "time_of_day" else value
        for word in ("at_least", "at_most"):
            row = (
                "  - id: bounded\n    when: {operation: pay, channel: [app, ussd],"
                f" {name}: {{{word}: {shown}}}}}\n    outcome: step-up\n    grade: sim-signed\n"
                "    because: tried\n"
            )
            changed = read_policy(text.replace("decisions:\n", f"decisions:\n{row}", 1))
            for language in Language:
                known = protection(CompiledPolicy(read_policy(text)), 1, "ussd", language)
                told = protection(CompiledPolicy(changed), 1, "ussd", language)
                said = set(told[Aspect.WAITS]) - set(known[Aspect.WAITS])
                assert len(said) == 1, (name, word, language)
                line = said.pop()
                assert any(value in line for value in VALUES), line


def test_a_table_that_lacks_a_line_or_a_field_does_not_load() -> None:
    french = LINES[Language.FRENCH]
    for wrong in (
        {one: said for one, said in french.items() if one is not Plain.HELD},
        {**french, Plain.HELD: "Un paiement{when} attend."},
    ):
        with pytest.raises(Broken):
            check_lines(wrong)
    with pytest.raises(Malformed):
        check_lines({**french, Plain.TOLD: "être"})


def test_a_duration_is_told_in_the_largest_unit_that_says_it_exactly() -> None:
    says = LINES[Language.ENGLISH]
    told = [in_time(ms, says) for ms in (0, 1, 60_000, 3_600_000, 7_200_000, DAY_MS, 2 * DAY_MS)]
    assert told == ["1 min", "1 min", "1 min", "60 min", "2 h", "24 h", "2 days"]
