"""Where the signed policy files are kept, by version.

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row
from tallystick.process.policy.tightening import Measure

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

MEASURE = Table(
    name="policy_measure",
    key="id",
    insert_head=(
        "INSERT INTO policy_measure (id, version, entry, since, until, ended, blocked_until,"
        " evidence, file, event, end_event, cohort, touched, approval) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET until = excluded.until, ended = excluded.ended,"
        " blocked_until = excluded.blocked_until, end_event = excluded.end_event"
    ),
    select_head=(
        "SELECT id, version, entry, since, until, ended, blocked_until, evidence, file, event,"
        " end_event, cohort, touched, approval FROM policy_measure WHERE id IN "
    ),
)

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


MEASURE_MIGRATION = Migration(
    number=110,
    name="tightenings",
    statements=(
        """CREATE TABLE policy_measure (
            id TEXT PRIMARY KEY, version INTEGER NOT NULL, entry TEXT NOT NULL,
            since INTEGER NOT NULL, until INTEGER NOT NULL, ended TEXT NOT NULL,
            blocked_until INTEGER NOT NULL, evidence TEXT NOT NULL, file TEXT NOT NULL,
            event INTEGER NOT NULL, end_event INTEGER NOT NULL
        ) STRICT""",
    ),
)


def every_measure(reader: Reader, *, before_caps: bool = False) -> list[Measure]:
    """All tightenings that ever began, oldest first; `before_caps` where their columns are missing.

    Raises Malformed for a row that was changed beyond its form.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    if before_caps:
        rows = reader.rows(
            "SELECT id, version, entry, since, until, ended, blocked_until, evidence, file, event,"
            " end_event, '', '', '' FROM policy_measure ORDER BY event"
        )
    else:
        rows = reader.rows(
            "SELECT id, version, entry, since, until, ended, blocked_until, evidence, file, event,"
            " end_event, cohort, touched, approval FROM policy_measure ORDER BY event"
        )
    return [from_row(Measure, row) for row in rows]


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


def policies_until(reader: Reader, version: int, most: int) -> list[tuple[int, str, int]]:
    """Version, signed file and event of at most `most` policies up to `version`, newest first.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows = reader.rows(
        "SELECT version, envelope, event FROM policy_version WHERE version <= ?"
        " ORDER BY version DESC LIMIT ?",
        (version, most),
    )
    return [(int(row[0]), str(row[1]), int(row[2])) for row in rows]
