"""Where a menu session of a dialling phone stands.

Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2; 12.2
"""

from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.model import Record
from tallystick.protocol.payments import PaymentKind, QuoteReply


class AtMenu(Record, frozen=True, kw_only=True):
    """The main menu is shown.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """


class AskPayee(Record, frozen=True, kw_only=True):
    """Waiting for a telephone or till number.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    kind: PaymentKind


class AskAmount(Record, frozen=True, kw_only=True):
    """Waiting for the amount.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    kind: PaymentKind
    payee: str


class Quoting(Record, frozen=True, kw_only=True):
    """The provider is asked for the terms.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    kind: PaymentKind
    amount_minor: int
    payee: str = ""


class Confirm(Record, frozen=True, kw_only=True):
    """The terms are shown; a PIN consents to exactly these. `payee` is what was typed, if it was.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    terms: QuoteReply
    payee: str = ""


class AskOrderCode(Record, frozen=True, kw_only=True):
    """Waiting for the code that was sent for these terms; the PIN was right before.

    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    terms: QuoteReply


class Paying(Record, frozen=True, kw_only=True):
    """The order is with the provider.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    terms: QuoteReply


class AskReceiptCode(Record, frozen=True, kw_only=True):
    """Waiting for a receipt code.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """


class Checking(Record, frozen=True, kw_only=True):
    """The provider looks the receipt code up.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """


class AskBalancePin(Record, frozen=True, kw_only=True):
    """Waiting for the PIN that shows the balance.

    Source: ISO/TS 12812-2:2017, 12.3
    """


class ReadingBalance(Record, frozen=True, kw_only=True):
    """The provider reads the balance.

    Source: ISO/TS 12812-2:2017, 12.3
    """


class AskActivationCode(Record, frozen=True, kw_only=True):
    """Waiting for the activation code.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """


class AskNewPin(Record, frozen=True, kw_only=True):
    """Waiting for the new PIN.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    code: KeyedCode


class AskPinAgain(Record, frozen=True, kw_only=True):
    """Waiting for the new PIN a second time.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    code: KeyedCode
    pin: SealedPin


class SettingPin(Record, frozen=True, kw_only=True):
    """The provider sets the PIN.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """


class AskLanguage(Record, frozen=True, kw_only=True):
    """Waiting for the choice of a language.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """


class Choosing(Record, frozen=True, kw_only=True):
    """The provider keeps the language.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """


class AskSafety(Record, frozen=True, kw_only=True):
    """Waiting for what is to be done about the account's protection.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """


class Complaining(Record, frozen=True, kw_only=True):
    """Reading where one can complain; it leads back only.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """


class AskAspect(Record, frozen=True, kw_only=True):
    """Waiting for what the customer wants to read of what protects them.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """


class LookingUp(Record, frozen=True, kw_only=True):
    """The provider reads what protects the customer off the policy in force.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """


class Reading(Record, frozen=True, kw_only=True):
    """Reading `lines` of what protects the customer, on the page numbered `at` from 0.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    lines: tuple[str, ...]
    at: int = 0


class AskBlockPin(Record, frozen=True, kw_only=True):
    """Waiting for the PIN that blocks the customer's phones.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """


class Blocking(Record, frozen=True, kw_only=True):
    """The provider blocks the customer's phones.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """


class Safeguarding(Record, frozen=True, kw_only=True):
    """The provider cancels a recovery, or keeps that the terms were accepted.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """


class Offered(Record, frozen=True, kw_only=True):
    """Terms that a dropped session had shown are offered again; nothing is consented to here.

    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    terms: QuoteReply


class Reported(Record, frozen=True, kw_only=True):
    """What became of the last payment is told; `stage` is its order's, `code` its receipt's.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    amount_minor: int
    currency: str
    name: str
    stage: str
    code: str


class Dialled(Record, frozen=True, kw_only=True):
    """The session is new; nothing was shown yet. `begins` is the first page, if not the menu.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    begins: Offered | Reported | None = None


class Ended(Record, frozen=True, kw_only=True):
    """Over; nothing that arrives later does anything.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """


State = (
    Dialled
    | AtMenu
    | AskPayee
    | AskAmount
    | Quoting
    | Confirm
    | AskOrderCode
    | Paying
    | AskReceiptCode
    | Checking
    | AskBalancePin
    | ReadingBalance
    | AskActivationCode
    | AskNewPin
    | AskPinAgain
    | SettingPin
    | AskLanguage
    | Choosing
    | AskSafety
    | Safeguarding
    | Complaining
    | AskAspect
    | LookingUp
    | Reading
    | AskBlockPin
    | Blocking
    | Offered
    | Reported
    | Ended
)

CodeAsked = AskOrderCode | AskActivationCode
"""Where what is typed next may be a one-time code."""

PinAsked = Confirm | AskBalancePin | AskBlockPin | AskNewPin | AskPinAgain
"""Where what is typed next may be a PIN."""

Secretive = PinAsked | CodeAsked
"""Where what is typed next may be a secret."""
