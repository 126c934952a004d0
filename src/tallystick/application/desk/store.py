"""Where emergencies, notices to officers, links and workloads are kept.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from tallystick.application.desk.model import Emergency, OfficerNotice, Workload
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

EMERGENCY = Table(
    name="emergency",
    key="id",
    insert_head=(
        "INSERT INTO emergency (id, operator, because, since, until, event, reviewer, finding,"
        " reviewed_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET because = excluded.because,"
        " until = excluded.until, reviewer = excluded.reviewer,"
        " finding = excluded.finding, reviewed_at = excluded.reviewed_at"
    ),
    select_head=(
        "SELECT id, operator, because, since, until, event, reviewer, finding, reviewed_at"
        " FROM emergency WHERE id IN "
    ),
)

OFFICER_NOTICE = Table(
    name="officer_notice",
    key="id",
    insert_head=("INSERT INTO officer_notice (id, operator, kind, reference, at, seen_at) VALUES "),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
    select_head=(
        "SELECT id, operator, kind, reference, at, seen_at FROM officer_notice WHERE id IN "
    ),
)

SUBJECT_LINK = Table(
    name="subject_link",
    key="subject",
    insert_head="INSERT INTO subject_link (subject, operator, linked_at) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (subject) DO UPDATE SET operator = excluded.operator,"
        " linked_at = excluded.linked_at"
    ),
    select_head="SELECT subject, operator, linked_at FROM subject_link WHERE subject IN ",
)

WORKLOAD = Table(
    name="workload",
    key="id",
    insert_head=(
        "INSERT INTO workload (id, label, scope, way, verifier, status, issued_at, expires_at,"
        " event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET status = excluded.status",
    select_head=(
        "SELECT id, label, scope, way, verifier, status, issued_at, expires_at, event"
        " FROM workload WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=171,
    name="the operators' desk",
    statements=(
        """CREATE TABLE emergency (
            id TEXT PRIMARY KEY, operator TEXT NOT NULL, because BLOB NOT NULL,
            since INTEGER NOT NULL, until INTEGER NOT NULL, event INTEGER NOT NULL,
            reviewer TEXT NOT NULL, finding BLOB NOT NULL, reviewed_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE officer_notice (
            id TEXT PRIMARY KEY, operator TEXT NOT NULL, kind TEXT NOT NULL,
            reference TEXT NOT NULL, at INTEGER NOT NULL, seen_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE subject_link (
            subject TEXT PRIMARY KEY, operator TEXT NOT NULL, linked_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE workload (
            id TEXT PRIMARY KEY, label TEXT NOT NULL, scope TEXT NOT NULL, way TEXT NOT NULL,
            verifier BLOB NOT NULL, status TEXT NOT NULL, issued_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL, event INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def unreviewed(reader: Reader) -> list[Emergency]:
    """Every emergency that nobody reviewed yet, oldest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, operator, because, since, until, event, reviewer, finding, reviewed_at"
        " FROM emergency WHERE reviewed_at = 0 ORDER BY id"
    )
    return [from_row(Emergency, row) for row in rows]


def last_emergencies(reader: Reader, most: int) -> list[Emergency]:
    """At most `most` emergencies, the newest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, operator, because, since, until, event, reviewer, finding, reviewed_at"
        " FROM emergency ORDER BY id DESC LIMIT ?",
        (most,),
    )
    return [from_row(Emergency, row) for row in rows]


def unseen_notices(reader: Reader, operator: str) -> list[OfficerNotice]:
    """What `operator` must learn of and has not seen yet, oldest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, operator, kind, reference, at, seen_at FROM officer_notice"
        " WHERE operator = ? AND seen_at = 0 ORDER BY id",
        (operator,),
    )
    return [from_row(OfficerNotice, row) for row in rows]


def mark_seen(changes: ChangeSet, notice: str, operator: str, now: int) -> None:
    """Note with this batch that `operator` has seen a notice, if it is theirs.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    changes.statement(
        "UPDATE officer_notice SET seen_at = ? WHERE id = ? AND operator = ? AND seen_at = 0",
        (now, notice, operator),
    )


def workloads(reader: Reader) -> list[Workload]:
    """Every workload that ever was, the newest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, label, scope, way, verifier, status, issued_at, expires_at, event"
        " FROM workload ORDER BY id DESC"
    )
    return [from_row(Workload, row) for row in rows]


def emergency_seals(reader: Reader, after: str, limit: int) -> list[tuple[Emergency, bytes, bytes]]:
    """Emergencies above `after` in order of ids, at most `limit`, with the heads of both texts.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, operator, because, since, until, event, reviewer, finding, reviewed_at"
        " FROM emergency WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    found = [from_row(Emergency, one) for one in rows]
    return [(one, one.because[:13], one.finding[:13]) for one in found]
