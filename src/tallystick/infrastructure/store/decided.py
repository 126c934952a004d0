"""Which version of the decisions about the programme was in force last: no older one counts again.

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.infrastructure.store.database import Connection, Database, batch, has_table
from tallystick.infrastructure.store.migrations import Migration
from tallystick.kernel.errors import Conflict

MIGRATION = Migration(
    number=7,
    name="decisions",
    statements=(
        """CREATE TABLE decided (
            id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL
        ) STRICT""",
        "INSERT INTO decided (id, version) VALUES (1, 0)",
    ),
)


def decided_version(reader: Connection) -> int:
    """The highest version that was in force; 0 where none was, or the store is older than this.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if not has_table(reader, "decided"):
        return 0
    row = reader.one("SELECT version FROM decided WHERE id = 1")
    return 0 if row is None else int(row[0])


def note_decided(database: Database, version: int) -> None:
    """Keep that decisions of `version` are in force from now on.

    Raises Conflict if newer ones were, Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    before = decided_version(database)
    if version < before:
        raise Conflict(
            f"decisions of version {version} are older than those of version {before}, which were"
            " in force",
            remedy="put the newer file back, or raise the version and sign again",
        )
    if version > before:
        with batch(database):
            database.execute("UPDATE decided SET version = ? WHERE id = 1", (version,))
