"""Where suspensions of services are kept.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from tallystick.application.suspensions.model import Suspension
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

SUSPENSION = Table(
    name="service_suspension",
    key="id",
    insert_head=(
        "INSERT INTO service_suspension (id, kind, channel, because, since, begun_by, ended_at,"
        " ended_by) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, ended_by = excluded.ended_by"
    ),
    select_head=(
        "SELECT id, kind, channel, because, since, begun_by, ended_at, ended_by"
        " FROM service_suspension WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=271,
    name="suspended services",
    statements=(
        """CREATE TABLE service_suspension (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, channel TEXT NOT NULL,
            because TEXT NOT NULL, since INTEGER NOT NULL, begun_by TEXT NOT NULL,
            ended_at INTEGER NOT NULL, ended_by TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def in_force(reader: Reader) -> list[Suspension]:
    """Every suspension that nobody ended, oldest first.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    rows = reader.rows(
        "SELECT id, kind, channel, because, since, begun_by, ended_at, ended_by"
        " FROM service_suspension WHERE ended_at = 0 ORDER BY since, id"
    )
    return [from_row(Suspension, row) for row in rows]
