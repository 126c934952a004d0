"""Whom a step would touch, counted from what is recorded: orders of 30 days, customers, devices.

Nothing is opened for it: the facts of an order are put together again from the rows beside it.
Counted are customers of long standing (opened 30 days ago, orders settled on 5 different days of
the last 90), each once, with her newest orders: a flood of accounts or of orders moves no share. Of
very many customers a part is taken, by the end of the ids that the provider gave them.

What no row has (the age of the SIM and of the session, failures, scores) is taken as harmless, and
the device and tier as they are now.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.5; 14.2.2
"""

from collections.abc import Iterable, Mapping
from typing import Final

from tallystick.application.tightenings.store import known_customers, paid_by
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.table import Row
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy import (
    AccountStatus,
    Channel,
    CompiledPolicy,
    Dependency,
    DeviceTrust,
    Factor,
    Facts,
    Grade,
    Operation,
    recompile,
)
from tallystick.process.policy.caps import Preview
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import effective, step_of
from tallystick.process.policy.touching import DAYS, Paid, Payer, touched

OPENED_MS: Final = 30 * DAY_MS
SETTLED_DAYS: Final = 5
WITHIN_MS: Final = 90 * DAY_MS
MOST_CUSTOMERS: Final = 2_000
MOST_ORDERS: Final = 20
"""Of each customer the newest orders that count."""

_CHANNELS: Final[Mapping[str, str]] = {
    Grade.DEVICE_SIGNED_ATTESTED.value: Channel.APP.value,
    Grade.DEVICE_SIGNED.value: Channel.APP.value,
    Grade.PASSKEY.value: Channel.WEB.value,
    Grade.SIM_SIGNED.value: Channel.USSD.value,
    Grade.CODE_CONFIRMED.value: Channel.USSD.value,
    Grade.PIN_VERIFIED.value: Channel.USSD.value,
    Grade.AGENT_ASSISTED.value: Channel.AGENT.value,
    Grade.STANDING_MANDATE.value: Channel.SCHEDULED.value,
    Grade.TWO_OPERATORS.value: Channel.OPERATOR.value,
}
"""Through which door a consent of each grade comes."""

_NO_SIM_SIGNAL: Final = ((Dependency.SIM_SIGNAL.value, 0),)
_TWO: Final = (Factor.POSSESSION.value, Factor.KNOWLEDGE.value)


def recorded_payers(reader: Reader, now: int) -> tuple[Payer, ...]:
    """The customers of long standing at `now` (ms), with their newest orders of 30 days.

    Source: ISO/TS 12812-2:2017, 7.3.5; 14.2.2
    """
    known = known_customers(
        reader,
        settled_since=now - WITHIN_MS,
        settled_days=SETTLED_DAYS,
        opened_before=now - OPENED_MS,
        most=MOST_CUSTOMERS,
    )
    found: dict[str, list[Paid]] = {str(payer): [] for payer, _, _ in known}
    about = {str(payer): (int(tier), int(opened)) for payer, tier, opened in known}
    for row in paid_by(reader, list(found), since=now - DAYS * DAY_MS, most=MOST_ORDERS):
        payer = str(row[0])
        found[payer].append(_paid(row, *about[payer]))
    return tuple(_payer(paid) for paid in found.values())


def _payer(paid: list[Paid]) -> Payer:
    device = paid[-1].facts.device_trust if paid else DeviceTrust.NONE.value
    return Payer(device=device, paid=tuple(paid))


def _paid(row: Row, tier: int, opened: int) -> Paid:
    _, at, kind, grade, amount, currency, trust, enrolled, since = row
    channel = _CHANNELS.get(str(grade), Channel.APP.value)
    unseen = channel == Channel.USSD.value and grade != Grade.SIM_SIGNED
    facts = Facts(
        operation=Operation.PAY.value,
        channel=channel,
        tier=tier,
        device_trust=DeviceTrust.NONE.value if trust is None else str(trust),
        account_status=AccountStatus.ACTIVE.value,
        kind=str(kind),
        grade=str(grade),
        factors=_TWO,
        amount_minor=int(amount),
        currency=str(currency),
        payee_known=since is not None and int(since) < int(at),
        device_age_ms=max(0, int(at) - int(enrolled)) if enrolled is not None else 0,
        account_age_ms=max(0, int(at) - opened),
        degraded=_NO_SIM_SIGNAL if unseen else (),
    )
    return Paid(at=int(at), facts=facts)


def preview_of(
    reader: Reader,
    base: CompiledPolicy,
    entry: Tightening,
    in_force: Iterable[str],
    now: int,
    payers: tuple[Payer, ...] | None = None,
) -> Preview:
    """Whom `entry` of `base` would touch at `now` (ms) for each cohort and for all.

    Beside the steps that are `in_force`. `payers` spares reading them again.
    Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
    """
    steps = tuple(sorted(in_force))
    people = recorded_payers(reader, now) if payers is None else payers
    was = recompile(effective(base.policy, steps))
    names = ("", *(one.id for one in entry.cohorts))
    return Preview(
        at=now,
        version=base.version,
        entry=entry.id,
        steps=steps,
        touched={
            name: touched(
                was,
                recompile(effective(base.policy, (*steps, step_of(entry.id, name)))),
                people,
                DAYS,
            )
            for name in names
        },
    )
