"""Requests, signatures, mandates and counts as stored.

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
"""

from typing import NamedTuple

from tallystick.application.customers import Customer
from tallystick.kernel.codec import Decoder
from tallystick.kernel.model import Record
from tallystick.protocol.approvals import ApprovalStage
from tallystick.protocol.payments import Quote, QuoteRequest


class ApprovalRow(Record, frozen=True, kw_only=True):
    """One request. `approvers` and `devices` are ids with commas; no device is every device.

    `digest` is the hash of its quote, 32 bytes; `sealed` its `Content` under the payer's subject
    key. `source` is who began it, `initiator` the customer among those, if any; `initiator_may` is
    1 if that customer may also approve. `event` is its last event in the tally; `outcome` the code
    of the order's refusal once it is approved.
    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    id: str
    payer: str
    order_id: str
    digest: bytes
    stage: ApprovalStage
    reason: str
    outcome: str
    source: str
    channel: str
    initiator: str
    initiator_may: int
    devices: str
    approvers: str
    needed: int
    wrong: int
    paused_until: int
    begun_at: int
    expires_at: int
    event: int
    sealed: bytes

    def names(self) -> tuple[str, ...]:
        """The customers who may approve.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return tuple(self.approvers.split(",")) if self.approvers else ()


class Content(Record, frozen=True, kw_only=True):
    """What only the parties of a request may read: its terms, their proof, the number, warnings.

    Source: ISO/TS 12812-2:2017, 7.3.4; 11.2.2
    """

    quote: Quote
    proof: str
    number: str
    asked_by: str
    text: str
    shown: tuple[str, ...] = ()


class SignatureRow(Record, frozen=True, kw_only=True):
    """The consent of one approver; `pair` is both ids, `jws` sealed under the payer's subject key.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    pair: str
    approval: str
    customer: str
    device: str
    trust: str
    enrolled_at: int
    since: int
    at: int
    jws: bytes


class InboxRow(Record, frozen=True, kw_only=True):
    """That an approver has to see the request again; `event` is the cursor.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    pair: str
    customer: str
    approval: str
    event: int


class PaceRow(Record, frozen=True, kw_only=True):
    """Requests that one subject saw without agreeing to them; the next is taken at `next_at` (ms).

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    subject: str
    unanswered: int
    next_at: int
    at: int


class RiskRow(Record, frozen=True, kw_only=True):
    """How often a customer said that it was somebody else, and since when it counts (ms).

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    customer: str
    denials: int
    since: int


class MandateRow(Record, frozen=True, kw_only=True):
    """Who approves orders of an account: `bands` as they were set, one a line.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    account: str
    bands: str
    initiator_may: int
    event: int


class WakeRow(Record, frozen=True, kw_only=True):
    """Under which name a push service wakes a device.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    device: str
    customer: str
    name: str


class Begin(NamedTuple):
    """An order to be approved: by whom it was begun, for whom, on which terms.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    payer: Customer
    asked: QuoteRequest
    asked_by: str
    source: str
    channel: str
    initiator: str = ""
    devices: tuple[str, ...] = ()


_contents = Decoder(Content, limit=8192)


def read_content(octets: bytes) -> Content:
    """The content of a request, as it was sealed.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return _contents.decode(octets)
