"""Every page of every language fits, with the longest values, and has what the English one has."""

from string import Formatter

import pytest
from tests.support.sealed_pins import sealed, step
from tests.unit.application.channels.test_channels_ussd import CODE, FACTS, ME, NOW, terms

from tallystick.application.channels import (
    Declined,
    MenuFacts,
    Offered,
    Paid,
    Quoted,
    Reported,
    Screen,
    Speak,
    Spoken,
    UssdSession,
    asks_secret,
    open_session,
    resume,
)
from tallystick.application.channels.states import (
    AskActivationCode,
    AskAmount,
    AskBalancePin,
    AskLanguage,
    AskNewPin,
    AskPayee,
    AskPinAgain,
    AskReceiptCode,
    AtMenu,
    Confirm,
    Ended,
    Paying,
    Quoting,
)
from tallystick.application.channels.texts import (
    ENGLISH,
    FRENCH,
    SWAHILI,
    TEXTS,
    Text,
    check_table,
    fields_of,
)
from tallystick.application.payments.model import Stage
from tallystick.kernel.errors import Broken, Malformed, error_classes
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import USSD_PLACES, places
from tallystick.protocol.payments import PaymentKind

MOST = 2**53 - 1
LONGEST = {
    "provider": "W" * 24,
    "amount": str(Money(MOST, "KES")),
    "fee": str(Money(MOST, "KES")),
    "name": "W" * 30,
    "code": "9" * 16 + "-123456",
    "currency": "KES",
    "least": "12",
    "most": "12",
    "at": "2026-01-01 00:00",
    "stage": "",
}
STAGES = (Text.ACCEPTED, Text.SETTLED, Text.REFUSED, Text.UNKNOWN, Text.RETURNED)
EVERY = [(language, text) for language in Language for text in Text]


@pytest.mark.parametrize(("language", "text"), EVERY, ids=lambda one: one.value)
def test_every_page_fits_with_the_longest_values(language: Language, text: Text) -> None:
    table = TEXTS[language]
    stage = max((table[one] for one in STAGES), key=len)
    page = table[text].format(**{**LONGEST, "stage": stage})
    assert places(page) <= USSD_PLACES, page


@pytest.mark.parametrize("language", Language)
def test_what_is_asked_again_fits_with_why(language: Language) -> None:
    table = TEXTS[language]
    reasons = [text for text in Text if text.value.startswith(("wrong", "weak", "pins", "not-"))]
    prompts = [text for text in Text if text.value.startswith(("ask", "menu", "resume"))]
    for prompt in prompts:
        for reason in reasons:
            page = f"{table[reason]}\n{table[prompt].format(**LONGEST)}"
            assert places(page) <= USSD_PLACES or prompt in {Text.MENU, Text.RESUME}, page


@pytest.mark.parametrize("language", Language)
def test_fields_are_the_same_in_each_language(language: Language) -> None:
    table = TEXTS[language]
    assert set(table) == set(Text)
    for text in Text:
        assert fields_of(table[text]) == fields_of(ENGLISH[text]), text


def test_every_language_says_it_differently() -> None:
    alike = {text for text in Text if len({TEXTS[language][text] for language in Language}) < 3}
    assert not alike


@pytest.mark.parametrize("foreign", ["reçu", "être", "ŵ", "\u2019", "中"])
def test_a_character_outside_the_alphabet_does_not_load(foreign: str) -> None:
    with pytest.raises(Malformed):
        check_table({**FRENCH, Text.GOODBYE: foreign})


def test_a_table_that_lacks_a_page_or_a_field_does_not_load() -> None:
    with pytest.raises(Broken):
        check_table({text: said for text, said in SWAHILI.items() if text is not Text.PAID})
    with pytest.raises(Broken):
        check_table({**SWAHILI, Text.PAID: "Imekamilika."})
    with pytest.raises(Broken):
        check_table({**SWAHILI, Text.GOODBYE: "Kwaheri {name}."})


def test_no_page_has_a_link_or_a_number_to_call() -> None:
    for table in TEXTS.values():
        for said in table.values():
            literal = "".join(part for part, _, _, _ in Formatter().parse(said)).lower()
            assert "http" not in literal
            assert "www" not in literal
            assert not any(mark in literal for mark in "/@*#")
            assert not any(word.isdigit() and len(word) > 2 for word in literal.split())


def session_at(state: object, language: Language = Language.FRENCH) -> UssdSession:
    return replace(open_session("s1", ME, NOW, language), state=state)


def text_of(out: object) -> str:
    assert isinstance(out, Screen)
    return out.text


def test_the_language_is_chosen_in_the_menu_and_spoken_at_once() -> None:
    at = step(session_at(AtMenu(), Language.ENGLISH), "7", FACTS)
    assert at.session.state == AskLanguage()
    asked = step(at.session, "3", FACTS)
    assert asked.out == Speak(language=Language.SWAHILI)
    spoken = resume(asked.session, Spoken(language=Language.SWAHILI), FACTS)
    assert "1 Tuma pesa" in text_of(spoken.out)
    assert text_of(step(spoken.session, "1", FACTS).out).startswith("Tuma kwa namba gani")
    assert text_of(step(at.session, "4", FACTS).out).startswith("Choose a number of the list.")


@pytest.mark.parametrize(
    ("state", "typed", "said"),
    [
        (AskPayee(kind=PaymentKind.P2P), "x", Text.WRONG_NUMBER),
        (AskAmount(kind=PaymentKind.P2P, payee="+254712345678"), "x", Text.WRONG_AMOUNT),
        (Confirm(terms=terms()), "x", Text.WRONG_PIN_FORM),
        (AskReceiptCode(), "x", Text.WRONG_CODE_FORM),
        (AskBalancePin(), "x", Text.WRONG_PIN_FORM),
        (AskActivationCode(), "x", Text.WRONG_CODE_FORM),
        (AskNewPin(code=CODE), "x", Text.WRONG_PIN_FORM),
        (AskNewPin(code=CODE), "1234", Text.WEAK_PIN),
        (AskPinAgain(code=CODE, pin=sealed("4711", ME)), "4712", Text.PINS_DIFFER),
        (AtMenu(), "x", Text.WRONG_CHOICE),
        (AskLanguage(), "x", Text.WRONG_CHOICE),
        (Offered(terms=terms()), "x", Text.WRONG_CHOICE),
    ],
)
def test_a_wrong_entry_is_told_in_the_language_of_the_session(state, typed, said) -> None:
    for language in Language:
        result = step(session_at(state, language), typed, FACTS)
        assert text_of(result.out).startswith(TEXTS[language][said] + "\n")


@pytest.mark.parametrize("error", error_classes(), ids=lambda one: one.code)
def test_every_refusal_has_words_in_each_language(error) -> None:
    declined = Declined(says="English only", code=error.code)
    for language in Language:
        paying = session_at(Paying(terms=terms()), language)
        said = text_of(resume(paying, declined, FACTS).out)
        assert (said == "English only") == (language is Language.ENGLISH)
        assert said


def test_with_a_pin_as_last_input_a_wrong_one_ends_the_session() -> None:
    facts = MenuFacts(**{**_as_fields(FACTS), "pin_ends": True})
    declined = Declined(says="The PIN is not right", again=True, code="not-authentic")
    ended = resume(session_at(Paying(terms=terms())), declined, facts)
    assert isinstance(ended.session.state, Ended)
    assert text_of(ended.out) == f"{FRENCH[Text.WRONG_PIN]} {FRENCH[Text.DIAL_AGAIN]}"


def _as_fields(facts: MenuFacts) -> dict[str, object]:
    return {name: getattr(facts, name) for name in facts.__struct_fields__}


def test_terms_that_are_offered_again_take_the_pin_on_their_own_page() -> None:
    begun = open_session("s2", ME, NOW, Language.ENGLISH, Offered(terms=terms()))
    shown = step(begun, "", FACTS)
    assert text_of(shown.out).startswith("You had not finished: KES 500.00 to Jane W.")
    assert isinstance(step(shown.session, "4711", FACTS).out, Screen), "no PIN here"
    on = step(shown.session, "1", FACTS)
    assert on.session.state == Confirm(terms=terms())
    assert not isinstance(step(shown.session, "0", FACTS).session.state, Confirm)


@pytest.mark.parametrize("stage", Stage)
def test_the_last_payment_is_told_as_it_stands(stage: Stage) -> None:
    said = {
        Stage.SETTLED: Text.LAST_DONE,
        Stage.RETURNED: Text.LAST_DONE,
        Stage.REFUSED: Text.LAST_REFUSED,
    }.get(stage, Text.LAST_OPEN)
    reported = Reported(
        amount_minor=MOST, currency="KES", name="W" * 80, stage=stage.value, code="0042-123456"
    )
    for language in Language:
        begun = open_session("s2", ME, NOW, language, reported)
        page = text_of(step(begun, "", FACTS).out)
        assert page.startswith(TEXTS[language][said].split("{")[0])
        assert places(page) <= USSD_PLACES
        told = step(begun, "", FACTS).session
        assert step(told, "1", FACTS).session.state == AtMenu()
        assert isinstance(step(told, "0", FACTS).session.state, Ended)


def test_where_a_secret_is_typed_is_known() -> None:
    secret = (Confirm(terms=terms()), AskBalancePin(), AskActivationCode())
    secret += (AskNewPin(code=CODE), AskPinAgain(code=CODE, pin=sealed("4711", ME)))
    open_ = (AtMenu(), AskPayee(kind=PaymentKind.P2P), AskReceiptCode(), AskLanguage())
    assert all(asks_secret(session_at(state)) for state in secret)
    assert not any(asks_secret(session_at(state)) for state in open_)


def test_words_of_a_payment_in_each_language() -> None:
    for language, words in (
        (Language.FRENCH, ("Envoyer KES 500.00 à Jane W.", "Fait. Code 0042-123456.")),
        (Language.SWAHILI, ("Tuma KES 500.00 kwa Jane W.", "Imekamilika.")),
    ):
        quoting = session_at(Quoting(kind=PaymentKind.P2P, amount_minor=50_000), language)
        shown = resume(quoting, Quoted(terms=terms()), FACTS)
        assert text_of(shown.out).startswith(words[0])
        paying = step(shown.session, "4711", FACTS).session
        assert text_of(resume(paying, Paid(receipt_code="0042-123456"), FACTS).out).startswith(
            words[1]
        )


def test_a_request_that_waits_in_the_app_is_told_and_leaves_room_for_everything_else() -> None:
    waits = replace(FACTS, app_waits=True, provider="W" * 24)
    for language in Language:
        begun = open_session("s2", ME, NOW, language)
        shown = step(begun, "", waits)
        page = text_of(shown.out)
        assert page.endswith(TEXTS[language][Text.APP_WAITS])
        assert TEXTS[language][Text.MENU].splitlines()[-1] in page
        assert places(page) <= USSD_PLACES
        wrong = text_of(step(shown.session, "9", waits).out)
        assert wrong.startswith(TEXTS[language][Text.WRONG_CHOICE][:20])
        assert TEXTS[language][Text.APP_WAITS] not in wrong
