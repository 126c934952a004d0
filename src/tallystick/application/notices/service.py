"""Notices as the writer keeps them, and as the delivery reads them.

A code that a notice carries is in memory only, until it is sent; if the process dies before, the
customer asks for a new one.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; 7.4.1
"""

import re
from collections.abc import Callable

from tallystick.application.notices.model import (
    Channel,
    NoticeReceiptRow,
    NoticeRow,
    NoticeState,
    OrderCodeIssued,
    Template,
)
from tallystick.application.notices.rules import WARNINGS, attempted
from tallystick.application.notices.store import (
    NOTICE,
    RECEIPT,
    due_notices,
    next_seq,
    notice_of,
    receipt_of,
)
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import row_of
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.channels import SmsAccepted, SmsReceipt, SmsState
from tallystick.protocol.payments import Empty

_MESSAGE = re.compile(r"notice-([1-9][0-9]{0,17})")


class Notices:
    """Appends notices with the commit of what they tell of.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.warned: list[Callable[[Turn, str], None]] = []
        self._next = next_seq(reader)
        self._codes: dict[str, Secret[str]] = {}
        self._issued: dict[str, OrderCodeIssued] = {}

    def add(self, turn: Turn, customer: str, template: Template, reference: str) -> None:
        """Tell `customer` of what `reference` names, as soon as this batch is durable.

        Whoever is in `warned` is told of a warning at once.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        row = NoticeRow(
            seq=self._next,
            channel=Channel.SMS,
            customer=customer,
            template=template,
            reference=reference,
            created_at=turn.now,
            attempts=0,
            due_at=turn.now,
            delivered_at=0,
        )
        self._next += 1
        turn.changes.upsert(NOTICE, row.seq, row_of(row))
        if template in WARNINGS:
            for tell in self.warned:
                tell(turn, customer)

    def add_code(self, turn: Turn, customer: str, activation: str, code: Secret[str]) -> None:
        """Send an activation code to `customer`; only memory knows it until then.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._codes[activation] = code
        turn.on_undo(lambda: self._forget(activation))
        self.add(turn, customer, Template.ACTIVATION_CODE, activation)

    def add_order_code(
        self, turn: Turn, customer: str, order: str, issued: OrderCodeIssued
    ) -> None:
        """Send the code of an order to `customer`; only memory knows it until then.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._issued[order] = issued
        turn.on_undo(lambda: self._forget(order))
        self.add(turn, customer, Template.ORDER_CODE, order)

    def order_code(self, order: str) -> OrderCodeIssued | None:
        """The code of an order that was not sent yet.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self._issued.get(order)

    def code(self, activation: str) -> Secret[str] | None:
        """The code of an activation that was not sent yet.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._codes.get(activation)

    def due(self, now: Instant, most: int) -> list[NoticeRow]:
        """At most `most` notices to be delivered now.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return due_notices(self.reader, now, most)

    def tried(self, turn: Turn, notice: NoticeRow, *, delivered: bool) -> Outcome:
        """Keep what came of one attempt to deliver `notice`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        kept = attempted(notice, turn.now, delivered=delivered)
        turn.changes.upsert(NOTICE, kept.seq, row_of(kept))
        if not kept.due_at:
            turn.on_durable(lambda: self._forget(notice.reference))
        return Outcome(Empty())

    def told(self, turn: Turn, receipt: SmsReceipt) -> Outcome:
        """Keep what the SMSC says became of a notice that it took; `delivered` is final.

        Raises NotFound for a message that is none of ours, Conflict for one that was never taken.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        match = _MESSAGE.fullmatch(receipt.id)
        notice = None if match is None else notice_of(self.reader, int(match.group(1)))
        if notice is None:
            raise NotFound("no message of ours has this id")
        if not notice.delivered_at:
            raise Conflict(
                "this message was not taken over yet", remedy="report the receipt again later"
            )
        known = receipt_of(self.reader, notice.seq)
        if known is None or known.state is not SmsState.DELIVERED:
            row = NoticeReceiptRow(seq=notice.seq, state=receipt.state, at=receipt.at)
            turn.changes.upsert(RECEIPT, row.seq, row_of(row))
        return Outcome(SmsAccepted(id=receipt.id))

    def state(self, seq: int) -> NoticeState:
        """How far the notice with this number has come.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        notice = notice_of(self.reader, seq)
        if notice is None:
            raise NotFound("no such notice", remedy="load the list of notices again")
        receipt = receipt_of(self.reader, seq)
        if receipt is not None:
            return NoticeState(receipt.state.value)
        if notice.delivered_at:
            return NoticeState.TAKEN
        return NoticeState.WAITING if notice.due_at else NoticeState.GIVEN_UP

    def newest_with(self, reference: int, modulus: int) -> NoticeRow | None:
        """The newest notice whose number leaves `reference` modulo `modulus`, or None.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        last = next_seq(self.reader) - 1
        return notice_of(self.reader, last - (last - reference) % modulus)

    def reset(self) -> None:
        """Take the next number from the file again.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._next = next_seq(self.reader)

    def _forget(self, activation: str) -> None:
        self._codes.pop(activation, None)
        self._issued.pop(activation, None)
