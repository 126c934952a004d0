"""Where the closings of days are kept, and what is counted over all accounts.

Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

DAY_CLOSING = Table(
    name="day_closing",
    key="day",
    insert_head="INSERT INTO day_closing (day, closing) VALUES ",
    slots="(?, ?)",
    insert_tail="",
    select_head="SELECT day, closing FROM day_closing WHERE day IN ",
)

MIGRATION = Migration(
    number=80,
    name="day closings",
    statements=(
        """CREATE TABLE day_closing (
            day TEXT PRIMARY KEY, closing TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def last_closing(reader: Reader) -> str | None:
    """The closing record of the last closed day (JSON), or None.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one("SELECT closing FROM day_closing ORDER BY day DESC LIMIT 1")
    return None if row is None else str(row[0])


def last_journal_line(reader: Reader) -> int:
    """The number of the last line of the journal, 0 for an empty one.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one("SELECT coalesce(max(seq), 0) FROM transfer")
    return 0 if row is None else int(row[0])


def above_ceiling(reader: Reader) -> tuple[int, int]:
    """How many accounts there are, and how many keep more than their ceiling; reads all.

    What was there when a ceiling was lowered does not count: it may stay, and not grow.
    Source: ISO/TS 12812-2:2017, 13.3
    """
    row = reader.one(
        """SELECT count(*), coalesce(sum(CASE WHEN
                CASE WHEN side = 'credit' THEN posted_credit - posted_debit
                    ELSE posted_debit - posted_credit END > ceiling + coalesce(kept_minor, 0)
                THEN 1 ELSE 0 END), 0)
            FROM account LEFT JOIN kept_over ON kept_over.account = account.id"""
    )
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
