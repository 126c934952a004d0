"""Messages of approvals: an order that was begun elsewhere and is agreed to on a person's device.

    begin -> number, shown where it was begun      inbox item -> text, quote, proof, on the device
    approve -> the number as typed, the consent as signed      or decline -> a reason

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2; Delegated Regulation (EU) 2018/389, 5
"""

from enum import StrEnum
from typing import Annotated

from tallystick.kernel.classification import (
    AUTHENTICATION,
    CREDENTIAL,
    INTERNAL,
    PERSONAL,
    PUBLIC,
    SENSITIVE,
)
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.ids import CustomerIdText, DeviceIdText, OrderIdText
from tallystick.kernel.model import (
    ABSENT,
    Absent,
    Amount,
    CurrencyCode,
    Natural,
    ShortText,
    Wire,
    length,
    pattern,
)
from tallystick.kernel.money import Money
from tallystick.protocol.desk import Reason
from tallystick.protocol.payments import (
    Alias,
    CompactText,
    MacText,
    PaymentKind,
    Quote,
    WarningWord,
)
from tallystick.protocol.receipt import Receipt

BEGIN = "begin-approval"
"""The act, and the scope of a partner's program, that begins approvals."""

STREAM = "approval.stream"
STREAM_PATH = "/v1/approvals/stream"
LONGEST_WAIT_S = 25
MOST_DEVICES = 8

ApprovalId = Annotated[str, pattern("^apr_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
OptionalApprovalId = Annotated[str, pattern("^(?:|apr_[0-7][0-9a-hjkmnp-tv-z]{25})$")]
MatchNumber = Annotated[str, pattern("^[1-9][0-9]$")]
"""Two digits, 10 to 99."""

Band = Annotated[
    str, pattern(r"^[1-9][0-9]{0,14}:[1-9]:cus_[0-9a-hjkmnp-tv-z]{26}(?:,cus_[0-9a-z]{26}){0,15}$")
]
"""Amounts up to so many minor units take so many of these people: `100000:2:cus_...,cus_...`."""

WakeName = Annotated[str, pattern(r"^[A-Za-z0-9._:-]{8,128}$")]


class ApprovalStage(StrEnum):
    """Where a request stands; everything but `pending` is final.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class DeclineReason(StrEnum):
    """Why somebody declines; `not-me` says that somebody else began it.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    NOT_ME = "not-me"
    CHANGED_MIND = "changed-mind"
    WRONG_TERMS = "wrong-terms"
    OTHER = "other"


class BeginApproval(Wire, frozen=True, kw_only=True):
    """Begins an order that `payer` is to approve on a device; `devices` narrows which, if given.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    payer: Annotated[Alias, PERSONAL]
    kind: Annotated[PaymentKind, INTERNAL]
    payee: Annotated[Alias, PERSONAL]
    amount_minor: Annotated[Amount, SENSITIVE]
    currency: Annotated[CurrencyCode, INTERNAL]
    asked_by: Annotated[ShortText, INTERNAL]
    devices: Annotated[
        Annotated[tuple[DeviceIdText, ...], length(0, MOST_DEVICES)], CREDENTIAL
    ] = ()


class ApprovalBegun(Wire, frozen=True, kw_only=True):
    """The request that waits, and the number to show to whoever stands at the beginning channel.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    approval: Annotated[ApprovalId, INTERNAL]
    order: Annotated[OrderIdText, INTERNAL]
    number: Annotated[MatchNumber, CREDENTIAL]
    needed: Annotated[Natural, INTERNAL]
    expires_at: Annotated[Natural, PUBLIC]


class ApprovalAsked(Wire, frozen=True, kw_only=True):
    """Names a request: where it stands is asked, or its offline form, by who began it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    approval: Annotated[ApprovalId, INTERNAL]


class ApprovalState(Wire, frozen=True, kw_only=True):
    """Where a request stands: `signed` of `needed` people; `outcome` is the order's refusal.

    `paused_until` (ms) is when a device that was under somebody's influence may be used again.
    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
    """

    approval: Annotated[ApprovalId, INTERNAL]
    order: Annotated[OrderIdText, INTERNAL]
    stage: Annotated[ApprovalStage, INTERNAL]
    reason: Annotated[str, INTERNAL]
    outcome: Annotated[str, INTERNAL]
    needed: Annotated[Natural, INTERNAL]
    signed: Annotated[Natural, INTERNAL]
    paused_until: Annotated[Natural, INTERNAL]
    expires_at: Annotated[Natural, PUBLIC]
    receipt: Annotated[Receipt | None, SENSITIVE] = None


class ApprovalItem(Wire, frozen=True, kw_only=True):
    """A request as one of its approvers sees it; its number is not in it.

    `text` is what `approval_text` makes of `quote`: a device makes it anew and compares. `shown`
    are all warnings to show with it, also those that are no terms of the quote.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    cursor: Annotated[Natural, PUBLIC]
    state: Annotated[ApprovalState, SENSITIVE]
    text: Annotated[str, SENSITIVE]
    quote: Annotated[Quote, SENSITIVE]
    proof: Annotated[MacText, INTERNAL]
    asked_by: Annotated[ShortText, INTERNAL]
    channel: Annotated[str, INTERNAL]
    own: Annotated[bool, INTERNAL]
    warning: Annotated[str, INTERNAL]
    shown: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT


class InboxAsked(Wire, frozen=True, kw_only=True):
    """Asks for what changed after the cursor `after`, waiting up to `wait_s` seconds for it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    after: Annotated[Natural, PUBLIC]
    wait_s: Annotated[Natural, PUBLIC] = 0


class Inbox(Wire, frozen=True, kw_only=True):
    """What changed, oldest first, each request once; `cursor` is where to go on.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    items: Annotated[tuple[ApprovalItem, ...], SENSITIVE]
    cursor: Annotated[Natural, PUBLIC]


class Approve(Wire, frozen=True, kw_only=True):
    """The number as it was typed, the signed consent, and what the device notices of company.

    `remote_access` and `on_call` say that somebody may be looking on or talking; `seen` is what the
    device claims of the moment: screen-shared, remote-tool or urgency.
    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    approval: Annotated[ApprovalId, INTERNAL]
    number: Annotated[MatchNumber, AUTHENTICATION]
    consent: Annotated[CompactText, SENSITIVE]
    proof: Annotated[MacText, INTERNAL]
    remote_access: Annotated[bool, INTERNAL] = False
    on_call: Annotated[bool, INTERNAL] = False
    seen: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT


class Decline(Wire, frozen=True, kw_only=True):
    """Ends a request, with why.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    approval: Annotated[ApprovalId, INTERNAL]
    reason: Annotated[DeclineReason, INTERNAL]


class CancelApproval(Wire, frozen=True, kw_only=True):
    """Takes a request back.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    approval: Annotated[ApprovalId, INTERNAL]
    because: Annotated[Reason, INTERNAL]


class WakeBy(Wire, frozen=True, kw_only=True):
    """Under which name a push service wakes this device; empty for not at all.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    name: Annotated[Annotated[str, pattern(r"^(?:|[A-Za-z0-9._:-]{8,128})$")], CREDENTIAL]


class Wake(Wire, frozen=True, kw_only=True):
    """All that a push service is told: whom to wake. It has no content.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    name: Annotated[WakeName, CREDENTIAL]


class OfflineRequest(Wire, frozen=True, kw_only=True):
    """What the provider signs for a device without a network; `question` is answered by OCRA.

    The question is the quote's hash in 64 hexadecimal digits: whoever answers it answers these
    terms.
    Source: RFC 6287, 7.1; ISO/TS 12812-2:2017, 11.2.2
    """

    v: Annotated[int, PUBLIC] = 1
    approval: Annotated[ApprovalId, INTERNAL]
    asked_by: Annotated[ShortText, INTERNAL]
    text: Annotated[str, SENSITIVE]
    quote: Annotated[Quote, SENSITIVE]
    question: Annotated[Annotated[str, pattern("^[0-9A-F]{64}$")], INTERNAL]
    expires_at: Annotated[Natural, PUBLIC]
    shown: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT


class OfflineShown(Wire, frozen=True, kw_only=True):
    """A signed `OfflineRequest` (JWS compact), to be shown as a QR code.

    Source: RFC 7515, 7.1
    """

    signed: Annotated[CompactText, SENSITIVE]


class OfflineReply(Wire, frozen=True, kw_only=True):
    """The eight digits that the device showed, typed where the order was begun.

    Source: RFC 6287, 7.1
    """

    approval: Annotated[ApprovalId, INTERNAL]
    code: Annotated[Annotated[str, pattern("^[0-9]{8}$")], AUTHENTICATION]


class SetMandate(Wire, frozen=True, kw_only=True):
    """Who approves orders of an account, by amount; without bands its owner does again.

    `initiator` says whether who began an order may also approve it: allowed or excluded.
    Source: ISO/TS 12812-2:2017, 6.2.1; 11.2.2
    """

    number: Annotated[Alias, PERSONAL]
    bands: Annotated[Annotated[tuple[Band, ...], length(0, 16)], SENSITIVE] = ()
    initiator: Annotated[Annotated[str, pattern("^(?:allowed|excluded)$")], INTERNAL] = "excluded"
    because: Annotated[Reason, INTERNAL]


class RevokeApprover(Wire, frozen=True, kw_only=True):
    """Ends what a person may approve for an account, also of what waits now.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.5
    """

    number: Annotated[Alias, PERSONAL]
    customer: Annotated[CustomerIdText, PERSONAL]
    because: Annotated[Reason, INTERNAL]


class ClearRisk(Wire, frozen=True, kw_only=True):
    """Ends the risk state of a customer who was identified anew.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.5
    """

    customer: Annotated[CustomerIdText, PERSONAL]
    because: Annotated[Reason, INTERNAL]


def approval_text(quote: Quote, asked_by: str) -> str:
    """What an approver reads, one spelling for every quote: who is paid, how much, who asks.

    Source: ISO/TS 12812-2:2017, 11.2.2; Delegated Regulation (EU) 2018/389, 5
    """
    amount = Money(quote.amount_minor, quote.currency)
    fee = Money(quote.fee_minor, quote.currency)
    return f"Pay {amount} to {quote.payee_name}, fee {fee}. Asked by {asked_by}."


def offline_header(algorithm: str, kid: str) -> bytes:
    """The JWS header under which the provider signs offline requests.

    Source: RFC 7515, 4.1; RFC 8725, 3.11
    """
    return encode_canonical({"alg": algorithm, "kid": kid, "typ": "tallystick-approval"})


WARNING = (
    "Somebody may be looking at this phone or talking to you. Nobody from your provider asks you"
    " to approve a payment. Hang up, end screen sharing, and look again later."
)
"""What a person reads whose device reports remote access or a call."""
