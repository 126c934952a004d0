"""Every message in each language is one SMS that leads nowhere, under a registered name."""

import pytest
from tests.unit.application.notices.test_notices_rules import LINK, everything, mac

from tallystick.application.notices import SenderRule, Template, default_sender, render, sender_of
from tallystick.application.notices.rules import receipt_code
from tallystick.application.notices.texts import WORDS, check_words
from tallystick.application.notices.texts.words import Said
from tallystick.kernel.errors import Broken, Malformed, NotPermitted
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import SMS_PLACES, places

ENGLISH = WORDS[Language.ENGLISH]


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-SMS-02")
@pytest.mark.threat("THR-SMS-04")
@pytest.mark.parametrize("language", Language)
def test_every_message_is_one_sms_without_link_number_or_secret(language: Language) -> None:
    code = receipt_code(123_456_789, mac)
    for facts in everything("Wilhelmina Wintermute-Oldcastle", 10**12):
        text = render(facts, "Tally Money International Ltd", language)
        assert places(text) <= SMS_PLACES, text
        assert not LINK.search(text), text
        digits = "".join(one if one.isdigit() else " " for one in text.replace(code, ""))
        assert all(len(run) <= 4 for run in digits.split()), text


@pytest.mark.parametrize("language", Language)
def test_every_language_has_every_message_with_the_same_fields(language: Language) -> None:
    assert set(WORDS[language]) == set(Said)
    assert check_words(WORDS[language]) is WORDS[language]


@pytest.mark.parametrize(
    "leading",
    ["see https://x.example", "www.x", "pay at tally.example", "dial *384#", "call 0800123", "a@b"],
)
def test_words_that_lead_somewhere_do_not_load(leading: str) -> None:
    with pytest.raises(Broken):
        check_words({**ENGLISH, Said.PIN_BLOCKED: leading})


def test_words_that_lack_something_or_cannot_be_shown_do_not_load() -> None:
    with pytest.raises(Broken):
        check_words({said: text for said, text in ENGLISH.items() if said is not Said.SENT})
    with pytest.raises(Broken):
        check_words({**ENGLISH, Said.PIN_BLOCKED_FOR: "blocked"})
    with pytest.raises(Malformed):
        check_words({**ENGLISH, Said.PIN_BLOCKED: "bloqué jusqu\u2019à demain"})


RULES = (
    SenderRule(sender="CODES", country="254", templates=(Template.ACTIVATION_CODE,)),
    SenderRule(sender="TALLY", country="254"),
    SenderRule(sender="TALLYUG", country="256", templates=(Template.PAYMENT_SENT,)),
)


@pytest.mark.threat("THR-SMS-02")
@pytest.mark.parametrize(
    ("number", "template", "sender"),
    [
        ("+254700000001", Template.ACTIVATION_CODE, "CODES"),
        ("+254700000001", Template.PAYMENT_SENT, "TALLY"),
        ("+256700000001", Template.PAYMENT_SENT, "TALLYUG"),
        ("+256700000001", Template.ACTIVATION_CODE, ""),
        ("+255700000001", Template.PAYMENT_SENT, ""),
    ],
)
def test_no_message_goes_out_under_a_name_that_nobody_registered(
    number: str, template: Template, sender: str
) -> None:
    if sender:
        assert sender_of(RULES, number, template) == sender
    else:
        with pytest.raises(NotPermitted, match="sender registry"):
            sender_of(RULES, number, template)


def test_without_a_rule_nothing_goes_out() -> None:
    with pytest.raises(NotPermitted):
        sender_of((), "+254700000001", Template.PAYMENT_SENT)
    with pytest.raises(NotPermitted):
        sender_of((SenderRule(sender="X", country=""),), "+254700000001", Template.PAYMENT_SENT)


def test_who_names_no_sender_sends_under_their_own_name_at_home() -> None:
    rule = default_sender("demo-wallet of somewhere", "254")
    assert rule == SenderRule(sender="DEMOWALLETO", country="254")
    assert sender_of((rule,), "+254700000001", Template.PIN_BLOCKED) == "DEMOWALLETO"
