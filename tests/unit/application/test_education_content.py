"""Warnings are pure rules, and every language says everything."""

import pytest

from tallystick.application.education import CONTENT, Circumstances, to_acknowledge, warnings_of
from tallystick.application.education.card import protection_card
from tallystick.application.education.content import TOPICS, read_content, same_versions
from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import Broken
from tallystick.kernel.model import replace
from tallystick.process.policy.compile import compile_policy
from tallystick.process.policy.language.lives import EducationRule
from tallystick.process.policy.language.reading import read_policy
from tallystick.protocol.channels import Language
from tallystick.protocol.payments import PaymentKind

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
    dialled = protection_card(now, 1, "ussd", Language.ENGLISH)
    assert any("dialled-cap" in line for line in dialled)
