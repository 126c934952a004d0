"""Which warnings a payment calls for: pure rules of the moment before somebody agrees.

What the phone says of itself (`seen`) is a claim, and only ever adds a warning.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.policy.language.lives import WARNINGS, EducationRule
from tallystick.protocol.payments import PaymentKind

_SENDING: Final = frozenset({PaymentKind.P2P, PaymentKind.CASH_OUT, PaymentKind.MERCHANT})
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


def to_acknowledge(warnings: tuple[str, ...], rule: EducationRule) -> tuple[str, ...]:
    """Those of `warnings` that the policy makes part of the terms, and so of the consent.

    Source: ISO/TS 12812-2:2017, 7.3.6; 11.2.2
    """
    return tuple(one for one in warnings if one in rule.acknowledge)
