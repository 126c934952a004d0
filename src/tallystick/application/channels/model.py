"""A menu session of a dialling phone: what it shows, what it asks to be done, what policy allows.

Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2; 12.2
"""

from enum import StrEnum

from tallystick.application.channels.states import Dialled, Offered, Reported, Secretive, State
from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.model import Record
from tallystick.kernel.time import SECOND_MS
from tallystick.protocol.channels import Language
from tallystick.protocol.education import Aspect
from tallystick.protocol.payments import PaymentKind, QuoteReply


class Refusal(StrEnum):
    """Codes of `Declined` that say more than the error tree does, so that a page can help.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    NOT_A_CUSTOMER = "not-a-customer"
    NO_PIN = "no-pin"
    NO_TERMS = "no-terms"
    WRONG_CODE = "wrong-code"
    NO_RECOVERY = "no-recovery"
    NO_PHONE = "no-phone"
    YOURSELF = "yourself"
    STOPPED = "stopped"
    NOT_PAYABLE = "not-payable"
    ABOVE_CAP = "above-cap"


class UssdSession(Record, frozen=True, kw_only=True):
    """One dialled session; exists in memory only. `tries` counts wrong entries in a row.

    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2
    """

    id: str
    msisdn: str
    state: State
    tries: int
    started_at: int
    last_at: int
    language: Language = Language.ENGLISH


class MenuFacts(Record, frozen=True, kw_only=True):
    """What the menu needs to know: the instant, the provider, and what policy allows.

    A session ends after `idle_ms` without input and `lifetime_ms` in all, and after `most_tries`
    wrong entries in a row. `country` is the calling code without plus. With `pin_ends` a PIN is the
    last input of a session: one that was wrong is not asked for again. With `app_waits` a
    request waits in the dialler's app; it is told, and cannot be approved here. While the channel
    is `closed` nobody pays here and no secret is asked for.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    now: int
    provider: str
    currency: str
    country: str
    idle_ms: int = 60 * SECOND_MS
    lifetime_ms: int = 180 * SECOND_MS
    most_tries: int = 3
    pin_least: int = 4
    pin_most: int = 6
    pin_ends: bool = False
    app_waits: bool = False
    closed: bool = False


class TypedPin(Record, frozen=True, kw_only=True):
    """What was typed where a PIN is asked for; without `pin` it was none.

    A new PIN is `weak` if it is guessed first, and the `same` if it was typed so before.
    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
    """

    pin: SealedPin | None = None
    weak: bool = False
    same: bool = False


class TypedCode(Record, frozen=True, kw_only=True):
    """What was typed where a one-time code is asked for; without `code` it was none.

    Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.1
    """

    code: KeyedCode | None = None


Typed = str | TypedPin | TypedCode
"""What a menu is given of what was typed: a text only where no secret is asked for."""


class Screen(Record, frozen=True, kw_only=True):
    """A page for the phone: at most 182 places of the GSM alphabet.

    Source: ISO/TS 12812-2:2017, 7.2.3; 3GPP TS 23.038, 6.2.1
    """

    text: str
    ends: bool


class AskQuote(Record, frozen=True, kw_only=True):
    """Get the terms of a payment; answer with `Quoted` or `Declined`.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    kind: PaymentKind
    payee: str
    amount_minor: int


class Pay(Record, frozen=True, kw_only=True):
    """Order what `terms` say, as the PIN consents; answer with `Paid` or `Declined`.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    terms: QuoteReply
    pin: SealedPin


class PayWithCode(Record, frozen=True, kw_only=True):
    """Order what `terms` say, confirmed by a code as well; answer with `Paid` or `Declined`.

    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    terms: QuoteReply
    code: KeyedCode


class CheckCode(Record, frozen=True, kw_only=True):
    """Say what is known of a receipt code; answer with `CodeKnown` or `CodeUnknown`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code: str


class Balance(Record, frozen=True, kw_only=True):
    """Read the balance; answer with `BalanceIs` or `Declined`.

    Source: ISO/TS 12812-2:2017, 12.3
    """

    pin: SealedPin


class SetPin(Record, frozen=True, kw_only=True):
    """Set the PIN, as the activation code allows; answer with `PinIsSet` or `Declined`.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    code: KeyedCode
    pin: SealedPin


class Speak(Record, frozen=True, kw_only=True):
    """Keep the customer's language; answer with `Spoken` or `Declined`.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    language: Language


class Safeguard(Record, frozen=True, kw_only=True):
    """Say no to the recovery of the dialler's account, or accept the terms.

    It takes no PIN: the one only takes away, the other is also said by who may not pay yet.
    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    accept: bool


class TellProtection(Record, frozen=True, kw_only=True):
    """Say what protects the dialler, in `language`; answer with `Protection` or `Declined`.

    It takes no PIN: it is the same for everybody whom the provider knows as well.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    aspect: Aspect
    language: Language


class Block(Record, frozen=True, kw_only=True):
    """Block every phone of the dialler; answer with `Blocked` or `Declined`.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    pin: SealedPin


Action = (
    AskQuote
    | Pay
    | PayWithCode
    | CheckCode
    | Balance
    | SetPin
    | Speak
    | Safeguard
    | TellProtection
    | Block
)


class Quoted(Record, frozen=True, kw_only=True):
    """The terms, as the provider will hold to them.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    terms: QuoteReply


class Paid(Record, frozen=True, kw_only=True):
    """The order is settled; `receipt_code` names its event.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    receipt_code: str


class CodeSent(Record, frozen=True, kw_only=True):
    """The PIN was right and the policy asks for more: a code is on its way by SMS.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """


class CodeKnown(Record, frozen=True, kw_only=True):
    """A receipt code that the provider gave out, and what it stands for; `incoming` to the dialler.

    `stage` is the order's stage in one word. A code of a payment between others is not known here.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    amount_minor: int
    currency: str
    incoming: bool
    stage: str
    at: int


class CodeUnknown(Record, frozen=True, kw_only=True):
    """No payment of the dialler has this receipt code.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """


class BalanceIs(Record, frozen=True, kw_only=True):
    """What is available.

    Source: ISO/TS 12812-2:2017, 12.3
    """

    available_minor: int
    currency: str


class PinIsSet(Record, frozen=True, kw_only=True):
    """The new PIN is in force.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """


class Spoken(Record, frozen=True, kw_only=True):
    """The language is kept.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    language: Language


class Declined(Record, frozen=True, kw_only=True):
    """Refused, in English words for the customer; `again` asks for the secret once more.

    Where `code` is a `Refusal`, every language says what stands for it; else it is a code of the
    error tree, for which the other languages have words.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    says: str
    again: bool = False
    code: str = ""


class Safeguarded(Record, frozen=True, kw_only=True):
    """The recovery is cancelled, or the terms are accepted.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    accepted: bool


class Protection(Record, frozen=True, kw_only=True):
    """What protects the dialler, a sentence each.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    lines: tuple[str, ...]


class Blocked(Record, frozen=True, kw_only=True):
    """The dialler's phones are blocked.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """


Result = (
    Quoted
    | Paid
    | CodeSent
    | CodeKnown
    | CodeUnknown
    | BalanceIs
    | PinIsSet
    | Spoken
    | Safeguarded
    | Protection
    | Blocked
    | Declined
)


class Step(Record, frozen=True, kw_only=True):
    """The session as it stands now, and what comes out: a page to show, or an action to carry out.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    session: UssdSession
    out: Screen | Action


def open_session(
    identifier: str,
    msisdn: str,
    now: int,
    language: Language = Language.ENGLISH,
    begins: Offered | Reported | None = None,
) -> UssdSession:
    """A session that was just dialled, with the page that it `begins` with if not the menu.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    return UssdSession(
        id=identifier,
        msisdn=msisdn,
        state=Dialled(begins=begins),
        tries=0,
        started_at=now,
        last_at=now,
        language=language,
    )


def asks_secret(session: UssdSession) -> bool:
    """Whether what is typed next in `session` may be a PIN or a code.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return isinstance(session.state, Secretive)
