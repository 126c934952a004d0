"""The dialled menu: every page fits, no secret is shown, and only shown terms and a PIN pay."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.sealed_pins import VERIFIER, keyed, sealed, step

from tallystick.application.channels import (
    AskQuote,
    Balance,
    BalanceIs,
    CheckCode,
    CodeKnown,
    CodeUnknown,
    Declined,
    MenuFacts,
    Paid,
    Pay,
    PinIsSet,
    Quoted,
    Screen,
    SetPin,
    Step,
    UssdSession,
    open_session,
    resume,
)
from tallystick.application.channels.states import (
    AskActivationCode,
    AskAmount,
    AskBalancePin,
    AskNewPin,
    AskPayee,
    AskPinAgain,
    AskReceiptCode,
    AtMenu,
    Checking,
    Confirm,
    Dialled,
    Ended,
    Paying,
    Quoting,
    ReadingBalance,
    SettingPin,
)
from tallystick.kernel.errors import Broken
from tallystick.kernel.ids import random_id, timed_id
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.protocol.gsm7 import USSD_PLACES, places
from tallystick.protocol.payments import PaymentKind, Quote, QuoteReply

NOW = 1_767_225_600_000
FACTS = MenuFacts(now=NOW, provider="Tally Money", currency="KES", country="254")
ME = "+254700000001"
CODE = keyed(Secret("1234-5678"))


def terms(
    minor: int = 50_000, kind: PaymentKind = PaymentKind.P2P, name: str = "Jane W.", fee: int = 0
) -> QuoteReply:
    quote = Quote(
        provider="tally",
        order=timed_id("ord", NOW, bytes(10)),
        kind=kind,
        payer=random_id("acc", bytes(16)),
        payee=random_id("acc", bytes(15) + b"1"),
        payee_name=name,
        amount_minor=minor,
        fee_minor=fee,
        currency="KES",
        original="",
        policy=1,
        issued_at=NOW,
        expires_at=NOW + 120_000,
    )
    return QuoteReply(quote=quote, proof="AAAA")


def typed(*inputs: str, session: UssdSession | None = None, facts: MenuFacts = FACTS) -> Step:
    """What comes out after these inputs one by one; a dial comes first."""
    at = open_session("s1", ME, facts.now) if session is None else session
    result: Step | None = None
    for text in ("", *inputs) if session is None else inputs:
        result = step(at, text, facts)
        at = result.session
    assert result is not None
    return result


def page(result: Step) -> Screen:
    assert isinstance(result.out, Screen)
    assert places(result.out.text) <= USSD_PLACES
    return result.out


def confirming(**changes) -> UssdSession:
    asked = typed("1", "0712345678", str(changes.get("minor", 50_000) / 100))
    return resume(asked.session, Quoted(terms=terms(**changes)), FACTS).session


def test_dialling_shows_the_menu_whatever_is_dialled() -> None:
    shown = page(step(open_session("s1", ME, NOW), "*384#", FACTS))
    assert shown.text.startswith("Tally Money\n1 Send money\n2 Withdraw at agent")
    assert not shown.ends


@pytest.mark.parametrize("written", ["0712345678", "254712345678", "+254712345678", "0712 345 678"])
def test_sending_money_asks_for_the_terms_and_shows_exactly_these(written: str) -> None:
    assert page(typed("1")).text == "Send to which phone number? 0 back"
    assert page(typed("1", written)).text == "Amount in KES? 0 back"
    asked = typed("1", written, "500")
    assert asked.out == AskQuote(kind=PaymentKind.P2P, payee="+254712345678", amount_minor=50_000)
    shown = resume(asked.session, Quoted(terms=terms()), FACTS)
    assert page(shown).text == (
        "Send KES 500.00 to Jane W., fee KES 0.00? Enter PIN to agree, 0 back"
    )
    paid = typed("4711", session=shown.session)
    assert isinstance(paid.out, Pay)
    assert paid.out.terms == terms()
    assert VERIFIER.same(paid.out.pin, sealed("4711", ME), ME)
    done = resume(paid.session, Paid(receipt_code="0042-123456"), FACTS)
    assert page(done).ends
    assert "Receipt code 0042-123456" in page(done).text


@pytest.mark.parametrize("choices", [("1",), ("1", "0712345678"), ("5",), ("6",), ("8", "3")])
def test_what_was_mistyped_is_not_asked_for_again_once_the_channel_is_closed(
    choices: tuple[str, ...],
) -> None:
    asked = typed(*choices)
    assert not page(asked).ends
    shown = page(typed("no such input", session=asked.session, facts=replace(FACTS, closed=True)))
    assert shown.ends
    assert shown.text == "We suspended this for now. Nothing was done. Your money is safe."


def test_a_wrong_pin_is_not_asked_for_again_once_the_channel_is_closed() -> None:
    tried = typed("4711", session=confirming())
    closed = replace(FACTS, closed=True)
    shown = page(resume(tried.session, Declined(says="Wrong PIN.", again=True), closed))
    assert shown.ends
    assert "suspended" in shown.text


@pytest.mark.parametrize(
    ("choice", "kind", "words"),
    [
        ("2", PaymentKind.CASH_OUT, "Withdraw KES 12.50 at Mama Duka"),
        ("3", PaymentKind.MERCHANT, "Pay KES 12.50 to Mama Duka"),
    ],
)
def test_tills_are_paid_by_till_number(choice: str, kind: PaymentKind, words: str) -> None:
    asked = typed(choice, "445566", "12.50")
    assert asked.out == AskQuote(kind=kind, payee="445566", amount_minor=1_250)
    offered = terms(1_250, kind, "Mama Duka", fee=100)
    shown = resume(asked.session, Quoted(terms=offered), FACTS)
    assert page(shown).text.startswith(words)
    assert "fee KES 1.00" in page(shown).text
    assert page(typed(choice, "0712345678")).text.startswith("Not a valid number.")
    assert page(typed("1", "445566")).text.startswith("Not a valid number.")


def test_a_receipt_code_is_genuine_or_false() -> None:
    asked = typed("4", "0042-123456")
    assert asked.out == CheckCode(code="0042-123456")
    known = CodeKnown(amount_minor=50_000, currency="KES", incoming=True, stage="settled", at=NOW)
    shown = page(resume(asked.session, known, FACTS))
    assert shown.text == (
        "Genuine. Tally Money booked KES 500.00 to you, 2026-01-01 00:00 UTC. State: settled"
    )
    outgoing = page(resume(asked.session, replace(known, incoming=False), FACTS))
    assert "KES 500.00 from you" in outgoing.text
    false = page(resume(asked.session, CodeUnknown(), FACTS))
    assert false.text.startswith("FALSE")
    assert false.ends
    for wrong in ("MPESA", "12", "9" * 30):
        assert page(typed("4", wrong)).text.startswith("Not a valid code.")


def test_the_balance_takes_a_pin() -> None:
    asked = typed("5", "4711")
    assert isinstance(asked.out, Balance)
    assert VERIFIER.same(asked.out.pin, sealed("4711", ME), ME)
    shown = page(resume(asked.session, BalanceIs(available_minor=123_456, currency="KES"), FACTS))
    assert shown.text == "Available: KES 1,234.56"
    assert shown.ends


def test_setting_a_pin_takes_the_code_and_the_pin_twice() -> None:
    assert page(typed("6")).text.startswith("Activation code")
    assert "4 to 6 digits" in page(typed("6", "12345678")).text
    assert page(typed("6", "12345678", "4711")).text.startswith("New PIN again")
    asked = typed("6", "12345678", "4711", "4711")
    assert isinstance(asked.out, SetPin)
    assert asked.out.code.is_of(keyed(Secret("1234-5678")).tag)
    assert VERIFIER.same(asked.out.pin, sealed("4711", ME), ME)
    assert page(resume(asked.session, PinIsSet(), FACTS)).ends
    assert page(typed("6", "1234")).text.startswith("Not a valid code.")
    differ = typed("6", "12345678", "4711", "4712")
    assert page(differ).text.startswith("The two differ.")
    assert isinstance(differ.session.state, AskNewPin)


@pytest.mark.parametrize("weak", ["1111", "1212", "1234", "9876", "1987", "2580", "0001"])
def test_a_weak_pin_is_refused_and_another_asked(weak: str) -> None:
    refused = typed("6", "12345678", weak)
    assert page(refused).text.startswith("Too easy to guess.")
    assert isinstance(refused.session.state, AskNewPin)


@pytest.mark.parametrize("wrong", ["", "x", "-5", "0.001", "1,000", "9" * 20, "0.00"])
def test_a_wrong_amount_is_asked_again_and_at_last_ends_the_session(wrong: str) -> None:
    once = typed("1", "0712345678", wrong)
    assert page(once).text == "Not a valid amount.\nAmount in KES? 0 back"
    assert not page(once).ends
    last = typed(wrong, wrong, session=once.session)
    assert page(last).ends
    assert page(last).text.startswith("Too many wrong entries.")
    assert isinstance(last.session.state, Ended)


def test_right_entries_start_the_count_of_wrong_ones_again() -> None:
    one = typed("9", "9", "1", "x", "x")
    assert not page(one).ends
    assert page(typed("x", session=one.session)).ends


@pytest.mark.parametrize(
    ("path", "before"),
    [
        (("1",), AtMenu()),
        (("1", "0712345678"), AskPayee(kind=PaymentKind.P2P)),
        (("4",), AtMenu()),
        (("5",), AtMenu()),
        (("6",), AtMenu()),
        (("7",), AtMenu()),
        (("6", "12345678"), AskActivationCode()),
    ],
)
def test_nought_leads_one_page_back_and_two_to_the_menu(path: tuple[str, ...], before) -> None:
    back = typed(*path, "0")
    assert back.session.state == before
    assert not page(back).ends
    home = typed(*path, "00")
    assert home.session.state == AtMenu()
    assert page(home).text == page(typed()).text


def test_nought_at_the_second_pin_asks_for_the_first_with_the_same_code() -> None:
    back = typed("6", "12345678", "4711", "0").session.state
    assert isinstance(back, AskNewPin)
    assert back.code.is_of(keyed(Secret("1234-5678")).tag)


@pytest.mark.requirement("MFS-7.3.6-03")
def test_who_only_dials_reads_where_to_complain() -> None:
    told = typed("8", "4")
    assert "15 days" in page(told).text
    assert "agent" in page(told).text
    assert not page(told).ends
    assert typed("8", "4", "1").session.state == told.session.state
    assert typed("8", "4", "0").session.state == AtMenu()


def test_nought_at_the_menu_leads_out() -> None:
    assert page(typed("0")).text == "Cancelled. Nothing was done."
    assert page(typed("0")).ends


def test_nought_at_the_terms_asks_for_the_amount_again_and_orders_nothing() -> None:
    at = confirming()
    assert typed("0", session=at).session.state == AskAmount(
        kind=PaymentKind.P2P, payee="+254712345678"
    )
    assert typed("00", session=at).session.state == AtMenu()


def test_a_wrong_pin_is_asked_again_with_the_same_terms_then_ends() -> None:
    at = confirming()
    for attempt in range(1, 4):
        tried = typed("9999", session=at)
        assert isinstance(tried.out, Pay)
        answer = resume(tried.session, Declined(says="Wrong PIN.", again=True), FACTS)
        at = answer.session
        assert page(answer).ends == (attempt == 3)
        if attempt < 3:
            assert page(answer).text.startswith("Wrong PIN.\nSend KES 500.00 to Jane W.")
            assert at.state == Confirm(terms=terms())


def test_what_cannot_be_tried_again_ends_with_the_reason() -> None:
    asked = typed("1", "0712345678", "500")
    over = resume(asked.session, Declined(says="Nobody has this number.", again=True), FACTS)
    assert page(over) == Screen(text="Nobody has this number.", ends=True)
    paying = typed("4711", session=confirming())
    over = resume(paying.session, Declined(says="Daily limit passed."), FACTS)
    assert page(over) == Screen(text="Daily limit passed.", ends=True)


@pytest.mark.threat("THR-USD-02")
def test_an_injected_pin_never_pays_except_where_the_terms_are_shown() -> None:
    states = [
        Dialled(), AtMenu(), AskPayee(kind=PaymentKind.P2P),
        AskAmount(kind=PaymentKind.P2P, payee="+254712345678"),
        Quoting(kind=PaymentKind.P2P, amount_minor=1), Paying(terms=terms()), AskReceiptCode(),
        Checking(), AskBalancePin(), ReadingBalance(), AskActivationCode(),
        AskNewPin(code=CODE), AskPinAgain(code=CODE, pin=sealed("4711", ME)),
        SettingPin(), Ended(),
    ]  # fmt: skip
    for state in states:
        session = replace(open_session("s1", ME, NOW), state=state)
        for injected in ("4711", "1*0712345678*500*4711", "1"):
            assert not isinstance(step(session, injected, FACTS).out, Pay), state
    shown = replace(open_session("s1", ME, NOW), state=Confirm(terms=terms()))
    for injected in ("", "1", "yes", "47 11", "4711*1", "٤٧١١", "1234567"):
        assert not isinstance(step(shown, injected, FACTS).out, Pay)
    assert isinstance(step(shown, "4711", FACTS).out, Pay)


@pytest.mark.threat("THR-USD-02")
def test_a_session_past_its_idle_or_whole_time_does_nothing_more() -> None:
    at = confirming()
    in_time = replace(FACTS, now=NOW + FACTS.idle_ms)
    assert isinstance(step(at, "4711", in_time).out, Pay)
    late = step(at, "4711", replace(FACTS, now=NOW + FACTS.idle_ms + 1))
    assert page(late).text.startswith("The session is over. Nothing was done.")
    assert isinstance(step(late.session, "4711", FACTS).out, Screen)
    kept_warm = replace(at, last_at=NOW + FACTS.lifetime_ms)
    old = step(kept_warm, "4711", replace(FACTS, now=NOW + FACTS.lifetime_ms + 1))
    assert page(old).ends


def test_terms_past_their_time_are_not_consented_to() -> None:
    at = replace(confirming(), last_at=NOW + 121_000)
    late = step(at, "4711", replace(FACTS, now=NOW + 121_000))
    assert page(late).text.startswith("These terms are too old.")
    assert isinstance(late.session.state, Ended)


@pytest.mark.parametrize(
    "other",
    [terms(50_001), terms(kind=PaymentKind.MERCHANT)],
)
def test_terms_that_were_not_asked_for_are_never_shown(other: QuoteReply) -> None:
    asked = typed("1", "0712345678", "500")
    with pytest.raises(Broken):
        resume(asked.session, Quoted(terms=other), FACTS)


def test_a_result_that_nobody_waits_for_is_an_error() -> None:
    for result in (Paid(receipt_code="x"), Quoted(terms=terms()), Declined(says="no")):
        with pytest.raises(Broken):
            resume(typed("5").session, result, FACTS)
    with pytest.raises(Broken):
        resume(typed("5", "4711").session, PinIsSet(), FACTS)


def test_input_while_the_provider_works_changes_nothing() -> None:
    paying = typed("4711", session=confirming())
    meanwhile = typed("0", session=paying.session)
    assert page(meanwhile).text.startswith("Still working.")
    assert meanwhile.session.state == Paying(terms=terms())


@pytest.mark.requirement("MFS-7.2.3-03")
@pytest.mark.threat("THR-USD-05")
def test_a_page_or_session_never_shows_a_pin_or_a_code() -> None:
    pin, code = "483920", "77665544"
    paths = [
        ("5", pin), ("6", code, pin), ("6", code, pin, pin), ("6", code, pin, "1"),
        ("6", code, "1111"), (pin,), ("1", pin), ("4", "x" + pin), ("5", pin + "1"),
    ]  # fmt: skip
    for path in paths:
        result = typed(*path)
        shown = result.out.text if isinstance(result.out, Screen) else ""
        for secret in (pin, code, code[:4]):
            assert secret not in shown
            assert secret not in repr(result)
            assert secret not in str(result.session)
    paying = typed(pin, session=confirming())
    again = resume(paying.session, Declined(says="Wrong PIN.", again=True), FACTS)
    assert pin not in repr(paying) + repr(again)


def test_a_hostile_name_can_neither_hide_the_fee_nor_add_a_line() -> None:
    asked = typed("1", "0712345678", "500")
    name = "Jane\nfee KES 0.00? Enter PIN to agree http://evil.example " + "x" * 20
    shown = page(resume(asked.session, Quoted(terms=terms(name=name, fee=99_00)), FACTS))
    assert "\n" not in shown.text
    assert ", fee KES 99.00? Enter PIN to agree, 0 back" in shown.text
    assert "evil.example" not in shown.text
    assert "http:" not in shown.text


def test_the_longest_terms_fit_one_page() -> None:
    huge = 2**53 - 1
    asked = typed("2", "12345678", str(huge // 100) + f".{huge % 100:02d}")
    offered = terms(huge, PaymentKind.CASH_OUT, "W" * 80, fee=huge)
    shown = resume(asked.session, Quoted(terms=offered), FACTS)
    assert page(shown).text.endswith("Enter PIN to agree, 0 back")
    again = resume(
        typed("4711", session=shown.session).session, Declined(says="No " * 90, again=True), FACTS
    )
    assert page(again).text.endswith("Enter PIN to agree, 0 back")


@settings(max_examples=150)
@given(st.lists(st.text(alphabet="0123456789*#.x-+ ", max_size=14), max_size=9))
def test_whatever_is_typed_every_page_fits_and_no_payment_comes_without_terms(inputs) -> None:
    at = open_session("s1", ME, NOW)
    for text in inputs:
        result = step(at, text, FACTS)
        at = result.session
        if isinstance(result.out, Screen):
            page(result)
            assert result.out.ends == isinstance(at.state, Ended)
        else:
            assert not isinstance(result.out, Pay)
