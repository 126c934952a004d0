"""Where activation codes are kept, as MACs.

Source: ISO/TS 12812-2:2017, 7.4.1
"""

from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

ACTIVATION = Table(
    name="activation",
    key="id",
    insert_head=(
        "INSERT INTO activation (id, customer, code_mac, expires_at, attempts, used_at,"
        " issued_by) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET attempts = excluded.attempts,"
        " used_at = excluded.used_at, code_mac = excluded.code_mac"
    ),
    select_head=(
        "SELECT id, customer, code_mac, expires_at, attempts, used_at, issued_by"
        " FROM activation WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=30,
    name="activations",
    statements=(
        """CREATE TABLE activation (
            id TEXT PRIMARY KEY, customer TEXT NOT NULL, code_mac BLOB NOT NULL,
            expires_at INTEGER NOT NULL, attempts INTEGER NOT NULL, used_at INTEGER NOT NULL,
            issued_by TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
