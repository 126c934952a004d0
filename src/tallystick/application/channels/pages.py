"""What the pages of the dialled menu say, in one language; every page fits 182 places.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6; 11.2.2; 3GPP TS 23.038, 6.2.1
"""

from collections.abc import Mapping

from tallystick.application.channels.model import (
    Declined,
    MenuFacts,
    Refusal,
    Screen,
    UssdSession,
)
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
    Offered,
    Reading,
    Reported,
    SettingPin,
    State,
)
from tallystick.application.channels.texts import TEXTS, Text
from tallystick.kernel.errors import (
    Broken,
    Expired,
    InsufficientFunds,
    LimitExceeded,
    NotAuthentic,
    NotFound,
    NotPermitted,
    OutOfReach,
    RateLimited,
    ServiceSuspended,
    StepUpRequired,
    Unavailable,
)
from tallystick.kernel.money import Money
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import USSD_PLACES, places, plain_name, to_gsm7
from tallystick.protocol.payments import PaymentKind, QuoteReply

_NAME_PLACES = 30
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
_DECLINED = {
    NotFound.code: Text.UNKNOWN_NUMBER,
    NotAuthentic.code: Text.WRONG_PIN,
    NotPermitted.code: Text.NOT_ALLOWED,
    LimitExceeded.code: Text.OVER_LIMIT,
    InsufficientFunds.code: Text.TOO_LITTLE,
    RateLimited.code: Text.LATER,
    Unavailable.code: Text.LATER,
    OutOfReach.code: Text.LATER,
    ServiceSuspended.code: Text.SUSPENDED,
    Broken.code: Text.LATER,
    StepUpRequired.code: Text.NEEDS_MORE,
    Expired.code: Text.TERMS_EXPIRED,
}
REFUSALS: Mapping[Refusal, Text] = {
    Refusal.NOT_A_CUSTOMER: Text.NOT_CUSTOMER,
    Refusal.NO_PIN: Text.FIRST_PIN,
    Refusal.NO_TERMS: Text.FIRST_TERMS,
    Refusal.WRONG_CODE: Text.CODE_REFUSED,
    Refusal.NO_RECOVERY: Text.NO_RECOVERY,
    Refusal.NO_PHONE: Text.NO_PHONE,
    Refusal.YOURSELF: Text.YOURSELF,
    Refusal.STOPPED: Text.ACCOUNT_STOPPED,
    Refusal.NOT_PAYABLE: Text.CANNOT_BE_PAID,
    Refusal.ABOVE_CAP: Text.OVER_LIMIT,
}
"""What is said where a page can help."""

_LAST = {
    Text.SETTLED.value: Text.LAST_DONE,
    Text.RETURNED.value: Text.LAST_DONE,
    Text.REFUSED.value: Text.LAST_REFUSED,
}

_PLAIN: dict[type[State], Text] = {
    AskOrderCode: Text.ASK_ORDER_CODE,
    AskReceiptCode: Text.ASK_RECEIPT,
    AskBalancePin: Text.ASK_BALANCE_PIN,
    AskActivationCode: Text.ASK_ACTIVATION,
    AskPinAgain: Text.ASK_PIN_AGAIN,
    AskLanguage: Text.ASK_LANGUAGE,
    AskSafety: Text.ASK_SAFETY,
    AskAspect: Text.ASK_ASPECT,
    AskBlockPin: Text.ASK_BLOCK_PIN,
    Complaining: Text.COMPLAINTS,
}


_WARNINGS = {"first-large-amount": Text.WARN_LARGE, "new-payee": Text.WARN_NEW}

WRONG: Mapping[type[State], Text] = {
    AskPayee: Text.WRONG_NUMBER,
    AskAmount: Text.WRONG_AMOUNT,
    Confirm: Text.WRONG_PIN_FORM,
    AskReceiptCode: Text.WRONG_CODE_FORM,
    AskOrderCode: Text.WRONG_CODE_FORM,
    AskBalancePin: Text.WRONG_PIN_FORM,
    AskBlockPin: Text.WRONG_PIN_FORM,
    AskActivationCode: Text.WRONG_CODE_FORM,
    AskNewPin: Text.WRONG_PIN_FORM,
    AskPinAgain: Text.PINS_DIFFER,
}
"""What is said where an entry does not have the form that is asked for."""


class Pages:
    """Fills the words of one language with the facts of a session.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    __slots__ = ("_facts", "_language", "_texts")

    def __init__(self, facts: MenuFacts, language: Language) -> None:
        """Speak `language`.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._facts = facts
        self._language = language
        self._texts = TEXTS[language]

    def say(self, text: Text, **fields: str) -> str:
        """The words of `text` with its fields filled.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self._texts[text].format(provider=plain_name(self._facts.provider, 24), **fields)

    def prompt(  # noqa: PLR0911 - one return a sort of page
        self, state: State, *, again: bool = False
    ) -> str:
        """What the page of `state` asks; `again` leaves room for what was wrong.

        Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
        """
        facts = self._facts
        match state:
            case AskPayee(kind=kind):
                return self.say(_ASK_PAYEE[kind])
            case AskAmount():
                return self.say(Text.ASK_AMOUNT, currency=facts.currency)
            case Confirm(terms=terms):
                quote = terms.quote
                return self._warned(terms) + self.say(
                    _CONFIRM[quote.kind],
                    amount=str(Money(quote.amount_minor, quote.currency)),
                    name=plain_name(quote.payee_name, _NAME_PLACES),
                    fee=str(Money(quote.fee_minor, quote.currency)),
                )
            case AskNewPin():
                least, most = str(facts.pin_least), str(facts.pin_most)
                return self.say(Text.ASK_NEW_PIN, least=least, most=most)
            case Reading(lines=lines, at=at):
                return self.read(lines)[at]
            case Offered() | Reported():
                return self._offered(state)
            case AtMenu() if facts.app_waits and not again:
                return f"{self.say(Text.MENU)}\n{self.say(Text.APP_WAITS)}"
            case _:
                return self.say(_PLAIN.get(type(state), Text.MENU))

    def _warned(self, terms: QuoteReply) -> str:
        """The gravest warning that a page has room for, and a line end; empty without one."""
        shown = terms.shown or ()
        for kind, text in _WARNINGS.items():
            if kind in shown:
                return self.say(text) + "\n"
        return ""

    def read(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        """`lines` as pages, at least one, each with the ways on; none is cut in a word.

        Source: ISO/TS 12812-2:2017, 7.3.6; 3GPP TS 23.038, 6.2.1
        """
        more, last = self.say(Text.MORE), self.say(Text.NO_MORE)
        pages = filled(lines, USSD_PLACES - places(more) - 1)
        return (*(f"{page}\n{more}" for page in pages[:-1]), f"{pages[-1]}\n{last}")

    def _offered(self, state: Offered | Reported) -> str:
        if isinstance(state, Reported):
            fields = {
                "amount": str(Money(state.amount_minor, state.currency)),
                "name": plain_name(state.name, _NAME_PLACES),
            }
            said = _LAST.get(state.stage, Text.LAST_OPEN)
            if said is Text.LAST_DONE:
                fields["code"] = state.code
            return self.say(said, **fields)
        quote = state.terms.quote
        return self.say(
            Text.RESUME,
            amount=str(Money(quote.amount_minor, quote.currency)),
            name=plain_name(quote.payee_name, _NAME_PLACES),
            fee=str(Money(quote.fee_minor, quote.currency)),
        )

    def why(self, session: UssdSession, declined: Declined) -> str:
        """Why something was declined: in English as it was said, else by its code.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        if isinstance(session.state, SettingPin) and declined.code == NotAuthentic.code:
            return self.say(Text.CODE_REFUSED)
        return self.refused(declined)

    def refused(self, declined: Declined) -> str:
        """What stands for the code of `declined`; in English its own words, if the code is general.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        if declined.code in set(Refusal):
            return self.say(REFUSALS[Refusal(declined.code)])
        if self._language is Language.ENGLISH or not declined.code:
            return declined.says
        return self.say(_DECLINED.get(declined.code, Text.NOT_DONE))

    @staticmethod
    def page(text: str, *, ends: bool) -> Screen:
        """`text` as a page that fits.

        Source: 3GPP TS 23.038, 6.2.1
        """
        return Screen(text=cut_to(text, USSD_PLACES), ends=ends)


def refused_in(language: Language, declined: Declined, facts: MenuFacts) -> str:
    """Why something was declined, for a phone that shows no menu: in `language`.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return Pages(facts, language).refused(declined)


def cut_to(text: str, most: int) -> str:
    """`text` in the GSM alphabet, from its beginning, within `most` places.

    Source: 3GPP TS 23.038, 6.2.1
    """
    kept = to_gsm7(text)
    while kept and places(kept) > most:
        kept = kept[: len(kept) - max(1, (places(kept) - most) // 2)]
    return kept


def filled(lines: tuple[str, ...], room: int) -> tuple[str, ...]:
    """`lines` on as few pages as hold them in their order, at most `room` places each.

    A line that fits no page goes on to the next after a word.
    Source: 3GPP TS 23.038, 6.2.1
    """
    pages = [""]
    for line in lines:
        for part in _parts(to_gsm7(line), room):
            joined = f"{pages[-1]}\n{part}" if pages[-1] else part
            if places(joined) <= room:
                pages[-1] = joined
            else:
                pages.append(part)
    return tuple(pages)


def _parts(line: str, room: int) -> list[str]:
    """`line`, or what of it fits `room` places and so on."""
    parts = [""]
    for word in line.split():
        joined = f"{parts[-1]} {word}" if parts[-1] else word
        if places(joined) <= room:
            parts[-1] = joined
        else:
            parts.append(cut_to(word, room))
    return [part for part in parts if part]
