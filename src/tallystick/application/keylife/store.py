"""Where the keys of the provider are entered, destroyed ones too.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from tallystick.application.keylife.model import KeyRow
from tallystick.infrastructure.store.database import Connection, Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

KEY = Table(
    name="key_life",
    key="id",
    insert_head=(
        "INSERT INTO key_life (id, purpose, mechanism, owner, parent, created_at, ends_at, state,"
        " since, because, uses, event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, since = excluded.since,"
        " because = excluded.because, uses = excluded.uses, event = excluded.event"
    ),
    select_head=(
        "SELECT id, purpose, mechanism, owner, parent, created_at, ends_at, state, since, because,"
        " uses, event FROM key_life WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=201,
    name="life of keys",
    statements=(
        """CREATE TABLE key_life (
            id TEXT PRIMARY KEY, purpose TEXT NOT NULL, mechanism TEXT NOT NULL,
            owner TEXT NOT NULL, parent TEXT NOT NULL, created_at INTEGER NOT NULL,
            ends_at INTEGER NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL,
            because TEXT NOT NULL, uses INTEGER NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
    ),
)


def every_key(reader: Reader) -> list[KeyRow]:
    """All keys, by purpose and age.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, purpose, mechanism, owner, parent, created_at, ends_at, state, since, because,"
        " uses, event FROM key_life ORDER BY purpose, created_at, id"
    )
    return [from_row(KeyRow, row) for row in rows]


def kept_keys(reader: Connection) -> list[KeyRow]:
    """All keys; none in a store that an older version served last.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    known = any(shape.table == KEY.name for shape in reader.shapes())
    return every_key(reader) if known else []
