"""Pure rules of notices: what each says in one SMS, its receipt code, and when to try again.

No text has a link or a number to call: a message from us never asks anybody to go anywhere. Names
are reduced to letters, numbers to their last three digits.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; 7.3.6
"""

import re
from collections.abc import Callable

from tallystick.application.notices.model import (
    ActivationIssued,
    CustomerTold,
    DeviceSuspended,
    DeviceTold,
    Facts,
    NoticeRow,
    NotMe,
    OrderCodeIssued,
    PaymentReceived,
    PaymentReversed,
    PaymentSent,
    PinBlocked,
    RecoveryTold,
    SimChanged,
    Template,
    VerificationBlocked,
)
from tallystick.application.notices.texts import WORDS
from tallystick.application.notices.texts.reasons import reason_in
from tallystick.application.notices.texts.words import Said
from tallystick.infrastructure.crypto.digest import equal
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import HOUR_MS, SECOND_MS, Instant
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import SMS_PLACES, masked_number, places, plain_name

Mac = Callable[[bytes], bytes]
"""A MAC bound to the receipt-code key: at least 8 bytes for any message."""

_LABEL = b"tallystick receipt code v1\x00"
_DIGITS = 6
_LEAST_INDEX_DIGITS = 4
_CODE = re.compile(r"([0-9]{4,16})[ -]?([0-9]{6})")

MOST_ATTEMPTS = 12
_FIRST_RETRY_MS = 5 * SECOND_MS
LONGEST_WAIT_MS = HOUR_MS
_NAME_PLACES = 20
_REASON_PLACES = 40
_PROVIDER_PLACES = 20


def receipt_code(event_index: int, mac: Mac) -> str:
    """The short code of the event at `event_index`: `NNNN-NNNNNN`, its index and 6 digits of a MAC.

    A forger who makes up a code is right once in 1,000,000 tries, and a right guess still names
    one event: whoever dials it is told that event's own amount and only if they took part in it. At
    five checks a day for each number that is once in 547 years of dialling.
    Source: ISO/TS 12812-2:2017, 7.3.3; ISO/IEC 9797-2
    """
    if not 0 <= event_index < 10**16:
        raise Malformed("an event index is a natural number of at most 16 digits")
    return f"{event_index:0{_LEAST_INDEX_DIGITS}d}-{_check_digits(event_index, mac)}"


def check_receipt_code(code: str, mac: Mac) -> int:
    """The index of the event that `code` names; the hyphen may be missing or a space.

    Raises Malformed for what is not a code, NotAuthentic if the provider never gave it out.
    Source: ISO/TS 12812-2:2017, 7.3.3; ISO/IEC 9797-2
    """
    match = _CODE.fullmatch(code.strip())
    if match is None:
        raise Malformed("a receipt code looks like 1234-567890")
    index = int(match.group(1))
    expected = receipt_code(index, mac).replace("-", "")
    if not equal(expected.encode(), (match.group(1) + match.group(2)).encode()):
        raise NotAuthentic("this receipt code was not given out by the provider")
    return index


def _check_digits(event_index: int, mac: Mac) -> str:
    tag = mac(_LABEL + event_index.to_bytes(8, "big"))
    return f"{int.from_bytes(tag[:8], 'big') % 10**_DIGITS:0{_DIGITS}d}"


def template_of(facts: Facts) -> Template:
    """Which message tells these facts.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if isinstance(facts, RecoveryTold | DeviceTold | CustomerTold):
        return facts.told
    return _TEMPLATES[type(facts)]


_TEMPLATES: dict[type[Facts], Template] = {
    ActivationIssued: Template.ACTIVATION_CODE,
    PaymentSent: Template.PAYMENT_SENT,
    PaymentReceived: Template.PAYMENT_RECEIVED,
    PaymentReversed: Template.PAYMENT_REVERSED,
    DeviceSuspended: Template.DEVICE_SUSPENDED,
    PinBlocked: Template.PIN_BLOCKED,
    VerificationBlocked: Template.VERIFICATION_BLOCKED,
    SimChanged: Template.SIM_CHANGED,
    NotMe: Template.NOT_ME,
    OrderCodeIssued: Template.ORDER_CODE,
}


CODES = frozenset({Template.ACTIVATION_CODE, Template.ORDER_CODE})
"""Notices that carry a code, which goes to the number alone."""

PAYMENTS = frozenset({Template.PAYMENT_SENT, Template.PAYMENT_RECEIVED, Template.PAYMENT_REVERSED})
"""Notices of payments, of which an app has receipts."""

RECOVERIES = frozenset(
    {
        Template.RECOVERY_OPENED,
        Template.RECOVERY_HALF,
        Template.RECOVERY_DONE,
        Template.RECOVERY_CANCELLED,
    }
)
"""Notices of recoveries, which go to the number from before them."""

CUSTOMERS = frozenset({Template.CUSTOMER_RESUMED, Template.TIER_RAISED, Template.TIER_LOWERED})
"""Notices of the customer as a whole that say all by themselves."""

WARNINGS = frozenset(Template) - CODES - PAYMENTS
"""Notices that warn; the customer's phones are told as well as the number."""

_LIVES: dict[Template, Said] = {
    Template.RECOVERY_OPENED: Said.RECOVERY_OPENED,
    Template.RECOVERY_HALF: Said.RECOVERY_HALF,
    Template.RECOVERY_DONE: Said.RECOVERY_DONE,
    Template.RECOVERY_CANCELLED: Said.RECOVERY_CANCELLED,
    Template.DEVICE_ADDED: Said.DEVICE_ADDED,
    Template.DEVICE_RESUMED: Said.DEVICE_RESUMED,
    Template.DEVICE_LOST: Said.DEVICE_LOST,
    Template.DEVICE_STOLEN: Said.DEVICE_STOLEN,
    Template.DEVICE_LEAVING: Said.DEVICE_LEAVING,
    Template.DEVICE_REMOVED: Said.DEVICE_REMOVED,
    Template.DEVICE_RESTS_SOON: Said.DEVICE_RESTS_SOON,
    Template.DEVICE_DORMANT: Said.DEVICE_DORMANT,
    Template.DEVICE_DELETED: Said.DEVICE_DELETED,
    Template.DEVICE_WIPED: Said.DEVICE_WIPED,
    Template.CUSTOMER_SUSPENDED: Said.CUSTOMER_SUSPENDED,
    Template.CUSTOMER_RESUMED: Said.CUSTOMER_RESUMED,
    Template.TIER_RAISED: Said.TIER_RAISED,
    Template.TIER_LOWERED: Said.TIER_LOWERED,
}
_WITH_HOURS = frozenset({Said.RECOVERY_OPENED, Said.RECOVERY_HALF})


def render(facts: Facts, provider: str, language: Language = Language.ENGLISH) -> str:
    """The message for `facts` in at most 160 places of the GSM alphabet, one SMS.

    Raises Malformed if it does not fit, which no facts of ours can make happen.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; 3GPP TS 23.038, 6.2.1
    """
    said, fields = _said(facts, language)
    words = WORDS[language][said].format(**fields)
    text = f"{plain_name(provider, _PROVIDER_PLACES)}: {words}"
    if places(text) > SMS_PLACES:
        raise Malformed("a notice does not fit one SMS")
    return text


def _said(facts: Facts, language: Language) -> tuple[Said, dict[str, str]]:
    match facts:
        case ActivationIssued() | OrderCodeIssued():
            return _coded(facts)
        case PaymentSent():
            return Said.SENT, {
                "amount": _money(facts.amount_minor, facts.currency),
                "person": _person(facts.payee_name, facts.payee_number),
                "fee": _money(facts.fee_minor, facts.currency),
                "receipt": facts.receipt_code,
            }
        case PaymentReceived():
            return Said.RECEIVED, {
                "amount": _money(facts.amount_minor, facts.currency),
                "person": _person(facts.payer_name, facts.payer_number),
                "receipt": facts.receipt_code,
            }
        case PaymentReversed(to_you=to_you, receipt_code=code):
            amount = _money(facts.amount_minor, facts.currency)
            way = Said.GIVEN_BACK if to_you else Said.TAKEN_BACK
            return way, {"amount": amount, "receipt": code}
        case RecoveryTold() | DeviceTold() | CustomerTold():
            return _lived(facts)
        case DeviceSuspended() | PinBlocked() | VerificationBlocked() | SimChanged() | NotMe():
            return _warned(facts, language)


def _lived(facts: RecoveryTold | DeviceTold | CustomerTold) -> tuple[Said, dict[str, str]]:
    said = _LIVES[facts.told]
    if isinstance(facts, RecoveryTold) and said in _WITH_HOURS:
        return said, {"hours": str(facts.hours)}
    if isinstance(facts, CustomerTold) and facts.because:
        return said, {"because": plain_name(facts.because, _REASON_PLACES)}
    return said, {}


def _coded(facts: ActivationIssued | OrderCodeIssued) -> tuple[Said, dict[str, str]]:
    minutes, code = str(facts.minutes), facts.code.reveal()
    match facts:
        case ActivationIssued():
            return Said.ACTIVATION, {"code": code, "minutes": minutes}
        case OrderCodeIssued():
            return Said.ORDER_CODE, {
                "code": " ".join(re.findall("...", code)),
                "minutes": minutes,
                "amount": _money(facts.amount_minor, facts.currency),
                "person": plain_name(facts.payee_name, _NAME_PLACES),
            }


def _warned(
    facts: DeviceSuspended | PinBlocked | VerificationBlocked | SimChanged | NotMe,
    language: Language,
) -> tuple[Said, dict[str, str]]:
    match facts:
        case DeviceSuspended(because=because):
            return Said.DEVICE_SUSPENDED, {"because": reason_in(language, because)}
        case PinBlocked() | VerificationBlocked():
            of_pin = isinstance(facts, PinBlocked)
            if not facts.minutes:
                return (Said.PIN_BLOCKED if of_pin else Said.VERIFICATION_BLOCKED), {}
            blocked = Said.PIN_BLOCKED_FOR if of_pin else Said.VERIFICATION_BLOCKED_FOR
            return blocked, {"minutes": str(facts.minutes)}
        case SimChanged():
            return Said.SIM_CHANGED, {}
        case NotMe():
            return Said.NOT_ME, {}


def _money(minor: int, currency: str) -> str:
    return str(Money(minor, currency))


def _person(name: str, number: str) -> str:
    return f"{plain_name(name, _NAME_PLACES)} {masked_number(number)}"


def attempted(notice: NoticeRow, now: Instant, *, delivered: bool) -> NoticeRow:
    """`notice` after one attempt: delivered, or due again after twice the wait, or given up.

    The first repetition follows after 5 s, then the wait doubles up to an hour; 12 attempts.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    attempts = notice.attempts + 1
    if delivered:
        return replace(notice, attempts=attempts, due_at=0, delivered_at=now)
    if attempts >= MOST_ATTEMPTS:
        return replace(notice, attempts=attempts, due_at=0)
    wait = min(LONGEST_WAIT_MS, _FIRST_RETRY_MS << (attempts - 1))
    return replace(notice, attempts=attempts, due_at=now + wait)
