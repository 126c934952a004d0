"""When the store was opened for service, by which version, with which key list, and how it ended.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
"""

from collections.abc import Mapping

from tallystick.infrastructure.store.database import Connection, Database, Reader, batch, has_table
from tallystick.infrastructure.store.migrations import Migration
from tallystick.kernel.model import Record, from_row
from tallystick.kernel.time import Instant

MIGRATION = Migration(
    number=6,
    name="starts",
    statements=(
        """CREATE TABLE service_start (
            boot INTEGER PRIMARY KEY, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
            version TEXT NOT NULL, key_list INTEGER NOT NULL
        ) STRICT""",
    ),
)


KEYS_MIGRATION = Migration(
    number=296,
    name="keys of the last start",
    statements=(
        """CREATE TABLE service_start_key (
            purpose TEXT PRIMARY KEY, boot INTEGER NOT NULL, tag TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


class Start(Record, frozen=True, kw_only=True):
    """One time of service: its number, its instants (ms), the software, the key list in use.

    `ended_at` is 0 while it goes on, and for ever if it did not end by itself.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    boot: int
    started_at: int
    ended_at: int
    version: str
    key_list: int


def note_start(database: Database, start: Start, tags: Mapping[str, str]) -> None:
    """Keep that the service began, and by `tags` which key of a purpose it uses until it ends.

    Raises Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    row = (start.boot, start.started_at, start.ended_at, start.version, start.key_list)
    sql = (
        "INSERT INTO service_start (boot, started_at, ended_at, version, key_list)"
        " VALUES (?, ?, ?, ?, ?)"
    )
    key = (
        "INSERT INTO service_start_key (purpose, boot, tag) VALUES (?, ?, ?)"
        " ON CONFLICT (purpose) DO UPDATE SET boot = excluded.boot, tag = excluded.tag"
    )
    with batch(database):
        database.execute(sql, row)
        for purpose, tag in tags.items():
            database.execute(key, (purpose, start.boot, tag))


def note_end(database: Database, boot: int, now: Instant) -> None:
    """Keep that the service that began as `boot` ended by itself.

    Raises Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    sql = "UPDATE service_start SET ended_at = ? WHERE boot = ?"
    with batch(database):
        database.execute(sql, (now, boot))


def starts(reader: Reader) -> list[Start]:
    """Every start that is known, first to last.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    rows = reader.rows(
        "SELECT boot, started_at, ended_at, version, key_list FROM service_start ORDER BY boot"
    )
    return [from_row(Start, row) for row in rows]


def uses_no_other(reader: Connection, purpose: str, tag: str) -> bool:
    """Whether no service that may still run uses another key of `purpose` than the one of `tag`.

    One that did not end by itself may run; of one that an older version began nothing is known.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    last = reader.one("SELECT boot, ended_at FROM service_start ORDER BY boot DESC LIMIT 1")
    if last is None or last[1]:
        return True
    if not has_table(reader, "service_start_key"):
        return False
    row = reader.one("SELECT boot, tag FROM service_start_key WHERE purpose = ?", (purpose,))
    return row is not None and row[0] == last[0] and row[1] == tag
