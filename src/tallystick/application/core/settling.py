"""What a believed answer of the core system means for an order that waits for it.

    accepted --settled--> settled     the hold becomes a posting
             --refused--> refused     the hold is freed, limits with it
             --people---> unknown     the hold stays until somebody has looked into the core's book

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

from tallystick.application.book import LedgerBook
from tallystick.application.core.model import (
    BookOrder,
    Finish,
    GiveToPeople,
    RefusedByBook,
    Settled,
)
from tallystick.application.core.rules import book_id
from tallystick.application.customers import Customer, Customers
from tallystick.application.payments import OrderRow, Payments, Stage
from tallystick.application.payments.proof import public_fields
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.errors import NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.protocol.payments import Empty


def book_order(row: OrderRow) -> BookOrder:
    """The order as the core system's book shall know it; the fee is the provider's own matter.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return BookOrder(
        id=book_id(row.id),
        debit=row.payer,
        credit=row.payee,
        amount_minor=row.amount_minor,
        currency=row.currency,
        kind=row.kind.value,
    )


class Settling:
    """Ends orders as the core system ended them.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self, payments: Payments, customers: Customers, book: LedgerBook, policy: PolicyInForce
    ) -> None:
        self._payments = payments
        self._customers = customers
        self._book = book
        self._policy = policy

    def answered(self, turn: Turn, order: str, ended: Finish | GiveToPeople) -> Outcome:
        """Record how `order` ended, or that people must find out; a repetition changes nothing.

        Raises NotFound for an order that does not exist.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        row = self._payments.find(order)
        if row is None:
            raise NotFound("there is no such order", remedy="look at the order's id")
        if row.stage not in {Stage.ACCEPTED, Stage.UNKNOWN}:
            return Outcome(Empty())
        if isinstance(ended, GiveToPeople):
            return self._record(turn, replace(row, stage=Stage.UNKNOWN, because=ended.because))
        return self._finish(turn, row, ended.judged)

    def _finish(self, turn: Turn, row: OrderRow, judged: Settled | RefusedByBook) -> Outcome:
        settled = isinstance(judged, Settled)
        self._book.finish(row.id, settled=settled, now=turn.now, event=turn.next_event())
        if isinstance(judged, Settled):
            settled_row = replace(row, stage=Stage.SETTLED)
            payer = self._customers.owner(row.payer)
            self._payments.tell(turn, settled_row, payer, self._payee(row))
            return self._record(turn, settled_row)
        refused = replace(
            row,
            stage=Stage.REFUSED,
            error=NotPermitted.code,
            detail="the core system refused the order",
            because=judged.reason or "the core system gave no reason",
        )
        return self._record(turn, refused)

    def _record(self, turn: Turn, row: OrderRow) -> Outcome:
        payer = self._customers.owner(row.payer)
        payee = self._payee(row)
        name = self._payments.proofs.evidence(row).given().payee_name
        commitments = self._payments.proofs.commitments(row, payer, payee, name)
        index = turn.record(
            "payment",
            policy=self._policy.version,
            public=public_fields(row),
            commitments=commitments,
            event_id=row.id,
            stage=row.stage.value,
        )
        self._payments.save(turn, replace(row, event=index))
        return Outcome(Empty(), index)

    def _payee(self, row: OrderRow) -> Customer | None:
        try:
            return self._customers.owner(row.payee)
        except NotFound:
            return None
