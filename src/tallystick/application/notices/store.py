"""Where notices are kept: appended once, then only their delivery changes.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
"""

from tallystick.application.notices.model import NoticeReceiptRow, NoticeRow
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row
from tallystick.kernel.time import Instant

NOTICE = Table(
    name="notice",
    key="seq",
    insert_head=(
        "INSERT INTO notice (seq, channel, customer, template, reference, created_at, attempts,"
        " due_at, delivered_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (seq) DO UPDATE SET attempts = excluded.attempts,"
        " due_at = excluded.due_at, delivered_at = excluded.delivered_at"
    ),
    select_head=(
        "SELECT seq, channel, customer, template, reference, created_at, attempts, due_at,"
        " delivered_at FROM notice WHERE seq IN "
    ),
)

MIGRATION = Migration(
    number=50,
    name="notices",
    statements=(
        """CREATE TABLE notice (
            seq INTEGER PRIMARY KEY, channel TEXT NOT NULL, customer TEXT NOT NULL,
            template TEXT NOT NULL, reference TEXT NOT NULL, created_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL, due_at INTEGER NOT NULL, delivered_at INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX notice_due ON notice (due_at, seq) WHERE due_at > 0",
    ),
)


WARNING_MIGRATION = Migration(
    number=220,
    name="warnings of a customer",
    statements=(
        """CREATE INDEX notice_warning ON notice (customer, seq) WHERE template NOT IN
            ('activation-code', 'order-code', 'payment-sent', 'payment-received',
            'payment-reversed')""",
    ),
)


RECEIPT = Table(
    name="notice_receipt",
    key="seq",
    insert_head="INSERT INTO notice_receipt (seq, state, at) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=" ON CONFLICT (seq) DO UPDATE SET state = excluded.state, at = excluded.at",
    select_head="SELECT seq, state, at FROM notice_receipt WHERE seq IN ",
)

RECEIPT_MIGRATION = Migration(
    number=121,
    name="delivery receipts of notices",
    statements=(
        """CREATE TABLE notice_receipt (
            seq INTEGER PRIMARY KEY, state TEXT NOT NULL, at INTEGER NOT NULL
        ) STRICT""",
    ),
)


def notice_of(reader: Reader, seq: int) -> NoticeRow | None:
    """The notice with this number, or None.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one(
        "SELECT seq, channel, customer, template, reference, created_at, attempts, due_at,"
        " delivered_at FROM notice WHERE seq = ?",
        (seq,),
    )
    return None if row is None else from_row(NoticeRow, row)


def receipt_of(reader: Reader, seq: int) -> NoticeReceiptRow | None:
    """What the SMSC said last of the notice with this number, or None.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one("SELECT seq, state, at FROM notice_receipt WHERE seq = ?", (seq,))
    return None if row is None else from_row(NoticeReceiptRow, row)


def due_notices(reader: Reader, now: Instant, most: int) -> list[NoticeRow]:
    """At most `most` notices whose time has come and that are neither delivered nor given up.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = reader.rows(
        "SELECT seq, channel, customer, template, reference, created_at, attempts, due_at,"
        " delivered_at FROM notice WHERE due_at > 0 AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
        (now, most),
    )
    return [from_row(NoticeRow, row) for row in rows]


def notices_about(reader: Reader, reference: str) -> list[NoticeRow]:
    """Every notice about the order, device or customer of this id, in order; reads every row.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = reader.rows(
        "SELECT seq, channel, customer, template, reference, created_at, attempts, due_at,"
        " delivered_at FROM notice WHERE reference = ? ORDER BY seq",
        (reference,),
    )
    return [from_row(NoticeRow, row) for row in rows]


def notices_to(reader: Reader, customer: str, most: int, window: int) -> list[NoticeRow]:
    """At most `most` notices to `customer` among the last `window` of all, newest first.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = reader.rows(
        "SELECT seq, channel, customer, template, reference, created_at, attempts, due_at,"
        " delivered_at FROM notice WHERE seq > (SELECT coalesce(max(seq), 0) FROM notice) - ?"
        " AND customer = ? ORDER BY seq DESC LIMIT ?",
        (window, customer, most),
    )
    return [from_row(NoticeRow, row) for row in rows]


def warnings_to(reader: Reader, customer: str, most: int) -> list[NoticeRow]:
    """At most `most` warnings to `customer`, newest first; by an index of warnings alone.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    rows = reader.rows(
        "SELECT seq, channel, customer, template, reference, created_at, attempts, due_at,"
        " delivered_at FROM notice WHERE customer = ? AND template NOT IN"
        " ('activation-code', 'order-code', 'payment-sent', 'payment-received',"
        " 'payment-reversed') ORDER BY seq DESC LIMIT ?",
        (customer, most),
    )
    return [from_row(NoticeRow, row) for row in rows]


def blocked_pins(reader: Reader, after: int, most: int) -> list[tuple[int, int]]:
    """Number and instant of at most `most` notices after `after` that a PIN was blocked.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    rows = reader.rows(
        "SELECT seq, created_at FROM notice WHERE seq > ? AND template = 'pin-blocked'"
        " ORDER BY seq LIMIT ?",
        (after, most),
    )
    return [(int(row[0]), int(row[1])) for row in rows]


def next_due(reader: Reader) -> int:
    """When the next notice is due (ms), 0 if none waits.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one("SELECT min(due_at) FROM notice WHERE due_at > 0")
    return 0 if row is None or row[0] is None else int(row[0])


def next_seq(reader: Reader) -> int:
    """The number that the next notice gets.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one("SELECT max(seq) FROM notice")
    return 1 if row is None or row[0] is None else int(row[0]) + 1
