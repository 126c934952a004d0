"""Which warnings a payment calls for: pure rules of the moment before somebody agrees.

What the phone says of itself (`seen`) is a claim, and only ever adds a warning.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from typing import Final

from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Record
from tallystick.process.policy.language.lives import WARNINGS, EducationRule
from tallystick.protocol.payments import Consent, PaymentKind

_SENDING: Final = frozenset({PaymentKind.P2P, PaymentKind.CASH_OUT, PaymentKind.MERCHANT})
_APPROVED: Final = _SENDING | {PaymentKind.SALARY}
_TO_PEOPLE: Final = frozenset({PaymentKind.P2P})
_CLAIMED: Final = frozenset({"screen-shared", "remote-tool", "urgency"})


class Circumstances(Record, frozen=True, kw_only=True):
    """What is known when terms are asked for.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    kind: PaymentKind
    amount_minor: int
    payee_known: bool
    seen: tuple[str, ...] = ()


def warnings_of(now: Circumstances, rule: EducationRule) -> tuple[str, ...]:
    """The warnings to show, in the order of `WARNINGS`; a refund or cash-in calls for none.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    if now.kind not in _SENDING:
        return ()
    found = {one for one in now.seen if one in _CLAIMED}
    if not now.payee_known and now.kind in _TO_PEOPLE:
        found.add("new-payee")
    if not now.payee_known and now.amount_minor >= rule.large_minor:
        found.add("first-large-amount")
    return tuple(one for one in WARNINGS if one in found)


def also_seen(kind: PaymentKind, shown: tuple[str, ...], seen: tuple[str, ...]) -> tuple[str, ...]:
    """`shown` and what the device of an approver claims, in the order of `WARNINGS`.

    What it claims counts for whatever takes money from a firm as well: salaries.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    claimed = _CLAIMED.intersection(seen) if kind in _APPROVED else frozenset[str]()
    return tuple(one for one in WARNINGS if one in claimed or one in shown)


def check_acknowledged(warnings: tuple[str, ...], consent: Consent, rule: EducationRule) -> None:
    """Pass if `consent` acknowledges those of `warnings` that the policy wants acknowledged.

    Raises NotPermitted with the first that is missing.
    Source: ISO/TS 12812-2:2017, 7.3.6; 11.2.2
    """
    said = {*(consent.warnings or ()), *(consent.acknowledged or ())}
    for one in to_acknowledge(warnings, rule):
        if one not in said:
            raise NotPermitted(
                "a warning was not acknowledged",
                because=one,
                remedy="show it, and have the person acknowledge it",
            )


def to_acknowledge(warnings: tuple[str, ...], rule: EducationRule) -> tuple[str, ...]:
    """Those of `warnings` that the policy makes part of the terms, and so of the consent.

    Source: ISO/TS 12812-2:2017, 7.3.6; 11.2.2
    """
    return tuple(one for one in warnings if one in rule.acknowledge)
