"""Where standings and commissions are kept.

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.application.incentives.model import AGENTS_KINDS, Commission
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Connection, Reader, has_table
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row
from tallystick.process.policy.incentives import Standing

STANDING = Table(
    name="incentive_standing",
    key="id",
    insert_head=(
        "INSERT INTO incentive_standing (id, ladder, subject, step, since, counted_from, how,"
        " finding, because, version, event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET step = excluded.step, since = excluded.since,"
        " counted_from = excluded.counted_from, how = excluded.how, finding = excluded.finding,"
        " because = excluded.because, version = excluded.version, event = excluded.event"
    ),
    select_head=(
        "SELECT id, ladder, subject, step, since, counted_from, how, finding, because, version,"
        " event FROM incentive_standing WHERE id IN "
    ),
)

COMMISSION = Table(
    name="commission_paid",
    key="id",
    insert_head=(
        "INSERT INTO commission_paid (id, account, amount_minor, ladder, step, back) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET back = excluded.back",
    select_head=(
        "SELECT id, account, amount_minor, ladder, step, back FROM commission_paid WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=150,
    name="incentives",
    statements=(
        """CREATE TABLE incentive_standing (
            id TEXT PRIMARY KEY, ladder TEXT NOT NULL, subject TEXT NOT NULL,
            step INTEGER NOT NULL, since INTEGER NOT NULL, counted_from INTEGER NOT NULL,
            how TEXT NOT NULL, finding TEXT NOT NULL, because TEXT NOT NULL,
            version INTEGER NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE commission_paid (
            id TEXT PRIMARY KEY, account TEXT NOT NULL, amount_minor INTEGER NOT NULL,
            ladder TEXT NOT NULL, step INTEGER NOT NULL, back TEXT NOT NULL
        ) STRICT""",
    ),
)


def every_standing(reader: Reader) -> list[Standing]:
    """Where every subject stands that ever moved, by id.

    Raises Malformed for a row that was changed beyond its form.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows = reader.rows(
        "SELECT id, ladder, subject, step, since, counted_from, how, finding, because, version,"
        " event FROM incentive_standing ORDER BY id"
    )
    return [from_row(Standing, row) for row in rows]


def kept_standings(reader: Connection) -> list[Standing]:
    """Every standing; none in a store from before there were any.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    known = has_table(reader, STANDING.name)
    return every_standing(reader) if known else []


class Commissions:
    """What orders paid to agents, by order.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    def __init__(self, reader: Reader, *, capacity: int) -> None:
        """Read from `reader`; up to `capacity` rows stay in memory between batches.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows = RowCache(COMMISSION, Commission, reader, capacity=capacity)

    def of(self, order: str, kind: str) -> Commission | None:
        """What the order of this kind paid to an agent or took back; None for nothing.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._rows.get(order) if kind in AGENTS_KINDS else None

    def begin(self, order: str) -> None:
        """Know that a new order has paid nothing yet.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self._rows.learn(order, None)

    def put(self, row: Commission, changes: ChangeSet) -> None:
        """Keep `row` with this batch.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self._rows.put(row.id, row, changes)

    def trim(self) -> None:
        """Forget what is over capacity; between durable batches only.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()


def commissions_of(reader: Connection, *, capacity: int) -> Commissions | None:
    """What is kept of commissions; None in a store from before there were any.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    known = has_table(reader, COMMISSION.name)
    return Commissions(reader, capacity=capacity) if known else None
