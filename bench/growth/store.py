"""The orders that a home keeps, in the same file and the same commit as its ledger."""

from bench.growth.model import Kept, Order, OrderKind, Role, Stage
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Row, Table

HOME_ORDER = Table(
    name="home_order",
    key="id",
    insert_head=(
        "INSERT INTO home_order (id, role, stage, reason, at, kind, payer, payee, amount, fee,"
        " currency, source, target) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, reason = excluded.reason",
    select_head=(
        "SELECT id, role, stage, reason, at, kind, payer, payee, amount, fee, currency, source,"
        " target FROM home_order WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=900,
    name="orders of a home",
    statements=(
        """CREATE TABLE home_order (
            id TEXT PRIMARY KEY, role TEXT NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL,
            at INTEGER NOT NULL, kind TEXT NOT NULL, payer TEXT NOT NULL, payee TEXT NOT NULL,
            amount INTEGER NOT NULL, fee INTEGER NOT NULL, currency TEXT NOT NULL,
            source INTEGER NOT NULL, target INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX home_order_open ON home_order (id) WHERE stage = 'accepted'",
    ),
)


def row_of(kept: Kept) -> Row:
    """The row of one order."""
    one = kept.order
    return (
        *(one.id, kept.role.value, kept.stage.value, kept.reason, kept.at, one.kind.value),
        *(one.payer, one.payee, one.amount, one.fee, one.currency, one.source, one.target),
    )


def kept_of(row: Row) -> Kept:
    """The order in one row."""
    order = Order(
        id=row[0],
        kind=OrderKind(row[5]),
        payer=row[6],
        payee=row[7],
        amount=row[8],
        fee=row[9],
        currency=row[10],
        source=row[11],
        target=row[12],
    )
    return Kept(order=order, role=Role(row[1]), stage=Stage(row[2]), reason=row[3], at=row[4])


def open_orders(reader: Reader) -> list[Kept]:
    """What the outbox still has to bring to an end, oldest first."""
    rows = reader.rows(
        "SELECT id, role, stage, reason, at, kind, payer, payee, amount, fee, currency, source,"
        " target FROM home_order WHERE stage = 'accepted' ORDER BY id"
    )
    return [kept_of(row) for row in rows]


def all_orders(reader: Reader) -> list[Kept]:
    """Every order of the home, by id."""
    rows = reader.rows(
        "SELECT id, role, stage, reason, at, kind, payer, payee, amount, fee, currency, source,"
        " target FROM home_order ORDER BY id"
    )
    return [kept_of(row) for row in rows]
