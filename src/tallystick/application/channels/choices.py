"""What a number chooses on each page of the dialled menu, and where nought leads back to.

Source: ISO/TS 12812-2:2017, 7.2.3
"""

from collections.abc import Mapping
from typing import Final

from tallystick.application.channels.model import (
    Action,
    Safeguard,
    Speak,
    TellProtection,
)
from tallystick.application.channels.rules import chosen
from tallystick.application.channels.states import (
    AskActivationCode,
    AskAmount,
    AskAspect,
    AskBalancePin,
    AskBlockPin,
    AskLanguage,
    AskNewPin,
    AskPayee,
    AskPinAgain,
    AskReceiptCode,
    AskSafety,
    AtMenu,
    Choosing,
    Complaining,
    Confirm,
    LookingUp,
    Offered,
    Reading,
    Reported,
    Safeguarding,
    State,
)
from tallystick.kernel.errors import Broken
from tallystick.kernel.model import replace
from tallystick.protocol.channels import Language
from tallystick.protocol.education import Aspect
from tallystick.protocol.payments import PaymentKind

_GO_ON: Final = "1"
_MENU: Final[Mapping[str, State]] = {
    "1": AskPayee(kind=PaymentKind.P2P),
    "2": AskPayee(kind=PaymentKind.CASH_OUT),
    "3": AskPayee(kind=PaymentKind.MERCHANT),
    "4": AskReceiptCode(),
    "5": AskBalancePin(),
    "6": AskActivationCode(),
    "7": AskLanguage(),
    "8": AskSafety(),
}
_LANGUAGES: Final = {"1": Language.ENGLISH, "2": Language.FRENCH, "3": Language.SWAHILI}
_SAFETY: Final = {"1": Safeguard(accept=False), "2": Safeguard(accept=True)}
_SAFER: Final[Mapping[str, State]] = {"3": AskBlockPin(), "4": Complaining(), "5": AskAspect()}
_ASPECTS: Final = {str(number): aspect for number, aspect in enumerate(Aspect, 1)}


def choose(state: State, entry: str, language: Language) -> tuple[State, Action | None]:
    """Where `entry` leads on a page that offers choices, and what is asked to be done.

    Raises Malformed for what is not in the list, Broken where the page offers none.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    match state:
        case AskLanguage():
            return Choosing(), Speak(language=chosen(_LANGUAGES, entry))
        case AskSafety() if entry in _SAFETY:
            return Safeguarding(), _SAFETY[entry]
        case AskAspect():
            aspect = chosen(_ASPECTS, entry)
            return LookingUp(), TellProtection(aspect=aspect, language=language)
        case _:
            return _next(state, entry), None


def _next(state: State, entry: str) -> State:
    match state:
        case AtMenu():
            return chosen(_MENU, entry)
        case AskSafety():
            return chosen(_SAFER, entry)
        case Reading(at=at):
            return chosen({_GO_ON: replace(state, at=at + 1)}, entry)
        case Offered(terms=terms):
            return chosen({_GO_ON: Confirm(terms=terms)}, entry)
        case Reported():
            return chosen({_GO_ON: AtMenu()}, entry)
        case _:
            raise Broken("the menu has no way on from where it stands")


def before(  # noqa: PLR0911 - one return a page
    state: State,
) -> State:
    """The page before that of `state`, which is neither the menu nor the end of a report.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    match state:
        case AskAmount(kind=kind):
            return AskPayee(kind=kind)
        case Confirm(terms=terms, payee=payee) if payee:
            return AskAmount(kind=terms.quote.kind, payee=payee)
        case AskNewPin():
            return AskActivationCode()
        case AskPinAgain(code=code):
            return AskNewPin(code=code)
        case Reading(at=at):
            return replace(state, at=at - 1) if at else AskAspect()
        case AskAspect():
            return AskSafety()
        case _:
            return AtMenu()
