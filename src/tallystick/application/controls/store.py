"""Counts over established devices.

Established is a device that was enrolled at least 30 days ago and whose orders were settled on at
least 5 different days of the last 90.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.5
"""

from typing import Final

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
