"""Where the keys of the provider are entered, destroyed ones too.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from tallystick.application.keylife.model import CeremonyRow, KeyRow
from tallystick.infrastructure.store.database import Connection, Reader, has_table
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row
from tallystick.process.isms.custody import CustodyEntry

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

CUSTODY = Table(
    name="custody",
    key="id",
    insert_head=(
        "INSERT INTO custody (id, device, kind, serial, what, state, place, custodians, seal,"
        " evidence, because, at, inspected_at, inspect_ms, event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail="",
    select_head=(
        "SELECT id, device, kind, serial, what, state, place, custodians, seal, evidence, because,"
        " at, inspected_at, inspect_ms, event FROM custody WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=201,
    name="life of keys and custody of devices",
    statements=(
        """CREATE TABLE key_life (
            id TEXT PRIMARY KEY, purpose TEXT NOT NULL, mechanism TEXT NOT NULL,
            owner TEXT NOT NULL, parent TEXT NOT NULL, created_at INTEGER NOT NULL,
            ends_at INTEGER NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL,
            because TEXT NOT NULL, uses INTEGER NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE custody (
            id TEXT PRIMARY KEY, device TEXT NOT NULL, kind TEXT NOT NULL, serial TEXT NOT NULL,
            what TEXT NOT NULL, state TEXT NOT NULL, place TEXT NOT NULL, custodians TEXT NOT NULL,
            seal TEXT NOT NULL, evidence TEXT NOT NULL, because TEXT NOT NULL, at INTEGER NOT NULL,
            inspected_at INTEGER NOT NULL, inspect_ms INTEGER NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
    ),
)


CEREMONY = Table(
    name="ceremony",
    key="id",
    insert_head="INSERT INTO ceremony (id, digest, event) VALUES ",
    slots="(?, ?, ?)",
    insert_tail="",
    select_head="SELECT id, digest, event FROM ceremony WHERE id IN ",
)

CEREMONY_MIGRATION = Migration(
    number=210,
    name="key ceremonies that were held",
    statements=(
        """CREATE TABLE ceremony (
            id TEXT PRIMARY KEY, digest TEXT NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
    ),
)


def every_ceremony(reader: Reader) -> list[CeremonyRow]:
    """The ceremonies that are in the record.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows("SELECT id, digest, event FROM ceremony ORDER BY event")
    return [from_row(CeremonyRow, row) for row in rows]


def every_entry(reader: Reader) -> list[CustodyEntry]:
    """The ledger of devices, from its beginning.

    Source: ISO/TS 12812-2:2017, 8.2.2; ISO 13491-2
    """
    rows = reader.rows(
        "SELECT id, device, kind, serial, what, state, place, custodians, seal, evidence, because,"
        " at, inspected_at, inspect_ms, event FROM custody ORDER BY event"
    )
    return [from_row(CustodyEntry, row) for row in rows]


def kept_custody(reader: Connection) -> list[CustodyEntry]:
    """The ledger of devices; empty in a store that an older version served last.

    Source: ISO/TS 12812-2:2017, 8.2.2
    """
    known = has_table(reader, CUSTODY.name)
    return every_entry(reader) if known else []


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
    known = has_table(reader, KEY.name)
    return every_key(reader) if known else []
