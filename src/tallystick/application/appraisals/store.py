"""Where signed policies of appraisal and vendors' lists are kept, and what verdicts rest on.

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
"""

from collections.abc import Iterable, Mapping
from typing import Final

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Connection, Reader, has_table
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.codec import Decoder
from tallystick.process.attestation.lists import VendorList

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

LISTED = Table(
    name="appraisal_basis_listed",
    key="digest",
    insert_head="INSERT INTO appraisal_basis_listed (digest, list_at) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (digest) DO UPDATE SET list_at = excluded.list_at",
    select_head="SELECT digest, list_at FROM appraisal_basis_listed WHERE digest IN ",
)
"""Until when the list of each of them was said to be the one."""

LISTED_MIGRATION = Migration(
    number=295,
    name="until when a list is the one",
    statements=(
        """CREATE TABLE appraisal_basis_listed (
            digest TEXT PRIMARY KEY, list_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


LIST = Table(
    name="vendor_list",
    key="name",
    insert_head="INSERT INTO vendor_list (name, row) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (name) DO UPDATE SET row = excluded.row",
    select_head="SELECT name, row FROM vendor_list WHERE name IN ",
)
"""What is known of the last of each list."""

SAID = Table(
    name="vendor_list_said",
    key="name",
    insert_head="INSERT INTO vendor_list_said (name, said) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (name) DO UPDATE SET said = excluded.said",
    select_head="SELECT name, said FROM vendor_list_said WHERE name IN ",
)
"""What the last of each list says."""

LIST_MIGRATION = Migration(
    number=280,
    name="lists of vendors",
    statements=(
        """CREATE TABLE vendor_list (
            name TEXT PRIMARY KEY, row BLOB NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE vendor_list_said (
            name TEXT PRIMARY KEY, said BLOB NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)

_LISTS: Final = Decoder(VendorList, limit=8 * 1024)
_SAID: Final = Decoder(dict[str, str], limit=32 * 1024 * 1024)


def kept_lists(reader: Reader) -> dict[str, VendorList]:
    """What is known of every list that was taken over, by its name.

    Source: RFC 9334, 7.4
    """
    rows = reader.rows("SELECT row FROM vendor_list ORDER BY name")
    found = (_LISTS.decode_canonical(bytes(row[0])) for row in rows)
    return {one.name: one for one in found}


def has_lists(reader: Connection) -> bool:
    """Whether the store keeps lists; one that an older version served last does not yet.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return has_table(reader, LIST.name)


def kept_said(reader: Reader, name: str) -> Mapping[str, str]:
    """What the list called `name` says; nothing where it was never taken over.

    Source: RFC 9334, 7.4
    """
    row = reader.one("SELECT said FROM vendor_list_said WHERE name = ?", (name,))
    return {} if row is None else _SAID.decode_canonical(bytes(row[0]))


def kept_basis(reader: Reader, digest: str) -> bytes | None:
    """The policy or the list that `digest` names; None where it was not kept.

    Source: RFC 9334, 8.3
    """
    row = reader.one("SELECT octets FROM appraisal_basis WHERE digest = ?", (digest,))
    return None if row is None else bytes(row[0])


def listed_at(reader: Reader, digest: str) -> int:
    """Until when (ms) a source said that the list `digest` is the one; 0 where nothing says so.

    Source: RFC 9334, 8.3
    """
    row = reader.one("SELECT list_at FROM appraisal_basis_listed WHERE digest = ?", (digest,))
    return 0 if row is None else int(row[0])


def forget_bases(changes: ChangeSet, in_force: Iterable[str], basis: str) -> None:
    """Keep of policies and lists only what is `in_force`, if every stored verdict rests on `basis`.

    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.2.3
    """
    first, second = (*in_force, "", "")[:2]
    changes.statement(
        "DELETE FROM appraisal_basis WHERE digest <> ? AND digest <> ? AND NOT EXISTS"
        " (SELECT 1 FROM device_verdict WHERE basis < ? OR basis > ?)",
        (first, second, basis, basis),
    )
    changes.statement(
        "DELETE FROM appraisal_basis_listed WHERE NOT EXISTS"
        " (SELECT 1 FROM appraisal_basis b WHERE b.digest = appraisal_basis_listed.digest)"
    )


def last_appraisal(reader: Reader) -> tuple[int, str]:
    """The newest version that was in force, and its signed file; 0 and nothing before the first.

    Source: RFC 9334, 8.3
    """
    row = reader.one(
        "SELECT version, envelope FROM appraisal_version ORDER BY version DESC LIMIT 1"
    )
    return (0, "") if row is None else (int(str(row[0])), str(row[1]))
