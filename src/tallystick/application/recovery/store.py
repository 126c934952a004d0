"""Where recoveries, freezes and the places of agents are kept.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
"""

from tallystick.application.recovery.model import RecoveryRow
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

RECOVERY = Table(
    name="recovery",
    key="id",
    insert_head=(
        "INSERT INTO recovery (id, customer, kind, state, opener, proof, evidence, signed, device,"
        " numbers, opened_at, ready_at, expires_at, half_told_at, next_at, ended_at, ended_by,"
        " because, activation, access) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
        " half_told_at = excluded.half_told_at, next_at = excluded.next_at,"
        " ended_at = excluded.ended_at, ended_by = excluded.ended_by,"
        " activation = excluded.activation"
    ),
    select_head=(
        "SELECT id, customer, kind, state, opener, proof, evidence, signed, device, numbers,"
        " opened_at, ready_at, expires_at, half_told_at, next_at, ended_at, ended_by, because,"
        " activation, access FROM recovery WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=180,
    name="recovery",
    statements=(
        """CREATE TABLE recovery (
            id TEXT PRIMARY KEY, customer TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
            opener TEXT NOT NULL, proof TEXT NOT NULL, evidence TEXT NOT NULL,
            signed TEXT NOT NULL, device TEXT NOT NULL, numbers BLOB NOT NULL,
            opened_at INTEGER NOT NULL, ready_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
            half_told_at INTEGER NOT NULL, next_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
            ended_by TEXT NOT NULL, because TEXT NOT NULL, activation TEXT NOT NULL,
            access TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX recovery_ended ON recovery (ended_at)",
    ),
)


def recoveries_since(reader: Reader, ended_after: int) -> list[RecoveryRow]:
    """Every recovery that runs, and those that ended after `ended_after` (ms), in order.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    rows = reader.rows(
        "SELECT id, customer, kind, state, opener, proof, evidence, signed, device, numbers,"
        " opened_at, ready_at, expires_at, half_told_at, next_at, ended_at, ended_by, because,"
        " activation, access FROM recovery WHERE ended_at = 0 OR ended_at > ? ORDER BY id",
        (ended_after,),
    )
    return [from_row(RecoveryRow, row) for row in rows]
