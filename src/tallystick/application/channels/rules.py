"""Rules of the dialled channel: who signed, what is chosen, what a number or a code means.

A PIN is a block before the menu sees it, and a one-time code is keyed.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 7.3.3
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from tallystick.application.channels.model import (
    Action,
    MenuFacts,
    Safeguard,
    Speak,
    TellProtection,
    Typed,
    TypedCode,
    TypedPin,
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
    Choosing,
    CodeAsked,
    Complaining,
    Confirm,
    LookingUp,
    Offered,
    PinAsked,
    Reading,
    Reported,
    Safeguarding,
    State,
)
from tallystick.application.pins import PinVerifier
from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Broken, Expired, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.channels import Language, SignedUssd, UssdMessage, ussd_header
from tallystick.protocol.education import Aspect
from tallystick.protocol.payments import PaymentKind, QuoteReply

Chosen = TypeVar("Chosen")

_messages = Decoder(UssdMessage, limit=2048)

_INTERNATIONAL = re.compile(r"^(?:\+|00)([1-9][0-9]{6,14})$")
_NATIONAL = re.compile(r"^0([1-9][0-9]{5,11})$")
_TILL = re.compile(r"^[0-9]{4,8}$")
_MOST_MINOR = 2**53 - 1

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


NAVIGATION = ("0", "00")
"""Inputs that lead back, wherever one stands."""


def open_message(signed: SignedUssd, gateways: Mapping[str, VerifyKey]) -> UssdMessage:
    """The message in `signed`, after every check that needs no state:

    1. the JWS header is exactly the one of a registered gateway, so nothing is negotiated;
    2. that gateway's key signed it;
    3. the payload is the canonical encoding of a message that names the same gateway.

    Freshness (`check_fresh`) and that its id is new are the caller's to check.
    Raises Malformed for the form, NotAuthentic for 1 to 3.
    Source: ISO/TS 12812-2:2017, 7.3.3; RFC 7515, 5.2
    """
    header, payload, signature, signing_input = split_compact(signed.message)
    for name, verify_key in gateways.items():
        if ussd_header(name) == header:
            verify_key.verify(signature, signing_input)
            message = _messages.decode_canonical(payload)
            if message.gateway == name:
                return message
            break
    raise NotAuthentic("the message is not signed by a gateway of this provider")


def check_fresh(message: UssdMessage, now: Instant, most_ms: int) -> None:
    """Pass if the gateway sent `message` at most `most_ms` ago, or ahead, by its own clock.

    Raises Expired otherwise.
    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3
    """
    if abs(now - message.at) > most_ms:
        raise Expired("the message is too old or from a wrong clock", remedy="dial again")


def telephone_number(typed: str, country: str) -> str:
    """The E.164 number that a person typed: `0712...`, `254712...`, `00254712...` or `+254712...`.

    Raises Malformed for anything else.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    digits = re.sub(r"[ -]", "", typed)
    national = _NATIONAL.match(digits)
    if national:
        return f"+{country}{national.group(1)}"
    if digits.startswith(country):
        digits = f"+{digits}"
    international = _INTERNATIONAL.match(digits)
    if international is None:
        raise Malformed("this is not a telephone number")
    return f"+{international.group(1)}"


def till_number(typed: str) -> str:
    """The till number that a person typed: 4 to 8 digits.

    Raises Malformed for anything else.
    Source: ISO/TS 12812-2:2017, 11.1
    """
    digits = typed.strip()
    if not _TILL.match(digits):
        raise Malformed("this is not a till number")
    return digits


def payee_number(kind: PaymentKind, typed: str, country: str) -> str:
    """The number of the payee: a telephone for payments between persons, else a till.

    Raises Malformed for anything else.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.1
    """
    return telephone_number(typed, country) if kind is PaymentKind.P2P else till_number(typed)


def typed_amount(typed: str, currency: str) -> int:
    """The amount that a person typed, in minor units of `currency`.

    Raises Malformed for what is no amount, nought, or more than any reader keeps exact.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    minor = Money.parse(typed, currency).minor
    if not 0 < minor <= _MOST_MINOR:
        raise Malformed("this is not an amount")
    return minor


def activation_code(typed: str) -> Secret[str]:
    """The activation code that a person typed, in the spelling it was issued in: groups of four.

    Hyphens and spaces may be missing, as a keypad has none; small letters count as large ones.
    Raises Malformed for what is not 8 to 16 letters and digits.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    plain = re.sub(r"[ -]", "", typed).upper()
    if not re.fullmatch(r"[0-9A-Z]{8,16}", plain):
        raise Malformed("this is not an activation code")
    return Secret("-".join(plain[at : at + 4] for at in range(0, len(plain), 4)))


def choose(state: State, entry: str, language: Language) -> tuple[State, Action | None]:
    """Where `entry` leads on a page that offers choices, and what is asked to be done.

    Raises Malformed for what is not in the list, Broken where the page offers none.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    match state:
        case AskLanguage():
            return Choosing(), Speak(language=_chosen(_LANGUAGES, entry))
        case AskSafety() if entry in _SAFETY:
            return Safeguarding(), _SAFETY[entry]
        case AskAspect():
            aspect = _chosen(_ASPECTS, entry)
            return LookingUp(), TellProtection(aspect=aspect, language=language)
        case _:
            return _next(state, entry), None


def _next(state: State, entry: str) -> State:
    match state:
        case AtMenu():
            return _chosen(_MENU, entry)
        case AskSafety():
            return _chosen(_SAFER, entry)
        case Reading(at=at):
            return _chosen({_GO_ON: replace(state, at=at + 1)}, entry)
        case Offered(terms=terms):
            return _chosen({_GO_ON: Confirm(terms=terms)}, entry)
        case Reported():
            return _chosen({_GO_ON: AtMenu()}, entry)
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


def _chosen(choices: Mapping[str, Chosen], entry: str) -> Chosen:
    """What `entry` chooses. Raises Malformed for what is not in the list."""
    if entry not in choices:
        raise Malformed("this is not in the list")
    return choices[entry]


def matching(form: re.Pattern[str], entry: str) -> str:
    """`entry`, if it has this form.

    Raises Malformed otherwise.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    if not form.match(entry):
        raise Malformed("this is not a code")
    return entry


def order_code(typed: str) -> Secret[str]:
    """The code of an order that a person typed: 6 digits, hidden from here on.

    Raises Malformed for anything else.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    digits = typed.replace(" ", "")
    if not re.fullmatch(r"[0-9]{6}", digits):
        raise Malformed("this is not a code")
    return Secret(digits)


@dataclass(frozen=True, slots=True)
class Door:
    """What makes blocks and MACs of the secrets that one dialler types, by keys of the module.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    pins: PinVerifier
    activation: Callable[[Secret[str]], KeyedCode]
    order: Callable[[QuoteReply, Secret[str]], KeyedCode]


def taken(session: UssdSession, typed: Secret[str], facts: MenuFacts, door: Door) -> Typed:
    """What `session` is given of what was `typed`: where a secret is asked for, never the digits.

    What is not a PIN of allowed length gives a `TypedPin` without block, what is not a code a
    `TypedCode` without MAC. A new PIN is judged by the module, and compared with the one before.
    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
    """
    plain = typed.reveal().strip()
    if plain in NAVIGATION:
        return plain
    if isinstance(session.state, CodeAsked):
        return _code_taken(session.state, plain, door)
    if isinstance(session.state, PinAsked):
        return _pin_taken(session, session.state, plain, facts, door.pins)
    return plain


def _code_taken(state: CodeAsked, plain: str, door: Door) -> TypedCode:
    try:
        if isinstance(state, AskOrderCode):
            return TypedCode(code=door.order(state.terms, order_code(plain)))
        return TypedCode(code=door.activation(activation_code(plain)))
    except Malformed:
        return TypedCode()


def _pin_taken(
    session: UssdSession, state: PinAsked, plain: str, facts: MenuFacts, pins: PinVerifier
) -> TypedPin:
    if not facts.pin_least <= len(plain) <= facts.pin_most:
        return TypedPin()
    try:
        pin = pins.seal(Secret(plain), session.msisdn)
    except Malformed:
        return TypedPin()
    if isinstance(state, AskNewPin):
        return TypedPin(pin=pin, weak=_is_weak(pins, pin, session.msisdn))
    if isinstance(state, AskPinAgain):
        return TypedPin(pin=pin, same=pins.same(pin, state.pin, session.msisdn))
    return TypedPin(pin=pin)


def _is_weak(pins: PinVerifier, pin: SealedPin, number: str) -> bool:
    try:
        pins.check_new(pin, number, number)
    except NotPermitted:
        return True
    return False
