"""Where the last answers of the network are kept.

Source: ISO/TS 12812-2:2017, 7.2.3
"""

from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

SIGNAL = Table(
    name="sim_signal",
    key="customer",
    insert_head=(
        "INSERT INTO sim_signal (customer, asked_at, sim_changed_at, sim_seen_ms,"
        " device_changed_at, device_seen_ms, recycled, roaming) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (customer) DO UPDATE SET asked_at = excluded.asked_at,"
        " sim_changed_at = excluded.sim_changed_at, sim_seen_ms = excluded.sim_seen_ms,"
        " device_changed_at = excluded.device_changed_at,"
        " device_seen_ms = excluded.device_seen_ms, recycled = excluded.recycled,"
        " roaming = excluded.roaming"
    ),
    select_head=(
        "SELECT customer, asked_at, sim_changed_at, sim_seen_ms, device_changed_at,"
        " device_seen_ms, recycled, roaming FROM sim_signal WHERE customer IN "
    ),
)

MIGRATION = Migration(
    number=115,
    name="signals of the mobile network",
    statements=(
        """CREATE TABLE sim_signal (
            customer TEXT PRIMARY KEY, asked_at INTEGER NOT NULL, sim_changed_at INTEGER NOT NULL,
            sim_seen_ms INTEGER NOT NULL, device_changed_at INTEGER NOT NULL,
            device_seen_ms INTEGER NOT NULL, recycled INTEGER NOT NULL, roaming INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
