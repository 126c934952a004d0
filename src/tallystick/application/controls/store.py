"""Counts over established devices, and what agents and classes of devices paid.

Established is a device that was enrolled at least 30 days ago and whose orders were settled on at
least 5 different days of the last 90.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.5
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tallystick.application.devices.model import COPIED, DeviceStatus
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.facts import DeviceTrust

ENROLLED_MS: Final = 30 * DAY_MS
SETTLED_DAYS: Final = 5
WITHIN_MS: Final = 90 * DAY_MS
FRAUD_MS: Final = 30 * DAY_MS
_ATTESTED: Final = DeviceTrust.ATTESTED_HARDWARE.value
LEAST: Final = 100
"""Below so many established devices a share says nothing."""


class Group(Record, frozen=True, kw_only=True):
    """Established devices of one class, of customers of one tier: how many, and what of them.

    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.5
    """

    device_trust: str
    tier: int
    devices: int
    reversed: int


class Established(Record, frozen=True, kw_only=True):
    """How many devices are established, have an attested key store, and paid what was reversed.

    `groups` has the same, apart by class of device and tier of customer.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    devices: int
    attested: int
    reversed: int
    groups: tuple[Group, ...] = ()


def established(reader: Reader, now: int) -> Established:
    """The counts at `now` (ms); each device weighs one, whatever it sent.

    `reversed` are those of which two operators gave back an order of the last 30 days.
    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.5
    """
    rows = reader.rows(
        "SELECT device.trust, COALESCE(customer.tier, -1), COUNT(*),"
        " COALESCE(SUM(used.given_back), 0) FROM ("
        "SELECT paid.device AS id, MAX(CASE WHEN back.original IS NOT NULL AND paid.at >= ?"
        " THEN 1 ELSE 0 END) AS given_back FROM payment_order AS paid"
        " LEFT JOIN (SELECT DISTINCT original FROM payment_order WHERE kind = 'reversal'"
        " AND stage = 'settled' AND at >= ?) AS back ON back.original = paid.id"
        " WHERE paid.device <> '' AND paid.stage IN ('settled', 'returned') AND paid.at >= ?"
        " GROUP BY paid.device HAVING COUNT(DISTINCT paid.at / 86400000) >= ?"
        ") AS used JOIN device ON device.id = used.id"
        " LEFT JOIN customer ON customer.id = device.customer"
        " WHERE device.enrolled_at <= ? AND device.status <> 'removed'"
        " GROUP BY device.trust, COALESCE(customer.tier, -1) ORDER BY 1, 2",
        (now - FRAUD_MS, now - FRAUD_MS, now - WITHIN_MS, SETTLED_DAYS, now - ENROLLED_MS),
    )
    groups = tuple(
        Group(device_trust=str(trust), tier=int(tier), devices=int(devices), reversed=int(back))
        for trust, tier, devices, back in rows
    )
    return Established(
        devices=sum(one.devices for one in groups),
        attested=sum(one.devices for one in groups if one.device_trust == _ATTESTED),
        reversed=sum(one.reversed for one in groups),
        groups=groups,
    )


class Agent(NamedTuple):
    """An agent: customer, account, and since when (ms).

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    customer: str
    account: str
    opened_at: int


class Paid(NamedTuple):
    """How many payments of one kind and grade a subject made with somebody else.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    kind: str
    grade: str
    subject: str
    other: str
    number: int


def agents_who_act(reader: Reader) -> list[Agent]:
    """The agents who may act, in order.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    rows = reader.rows(
        "SELECT id, account, opened_at FROM customer WHERE kind = 'agent' AND status = 'active'"
        " ORDER BY id"
    )
    return [Agent(str(row[0]), str(row[1]), int(row[2])) for row in rows]


def paid_with_agents(
    reader: Reader, first: str, start: int, least_minor: int, account: str = ""
) -> Iterator[Paid]:
    """Settled cash-in and cash-out of at least `least_minor`, by the agent's account.

    Orders from `start` (ms) on, with ids from `first`; of one `account` where it is given. What an
    agent did with customers whom it opened itself is left out.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows = reader.rows(
        "SELECT met.kind, met.grade, met.agent, met.other, COUNT(*) FROM ("
        "SELECT kind, grade, CASE WHEN kind = 'cash-in' THEN payer ELSE payee END AS agent,"
        " CASE WHEN kind = 'cash-in' THEN payee ELSE payer END AS other FROM payment_order"
        " WHERE kind IN ('cash-in', 'cash-out') AND stage = 'settled' AND id >= ? AND at >= ?"
        " AND amount_minor >= ? AND (? = '' OR payer = ? OR payee = ?)) AS met"
        " JOIN account_owner AS at_agent ON at_agent.account = met.agent"
        " JOIN account_owner AS at_other ON at_other.account = met.other"
        " JOIN customer AS known ON known.id = at_other.customer"
        " WHERE known.opened_by <> at_agent.customer"
        " GROUP BY met.kind, met.grade, met.agent, met.other",
        (first, start, least_minor, account, account, account),
    )
    for kind, grade, agent, other, number in rows:
        yield Paid(str(kind), str(grade), str(agent), str(other), int(number))


def given_back_with_agents(
    reader: Reader, first: str, start: int, account: str = ""
) -> Iterator[Paid]:
    """What two operators gave back of any amount, by the agent's account.

    Reversals from `start` (ms) on, with ids from `first`; of one `account` where it is given.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows = reader.rows(
        "SELECT met.kind, met.grade, met.agent, COUNT(*) FROM ("
        "SELECT paid.kind, paid.grade, CASE WHEN paid.kind = 'cash-in' THEN paid.payer"
        " ELSE paid.payee END AS agent FROM payment_order AS back"
        " JOIN payment_order AS paid ON paid.id = back.original"
        " WHERE back.kind = 'reversal' AND back.stage = 'settled' AND back.id >= ? AND back.at >= ?"
        " AND paid.kind IN ('cash-in', 'cash-out')"
        " AND (? = '' OR paid.payer = ? OR paid.payee = ?)) AS met"
        " GROUP BY met.kind, met.grade, met.agent",
        (first, start, account, account, account),
    )
    for kind, grade, agent, number in rows:
        yield Paid(str(kind), str(grade), str(agent), "", int(number))


def paid_from_devices(
    reader: Reader, trust: str, first: str, start: int, least_minor: int
) -> Iterator[Paid]:
    """Settled payments of at least `least_minor` from devices of this trust, by the payer.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.5
    """
    rows = reader.rows(
        "SELECT paid.kind, paid.grade, paid.payer, COUNT(*) FROM payment_order AS paid"
        " JOIN device ON device.id = paid.device WHERE device.trust = ?"
        " AND paid.stage = 'settled' AND paid.id >= ? AND paid.at >= ? AND paid.amount_minor >= ?"
        " GROUP BY paid.kind, paid.grade, paid.payer",
        (trust, first, start, least_minor),
    )
    for kind, grade, payer, number in rows:
        yield Paid(str(kind), str(grade), trust, str(payer), int(number))


def given_back_from_devices(reader: Reader, trust: str, first: str, start: int) -> Iterator[Paid]:
    """What two operators gave back of payments from devices of this trust.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.5
    """
    rows = reader.rows(
        "SELECT paid.kind, paid.grade, COUNT(*) FROM payment_order AS back"
        " JOIN payment_order AS paid ON paid.id = back.original"
        " JOIN device ON device.id = paid.device WHERE device.trust = ?"
        " AND back.kind = 'reversal' AND back.stage = 'settled' AND back.id >= ? AND back.at >= ?"
        " GROUP BY paid.kind, paid.grade",
        (trust, first, start),
    )
    for kind, grade, number in rows:
        yield Paid(str(kind), str(grade), trust, "", int(number))


def copied_devices(reader: Reader, trust: str) -> int:
    """How many devices of this trust are suspended because a copy of them was used.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """
    row = reader.one(
        "SELECT COUNT(*) FROM device WHERE trust = ? AND status = ? AND because = ?",
        (trust, DeviceStatus.SUSPENDED.value, COPIED),
    )
    return 0 if row is None else int(row[0])
