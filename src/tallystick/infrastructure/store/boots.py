"""How often the store was opened for service: a number that no two starts share.

Source: NIST SP 800-38D, 8.2.1; ISO/TS 12812-2:2017, 7.2.7
"""

from tallystick.infrastructure.store.database import Database, batch
from tallystick.infrastructure.store.migrations import Migration
from tallystick.kernel.errors import Broken

BOOTS = Migration(
    number=3,
    name="boots",
    statements=(
        "CREATE TABLE boot (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL) STRICT",
        "INSERT INTO boot (id, number) VALUES (1, 0)",
    ),
)

OWNERS = Migration(
    number=4,
    name="writers",
    statements=(
        "ALTER TABLE boot ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE writer_beat (
            id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL
        ) STRICT""",
    ),
)

MIGRATIONS = (BOOTS, OWNERS)


def next_boot(database: Database, owner: str) -> int:
    """The next number (from 1) for the start `owner`, durable before it is used.

    `owner` is a name that no other start has. Raises Unavailable or Broken.
    Source: NIST SP 800-38D, 8.2.1
    """
    with batch(database):
        database.execute("UPDATE boot SET number = number + 1, owner = ? WHERE id = 1", (owner,))
        row = database.one("SELECT number FROM boot WHERE id = 1")
    if row is None or not 0 < row[0] < 2**32:
        raise Broken("the boot counter is missing or used up")
    return int(row[0])
