"""The dialled menu as a state machine: what is typed, or what the provider found, to the next page.

    step(session, typed, facts)    -> a page to show, or an action that the provider carries out
    resume(session, result, facts) -> the page that the action's result leads to

    menu -+-> payee -> amount -> (quote) -> terms shown -- PIN --> (pay) -> receipt code
          +-> receipt code -> (look up) -> genuine or false
          +-> PIN -> (balance)
          `-> activation code -> new PIN -> again -> (set)

A payment comes out only where its terms were shown, and only with a PIN: the PIN is the consent. No
page repeats anything that was typed as a secret.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 11.2.2; 12.2
"""

import re
from collections.abc import Mapping

from tallystick.application.channels.model import (
    Action,
    AskActivationCode,
    AskAmount,
    AskBalancePin,
    AskNewPin,
    AskPayee,
    AskPinAgain,
    AskQuote,
    AskReceiptCode,
    AtMenu,
    Balance,
    BalanceIs,
    CheckCode,
    Checking,
    CodeKnown,
    CodeUnknown,
    Confirm,
    Declined,
    Dialled,
    Ended,
    MenuFacts,
    Paid,
    Pay,
    Paying,
    PinIsSet,
    Quoted,
    Quoting,
    ReadingBalance,
    Result,
    Screen,
    SetPin,
    SettingPin,
    State,
    Step,
    UssdSession,
)
from tallystick.application.channels.rules import (
    activation_code,
    check_new_pin,
    telephone_number,
    till_number,
)
from tallystick.application.channels.texts import ENGLISH, Text
from tallystick.kernel.errors import Broken, Malformed, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import iso_utc
from tallystick.protocol.gsm7 import USSD_PLACES, places, plain_name, to_gsm7
from tallystick.protocol.payments import PaymentKind, QuoteReply

_RECEIPT = re.compile(r"^[0-9][0-9 -]{5,24}$")
_MOST_MINOR = 2**53 - 1
_NAME_PLACES = 30
_AT_WORK = (Quoting, Paying, Checking, ReadingBalance, SettingPin)

_CHOICES: Mapping[str, State] = {
    "1": AskPayee(kind=PaymentKind.P2P),
    "2": AskPayee(kind=PaymentKind.CASH_OUT),
    "3": AskPayee(kind=PaymentKind.MERCHANT),
    "4": AskReceiptCode(),
    "5": AskBalancePin(),
    "6": AskActivationCode(),
}
_ASK_PAYEE = {
    PaymentKind.P2P: Text.ASK_NUMBER,
    PaymentKind.CASH_OUT: Text.ASK_AGENT,
    PaymentKind.MERCHANT: Text.ASK_TILL,
}
_CONFIRM = {
    PaymentKind.P2P: Text.CONFIRM_P2P,
    PaymentKind.CASH_OUT: Text.CONFIRM_OUT,
    PaymentKind.MERCHANT: Text.CONFIRM_MERCHANT,
}


class _Wrong(Exception):
    """What was typed does not fit: `text` says how, `back` is where to ask again.

    Caught in `Menu.step`; it never leaves this module.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, text: Text, back: State | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.back = back


def open_session(identifier: str, msisdn: str, now: int) -> UssdSession:
    """A session that was just dialled.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    return UssdSession(
        id=identifier, msisdn=msisdn, state=Dialled(), tries=0, started_at=now, last_at=now
    )


def step(
    session: UssdSession, typed: str, facts: MenuFacts, texts: Mapping[Text, str] = ENGLISH
) -> Step:
    """What follows when `typed` arrives: only the new input, without what was typed before.

    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2
    """
    return Menu(facts, texts).step(session, typed)


def resume(
    session: UssdSession, result: Result, facts: MenuFacts, texts: Mapping[Text, str] = ENGLISH
) -> Step:
    """The page that follows when the provider carried out the action of this session.

    Raises Broken if the session does not wait for such a result.
    Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
    """
    return Menu(facts, texts).resume(session, result)


class Menu:
    """One turn of the menu, under these facts and in this language; pure.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    __slots__ = ("_facts", "_texts")

    def __init__(self, facts: MenuFacts, texts: Mapping[Text, str]) -> None:
        """Speak the words of `texts`.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._facts = facts
        self._texts = texts

    def step(self, session: UssdSession, typed: str) -> Step:
        """See `ussd.step`.

        Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2
        """
        if self._is_over(session):
            return self._end(session, Text.TIMED_OUT)
        session = replace(session, last_at=self._facts.now)
        if isinstance(session.state, Dialled):
            return self._show(session, AtMenu())
        if isinstance(session.state, _AT_WORK):
            return Step(session=session, out=self._page(self._say(Text.WORKING), ends=False))
        return self._entered(session, typed.strip())

    def _is_over(self, session: UssdSession) -> bool:
        now, facts = self._facts.now, self._facts
        return (
            isinstance(session.state, Ended)
            or now - session.last_at > facts.idle_ms
            or now - session.started_at > facts.lifetime_ms
        )

    def _entered(self, session: UssdSession, entry: str) -> Step:
        if entry == "0":
            return self._end(session, Text.CANCELLED)
        try:
            state, action = self._advance(session, entry)
        except _Wrong as wrong:
            return self._again(session, wrong.back or session.state, self._say(wrong.text))
        if action is not None:
            return Step(session=self._moved(session, state), out=action)
        if isinstance(state, Ended):
            return self._end(session, Text.TERMS_EXPIRED)
        return self._show(session, state)

    def _advance(  # noqa: PLR0911 - one return a state
        self, session: UssdSession, entry: str
    ) -> tuple[State, Action | None]:
        match session.state:
            case AtMenu():
                chosen = _CHOICES.get(entry)
                if chosen is None:
                    raise _Wrong(Text.WRONG_CHOICE)
                return chosen, None
            case AskPayee(kind=kind):
                return AskAmount(kind=kind, payee=self._payee(kind, entry)), None
            case AskAmount(kind=kind, payee=payee):
                minor = self._amount(entry)
                quote = AskQuote(kind=kind, payee=payee, amount_minor=minor)
                return Quoting(kind=kind, amount_minor=minor), quote
            case Confirm(terms=terms):
                return self._consent(terms, self._pin(entry))
            case AskReceiptCode():
                if not _RECEIPT.match(entry):
                    raise _Wrong(Text.WRONG_CODE_FORM)
                return Checking(), CheckCode(code=entry)
            case AskBalancePin():
                return ReadingBalance(), Balance(pin=self._pin(entry))
            case _:
                return self._advance_pin(session, entry)

    def _advance_pin(self, session: UssdSession, entry: str) -> tuple[State, Action | None]:
        match session.state:
            case AskActivationCode():
                try:
                    return AskNewPin(code=activation_code(entry)), None
                except Malformed:
                    raise _Wrong(Text.WRONG_CODE_FORM) from None
            case AskNewPin(code=code):
                pin = self._pin(entry)
                try:
                    check_new_pin(pin, session.msisdn)
                except NotPermitted:
                    raise _Wrong(Text.WEAK_PIN) from None
                return AskPinAgain(code=code, pin=pin), None
            case AskPinAgain(code=code, pin=pin):
                if Secret(entry) != pin:
                    raise _Wrong(Text.PINS_DIFFER, AskNewPin(code=code))
                return SettingPin(), SetPin(code=code, pin=pin)
            case _:
                raise Broken("the menu has no way on from where it stands")

    def _consent(self, terms: QuoteReply, pin: Secret[str]) -> tuple[State, Action | None]:
        if self._facts.now > terms.quote.expires_at:
            return Ended(), None
        return Paying(terms=terms), Pay(terms=terms, pin=pin)

    def _payee(self, kind: PaymentKind, entry: str) -> str:
        try:
            if kind is PaymentKind.P2P:
                return telephone_number(entry, self._facts.country)
            return till_number(entry)
        except Malformed:
            raise _Wrong(Text.WRONG_NUMBER) from None

    def _amount(self, entry: str) -> int:
        try:
            minor = Money.parse(entry, self._facts.currency).minor
        except Malformed:
            raise _Wrong(Text.WRONG_AMOUNT) from None
        if not 0 < minor <= _MOST_MINOR:
            raise _Wrong(Text.WRONG_AMOUNT)
        return minor

    def _pin(self, entry: str) -> Secret[str]:
        least, most = self._facts.pin_least, self._facts.pin_most
        if not re.fullmatch(r"[0-9]+", entry) or not least <= len(entry) <= most:
            raise _Wrong(Text.WRONG_PIN_FORM)
        return Secret(entry)

    def resume(  # noqa: PLR0911 - one return a result
        self, session: UssdSession, result: Result
    ) -> Step:
        """See `ussd.resume`.

        Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
        """
        session = replace(session, last_at=self._facts.now)
        match session.state, result:
            case Quoting() | Paying() | Checking() | ReadingBalance() | SettingPin(), Declined():
                return self._declined(session, result)
            case Quoting(kind=kind, amount_minor=minor), Quoted(terms=terms):
                if (terms.quote.kind, terms.quote.amount_minor) != (kind, minor):
                    raise Broken("the terms are not those that were asked for")
                return self._show(session, Confirm(terms=terms))
            case Paying(), Paid(receipt_code=code):
                return self._end(session, Text.PAID, code=code)
            case Checking(), CodeKnown():
                return self._known(session, result)
            case Checking(), CodeUnknown():
                return self._end(session, Text.CODE_UNKNOWN)
            case ReadingBalance(), BalanceIs(available_minor=minor, currency=currency):
                return self._end(session, Text.BALANCE, amount=str(Money(minor, currency)))
            case SettingPin(), PinIsSet():
                return self._end(session, Text.PIN_SET)
            case _:
                raise Broken("this menu session does not wait for such a result")

    def _known(self, session: UssdSession, known: CodeKnown) -> Step:
        return self._end(
            session,
            Text.CODE_IN if known.incoming else Text.CODE_OUT,
            amount=str(Money(known.amount_minor, known.currency)),
            at=iso_utc(known.at)[:16].replace("T", " "),
            stage=known.stage,
        )

    def _declined(self, session: UssdSession, declined: Declined) -> Step:
        back: State | None = None
        match session.state:
            case Paying(terms=terms):
                back = Confirm(terms=terms)
            case ReadingBalance():
                back = AskBalancePin()
            case SettingPin():
                back = AskActivationCode()
            case _:
                pass
        if declined.again and back is not None:
            return self._again(session, back, declined.says)
        ended = replace(session, state=Ended())
        return Step(session=ended, out=self._page(declined.says, ends=True))

    def _show(self, session: UssdSession, state: State) -> Step:
        page = self._page(self._prompt(state), ends=False)
        return Step(session=self._moved(session, state), out=page)

    def _again(self, session: UssdSession, state: State, because: str) -> Step:
        tries = session.tries + 1
        if tries >= self._facts.most_tries:
            return self._end(session, Text.TOO_MANY)
        prompt = self._prompt(state)
        room = USSD_PLACES - places(prompt) - 1
        page = self._page(f"{_cut(because, room)}\n{prompt}", ends=False)
        return Step(session=replace(session, state=state, tries=tries), out=page)

    def _moved(self, session: UssdSession, state: State) -> UssdSession:
        """The session one step on. The count of wrong entries starts again, but never at a PIN that
        the provider has still to judge.
        """
        judged = isinstance(state, Quoting | Paying | ReadingBalance | SettingPin | Confirm)
        return replace(session, state=state, tries=session.tries if judged else 0)

    def _end(self, session: UssdSession, text: Text, **fields: str) -> Step:
        page = self._page(self._say(text, **fields), ends=True)
        return Step(session=replace(session, state=Ended(), tries=0), out=page)

    def _say(self, text: Text, **fields: str) -> str:
        return self._texts[text].format(provider=plain_name(self._facts.provider, 24), **fields)

    def _prompt(self, state: State) -> str:  # noqa: PLR0911 - one return a state
        facts = self._facts
        match state:
            case AskPayee(kind=kind):
                return self._say(_ASK_PAYEE[kind])
            case AskAmount():
                return self._say(Text.ASK_AMOUNT, currency=facts.currency)
            case Confirm(terms=terms):
                quote = terms.quote
                return self._say(
                    _CONFIRM[quote.kind],
                    amount=str(Money(quote.amount_minor, quote.currency)),
                    name=plain_name(quote.payee_name, _NAME_PLACES),
                    fee=str(Money(quote.fee_minor, quote.currency)),
                )
            case AskReceiptCode():
                return self._say(Text.ASK_RECEIPT)
            case AskBalancePin():
                return self._say(Text.ASK_BALANCE_PIN)
            case AskActivationCode():
                return self._say(Text.ASK_ACTIVATION)
            case AskNewPin():
                least, most = str(facts.pin_least), str(facts.pin_most)
                return self._say(Text.ASK_NEW_PIN, least=least, most=most)
            case AskPinAgain():
                return self._say(Text.ASK_PIN_AGAIN)
            case _:
                return self._say(Text.MENU)

    @staticmethod
    def _page(text: str, *, ends: bool) -> Screen:
        return Screen(text=_cut(text, USSD_PLACES), ends=ends)


def _cut(text: str, most: int) -> str:
    """`text` in the GSM alphabet, from its beginning, within `most` places."""
    kept = to_gsm7(text)
    while places(kept) > most:
        kept = kept[: len(kept) - max(1, (places(kept) - most) // 2)]
    return kept
