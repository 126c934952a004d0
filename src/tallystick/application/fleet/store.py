"""Where the days of the fleet are kept, and how devices and people are counted.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 14.2.2
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.facts import DeviceTrust
from tallystick.process.policy.reach import People

DAY = Table(
    name="fleet_day",
    key="day",
    insert_head=(
        "INSERT INTO fleet_day (day, counted_at, attested, software, unproven, watched, signals,"
        " event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (day) DO UPDATE SET counted_at = excluded.counted_at,"
        " attested = excluded.attested, software = excluded.software,"
        " unproven = excluded.unproven, watched = excluded.watched,"
        " signals = excluded.signals, event = excluded.event"
    ),
    select_head=(
        "SELECT day, counted_at, attested, software, unproven, watched, signals, event"
        " FROM fleet_day WHERE day IN "
    ),
)
"""One row for each day on which devices were counted."""

MIGRATION = Migration(
    number=260,
    name="days of the fleet",
    statements=(
        """CREATE TABLE fleet_day (
            day TEXT PRIMARY KEY, counted_at INTEGER NOT NULL, attested INTEGER NOT NULL,
            software INTEGER NOT NULL, unproven INTEGER NOT NULL, watched INTEGER NOT NULL,
            signals BLOB NOT NULL, event INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


class FleetDay(Record, frozen=True, kw_only=True):
    """Active devices of one day (`YYYY-MM-DD`) by trust, as counted at `counted_at` (ms).

    `watched` are those that proved their keys and are older than 30 days; `signals` says (canonical
    JSON) by signal how many of these reported it that day. `event` is its place in the tally.
    Source: ISO/TS 12812-2:2017, 7.2.6; 8.1.3
    """

    day: str
    counted_at: int
    attested: int
    software: int
    unproven: int
    watched: int
    signals: bytes
    event: int


class Told(Record, frozen=True, kw_only=True):
    """What the app of one active device reported, as it is stored.

    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """

    trust: str
    enrolled_at: int
    signals: bytes


def fleet_days(reader: Reader, most: int) -> list[FleetDay]:
    """The newest `most` days that were counted, the oldest of them first.

    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    rows = reader.rows(
        "SELECT day, counted_at, attested, software, unproven, watched, signals, event"
        " FROM fleet_day ORDER BY day DESC LIMIT ?",
        (most,),
    )
    return [
        FleetDay(
            day=str(row[0]),
            counted_at=row[1],
            attested=row[2],
            software=row[3],
            unproven=row[4],
            watched=row[5],
            signals=bytes(row[6]),
            event=row[7],
        )
        for row in rows[::-1]
    ]


def people_by_trust(reader: Reader, besides: str) -> list[People]:
    """Active devices and their customers by trust and tier, then customers without a device.

    Customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.2.6; 14.2.2
    """
    rows = reader.rows(
        "SELECT d.trust, c.tier, COUNT(*), COUNT(DISTINCT d.customer) FROM device d"
        " JOIN customer c ON c.id = d.customer WHERE d.status = 'active' AND c.opened_by <> ?"
        " GROUP BY d.trust, c.tier ORDER BY d.trust, c.tier",
        (besides,),
    )
    return [
        *(
            People(trust=str(trust), tier=int(tier), devices=int(many), customers=int(people))
            for trust, tier, many, people in rows
        ),
        *people_without_device(reader, besides),
    ]


def people_without_device(reader: Reader, besides: str) -> list[People]:
    """Active customers without an active device, by tier; those whom `besides` opened do not count.

    Source: ISO/TS 12812-2:2017, 7.2.6; 14.2.2
    """
    bare = reader.rows(
        "SELECT c.tier, COUNT(*) FROM customer c WHERE c.status = 'active' AND c.opened_by <> ?"
        " AND NOT EXISTS (SELECT 1 FROM device d WHERE d.customer = c.id"
        " AND d.status = 'active') GROUP BY c.tier ORDER BY c.tier",
        (besides,),
    )
    return [
        People(trust=DeviceTrust.NONE.value, tier=int(tier), devices=0, customers=int(people))
        for tier, people in bare
    ]


class Shower(Record, frozen=True, kw_only=True):
    """An active device with what is to be known to say which factors it shows for its customer.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1
    """

    customer: str
    device: str
    trust: str
    tier: int
    pin: bool
    attestation: bytes


def showers(reader: Reader, after: tuple[str, str], most: int, besides: str) -> list[Shower]:
    """At most `most` active devices behind `after` (customer, device), by customer and device.

    Devices of customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1
    """
    customer, device = after
    rows = reader.rows(
        "SELECT d.customer, d.id, d.trust, c.tier, length(c.pin), d.attestation FROM device d"
        " JOIN customer c ON c.id = d.customer WHERE d.status = 'active' AND c.opened_by <> ?"
        " AND (d.customer > ? OR (d.customer = ? AND d.id > ?)) ORDER BY d.customer, d.id LIMIT ?",
        (besides, customer, customer, device, most),
    )
    return [
        Shower(
            customer=str(row[0]),
            device=str(row[1]),
            trust=str(row[2]),
            tier=int(row[3]),
            pin=bool(row[4]),
            attestation=bytes(row[5]),
        )
        for row in rows
    ]


def enrolled_by_day(reader: Reader, besides: str) -> list[tuple[int, str, int]]:
    """Active devices by the day (days since 1970) they were enrolled on and their trust now.

    Customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    rows = reader.rows(
        "SELECT d.enrolled_at / ?, d.trust, COUNT(*) FROM device d"
        " JOIN customer c ON c.id = d.customer WHERE d.status = 'active' AND c.opened_by <> ?"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        (DAY_MS, besides),
    )
    return [(int(day), str(trust), int(many)) for day, trust, many in rows]


def status_counts(reader: Reader) -> dict[str, int]:
    """How many devices stand where, by status.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    rows = reader.rows("SELECT status, COUNT(*) FROM device GROUP BY status ORDER BY status")
    return {str(status): int(many) for status, many in rows}


def told_by_devices(reader: Reader, besides: str) -> list[Told]:
    """What apps of active devices reported; nothing of those that reported nothing.

    Customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """
    rows = reader.rows(
        "SELECT d.trust, d.enrolled_at, p.signals FROM device_proof p"
        " JOIN device d ON d.id = p.device JOIN customer c ON c.id = d.customer"
        " WHERE LENGTH(p.signals) > 2 AND d.status = 'active' AND c.opened_by <> ?",
        (besides,),
    )
    return [Told(trust=str(row[0]), enrolled_at=row[1], signals=bytes(row[2])) for row in rows]


def established(reader: Reader, trust: str, before: int, besides: str) -> int:
    """How many active devices of `trust` were enrolled before the instant `before` (ms).

    Customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    row = reader.one(
        "SELECT COUNT(*) FROM device d JOIN customer c ON c.id = d.customer"
        " WHERE d.status = 'active' AND d.trust = ? AND d.enrolled_at < ? AND c.opened_by <> ?",
        (trust, before, besides),
    )
    return 0 if row is None else int(row[0])
