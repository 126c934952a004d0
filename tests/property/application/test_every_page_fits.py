"""Whatever is typed, found or refused: no page of any language is longer than a phone shows."""

import string
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.sealed_pins import keyed, sealed, step

from tallystick.application.channels import (
    Action,
    AskQuote,
    Balance,
    BalanceIs,
    Block,
    Blocked,
    CheckCode,
    CodeKnown,
    CodeSent,
    CodeUnknown,
    Declined,
    MenuFacts,
    Offered,
    Paid,
    Pay,
    PayWithCode,
    PinIsSet,
    Protection,
    Quoted,
    Reported,
    Result,
    Safeguard,
    Safeguarded,
    Screen,
    SetPin,
    Speak,
    Spoken,
    TellProtection,
    UssdSession,
    open_session,
    resume,
)
from tallystick.application.channels import states as all_states
from tallystick.application.channels.pages import Pages
from tallystick.application.channels.states import (
    AskActivationCode,
    AskAmount,
    AskAspect,
    AskBalancePin,
    AskBlockPin,
    AskLanguage,
    AskNewPin,
    AskOrderCode,
    AskPayee,
    AskPinAgain,
    AskReceiptCode,
    AskSafety,
    AtMenu,
    Complaining,
    Confirm,
    Ended,
    Reading,
)
from tallystick.application.education import protection
from tallystick.application.payments.model import Stage
from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import error_classes
from tallystick.kernel.ids import random_id, timed_id
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.process.policy.compile import compile_policy
from tallystick.process.policy.language.reading import read_policy
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import USSD_PLACES, places, plain_name, to_gsm7
from tallystick.protocol.payments import PaymentKind, Quote, QuoteReply

NOW, ME = 1_767_225_600_000, "+254700000001"
MOST = 2**53 - 1
WIDE = "[]{}~^|\\€"
"""Each takes two places."""
CODES = [one.code for one in error_classes()] + ["not-a-customer", ""]
KINDS = (PaymentKind.P2P, PaymentKind.CASH_OUT, PaymentKind.MERCHANT)

names = st.text(max_size=120) | st.sampled_from(["W" * 120, WIDE * 12, "王小明" * 20, ""])
amounts = st.sampled_from([1, MOST]) | st.integers(1, MOST)
currencies = st.sampled_from(["KES", "XOF", "KWD", "JPY"])
warned = st.lists(
    st.sampled_from(["first-large-amount", "new-payee", "urgency"]), unique=True, max_size=3
)
typing = st.one_of(
    st.sampled_from(
        ["", "0", "00", *"123456789", "0712345678", "+254712345678", "445566", "12345678"]
    ),
    st.sampled_from(["9007199254740991", "0.01", "864209", "4711", "1234", "123456"]),
    st.text(string.printable, max_size=200),
)
languages = st.sampled_from(list(Language))
cards = st.lists(names, max_size=12).map(tuple)
CARDS = {
    language: protection(compile_policy(read_policy(demo_policy())), 1, "ussd", language)
    for language in Language
}


def terms_of(
    kind: PaymentKind, name: str, minor: int, fee: int, currency: str, shown: list[str]
) -> QuoteReply:
    """Terms of a payment."""
    quote = Quote(
        provider="tally",
        order=timed_id("ord", NOW, bytes(10)),
        kind=kind,
        payer=random_id("acc", bytes(16)),
        payee=random_id("acc", bytes(15) + b"1"),
        payee_name=name,
        amount_minor=minor,
        fee_minor=fee,
        currency=currency,
        original="",
        policy=1,
        issued_at=NOW,
        expires_at=NOW + 120_000,
    )
    return QuoteReply(quote=quote, proof="AAAA", shown=tuple(shown))


terms = st.builds(terms_of, st.sampled_from(KINDS), names, amounts, amounts, currencies, warned)


@st.composite
def facts(draw: st.DrawFn) -> MenuFacts:
    """What the menu knows, with any name of a provider and any bounds of a PIN."""
    return MenuFacts(
        now=NOW,
        provider=draw(names),
        currency=draw(currencies),
        country="254",
        pin_least=draw(st.integers(4, 12)),
        pin_most=12,
        pin_ends=draw(st.booleans()),
        app_waits=draw(st.booleans()),
    )


@st.composite
def reported(draw: st.DrawFn) -> Reported:
    """What became of a last payment."""
    return Reported(
        amount_minor=draw(amounts),
        currency=draw(currencies),
        name=draw(names),
        stage=draw(st.sampled_from(list(Stage))).value,
        code="9" * 16 + "-123456",
    )


def asking(offer: QuoteReply) -> list[all_states.State]:
    """Every state that waits for an input, for these terms."""
    code, pin = keyed(Secret("1234-5678")), sealed("4711", ME)
    return [
        AtMenu(),
        *(AskPayee(kind=kind) for kind in KINDS),
        AskAmount(kind=PaymentKind.P2P, payee="+254712345678"),
        Confirm(terms=offer, payee="+254712345678"),
        AskOrderCode(terms=offer),
        AskReceiptCode(),
        AskBalancePin(),
        AskActivationCode(),
        AskNewPin(code=code),
        AskPinAgain(code=code, pin=pin),
        AskLanguage(),
        AskSafety(),
        AskBlockPin(),
        Complaining(),
        AskAspect(),
        Reading(lines=("W" * 400, WIDE * 40, *("It says so.",) * 40)),
        Offered(terms=offer),
    ]


declines = st.builds(Declined, says=names, again=st.booleans(), code=st.sampled_from(CODES))


def found(draw: st.DrawFn, action: Action, offer: QuoteReply) -> Result:
    """What a provider may answer to `action`, at its longest."""
    if draw(st.booleans()):
        return draw(declines)
    match action:
        case AskQuote():
            asked = replace(offer.quote, kind=action.kind, amount_minor=action.amount_minor)
            return Quoted(terms=replace(offer, quote=asked))
        case Pay() | PayWithCode():
            return draw(st.sampled_from([Paid(receipt_code="9" * 16 + "-123456"), CodeSent()]))
        case CheckCode():
            known = CodeKnown(
                amount_minor=draw(amounts),
                currency=draw(currencies),
                incoming=draw(st.booleans()),
                stage=draw(st.sampled_from(list(Stage))).value,
                at=NOW,
            )
            return draw(st.sampled_from([known, CodeUnknown()]))
        case Balance():
            return BalanceIs(available_minor=draw(amounts), currency=draw(currencies))
        case SetPin():
            return PinIsSet()
        case Speak(language=language):
            return Spoken(language=language)
        case Safeguard(accept=accept):
            return Safeguarded(accepted=accept)
        case TellProtection(aspect=aspect, language=language):
            return Protection(lines=draw(cards | st.just(CARDS[language][aspect])))
        case Block():
            return Blocked()


def fits(out: object, provider: str) -> None:
    """A page has at most 182 places, and every character of it is one that a phone shows."""
    assert isinstance(out, Screen)
    assert places(out.text) <= USSD_PLACES, (provider, out.text)
    assert out.text


@pytest.mark.requirement("MFS-7.2.3-03")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_way_through_the_menu_shows_a_page_that_does_not_fit(data: st.DataObject) -> None:
    draw: Callable = data.draw
    known, offer = draw(facts()), draw(terms)
    begins = draw(st.none() | st.just(Offered(terms=offer)) | reported())
    session = open_session("s1", ME, NOW, draw(languages), begins)
    fits(step(session, "", known).out, known.provider)
    if begins is None:
        session = replace(session, state=draw(st.sampled_from(asking(offer))))
    else:
        session = step(session, "", known).session
    for _ in range(draw(st.integers(1, 6))):
        moved = step(session, draw(typing), known)
        while not isinstance(moved.out, Screen):
            moved = resume(moved.session, found(draw, moved.out, offer), known)
        fits(moved.out, known.provider)
        session = moved.session
        if isinstance(session.state, Ended):
            break


@pytest.mark.requirement("MFS-11.2.2-01")
@pytest.mark.threat("THR-USD-02")
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_terms_are_shown_whole_before_a_pin_is_taken(data: st.DataObject) -> None:
    """Amount, fee and name are on the page that asks for the PIN, whatever stands before them."""
    draw: Callable = data.draw
    known, offer, language = draw(facts()), draw(terms), draw(languages)
    session = replace(open_session("s1", ME, NOW, language), state=AtMenu())
    typed = {PaymentKind.P2P: "1", PaymentKind.CASH_OUT: "2", PaymentKind.MERCHANT: "3"}
    asked = [
        typed[offer.quote.kind],
        "0712345678" if offer.quote.kind is PaymentKind.P2P else "445566",
    ]
    for text in asked:
        session = step(session, text, known).session
    quoting = all_states.Quoting(
        kind=offer.quote.kind, amount_minor=offer.quote.amount_minor, payee=session.state.payee
    )
    shown = resume(replace(session, state=quoting), Quoted(terms=offer), known)
    for page in (
        shown.out.text,
        wrong_pin(shown.session, known, draw(names)),
    ):
        quote = offer.quote
        assert str(Money(quote.amount_minor, quote.currency)) in page
        assert str(Money(quote.fee_minor, quote.currency)) in page
        assert plain_name(quote.payee_name, 30) in page
        assert "PIN" in page


def wrong_pin(session: UssdSession, known: MenuFacts, says: str) -> str:
    """The page after a PIN that was wrong, where it is asked for again."""
    again = replace(known, pin_ends=False)
    tried = step(session, "864209864209", again)
    assert isinstance(tried.out, Pay)
    shown = resume(tried.session, Declined(says=says, again=True, code="not-authentic"), again)
    fits(shown.out, known.provider)
    return shown.out.text


@settings(max_examples=200, deadline=None)
@given(st.lists(names, max_size=20).map(tuple), languages)
def test_what_is_read_over_several_pages_loses_no_word(
    lines: tuple[str, ...], language: Language
) -> None:
    known = MenuFacts(now=NOW, provider="T", currency="KES", country="254")
    session = replace(open_session("s1", ME, NOW, language), state=Reading(lines=lines))
    shown: list[str] = []
    pages = Pages(known, language).read(lines)
    for at, text in enumerate(pages):
        assert places(text) <= USSD_PLACES
        body, ways = text.rsplit("\n", 1) if at == len(pages) - 1 else text.rsplit("\n", 2)[::2]
        assert ways.startswith("0 ")
        shown += body.split()
        page = step(session, "1", known)
        session = page.session
        fits(page.out, "T")
        assert session.state.at == min(at + 1, len(pages) - 1)
    whole = [word for line in lines for word in to_gsm7(line).split() if len(word) <= 80]
    assert [word for word in shown if word in whole] == whole


def test_every_state_that_asks_is_tried() -> None:
    offer = terms_of(PaymentKind.P2P, "Jane", 1, 1, "KES", [])
    tried = {type(one) for one in asking(offer)} | {Reported}
    at_work = {"Quoting", "Paying", "Checking", "ReadingBalance", "SettingPin", "Choosing",
               "Safeguarding", "LookingUp", "Blocking", "Dialled", "Ended"}  # fmt: skip
    every = {one.__name__ for one in all_states.State.__args__}
    assert {one.__name__ for one in tried} == every - at_work
