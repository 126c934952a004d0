"""A partner's side of approvals: begin an order, show the number, learn what became of it.

    shop = Beginner(post, "wkl_... .SECRET")    post(path, body, headers) -> Reply
    begun = shop.begin(asked)                   show begun.number beside the order

Source: RFC 6750, 2.1; ISO/TS 12812-2:2017, 7.3.2; 11.2.2
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from tallystick.client.session import Reply, refusal
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.model import Wire
from tallystick.kernel.secret import Secret
from tallystick.protocol.approvals import (
    ApprovalAsked,
    ApprovalBegun,
    ApprovalState,
    BeginApproval,
    CancelApproval,
    OfflineReply,
    OfflineShown,
)

T = TypeVar("T")
Post = Callable[[str, bytes, Mapping[str, str]], Reply]
"""Posts a body to a path with headers."""

PATH = "/v1/partner/approvals"
_begun = Decoder(ApprovalBegun)
_states = Decoder(ApprovalState)
_shown = Decoder(OfflineShown)


class Beginner:
    """Begins and follows requests with the identity of a program.

    Source: ISO/TS 12812-2:2017, 7.5; 11.2.2
    """

    def __init__(self, post: Post, bearer: Secret[str]) -> None:
        self._post = post
        self._bearer = bearer

    def begin(self, asked: BeginApproval) -> ApprovalBegun:
        """Begin an order; its number is shown to the customer and to nobody else.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self._ask("", asked, _begun)

    def status(self, approval: str) -> ApprovalState:
        """Where a request stands.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._ask("/status", ApprovalAsked(approval=approval), _states)

    def cancel(self, approval: str, because: str) -> ApprovalState:
        """Take a request back.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        asked = CancelApproval(approval=approval, because=because)
        return self._ask("/cancel", asked, _states)

    def offline(self, approval: str) -> str:
        """The signed request, to be shown as a QR code.

        Source: RFC 7515, 7.1
        """
        return self._ask("/offline", ApprovalAsked(approval=approval), _shown).signed

    def reply(self, approval: str, code: Secret[str]) -> ApprovalState:
        """Give the digits that the customer typed.

        Source: RFC 6287, 7.1
        """
        asked = OfflineReply(approval=approval, code=code.reveal())
        return self._ask("/reply", asked, _states)

    def _ask(self, path: str, asked: Wire, decoder: Decoder[T]) -> T:
        headers = {
            "authorization": f"Bearer {self._bearer.reveal()}",
            "content-type": "application/json",
        }
        reply = self._post(f"{PATH}{path}", encode(asked), headers)
        if reply.status != 200:
            raise refusal(reply)
        return decoder.decode(reply.body)
