"""Where approvals are kept.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
"""

from tallystick.application.approvals.model import RiskRow
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

APPROVAL = Table(
    name="approval",
    key="id",
    insert_head=(
        "INSERT INTO approval (id, payer, order_id, digest, stage, reason, outcome, source,"
        " channel, initiator, initiator_may, devices, approvers, needed, wrong, paused_until,"
        " begun_at, expires_at, event, sealed) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, reason = excluded.reason,"
        " outcome = excluded.outcome, approvers = excluded.approvers, wrong = excluded.wrong,"
        " paused_until = excluded.paused_until, event = excluded.event"
    ),
    select_head=(
        "SELECT id, payer, order_id, digest, stage, reason, outcome, source, channel, initiator,"
        " initiator_may, devices, approvers, needed, wrong, paused_until, begun_at, expires_at,"
        " event, sealed FROM approval WHERE id IN "
    ),
)

SIGNATURE = Table(
    name="approval_signature",
    key="pair",
    insert_head=(
        "INSERT INTO approval_signature (pair, approval, customer, device, trust, enrolled_at,"
        " since, at, jws) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (pair) DO NOTHING",
    select_head=(
        "SELECT pair, approval, customer, device, trust, enrolled_at, since, at, jws"
        " FROM approval_signature WHERE pair IN "
    ),
)

INBOX = Table(
    name="approval_inbox",
    key="pair",
    insert_head="INSERT INTO approval_inbox (pair, customer, approval, event) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (pair) DO UPDATE SET event = excluded.event",
    select_head="SELECT pair, customer, approval, event FROM approval_inbox WHERE pair IN ",
)

PACE = Table(
    name="approval_pace",
    key="subject",
    insert_head="INSERT INTO approval_pace (subject, unanswered, next_at, at) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (subject) DO UPDATE SET unanswered = excluded.unanswered,"
        " next_at = excluded.next_at, at = excluded.at"
    ),
    select_head="SELECT subject, unanswered, next_at, at FROM approval_pace WHERE subject IN ",
)

RISK = Table(
    name="approval_risk",
    key="customer",
    insert_head="INSERT INTO approval_risk (customer, denials, since) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (customer) DO UPDATE SET denials = excluded.denials, since = excluded.since"
    ),
    select_head="SELECT customer, denials, since FROM approval_risk WHERE customer IN ",
)

MANDATE = Table(
    name="approval_mandate",
    key="account",
    insert_head="INSERT INTO approval_mandate (account, bands, initiator_may, event) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (account) DO UPDATE SET bands = excluded.bands,"
        " initiator_may = excluded.initiator_may, event = excluded.event"
    ),
    select_head=(
        "SELECT account, bands, initiator_may, event FROM approval_mandate WHERE account IN "
    ),
)

WAKE = Table(
    name="approval_wake",
    key="device",
    insert_head="INSERT INTO approval_wake (device, customer, name) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=" ON CONFLICT (device) DO UPDATE SET name = excluded.name",
    select_head="SELECT device, customer, name FROM approval_wake WHERE device IN ",
)


def waiting_of(reader: Reader) -> list[tuple[str, str, str]]:
    """Id, payer and approvers of every request that is pending.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    rows = reader.rows(
        "SELECT id, payer, approvers FROM approval WHERE stage = 'pending' ORDER BY id", ()
    )
    return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


def risks_of(reader: Reader) -> list[RiskRow]:
    """Every customer who said that it was somebody else; they are few, so all are in memory.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    rows = reader.rows("SELECT customer, denials, since FROM approval_risk WHERE denials > 0", ())
    return [from_row(RiskRow, row) for row in rows]


def overdue(reader: Reader, now: int, most: int) -> list[str]:
    """At most `most` requests that are pending and past their time.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    rows = reader.rows(
        "SELECT id FROM approval WHERE stage = 'pending' AND expires_at < ? ORDER BY id LIMIT ?",
        (now, most),
    )
    return [str(row[0]) for row in rows]


def changed_for(reader: Reader, customer: str, after: int, most: int) -> list[tuple[str, int]]:
    """Id and event of at most `most` requests of an approver that changed after `after`, in order.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = reader.rows(
        "SELECT approval, event FROM approval_inbox WHERE customer = ? AND event > ?"
        " ORDER BY event LIMIT ?",
        (customer, after, most),
    )
    return [(str(row[0]), int(row[1])) for row in rows]


def wakes_of(reader: Reader, customer: str) -> list[str]:
    """The names under which a push service wakes the devices of `customer`.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    rows = reader.rows(
        "SELECT name FROM approval_wake WHERE customer = ? AND name <> '' ORDER BY device",
        (customer,),
    )
    return [str(row[0]) for row in rows]


MIGRATION = Migration(
    number=190,
    name="approvals",
    statements=(
        """CREATE TABLE approval (
            id TEXT PRIMARY KEY, payer TEXT NOT NULL, order_id TEXT NOT NULL,
            digest BLOB NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL,
            outcome TEXT NOT NULL, source TEXT NOT NULL, channel TEXT NOT NULL,
            initiator TEXT NOT NULL, initiator_may INTEGER NOT NULL, devices TEXT NOT NULL,
            approvers TEXT NOT NULL, needed INTEGER NOT NULL, wrong INTEGER NOT NULL,
            paused_until INTEGER NOT NULL, begun_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL, event INTEGER NOT NULL, sealed BLOB NOT NULL
        ) STRICT""",
        """CREATE INDEX approval_pending ON approval (expires_at)
            WHERE stage = 'pending'""",
        """CREATE TABLE approval_signature (
            pair TEXT PRIMARY KEY, approval TEXT NOT NULL, customer TEXT NOT NULL,
            device TEXT NOT NULL, trust TEXT NOT NULL, enrolled_at INTEGER NOT NULL,
            since INTEGER NOT NULL, at INTEGER NOT NULL, jws BLOB NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE approval_inbox (
            pair TEXT PRIMARY KEY, customer TEXT NOT NULL, approval TEXT NOT NULL,
            event INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE INDEX approval_inbox_order ON approval_inbox (customer, event)""",
        """CREATE TABLE approval_pace (
            subject TEXT PRIMARY KEY, unanswered INTEGER NOT NULL, next_at INTEGER NOT NULL,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE approval_risk (
            customer TEXT PRIMARY KEY, denials INTEGER NOT NULL, since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE approval_mandate (
            account TEXT PRIMARY KEY, bands TEXT NOT NULL, initiator_may INTEGER NOT NULL,
            event INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE approval_wake (
            device TEXT PRIMARY KEY, customer TEXT NOT NULL, name TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
