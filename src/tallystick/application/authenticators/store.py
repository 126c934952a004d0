"""Where authenticators are kept; their seeds as key blocks that only the module opens.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2
"""

from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

AUTHENTICATOR = Table(
    name="authenticator",
    key="customer",
    insert_head=(
        "INSERT INTO authenticator (customer, kind, suite, digits, step_s, seed, unused, drift,"
        " question, enrolled_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (customer) DO UPDATE SET kind = excluded.kind, suite = excluded.suite,"
        " digits = excluded.digits, step_s = excluded.step_s, seed = excluded.seed,"
        " unused = excluded.unused, drift = excluded.drift, question = excluded.question,"
        " enrolled_at = excluded.enrolled_at"
    ),
    select_head=(
        "SELECT customer, kind, suite, digits, step_s, seed, unused, drift, question, enrolled_at"
        " FROM authenticator WHERE customer IN "
    ),
)

MIGRATION = Migration(
    number=130,
    name="authenticators",
    statements=(
        """CREATE TABLE authenticator (
            customer TEXT PRIMARY KEY, kind TEXT NOT NULL, suite TEXT NOT NULL,
            digits INTEGER NOT NULL, step_s INTEGER NOT NULL, seed BLOB NOT NULL,
            unused INTEGER NOT NULL, drift INTEGER NOT NULL, question TEXT NOT NULL,
            enrolled_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
