"""Where orders are kept; their ids grow with time, so the index is append-only.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Iterator

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.protocol.receipt import EventLeaf

_PAYMENT, _REVERSAL = b'"kind":"payment"', b'"payment":"reversal"'

ORDER = Table(
    name="payment_order",
    key="id",
    insert_head=(
        "INSERT INTO payment_order (id, body_hash, kind, stage, error, detail, remedy, because,"
        " payer, payee, amount_minor, fee_minor, currency, original, returned_minor, grade, device,"
        " policy, row, evidence, event, balance_minor, at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, error = excluded.error,"
        " detail = excluded.detail, remedy = excluded.remedy, because = excluded.because,"
        " returned_minor = excluded.returned_minor, evidence = excluded.evidence,"
        " event = excluded.event, balance_minor = excluded.balance_minor"
    ),
    select_head=(
        "SELECT id, body_hash, kind, stage, error, detail, remedy, because, payer, payee,"
        " amount_minor,"
        " fee_minor, currency, original, returned_minor, grade, device, policy, row, evidence,"
        " event, balance_minor, at FROM payment_order WHERE id IN "
    ),
)

KNOWN_PAYEE = Table(
    name="known_payee",
    key="pair",
    insert_head="INSERT INTO known_payee (pair, since) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (pair) DO NOTHING",
    select_head="SELECT pair, since FROM known_payee WHERE pair IN ",
)


def open_orders(reader: Reader, most: int) -> list[str]:
    """The ids of at most `most` orders that wait for a core system, oldest first.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = reader.rows(
        "SELECT id FROM payment_order WHERE stage = 'accepted' ORDER BY id LIMIT ?", (most,)
    )
    return [str(row[0]) for row in rows]


def besides_payments(tally: TallyStore, start: int, end: int) -> Iterator[tuple[int, EventLeaf]]:
    """Index and event of all but payments from `start` to `end` (exclusive); reversals are told.

    Most events are payments: they are passed over undecoded.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    for index, leaf, _ in tally.leaves(start, end):
        if _PAYMENT not in leaf or _REVERSAL in leaf:
            yield index, decode_leaf(leaf)


def last_order(reader: Reader) -> str:
    """The highest id of an order, empty if there is none.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one("SELECT max(id) FROM payment_order")
    return "" if row is None or row[0] is None else str(row[0])


def given_back_since(reader: Reader, order: str) -> bool:
    """Whether an order was given back by one whose id is behind `order`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one(
        "SELECT COUNT(*) FROM payment_order WHERE kind = 'reversal' AND id > ?", (order,)
    )
    return row is not None and int(row[0]) > 0


def last_orders(reader: Reader, most: int) -> list[str]:
    """The ids of at most `most` orders, the newest first.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = reader.rows("SELECT id FROM payment_order ORDER BY id DESC LIMIT ?", (most,))
    return [str(row[0]) for row in rows]


def last_dialled(reader: Reader, payer: str, since: str) -> str:
    """The id of the newest dialled order of the account `payer` behind `since`, or nothing.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    row = reader.one(
        "SELECT max(id) FROM payment_order WHERE id >= ? AND payer = ?"
        " AND grade IN ('pin-verified', 'code-confirmed')",
        (since, payer),
    )
    return "" if row is None or row[0] is None else str(row[0])


def last_orders_of(reader: Reader, account: str, most: int, window: int) -> list[str]:
    """The ids of at most `most` orders to or from `account` among the last `window`, newest first.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = reader.rows(
        "SELECT id FROM (SELECT id, payer, payee FROM payment_order ORDER BY id DESC LIMIT ?)"
        " AS newest WHERE payer = ? OR payee = ? ORDER BY id DESC LIMIT ?",
        (window, account, account, most),
    )
    return [str(row[0]) for row in rows]


def recorded_orders(reader: Reader) -> Iterator[tuple[int, str, str, str, int]]:
    """Event index, id, grade, policy row and policy version of every order, by event.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    yield from reader.stream(
        "SELECT event, id, grade, row, policy FROM payment_order ORDER BY event"
    )


MIGRATION = Migration(
    number=40,
    name="payment orders",
    statements=(
        """CREATE TABLE payment_order (
            id TEXT PRIMARY KEY, body_hash BLOB NOT NULL, kind TEXT NOT NULL,
            stage TEXT NOT NULL, error TEXT NOT NULL, detail TEXT NOT NULL,
            remedy TEXT NOT NULL, because TEXT NOT NULL, payer TEXT NOT NULL, payee TEXT NOT NULL,
            amount_minor INTEGER NOT NULL, fee_minor INTEGER NOT NULL, currency TEXT NOT NULL,
            original TEXT NOT NULL, returned_minor INTEGER NOT NULL, grade TEXT NOT NULL,
            device TEXT NOT NULL, policy INTEGER NOT NULL, row TEXT NOT NULL,
            evidence BLOB NOT NULL, event INTEGER NOT NULL, balance_minor INTEGER NOT NULL,
            at INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE known_payee (
            pair TEXT PRIMARY KEY, since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE INDEX order_open ON payment_order (stage)
            WHERE stage IN ('accepted', 'unknown')""",
    ),
)
