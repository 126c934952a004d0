"""Where tries are counted.

Source: ISO/TS 12812-2:2017, 7.3.2
"""

from tallystick.application.attempts.model import AttemptRow
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

DEVICE = "dev_"
"""How the name of a device begins."""

ATTEMPT = Table(
    name="attempt",
    key="subject",
    insert_head=(
        "INSERT INTO attempt (subject, failures, tried_at, blocked_until, blocks, stopped, held)"
        " VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures,"
        " tried_at = excluded.tried_at, blocked_until = excluded.blocked_until,"
        " blocks = excluded.blocks, stopped = excluded.stopped, held = excluded.held"
    ),
    select_head=(
        "SELECT subject, failures, tried_at, blocked_until, blocks, stopped, held FROM attempt"
        " WHERE subject IN "
    ),
)

MIGRATION = Migration(
    number=122,
    name="attempts",
    statements=(
        """CREATE TABLE attempt (
            subject TEXT PRIMARY KEY, failures INTEGER NOT NULL, tried_at INTEGER NOT NULL,
            blocked_until INTEGER NOT NULL, blocks INTEGER NOT NULL, stopped INTEGER NOT NULL,
            held INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def blocked_devices(reader: Reader) -> dict[str, AttemptRow]:
    """The counts of devices that are or were blocked; they are few, so all are in memory.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    rows = reader.rows(
        "SELECT subject, failures, tried_at, blocked_until, blocks, stopped, held FROM attempt"
        " WHERE subject >= ? AND subject < ? AND (blocked_until > 0 OR stopped > 0)",
        (DEVICE, DEVICE + "~"),
    )
    return {str(row[0]): from_row(AttemptRow, row) for row in rows}


def devices_of(reader: Reader, customer: str) -> list[str]:
    """The ids of all devices that were ever enrolled for `customer`.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    rows = reader.rows("SELECT id FROM device WHERE customer = ? ORDER BY id", (customer,))
    return [str(row[0]) for row in rows]
