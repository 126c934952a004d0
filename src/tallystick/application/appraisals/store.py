"""Where signed policies of appraisal are kept, and what verdicts rest on, by its digest.

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

APPRAISAL = Table(
    name="appraisal_version",
    key="version",
    insert_head="INSERT INTO appraisal_version (version, envelope, event) VALUES ",
    slots="(?, ?, ?)",
    insert_tail="",
    select_head="SELECT version, envelope, event FROM appraisal_version WHERE version IN ",
)

MIGRATION = Migration(
    number=203,
    name="appraisal policy versions",
    statements=(
        """CREATE TABLE appraisal_version (
            version INTEGER PRIMARY KEY, envelope TEXT NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
    ),
)

BASIS = Table(
    name="appraisal_basis",
    key="digest",
    insert_head="INSERT INTO appraisal_basis (digest, octets) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (digest) DO UPDATE SET octets = excluded.octets",
    select_head="SELECT digest, octets FROM appraisal_basis WHERE digest IN ",
)
"""Policies and lists that verdicts name, so that a verdict can be made again later."""

BASIS_MIGRATION = Migration(
    number=204,
    name="what verdicts rest on",
    statements=(
        """CREATE TABLE appraisal_basis (
            digest TEXT PRIMARY KEY, octets BLOB NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def kept_basis(reader: Reader, digest: str) -> bytes | None:
    """The policy or the list that `digest` names; None where it was not kept.

    Source: RFC 9334, 8.3
    """
    row = reader.one("SELECT octets FROM appraisal_basis WHERE digest = ?", (digest,))
    return None if row is None else bytes(row[0])


def last_appraisal(reader: Reader) -> tuple[int, str]:
    """The newest version that was in force, and its signed file; 0 and nothing before the first.

    Source: RFC 9334, 8.3
    """
    row = reader.one(
        "SELECT version, envelope FROM appraisal_version ORDER BY version DESC LIMIT 1"
    )
    return (0, "") if row is None else (int(str(row[0])), str(row[1]))
