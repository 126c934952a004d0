"""What customers accepted and read, by version.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record


class Acknowledged(Record, frozen=True, kw_only=True):
    """The version of `what` that a customer acknowledged last; `id` is both, with a bar.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    id: str
    customer: str
    what: str
    version: int
    language: str
    digest: str
    at: int


ACKNOWLEDGED = Table(
    name="acknowledged",
    key="id",
    insert_head=(
        "INSERT INTO acknowledged (id, customer, what, version, language, digest, at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET version = excluded.version,"
        " language = excluded.language, digest = excluded.digest, at = excluded.at"
    ),
    select_head=(
        "SELECT id, customer, what, version, language, digest, at FROM acknowledged WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=181,
    name="education",
    statements=(
        """CREATE TABLE acknowledged (
            id TEXT PRIMARY KEY, customer TEXT NOT NULL, what TEXT NOT NULL,
            version INTEGER NOT NULL, language TEXT NOT NULL, digest TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def informed(reader: Reader, what: str, version: int, *, besides: str) -> tuple[int, int]:
    """Of how many active customers how many acknowledged `version` of `what`, or a later one.

    Customers whom `besides` opened do not count.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    known = reader.one(
        "SELECT count(*) FROM acknowledged a JOIN customer c ON c.id = a.customer"
        " WHERE c.status = 'active' AND c.opened_by <> ? AND a.what = ? AND a.version >= ?",
        (besides, what, version),
    )
    all_of_them = reader.one(
        "SELECT count(*) FROM customer WHERE status = 'active' AND opened_by <> ?", (besides,)
    )
    return _count(all_of_them), _count(known)


def accepted_otherwise(reader: Reader, what: str, version: int, digests: tuple[str, ...]) -> int:
    """How many customers acknowledged `version` of `what` with another text than `digests`.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    rows = reader.rows(
        "SELECT digest, count(*) FROM acknowledged WHERE what = ? AND version = ? GROUP BY digest",
        (what, version),
    )
    return sum(int(str(count)) for digest, count in rows if str(digest) not in digests)


def _count(row: tuple[object, ...] | None) -> int:
    return 0 if row is None else int(str(row[0]))
