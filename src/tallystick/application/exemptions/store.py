"""Where the counters and the payments of the fraud rate are kept.

Source: Delegated Regulation (EU) 2018/389, 19; 21
"""

from decimal import Decimal

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record

COUNTED = Table(
    name="exemption_counter",
    key="id",
    insert_head=(
        "INSERT INTO exemption_counter (id, customer, remote, count, amount_minor, since) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET count = excluded.count,"
        " amount_minor = excluded.amount_minor, since = excluded.since"
    ),
    select_head="SELECT id, customer, remote, count, amount_minor, since FROM exemption_counter"
    " WHERE id IN ",
)

EXEMPTED = Table(
    name="exempted_order",
    key="id",
    insert_head="INSERT INTO exempted_order (id, exemption, remote, amount_minor, at, fraud)"
    " VALUES ",
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET fraud = excluded.fraud",
    select_head="SELECT id, exemption, remote, amount_minor, at, fraud FROM exempted_order"
    " WHERE id IN ",
)

MIGRATION = Migration(
    number=140,
    name="exemptions",
    statements=(
        """CREATE TABLE exemption_count (
            customer TEXT PRIMARY KEY, count INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
            since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE exempted_order (
            id TEXT PRIMARY KEY, exemption TEXT NOT NULL, remote INTEGER NOT NULL,
            amount_minor INTEGER NOT NULL, at INTEGER NOT NULL, fraud INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX exempted_order_at ON exempted_order (at)",
    ),
)


APART = Migration(
    number=285,
    name="exemptions-apart",
    statements=(
        """CREATE TABLE exemption_counter (
            id TEXT PRIMARY KEY, customer TEXT NOT NULL, remote INTEGER NOT NULL,
            count INTEGER NOT NULL, amount_minor INTEGER NOT NULL, since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """INSERT INTO exemption_counter (id, customer, remote, count, amount_minor, since)
            SELECT customer || '|0', customer, 0, count, amount_minor, since
            FROM exemption_count""",
        """INSERT INTO exemption_counter (id, customer, remote, count, amount_minor, since)
            SELECT customer || '|1', customer, 1, count, amount_minor, since
            FROM exemption_count""",
    ),
)
"""What was counted together until then counts for both, which is the stricter reading.

An earlier version goes on with its own table.
"""


class KindOfPayment(Record, frozen=True, kw_only=True):
    """Payments of one kind in a time: how many, their sum, and how much of it was fraud.

    Source: Delegated Regulation (EU) 2018/389, 19; 21
    """

    exemption: str
    remote: bool
    count: int
    amount_minor: int
    fraud_count: int
    fraud_minor: int

    @property
    def rate(self) -> Decimal:
        """The share of the value that was fraud; 0 where nothing was paid.

        Source: Delegated Regulation (EU) 2018/389, 19(1)
        """
        if not self.amount_minor:
            return Decimal(0)
        return Decimal(self.fraud_minor) / Decimal(self.amount_minor)


def kinds_of_payments(reader: Reader, start: int, end: int) -> list[KindOfPayment]:
    """The payments from `start` (ms) to before `end`, by exemption and place.

    Source: Delegated Regulation (EU) 2018/389, 19; 21
    """
    rows = reader.rows(
        "SELECT exemption, remote, count(*), sum(amount_minor), sum(fraud),"
        " sum(fraud * amount_minor) FROM exempted_order WHERE at >= ? AND at < ?"
        " GROUP BY exemption, remote ORDER BY exemption, remote",
        (start, end),
    )
    return [
        KindOfPayment(
            exemption=str(row[0]),
            remote=bool(row[1]),
            count=int(row[2]),
            amount_minor=int(row[3]),
            fraud_count=int(row[4]),
            fraud_minor=int(row[5]),
        )
        for row in rows
    ]
