"""The dialled menu as a state machine: what is typed, or what the provider found, to the next page.

    step(session, typed, facts)    -> a page to show, or an action that the provider carries out
    resume(session, result, facts) -> the page that the action's result leads to

    menu -+-> payee -> amount -> (quote) -> terms shown -- PIN --> (pay) -> receipt code
          +-> receipt code -> (look up) -> genuine or false
          +-> PIN -> (balance)
          +-> activation code -> new PIN -> again -> (set)
          +-> language -> (kept) -> menu
          `-> protection -+-> (recovery stopped, terms accepted), PIN -> (phones blocked)
                          `-> what protects -> (policy read) -> pages of it

`0` leads one page back, from the menu out of it, and `00` to the menu.

A payment comes out only where its terms were shown, and only with a PIN: the PIN is the consent. No
page repeats anything that was typed as a secret.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 11.2.2; 12.2
"""

import re

from tallystick.application.channels.model import (
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
    Paid,
    Pay,
    PayWithCode,
    PinIsSet,
    Protection,
    Quoted,
    Result,
    Safeguarded,
    Screen,
    SetPin,
    Spoken,
    Step,
    Typed,
    TypedCode,
    TypedPin,
    UssdSession,
)
from tallystick.application.channels.pages import WRONG, Pages, cut_to
from tallystick.application.channels.rules import (
    before,
    choose,
    matching,
    payee_number,
    typed_amount,
)
from tallystick.application.channels.states import (
    AskActivationCode,
    AskAmount,
    AskBalancePin,
    AskBlockPin,
    AskNewPin,
    AskOrderCode,
    AskPayee,
    AskPinAgain,
    AskReceiptCode,
    AtMenu,
    Blocking,
    Checking,
    Choosing,
    Complaining,
    Confirm,
    Dialled,
    Ended,
    LookingUp,
    Offered,
    Paying,
    Quoting,
    Reading,
    ReadingBalance,
    Reported,
    Safeguarding,
    Secretive,
    SettingPin,
    State,
)
from tallystick.application.channels.texts import Text
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.errors import Broken, Malformed, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import USSD_PLACES, places
from tallystick.protocol.payments import QuoteReply

_RECEIPT = re.compile(r"^[0-9][0-9 -]{5,24}$")
_AT_WORK = (
    Quoting, Paying, Checking, ReadingBalance, SettingPin, Choosing, Safeguarding, LookingUp,
    Blocking,
)  # fmt: skip

_BACK, _HOME = "0", "00"


def step(session: UssdSession, typed: Typed, facts: MenuFacts) -> Step:
    """What follows when `typed` arrives: only the new input, as `taken` gives it.

    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2
    """
    return Menu(facts, session.language).step(session, typed)


def resume(session: UssdSession, result: Result, facts: MenuFacts) -> Step:
    """The page that follows when the provider carried out the action of this session.

    Raises Broken if the session does not wait for such a result.
    Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
    """
    language = result.language if isinstance(result, Spoken) else session.language
    return Menu(facts, language).resume(session, result)


def interrupted(session: UssdSession, facts: MenuFacts) -> tuple[UssdSession, Screen]:
    """A session that was cut off, ended, and the page that says so; nothing is done.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
    """
    return Menu(facts, session.language).interrupted(session)


class Menu:
    """One turn of the menu, under these facts and in this language; pure.

    A number of the menu says the same in each language.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    __slots__ = ("_facts", "_pages")

    def __init__(self, facts: MenuFacts, language: Language) -> None:
        """Speak `language`.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._facts = facts
        self._pages = Pages(facts, language)

    def step(self, session: UssdSession, typed: Typed) -> Step:
        """See `ussd.step`.

        Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2
        """
        if self._is_over(session):
            return self._end(session, Text.TIMED_OUT)
        session = replace(session, last_at=self._facts.now)
        if isinstance(session.state, Dialled):
            return self._show(session, session.state.begins or AtMenu())
        if isinstance(session.state, _AT_WORK):
            page = self._pages.page(self._pages.say(Text.WORKING), ends=False)
            return Step(session=session, out=page)
        return self._entered(session, typed)

    def _is_over(self, session: UssdSession) -> bool:
        facts = self._facts
        idle, age = facts.now - session.last_at, facts.now - session.started_at
        over = idle > facts.idle_ms or age > facts.lifetime_ms
        return over or isinstance(session.state, Ended)

    def _entered(  # noqa: PLR0911 - one return a way on
        self, session: UssdSession, typed: Typed
    ) -> Step:
        entry = typed.strip() if isinstance(typed, str) else typed
        if entry == _HOME:
            return self._show(session, AtMenu())
        if entry == _BACK:
            return self._back(session)
        asked = session.state
        try:
            state, action = self._advance(session, entry)
        except Malformed:
            wrong = WRONG.get(type(asked), Text.WRONG_CHOICE)
            back = AskNewPin(code=asked.code) if isinstance(asked, AskPinAgain) else asked
            return self._again(session, back, self._pages.say(wrong))
        except NotPermitted:
            return self._again(session, asked, self._pages.say(Text.WEAK_PIN))
        if action is not None:
            return Step(session=self._moved(session, state), out=action)
        if isinstance(state, Ended):
            return self._end(session, Text.TERMS_EXPIRED)
        return self._show(session, state)

    def _back(self, session: UssdSession) -> Step:
        match session.state:
            case AtMenu():
                return self._end(session, Text.CANCELLED)
            case Reported():
                return self._end(session, Text.GOODBYE)
            case state:
                return self._show(session, before(state))

    def _advance(self, session: UssdSession, entry: Typed) -> tuple[State, Action | None]:
        """Where `entry` leads. Raises Malformed if it does not fit, NotPermitted for a weak PIN."""
        if isinstance(entry, TypedPin):
            return self._advance_pin(session.state, entry)
        if isinstance(entry, TypedCode):
            return self._advance_code(session.state, entry)
        facts = self._facts
        match session.state:
            case AskPayee(kind=kind):
                payee = payee_number(kind, entry, facts.country)
                return AskAmount(kind=kind, payee=payee), None
            case AskAmount(kind=kind, payee=payee):
                minor = typed_amount(entry, facts.currency)
                quote = AskQuote(kind=kind, payee=payee, amount_minor=minor)
                return Quoting(kind=kind, amount_minor=minor, payee=payee), quote
            case AskReceiptCode():
                return Checking(), CheckCode(code=matching(_RECEIPT, entry))
            case state if isinstance(state, Secretive | Complaining):
                raise Malformed("a PIN or a code is asked for, or nothing")
            case Reading(lines=lines, at=at) if at + 1 == len(self._pages.read(lines)):
                raise Malformed("this is the last page")
            case _:
                return choose(session.state, entry, session.language)

    def _advance_pin(self, state: State, typed: TypedPin) -> tuple[State, Action | None]:
        if typed.pin is None:
            raise Malformed("this is not a PIN")
        match state:
            case Confirm(terms=terms):
                return self._consent(terms, typed.pin)
            case AskBalancePin():
                return ReadingBalance(), Balance(pin=typed.pin)
            case AskBlockPin():
                return Blocking(), Block(pin=typed.pin)
            case AskNewPin(code=code):
                if typed.weak:
                    raise NotPermitted("this PIN is too easy to guess")
                return AskPinAgain(code=code, pin=typed.pin), None
            case AskPinAgain(code=code, pin=pin) if typed.same:
                return SettingPin(), SetPin(code=code, pin=pin)
            case _:
                raise Malformed("no PIN is asked for here, or the two differ")

    def _advance_code(self, state: State, typed: TypedCode) -> tuple[State, Action | None]:
        if typed.code is not None and isinstance(state, AskOrderCode):
            return Paying(terms=state.terms), PayWithCode(terms=state.terms, code=typed.code)
        if typed.code is not None and isinstance(state, AskActivationCode):
            return AskNewPin(code=typed.code), None
        raise Malformed("this is not a code, or none is asked for here")

    def _consent(self, terms: QuoteReply, pin: SealedPin) -> tuple[State, Action | None]:
        if self._facts.now > terms.quote.expires_at:
            return Ended(), None
        return Paying(terms=terms), Pay(terms=terms, pin=pin)

    def resume(  # noqa: C901, PLR0911, PLR0912 - one return a result
        self, session: UssdSession, result: Result
    ) -> Step:
        """See `ussd.resume`.

        Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
        """
        session = replace(session, last_at=self._facts.now)
        match session.state, result:
            case state, Declined() if isinstance(state, _AT_WORK):
                return self._declined(session, result)
            case Quoting(kind=kind, amount_minor=minor, payee=payee), Quoted(terms=terms):
                if (terms.quote.kind, terms.quote.amount_minor) != (kind, minor):
                    raise Broken("the terms are not those that were asked for")
                return self._show(session, Confirm(terms=terms, payee=payee))
            case Choosing(), Spoken(language=language):
                return self._show(replace(session, language=language), AtMenu())
            case Paying(), Paid(receipt_code=code):
                return self._end(session, Text.PAID, code=code)
            case Paying(terms=terms), CodeSent():
                return self._show(session, AskOrderCode(terms=terms))
            case Checking(), CodeKnown() | CodeUnknown():
                return self._known(session, result)
            case ReadingBalance(), BalanceIs(available_minor=minor, currency=currency):
                return self._end(session, Text.BALANCE, amount=str(Money(minor, currency)))
            case Safeguarding(), Safeguarded(accepted=accepted):
                return self._end(session, Text.TERMS_KEPT if accepted else Text.STOPPED)
            case LookingUp(), Protection(lines=lines):
                return self._show(session, Reading(lines=lines))
            case Blocking(), Blocked():
                return self._end(session, Text.BLOCKED)
            case SettingPin(), PinIsSet():
                return self._end(session, Text.PIN_SET)
            case _:
                raise Broken("this menu session does not wait for such a result")

    def _known(self, session: UssdSession, known: CodeKnown | CodeUnknown) -> Step:
        if isinstance(known, CodeUnknown):
            return self._end(session, Text.CODE_UNKNOWN)
        return self._end(
            session,
            Text.CODE_IN if known.incoming else Text.CODE_OUT,
            amount=str(Money(known.amount_minor, known.currency)),
            at=iso_utc(known.at)[:16].replace("T", " "),
            stage=self._pages.say(Text(known.stage)),
        )

    def _declined(self, session: UssdSession, declined: Declined) -> Step:
        back: State | None = None
        match session.state:
            case Paying(terms=terms):
                back = Confirm(terms=terms)
            case ReadingBalance():
                back = AskBalancePin()
            case Blocking():
                back = AskBlockPin()
            case SettingPin():
                back = AskActivationCode()
            case _:
                pass
        says = self._pages.why(session, declined)
        if declined.again and back is not None:
            if not self._facts.pin_ends:
                return self._again(session, back, says)
            says = f"{says} {self._pages.say(Text.DIAL_AGAIN)}"
        page = self._pages.page(says, ends=True)
        return Step(session=replace(session, state=Ended()), out=page)

    def interrupted(self, session: UssdSession) -> tuple[UssdSession, Screen]:
        """See `ussd.interrupted`.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
        """
        page = self._pages.page(self._pages.say(Text.INTERRUPTED), ends=True)
        return replace(session, state=Ended(), tries=0), page

    def _show(self, session: UssdSession, state: State) -> Step:
        if self._is_shut(state):
            return self._end(session, Text.SUSPENDED)
        page = self._pages.page(self._pages.prompt(state), ends=False)
        return Step(session=self._moved(session, state), out=page)

    def _is_shut(self, state: State) -> bool:
        """Whether `state` leads to a payment or takes a secret, and the channel is closed."""
        leads = isinstance(state, AskPayee | AskAmount | Offered | Secretive)
        return self._facts.closed and leads

    def _again(self, session: UssdSession, state: State, because: str) -> Step:
        if self._is_shut(state):
            return self._end(session, Text.SUSPENDED)
        tries = session.tries + 1
        if tries >= self._facts.most_tries:
            return self._end(session, Text.TOO_MANY)
        prompt = self._pages.prompt(state, again=True)
        room = USSD_PLACES - places(prompt) - 1
        text = f"{cut_to(because, room)}\n{prompt}" if room > 0 else prompt
        page = self._pages.page(text, ends=False)
        return Step(session=replace(session, state=state, tries=tries), out=page)

    def _moved(self, session: UssdSession, state: State) -> UssdSession:
        """The session one step on. The count of wrong entries starts again, but never at a PIN that
        the provider has still to judge.
        """
        judged = isinstance(
            state, Quoting | Paying | ReadingBalance | Blocking | SettingPin | Confirm
        )
        return replace(session, state=state, tries=session.tries if judged else 0)

    def _end(self, session: UssdSession, text: Text, **fields: str) -> Step:
        page = self._pages.page(self._pages.say(text, **fields), ends=True)
        return Step(session=replace(session, state=Ended(), tries=0), out=page)
