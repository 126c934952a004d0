"""Whatever a customer reads of why something happened has words in every language."""

import ast
from pathlib import Path

import pytest

from tallystick.application.channels import Declined, MenuFacts, Refusal, refused_in
from tallystick.application.channels.pages import REFUSALS
from tallystick.application.channels.texts import TEXTS, Text
from tallystick.application.devices import Reason
from tallystick.application.notices import render
from tallystick.application.notices.model import DeviceSuspended
from tallystick.application.notices.texts.reasons import (
    REASONS,
    check_reasons,
    reason_in,
    reason_of,
)
from tallystick.entry.http.declining import declined_as
from tallystick.kernel.errors import Broken, Conflict, Malformed, NotPermitted, error_classes
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import SMS_PLACES, gsm7_octets, places
from tallystick.protocol.toolkit import TEXT_PLACES

APPLICATION = Path(__file__).resolve().parents[3] / "src" / "tallystick" / "application"
FACTS = MenuFacts(now=0, provider="W" * 24, currency="KES", country="254")
OTHERS = (Language.FRENCH, Language.SWAHILI)


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.parametrize("reason", Reason)
def test_why_a_phone_was_stopped_is_said_in_each_language(reason: Reason) -> None:
    said = {language: reason_in(language, reason.value) for language in Language}
    assert len(set(said.values())) == len(Language)
    for language, words in said.items():
        text = render(DeviceSuspended(because=reason.value), "W" * 24, language)
        assert words in text
        assert places(text) <= SMS_PLACES
        more = render(DeviceSuspended(because=f"{reason.value} (180 days)"), "W" * 24, language)
        assert more == text


@pytest.mark.threat("THR-SMS-04")
def test_what_an_operator_wrote_is_in_no_message() -> None:
    for language in Language:
        text = render(DeviceSuspended(because="suspect of case 4711, tell nobody"), "T", language)
        assert REASONS[language][Reason.STAFF] in text
        assert "suspect" not in text
    assert reason_of("suspect of case 4711") is None
    assert reason_of("not used for long (180 days)") is Reason.UNUSED


def test_no_act_on_a_device_gives_a_reason_that_has_no_words() -> None:
    found = 0
    for path in APPLICATION.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr == "act" and len(node.args) == 5:
                found += 1
                because = ast.unparse(node.args[4])
                assert not isinstance(node.args[4], ast.Constant), (path, because)
                assert because[:2] != "f'" or "Reason." in because, (path, because)
    assert found > 8


def test_reasons_that_lack_one_or_are_too_long_do_not_load() -> None:
    french = REASONS[Language.FRENCH]
    for wrong in (
        {one: said for one, said in french.items() if one is not Reason.COPIED},
        {**french, Reason.COPIED: "x" * 41},
    ):
        with pytest.raises(Broken):
            check_reasons(wrong)
    with pytest.raises(Malformed):
        check_reasons({**french, Reason.COPIED: "prêt"})


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_that_a_page_can_help_with_is_told_in_each_language(refusal: Refusal) -> None:
    declined = Declined(says="Never shown.", code=refusal.value)
    said = [refused_in(language, declined, FACTS) for language in Language]
    assert said == [TEXTS[language][REFUSALS[refusal]] for language in Language]
    assert len(set(said)) == len(Language)
    assert all(len(gsm7_octets(words)) <= TEXT_PLACES for words in said)
    assert len({REFUSALS[one] for one in Refusal}) == len(Refusal)


@pytest.mark.parametrize("error", error_classes(), ids=lambda one: one.code)
def test_no_other_language_reads_the_english_of_an_error(error: type) -> None:
    declined = declined_as(error("said in English", because="row: also in English"))
    for language in OTHERS:
        said = refused_in(language, declined, FACTS)
        assert "English" not in said
        assert said in TEXTS[language].values()
        assert len(gsm7_octets(said)) <= TEXT_PLACES
    assert "English" in refused_in(Language.ENGLISH, declined, FACTS)


def test_an_error_is_known_by_its_detail() -> None:
    helped = {
        NotPermitted("no PIN is set"): Refusal.NO_PIN,
        NotPermitted("the customer is suspended"): Refusal.STOPPED,
        NotPermitted("the payee is suspended"): Refusal.NOT_PAYABLE,
        Conflict("no recovery of this account runs"): Refusal.NO_RECOVERY,
    }
    for error, refusal in helped.items():
        assert declined_as(error).code == refusal
    assert declined_as(Conflict("something else")).code == Conflict.code


@pytest.mark.parametrize("text", [Text.SIM_BOUND, Text.SIM_DONE, Text.SIM_CANCELLED])
@pytest.mark.parametrize("language", Language)
def test_what_a_sim_shows_fits_its_display(text: Text, language: Language) -> None:
    words = TEXTS[language][text].format_map({"code": "9" * 16 + "-123456"})
    assert len(gsm7_octets(words)) <= TEXT_PLACES
