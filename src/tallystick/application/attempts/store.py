"""Where tries are counted.

Source: ISO/TS 12812-2:2017, 7.3.2
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

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


def devices_of(reader: Reader, customer: str) -> list[str]:
    """The ids of all devices that were ever enrolled for `customer`.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    rows = reader.rows("SELECT id FROM device WHERE customer = ? ORDER BY id", (customer,))
    return [str(row[0]) for row in rows]
