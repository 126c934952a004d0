"""Warnings in the app: whatever the outbox tells a number, the customer's phones are told as well.

    notice kept -> SMS to the number        whoever took the number over reads it there
                -> wake, notice.list        whoever has the phone that signs reads it here

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
"""

from dataclasses import dataclass

from tallystick.application.desks import Desks
from tallystick.application.notices import (
    CustomerTold,
    DeviceSuspended,
    DeviceTold,
    NoticeRow,
    NotMe,
    PinBlocked,
    RecoveryTold,
    SimChanged,
    Template,
    VerificationBlocked,
    render,
)
from tallystick.application.notices.rules import CUSTOMERS, RECOVERIES
from tallystick.application.notices.store import warnings_to
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import HOUR_MS, MINUTE_MS
from tallystick.protocol.education import OwnNotice, OwnNotices

MOST = 20
"""How many warnings a list has."""

_MOST_MINUTES = 9_999

Warned = (
    CustomerTold
    | DeviceSuspended
    | DeviceTold
    | NotMe
    | PinBlocked
    | RecoveryTold
    | SimChanged
    | VerificationBlocked
)
"""The facts of a warning."""


@dataclass(frozen=True, slots=True)
class ListNotices:
    """An app asks what its customer was warned of.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    session: str
    sequence: int


def list_notices(desks: Desks, turn: Turn, asked: ListNotices) -> Outcome:
    """The newest warnings to the session's customer, in the customer's language.

    A warning of a device that was erased since is left out.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    _, customer = desks.selfcare.asking(turn, asked.session, asked.sequence)
    language, told = desks.languages.of(customer.id), list[OwnNotice]()
    for notice in warnings_to(desks.notices.reader, customer.id, MOST):
        try:
            facts = warning_of(desks, notice, notice.created_at)
        except NotFound:
            continue
        text = render(facts, turn.provider, language)
        told.append(OwnNotice(at=notice.created_at, kind=notice.template.value, text=text))
    return Outcome(OwnNotices(notices=tuple(told)))


def warning_of(desks: Desks, notice: NoticeRow, now: int) -> Warned:
    """What `notice` warns of, told at `now`.

    Raises NotFound for a notice that is no warning, or whose device or recovery is gone.
    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6; 7.4.5
    """
    match notice.template:
        case Template.DEVICE_SUSPENDED:
            return DeviceSuspended(because=desks.devices.get(notice.reference).because)
        case Template.PIN_BLOCKED:
            return PinBlocked(minutes=_minutes_blocked(desks, notice))
        case Template.VERIFICATION_BLOCKED:
            return VerificationBlocked(minutes=_minutes_blocked(desks, notice))
        case Template.SIM_CHANGED:
            return SimChanged()
        case Template.NOT_ME:
            return NotMe()
        case _:
            return _life_of(desks, notice, now)


def _life_of(desks: Desks, notice: NoticeRow, now: int) -> Warned:
    if notice.template.value.startswith("device-"):
        return DeviceTold(told=notice.template)
    if notice.template is Template.CUSTOMER_SUSPENDED:
        because = desks.recovery.find(notice.reference).because
        return CustomerTold(told=notice.template, because=because)
    if notice.template in CUSTOMERS:
        return CustomerTold(told=notice.template)
    if notice.template not in RECOVERIES:
        raise NotFound("this notice is no warning", remedy="acknowledge what has a digest")
    left = desks.recovery.find(notice.reference).ready_at - now
    return RecoveryTold(told=notice.template, hours=max(0, -(-left // HOUR_MS)))


def _minutes_blocked(desks: Desks, notice: NoticeRow) -> int:
    """How long the block lasts of which `notice` tells; 0 where people have to end it.

    A block of more minutes than a message has room for is told like one without an end.
    """
    until = desks.attempts.blocked_until(notice.reference)
    left = -(-max(0, until - notice.created_at) // MINUTE_MS)
    if not left:  # lifted before it was told
        left = desks.policy.compiled.policy.attempts.block_ms // MINUTE_MS
    return left if left <= _MOST_MINUTES else 0
