"""Where devices are kept.

Source: ISO/TS 12812-2:2017, 7.4.1
"""

from tallystick.application.devices.model import Device
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record, from_row

DEVICE = Table(
    name="device",
    key="id",
    insert_head=(
        "INSERT INTO device (id, customer, status, because, possession, consent, certificate,"
        " certificate_id, trust, attestation_format, attestation, enrolled_at, counter, secret,"
        " renewed_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET status = excluded.status, because = excluded.because,"
        " customer = excluded.customer, possession = excluded.possession,"
        " consent = excluded.consent,"
        " trust = excluded.trust, attestation_format = excluded.attestation_format,"
        " attestation = excluded.attestation, counter = excluded.counter,"
        " secret = excluded.secret, renewed_at = excluded.renewed_at"
    ),
    select_head=(
        "SELECT id, customer, status, because, possession, consent, certificate,"
        " certificate_id, trust,"
        " attestation_format, attestation, enrolled_at, counter, secret,"
        " renewed_at FROM device WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=20,
    name="devices",
    statements=(
        """CREATE TABLE device (
            id TEXT PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL,
            because TEXT NOT NULL, possession BLOB NOT NULL, consent BLOB NOT NULL,
            certificate TEXT NOT NULL, certificate_id TEXT NOT NULL, trust TEXT NOT NULL,
            attestation_format TEXT NOT NULL, attestation BLOB NOT NULL, enrolled_at INTEGER NOT
            NULL, counter INTEGER NOT NULL, secret BLOB NOT NULL, renewed_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX device_by_customer ON device (customer)",
        "CREATE UNIQUE INDEX device_possession_once ON device (possession)",
    ),
)

VERDICT = Table(
    name="device_verdict",
    key="device",
    insert_head="INSERT INTO device_verdict (device, basis) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (device) DO UPDATE SET basis = excluded.basis",
    select_head="SELECT device, basis FROM device_verdict WHERE device IN ",
)
"""On which policy and lists the stored verdict of a device rests."""

LINK = Table(
    name="device_link",
    key="id",
    insert_head="INSERT INTO device_link (id, name, device) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO NOTHING",
    select_head="SELECT id, name, device FROM device_link WHERE id IN ",
)
"""Through which certificates, and to which root, the attestation of a device leads."""

VERDICT_MIGRATION = Migration(
    number=160,
    name="verdicts on devices",
    statements=(
        """CREATE TABLE device_verdict (
            device TEXT PRIMARY KEY, basis TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX device_verdict_by_basis ON device_verdict (basis)",
        """CREATE TABLE device_link (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, device TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX device_link_by_name ON device_link (name)",
    ),
)


def on_another_basis(reader: Reader, basis: str, most: int) -> list[str]:
    """At most `most` devices whose stored verdict rests on something else than `basis`.

    Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
    """
    rows = reader.rows(
        "SELECT device FROM device_verdict WHERE basis < ? OR basis > ? LIMIT ?",
        (basis, basis, most),
    )
    return [str(row[0]) for row in rows]


def devices_under(reader: Reader, *names: str) -> list[str]:
    """The devices whose attestation leads through a serial, or to a root, in `names`, by id.

    One statement: a list of a vendor may change in very many serials.
    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    rows = reader.among("SELECT device FROM device_link WHERE name IN ", names)
    return sorted({str(row[0]) for row in rows})


def has_possession(reader: Reader, possession: bytes) -> bool:
    """Whether a device with this possession key is stored.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    row = reader.one("SELECT 1 FROM device WHERE possession = ?", (possession,))
    return row is not None


def forget_evidence(changes: ChangeSet, device: str) -> None:
    """Erase with these `changes` on what the verdict of `device` rests and what it leads through.

    Source: ISO/TS 12812-2:2017, 7.4.5; 14.2.2
    """
    changes.statement("DELETE FROM device_link WHERE device = ?", (device,))
    changes.statement("DELETE FROM device_verdict WHERE device = ?", (device,))


def has_denied(reader: Reader, digest: str) -> bool:
    """Whether a device that ended had the key with this digest (base64url).

    Source: ISO/TS 12812-2:2017, 7.4.2; 7.4.5
    """
    return reader.one("SELECT 1 FROM device_denied WHERE digest = ?", (digest,)) is not None


def devices_of(reader: Reader, customer: str) -> list[Device]:
    """Every device of `customer`, the newest first.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    rows = reader.rows(
        "SELECT id, customer, status, because, possession, consent, certificate, certificate_id,"
        " trust, attestation_format, attestation, enrolled_at, counter, secret, renewed_at"
        " FROM device WHERE customer = ? ORDER BY enrolled_at DESC, id",
        (customer,),
    )
    return [from_row(Device, row) for row in rows]


def trust_counts(reader: Reader, besides: str = "") -> dict[str, int]:
    """How many active devices are trusted how far, by the word for it.

    Devices of customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    rows = reader.rows(
        "SELECT d.trust, COUNT(*) FROM device d JOIN customer c ON c.id = d.customer"
        " WHERE d.status = 'active' AND c.opened_by <> ? GROUP BY d.trust ORDER BY d.trust",
        (besides,),
    )
    return {str(trust): int(str(count)) for trust, count in rows}


class DeviceWords(Record, frozen=True, kw_only=True):
    """What is recorded of a device in words, its public keys and its certificate.

    Source: ISO/TS 12812-2:2017, 7.2.8; 8.1.1
    """

    status: str
    trust: str
    attested: str
    possession: bytes
    consent: bytes
    certificate: str


def device_words(reader: Reader, most: int) -> list[DeviceWords]:
    """At most `most` devices, the newest first.

    Source: ISO/TS 12812-2:2017, 7.2.8; 8.1.1
    """
    rows = reader.rows(
        "SELECT status, trust, attestation_format, possession, consent, certificate FROM device"
        " ORDER BY enrolled_at DESC, id LIMIT ?",
        (most,),
    )
    return [
        DeviceWords(
            status=row[0],
            trust=row[1],
            attested=row[2],
            possession=bytes(row[3]),
            consent=bytes(row[4]),
            certificate=row[5],
        )
        for row in rows
    ]


def device_seals(reader: Reader, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Ids above `after` in order, at most `limit`, each with the head of the sealed secret.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, substr(secret, 1, 13) FROM device WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [(str(one[0]), bytes(one[1])) for one in rows]


class FleetRow(Record, frozen=True, kw_only=True):
    """What a view of the fleet needs of one device: nothing that names a customer.

    Source: ISO/TS 12812-2:2017, 7.2.6; 8.1.1
    """

    trust: str
    attested: str
    attestation: bytes


def fleet_rows(reader: Reader, most: int, besides: str) -> list[FleetRow]:
    """The newest `most` active devices, the newest first.

    Devices of customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.2.6; 8.1.1
    """
    rows = reader.rows(
        "SELECT d.trust, d.attestation_format, d.attestation FROM device d"
        " JOIN customer c ON c.id = d.customer WHERE d.status = 'active' AND c.opened_by <> ?"
        " ORDER BY d.enrolled_at DESC, d.id LIMIT ?",
        (besides, most),
    )
    return [FleetRow(trust=row[0], attested=row[1], attestation=bytes(row[2])) for row in rows]


class KeptDevice(Record, frozen=True, kw_only=True):
    """What a device is judged again from; the customer only so that each is counted once.

    Source: RFC 9334, 8.4; ISO/TS 12812-2:2017, 7.2.6
    """

    id: str
    customer: str
    trust: str
    attested: str
    attestation: bytes


def kept_devices(reader: Reader, after: str, most: int, besides: str) -> list[KeptDevice]:
    """At most `most` active devices with ids above `after`, in order.

    Devices of customers whom `besides` opened do not count.
    Source: RFC 9334, 8.4; ISO/TS 12812-2:2017, 7.2.6
    """
    rows = reader.rows(
        "SELECT d.id, d.customer, d.trust, d.attestation_format, d.attestation FROM device d"
        " JOIN customer c ON c.id = d.customer WHERE d.id > ? AND d.status = 'active'"
        " AND c.opened_by <> ? ORDER BY d.id LIMIT ?",
        (after, besides, most),
    )
    return [
        KeptDevice(
            id=row[0], customer=row[1], trust=row[2], attested=row[3], attestation=bytes(row[4])
        )
        for row in rows
    ]


def kept_attestation(reader: Reader, device: str) -> tuple[str, bytes] | None:
    """The trust of `device` and what was kept of its attestation; None for an unknown one.

    Source: ISO/TS 12812-2:2017, 7.3.3; 7.4.1
    """
    row = reader.one("SELECT trust, attestation FROM device WHERE id = ?", (device,))
    return None if row is None else (str(row[0]), bytes(row[1]))
