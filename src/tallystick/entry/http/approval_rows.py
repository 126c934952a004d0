"""The rows of the operation table that approvals add.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.3.2; 11.2.2
"""

from tallystick.entry.http.rows import (
    ORDER_REFUSALS,
    Operation,
    Protection,
    act,
    sealed,
)
from tallystick.kernel.model import Wire, replace
from tallystick.protocol import approvals
from tallystick.protocol.approvals import STREAM, STREAM_PATH

APPROVAL_SCHEMAS: tuple[type[Wire], ...] = (
    approvals.BeginApproval,
    approvals.ApprovalBegun,
    approvals.ApprovalAsked,
    approvals.ApprovalState,
    approvals.InboxAsked,
    approvals.Inbox,
    approvals.Approve,
    approvals.Decline,
    approvals.CancelApproval,
    approvals.WakeBy,
    approvals.OfflineShown,
    approvals.OfflineReply,
    approvals.SetMandate,
    approvals.RevokeApprover,
    approvals.ClearRisk,
)
"""Every struct that the rows name."""

_CLAUSES = ("7.3.2", "11.2.2")
_ENDED = ("conflict", "not-found")


def _partner(
    name: str, path: str, request: str, reply: str, use_case: str, refusals: tuple[str, ...] = ()
) -> Operation:
    return Operation(
        name=name,
        method="POST",
        path=f"/v1/partner/approvals{path}",
        protection=Protection.BEARER,
        request=request,
        reply=reply,
        use_case=use_case,
        clauses=_CLAUSES,
        roles=("partner",),
        refusals=("unauthenticated", "not-authentic", "not-permitted", "not-found", *refusals),
    )


APPROVAL_OPERATIONS: tuple[Operation, ...] = (
    sealed("approval.begin", "/v1/approvals/begin", "BeginApproval", "ApprovalBegun",
           "begin an order that is approved on a device", _CLAUSES,
           refusals=("conflict", "not-found", "service-suspended")),
    sealed("approval.inbox", "/v1/approvals/inbox", "InboxAsked", "Inbox",
           "see requests that changed, or wait for one", _CLAUSES),
    replace(
        sealed(STREAM, STREAM_PATH, "InboxAsked", "Inbox",
               "have requests sent as they change (server-sent events, each sealed)", _CLAUSES),
        streamed=True,
    ),
    sealed("approval.approve", "/v1/approvals/approve", "Approve", "ApprovalState",
           "approve a request: its number, and a signed consent", _CLAUSES,
           grades=("device-signed", "device-signed-attested"), refusals=ORDER_REFUSALS),
    sealed("approval.decline", "/v1/approvals/decline", "Decline", "ApprovalState",
           "decline a request, or say that it was somebody else's", ("7.3.2", "7.4.5"),
           refusals=_ENDED),
    sealed("approval.cancel", "/v1/approvals/cancel", "CancelApproval", "ApprovalState",
           "take a request back that one began", _CLAUSES, refusals=_ENDED),
    sealed("approval.wake", "/v1/approvals/wake", "WakeBy", "Empty",
           "let a push service wake this device", ("7.3.4",)),
    _partner("approvals.begin", "", "BeginApproval", "ApprovalBegun",
             "begin an order that the payer approves on a device",
             ("conflict", "service-suspended")),
    _partner("approvals.status", "/status", "ApprovalAsked", "ApprovalState",
             "where a request stands"),
    _partner("approvals.cancel", "/cancel", "CancelApproval", "ApprovalState",
             "take a request back", ("conflict",)),
    _partner("approvals.offline", "/offline", "ApprovalAsked", "OfflineShown",
             "the signed request to show as a QR code", ("conflict", "expired")),
    _partner("approvals.reply", "/reply", "OfflineReply", "ApprovalState",
             "give the digits that a device without a network answered", ORDER_REFUSALS),
    act("begin-approval", "BeginApproval", "have a customer asked on their device", _CLAUSES,
        ("care-desk",)),
    act("cancel-approval", "CancelApproval", "take a request back", _CLAUSES, ("care-desk",)),
    act("set-mandate", "SetMandate", "say who approves orders of an account",
        ("6.2.1", "11.2.2"), ("operations",)),
    act("revoke-approver", "RevokeApprover", "end what a person may approve",
        ("6.2.1", "7.4.5"), ("care-desk",)),
    act("clear-risk", "ClearRisk", "end the risk state of a customer",
        ("6.2.1", "7.4.5"), ("care-desk", "operations")),
)  # fmt: skip
"""Every operation of approvals."""
