"""What approvers see of requests: read from what is durable, by a cursor.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from tallystick.application.approvals.kept import Kept
from tallystick.application.approvals.model import ApprovalRow, SignatureRow
from tallystick.application.approvals.store import (
    APPROVAL,
    SIGNATURE,
    changed_for,
    overdue,
)
from tallystick.infrastructure.store.changes import load
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import ABSENT, from_row
from tallystick.kernel.time import Instant
from tallystick.protocol.approvals import WARNING, ApprovalItem, ApprovalStage, Inbox

MOST = 20
"""Requests in one answer."""

_MOST_OVERDUE = 100


class Reading:
    """Reads inboxes; writes nothing, and sees nothing that could still be undone.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def inbox(self, customer: str, after: int, most: int = MOST) -> Inbox:
        """What changed for `customer` after the cursor, oldest first, each request once.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        reader = self._kept.reader
        places = changed_for(reader, customer, after, most)
        rows = load(reader, APPROVAL, [one for one, _ in places])
        items: list[ApprovalItem] = []
        for approval, event in places:
            row = from_row(ApprovalRow, rows[approval])
            try:
                items.append(self._item(row, event, customer))
            except NotFound:
                continue  # its payer was erased
        return Inbox(items=tuple(items), cursor=places[-1][1] if places else after)

    def overdue(self, now: Instant) -> list[str]:
        """Requests that are past their time.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return overdue(self._kept.reader, now, _MOST_OVERDUE)

    def _signed(self, row: ApprovalRow) -> list[SignatureRow]:
        """Who signed; nobody has while one person is waited for, so that nothing is read then."""
        if row.needed == 1 and row.stage is ApprovalStage.PENDING:
            return []
        pairs = [f"{row.id}/{name}" for name in row.names()]
        found = load(self._kept.reader, SIGNATURE, pairs)
        return [from_row(SignatureRow, one) for one in found.values()]

    def _item(self, row: ApprovalRow, event: int, customer: str) -> ApprovalItem:
        content = self._kept.content(row)
        signed = self._signed(row)
        return ApprovalItem(
            cursor=event,
            state=self._kept.state(row, len(signed)),
            text=content.text,
            quote=content.quote,
            proof=content.proof,
            asked_by=content.asked_by,
            channel=row.channel,
            own=any(one.customer == customer for one in signed),
            warning=WARNING if row.paused_until else "",
            shown=content.shown or ABSENT,
        )
