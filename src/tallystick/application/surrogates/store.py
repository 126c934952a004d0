"""Where domains of surrogates are kept, and what is held in them.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2
"""

from tallystick.application.surrogates.model import DomainKeyRow, DomainRow, HeldRow, WarrantRow
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

DOMAIN = Table(
    name="surrogate_domain",
    key="id",
    insert_head=(
        "INSERT INTO surrogate_domain (id, kind, way, keeps, purposes, state, generation,"
        " opened_at, event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET purposes = excluded.purposes, state = excluded.state,"
        " generation = excluded.generation, event = excluded.event"
    ),
    select_head=(
        "SELECT id, kind, way, keeps, purposes, state, generation, opened_at, event"
        " FROM surrogate_domain WHERE id IN "
    ),
)

DOMAIN_KEY = Table(
    name="surrogate_key",
    key="id",
    insert_head=(
        "INSERT INTO surrogate_key (id, domain, generation, block, cipher, made_at, event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET block = excluded.block, cipher = excluded.cipher,"
        " event = excluded.event"
    ),
    select_head=(
        "SELECT id, domain, generation, block, cipher, made_at, event"
        " FROM surrogate_key WHERE id IN "
    ),
)

HELD = Table(
    name="surrogate_held",
    key="id",
    insert_head=(
        "INSERT INTO surrogate_held (id, domain, generation, found_by, sealed, made_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET generation = excluded.generation,"
        " found_by = excluded.found_by, sealed = excluded.sealed"
    ),
    select_head=(
        "SELECT id, domain, generation, found_by, sealed, made_at FROM surrogate_held WHERE id IN "
    ),
)

FINDER = Table(
    name="surrogate_finder",
    key="id",
    insert_head="INSERT INTO surrogate_finder (id, domain, surrogate) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET surrogate = excluded.surrogate",
    select_head="SELECT id, domain, surrogate FROM surrogate_finder WHERE id IN ",
)

SPENT = Table(
    name="surrogate_spent",
    key="id",
    insert_head="INSERT INTO surrogate_spent (id, since, revealed) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET since = excluded.since, revealed = excluded.revealed"
    ),
    select_head="SELECT id, since, revealed FROM surrogate_spent WHERE id IN ",
)

WARRANT = Table(
    name="surrogate_warrant",
    key="id",
    insert_head=(
        "INSERT INTO surrogate_warrant (id, domain, purpose, program, most, used, until, event)"
        " VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET used = excluded.used",
    select_head=(
        "SELECT id, domain, purpose, program, most, used, until, event"
        " FROM surrogate_warrant WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=240,
    name="surrogates",
    statements=(
        """CREATE TABLE surrogate_domain (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, way TEXT NOT NULL, keeps INTEGER NOT NULL,
            purposes TEXT NOT NULL, state TEXT NOT NULL, generation INTEGER NOT NULL,
            opened_at INTEGER NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE surrogate_key (
            id TEXT PRIMARY KEY, domain TEXT NOT NULL, generation INTEGER NOT NULL,
            block BLOB NOT NULL, cipher BLOB NOT NULL, made_at INTEGER NOT NULL,
            event INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE surrogate_held (
            id TEXT PRIMARY KEY, domain TEXT NOT NULL, generation INTEGER NOT NULL,
            found_by TEXT NOT NULL, sealed BLOB NOT NULL, made_at INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX surrogate_held_generation ON surrogate_held (domain, generation)",
        """CREATE TABLE surrogate_finder (
            id TEXT PRIMARY KEY, domain TEXT NOT NULL, surrogate TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX surrogate_finder_domain ON surrogate_finder (domain, surrogate)",
        """CREATE TABLE surrogate_spent (
            id TEXT PRIMARY KEY, since INTEGER NOT NULL, revealed INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE surrogate_warrant (
            id TEXT PRIMARY KEY, domain TEXT NOT NULL, purpose TEXT NOT NULL,
            program TEXT NOT NULL, most INTEGER NOT NULL, used INTEGER NOT NULL,
            until INTEGER NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
    ),
)


def every_domain(reader: Reader) -> list[DomainRow]:
    """Every domain that ever was, by name.

    Raises Malformed for a row that was changed beyond its form.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    rows = reader.rows(
        "SELECT id, kind, way, keeps, purposes, state, generation, opened_at, event"
        " FROM surrogate_domain ORDER BY id"
    )
    return [from_row(DomainRow, row) for row in rows]


def every_domain_key(reader: Reader) -> list[DomainKeyRow]:
    """The keys of every generation of every domain.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, domain, generation, block, cipher, made_at, event"
        " FROM surrogate_key ORDER BY domain, generation"
    )
    return [from_row(DomainKeyRow, row) for row in rows]


def every_warrant(reader: Reader) -> list[WarrantRow]:
    """Every leave that was given, the oldest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, domain, purpose, program, most, used, until, event"
        " FROM surrogate_warrant ORDER BY event"
    )
    return [from_row(WarrantRow, row) for row in rows]


def held_before(reader: Reader, domain: str, generation: int, most: int) -> list[HeldRow]:
    """At most `most` rows of `domain` that are under a generation before `generation`.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, domain, generation, found_by, sealed, made_at FROM surrogate_held"
        " WHERE domain = ? AND generation < ? ORDER BY id LIMIT ?",
        (domain, generation, most),
    )
    return [from_row(HeldRow, row) for row in rows]


def how_many_held(reader: Reader) -> dict[str, int]:
    """How many values are held in each domain.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    rows = reader.rows("SELECT domain, count(*) FROM surrogate_held GROUP BY domain")
    return {str(name): int(number) for name, number in rows}


def drop_finders(changes: ChangeSet, domain: str) -> None:
    """Delete finders of `domain` that lead nowhere since its values moved to another generation.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    changes.statement("DELETE FROM surrogate_finder WHERE domain = ? AND surrogate = ''", (domain,))


def drop_domain(changes: ChangeSet, domain: str) -> None:
    """Delete everything that is held in `domain`.

    Source: ISO/TS 12812-2:2017, 7.3.4; 14.2.1
    """
    changes.statement("DELETE FROM surrogate_held WHERE domain = ?", (domain,))
    changes.statement("DELETE FROM surrogate_finder WHERE domain = ?", (domain,))
    changes.statement("DELETE FROM surrogate_warrant WHERE domain = ?", (domain,))
