"""Where the signed policy files are kept, by version.

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

POLICY = Table(
    name="policy_version",
    key="version",
    insert_head="INSERT INTO policy_version (version, envelope, event) VALUES ",
    slots="(?, ?, ?)",
    insert_tail="",
    select_head="SELECT version, envelope, event FROM policy_version WHERE version IN ",
)

SHADOW = Table(
    name="policy_shadow",
    key="slot",
    insert_head="INSERT INTO policy_shadow (slot, version, envelope, event) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (slot) DO UPDATE SET version = excluded.version,"
        " envelope = excluded.envelope, event = excluded.event"
    ),
    select_head="SELECT slot, version, envelope, event FROM policy_shadow WHERE slot IN ",
)
"""One row: the policy in shadow, or version 0 where there is none."""

MIGRATION = Migration(
    number=5,
    name="policy versions",
    statements=(
        """CREATE TABLE policy_version (
            version INTEGER PRIMARY KEY, envelope TEXT NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
    ),
)

SHADOW_MIGRATION = Migration(
    number=85,
    name="policy in shadow",
    statements=(
        """CREATE TABLE policy_shadow (
            slot INTEGER PRIMARY KEY, version INTEGER NOT NULL, envelope TEXT NOT NULL,
            event INTEGER NOT NULL
        ) STRICT""",
    ),
)


def policy_in_shadow(reader: Reader) -> tuple[int, str] | None:
    """Version and signed file of the policy in shadow, or None.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    row = reader.one("SELECT version, envelope FROM policy_shadow WHERE version > 0")
    return None if row is None else (int(row[0]), str(row[1]))


def last_policy(reader: Reader) -> tuple[int, str] | None:
    """Version and signed file of the last policy put into force, or None.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    row = reader.one("SELECT version, envelope FROM policy_version ORDER BY version DESC LIMIT 1")
    return None if row is None else (int(row[0]), str(row[1]))
