"""Where proposals of tightenings are kept, and what the record says of customers and their orders.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.3.5
"""

from collections.abc import Sequence

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Row, Table
from tallystick.kernel.model import Record, from_row
from tallystick.protocol.measures import TighteningProposal, tightening_proposals

PROPOSAL = Table(
    name="tightening_proposal",
    key="id",
    insert_head=(
        "INSERT INTO tightening_proposal (id, until, ended, body, event, end_event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, end_event = excluded.end_event"
    ),
    select_head=(
        "SELECT id, until, ended, body, event, end_event FROM tightening_proposal WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=112,
    name="caps of tightenings",
    statements=(
        "ALTER TABLE policy_measure ADD COLUMN cohort TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE policy_measure ADD COLUMN touched TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE policy_measure ADD COLUMN approval TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE tightening_proposal (
            id TEXT PRIMARY KEY, until INTEGER NOT NULL, ended TEXT NOT NULL, body TEXT NOT NULL,
            event INTEGER NOT NULL, end_event INTEGER NOT NULL
        ) STRICT""",
    ),
)


class Waiting(Record, frozen=True, kw_only=True):
    """A stored proposal: `body` is what officers sign, `ended` is empty while it waits.

    `until` is in ms; `event` and `end_event` (-1) are the records of its beginning and end.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    id: str
    until: int
    ended: str
    body: str
    event: int
    end_event: int

    def proposal(self) -> TighteningProposal:
        """What is proposed.

        Raises Malformed for a row that was changed beyond its form.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        return tightening_proposals.decode_canonical(self.body.encode())


def every_proposal(reader: Reader) -> tuple[Waiting, ...]:
    """All proposals that there were, oldest first.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows = reader.rows(
        "SELECT id, until, ended, body, event, end_event FROM tightening_proposal ORDER BY event"
    )
    return tuple(from_row(Waiting, row) for row in rows)


def known_customers(
    reader: Reader, *, settled_since: int, settled_days: int, opened_before: int, most: int
) -> list[Row]:
    """Payer's account, tier and opening (ms) of at most `most` customers of long standing.

    Opened by `opened_before`, with orders settled on so many different days since `settled_since`.
    Source: ISO/TS 12812-2:2017, 7.3.5; 14.2.2
    """
    return reader.rows(
        "SELECT often.payer, customer.tier, customer.opened_at FROM ("
        "SELECT payer FROM payment_order WHERE stage IN ('settled', 'returned') AND at >= ?"
        " GROUP BY payer HAVING COUNT(DISTINCT at / 86400000) >= ?) AS often"
        " JOIN account_owner ON account_owner.account = often.payer"
        " JOIN customer ON customer.id = account_owner.customer"
        " WHERE customer.opened_at <= ? AND customer.status <> 'erased'"
        " ORDER BY substr(often.payer, length(often.payer) - 7), often.payer LIMIT ?",
        (settled_since, settled_days, opened_before, most),
    )


def paid_by(reader: Reader, payers: Sequence[str], *, since: int, most: int) -> list[Row]:
    """The newest orders since `since` (ms) of each of `payers`, at most `most`, oldest first.

    A row is: payer's account, when, kind, grade, amount, currency, trust of the device, when that
    was enrolled, since when the payee is known.
    Source: ISO/TS 12812-2:2017, 7.3.5; 14.2.2
    """
    found = reader.among(
        "SELECT newest.payer, newest.at, newest.kind, newest.grade, newest.amount_minor,"
        " newest.currency, device.trust, device.enrolled_at, known_payee.since FROM ("
        "SELECT paid.id, paid.payer, paid.payee, paid.at, paid.kind, paid.grade,"
        " paid.amount_minor, paid.currency, paid.device, ROW_NUMBER() OVER ("
        "PARTITION BY paid.payer ORDER BY paid.at DESC, paid.id DESC) AS place"
        " FROM payment_order AS paid"
        " WHERE paid.stage IN ('settled', 'returned') AND paid.at >= ?"
        ") AS newest LEFT JOIN device ON device.id = newest.device"
        " LEFT JOIN known_payee ON known_payee.pair = newest.payer || newest.payee"
        " WHERE newest.place <= ? AND newest.payer IN ",
        payers,
        (since, most),
    )
    return sorted(found, key=lambda row: (row[0], row[1]))
