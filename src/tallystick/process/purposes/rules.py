"""Purposes of looking, who may have which, and which parts of a person each of them opens.

A purpose is open to a role only if the policy in force lets that role do one of the acts that the
purpose serves: whoever cannot suspend a device has no reason to look at one that was lost.

Source: ISO/TS 12812-2:2017, 7.3.4; 14.2.1
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.policy.facts import OperatorAct


class Purpose(StrEnum):
    """Why somebody looks.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    CUSTOMER_ASKED = "customer-asked"
    LOST_DEVICE = "lost-device"
    DISPUTED_PAYMENT = "disputed-payment"
    FRAUD_INQUIRY = "fraud-inquiry"
    RECOVERY = "recovery"
    NOT_ME = "not-me"
    PRIVACY_REQUEST = "privacy-request"
    AUDIT = "audit"


class Part(StrEnum):
    """A part of what is known of a person; what is not opened is masked or left out.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    NAME = "name"
    NUMBER = "number"
    DEVICES = "devices"
    LIMITS = "limits"
    BALANCE = "balance"
    PAYMENTS = "payments"
    AMOUNTS = "amounts"
    NOTICES = "notices"
    RECOVERIES = "recoveries"
    APPROVALS = "approvals"


class PurposeRule(Record, frozen=True, kw_only=True):
    """What a purpose is called, which acts it serves, and which parts it opens.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    says: str
    serves: tuple[OperatorAct, ...]
    opens: tuple[Part, ...]


PURPOSES: Final[Mapping[Purpose, PurposeRule]] = {
    Purpose.CUSTOMER_ASKED: PurposeRule(
        says="the customer asked for help",
        serves=(
            OperatorAct.OPEN_CUSTOMER,
            OperatorAct.ISSUE_ACTIVATION,
            OperatorAct.UNLOCK_CUSTOMER,
            OperatorAct.CHANGE_TIER,
        ),
        opens=(Part.NAME, Part.DEVICES, Part.LIMITS, Part.NOTICES),
    ),
    Purpose.LOST_DEVICE: PurposeRule(
        says="a telephone was lost or stolen",
        serves=(OperatorAct.SUSPEND_DEVICE, OperatorAct.REMOVE_DEVICE),
        opens=(Part.NAME, Part.DEVICES),
    ),
    Purpose.DISPUTED_PAYMENT: PurposeRule(
        says="a payment is in dispute",
        serves=(OperatorAct.TRACE_PAYMENT, OperatorAct.REVERSE_PAYMENT),
        opens=(Part.NAME, Part.PAYMENTS, Part.AMOUNTS, Part.NOTICES),
    ),
    Purpose.FRAUD_INQUIRY: PurposeRule(
        says="fraud is suspected",
        serves=(OperatorAct.SUSPEND_CUSTOMER, OperatorAct.RESUME_CUSTOMER),
        opens=(Part.DEVICES, Part.LIMITS, Part.PAYMENTS, Part.AMOUNTS, Part.BALANCE),
    ),
    Purpose.RECOVERY: PurposeRule(
        says="an account is recovered, or stopped on a death or an order",
        serves=(
            OperatorAct.OPEN_RECOVERY,
            OperatorAct.FINISH_RECOVERY,
            OperatorAct.CANCEL_RECOVERY,
            OperatorAct.FREEZE_ACCOUNT,
            OperatorAct.VIEW_FROZEN,
            OperatorAct.RELEASE_ACCOUNT,
        ),
        opens=(Part.NAME, Part.DEVICES, Part.NOTICES, Part.RECOVERIES),
    ),
    Purpose.NOT_ME: PurposeRule(
        says="somebody else may have asked for an approval",
        serves=(OperatorAct.CLEAR_RISK, OperatorAct.CANCEL_APPROVAL),
        opens=(Part.NAME, Part.DEVICES, Part.APPROVALS),
    ),
    Purpose.PRIVACY_REQUEST: PurposeRule(
        says="the person asked what is known of them",
        serves=(OperatorAct.ERASE_SUBJECT,),
        opens=tuple(Part),
    ),
    Purpose.AUDIT: PurposeRule(
        says="an audit, without names",
        serves=(OperatorAct.AUDIT_RECORDS,),
        opens=(Part.DEVICES, Part.LIMITS, Part.PAYMENTS),
    ),
}
"""Every purpose."""


LOOKING: Final = frozenset({OperatorAct.TRACE_PAYMENT, OperatorAct.AUDIT_RECORDS})
"""Acts that are looks themselves: no message carries them out, the purposes that they open do."""


def purposes_for(acts: Iterable[str]) -> tuple[Purpose, ...]:
    """The purposes open to a role that may do `acts`.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4
    """
    may = set(acts)
    return tuple(
        one for one, rule in PURPOSES.items() if any(act.value in may for act in rule.serves)
    )


def visible(purpose: Purpose) -> frozenset[Part]:
    """What `purpose` opens.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return frozenset(PURPOSES[purpose].opens)


def masked_name(name: str) -> str:
    """First letters only, whatever the length of the words.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return " ".join(f"{word[0]}\N{BULLET}\N{BULLET}\N{BULLET}" for word in name.split())


def masked_number(number: str) -> str:
    """A number without its middle: the last two digits are enough to ask somebody about.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    shown = 4 if number.startswith("+") else 0
    hidden = "\N{BULLET}" * max(0, len(number) - shown - 2)
    return number[:shown] + hidden + number[-2:]
