"""A device's approvals: its inbox by poll, long poll or stream; approving, declining, beginning.

    inbox = Approvals(session, keystore, wallet, clock)
    for item in inbox.wait(): person reads item.text, types the number -> inbox.approve(item, "42")

An item is checked before anybody sees it: its text is what its quote says, and the quote's hash is
what will be signed. Approving twice is approving once.

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2; Delegated Regulation (EU) 2018/389, 5
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tallystick.client.consenting import signed_consent, warned, warnings_of
from tallystick.client.keystore import DeviceKeystore
from tallystick.client.session import ClientSession
from tallystick.client.wallet import Wallet
from tallystick.infrastructure.tally.verify import VerifiedReceipt
from tallystick.kernel.codec import Decoder, b64url_decode, encode_canonical
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.model import ABSENT
from tallystick.kernel.time import Clock
from tallystick.protocol.approvals import (
    STREAM,
    ApprovalBegun,
    ApprovalItem,
    ApprovalState,
    Approve,
    BeginApproval,
    CancelApproval,
    Decline,
    DeclineReason,
    Inbox,
    InboxAsked,
    WakeBy,
    approval_text,
)
from tallystick.protocol.payments import Empty

_inboxes = Decoder(Inbox, limit=256 * 1024)
_states = Decoder(ApprovalState)
_begun = Decoder(ApprovalBegun)
_empty = Decoder(Empty)


class Company(Protocol):
    """What a device notices of somebody else: screen sharing, remote control, a call.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    def remote_access(self) -> bool:
        """Whether the screen is shared or the device is controlled from elsewhere.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        ...

    def on_call(self) -> bool:
        """Whether somebody is on the line.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        ...


class Alone:
    """A device that notices nobody.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    def remote_access(self) -> bool:
        """Nobody looks on.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return False

    def on_call(self) -> bool:
        """Nobody is on the line.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return False


@dataclass(frozen=True, slots=True)
class Approved:
    """Where a request stands, and the verified receipt of its order once it was paid.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    state: ApprovalState
    receipt: VerifiedReceipt | None


class Approvals:
    """What an app does about requests, over one session.

    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    def __init__(
        self,
        session: ClientSession,
        keystore: DeviceKeystore,
        wallet: Wallet,
        clock: Clock,
        company: Company | None = None,
    ) -> None:
        """Begin at the first change; `company` is what the device notices of others.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._session = session
        self._keystore = keystore
        self._wallet = wallet
        self._clock = clock
        self._company = company or Alone()
        self.cursor = 0

    def poll(self, wait_s: int = 0) -> tuple[ApprovalItem, ...]:
        """What changed since the last time, waiting up to `wait_s` seconds for it.

        Raises NotAuthentic for an item whose text or order is not what it says.
        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        asked = InboxAsked(after=self.cursor, wait_s=wait_s)
        found = self._session.ask("approval.inbox", "/v1/approvals/inbox", asked, _inboxes)
        for item in found.items:
            self._check(item)
        self.cursor = max(self.cursor, found.cursor)
        return found.items

    def stream(self) -> "Streaming":
        """A request for a stream that goes on after the last item seen.

        Source: WHATWG HTML, 9.2
        """
        body = encode_canonical(InboxAsked(after=self.cursor))
        sealed = self._session.seal(STREAM, body)
        return Streaming(self, sealed.body, sealed.open)

    def take(self, content: bytes) -> tuple[ApprovalItem, ...]:
        """The items of one opened event, each seen once and in order; others are left out.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        fresh = tuple(one for one in _inboxes.decode(content).items if one.cursor > self.cursor)
        for item in fresh:
            self._check(item)
            self.cursor = item.cursor
        return fresh

    def approve(self, item: ApprovalItem, number: str, *, seen: tuple[str, ...] = ()) -> Approved:
        """Sign exactly what was shown and send it with the number that the person typed.

        `seen` is what the phone notices, or its person said: screen-shared, remote-tool, urgency.
        The person reads these warnings and those of the item before the text, and acknowledges them
        by signing.
        Raises NotPermitted if the person declines; see the operation for what the provider
        refuses with. Without an answer approve the same item again.
        Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        self._check(item)
        now = self._clock.now()
        bound, beside = warnings_of(item.quote, item.shown or (), seen)
        consent = signed_consent(
            item.quote,
            self._keystore,
            now,
            shown=warned((*bound, *beside)) + item.text,
            acknowledged=beside,
        )
        asked = Approve(
            approval=item.state.approval,
            number=number,
            consent=consent,
            proof=item.proof,
            remote_access=self._company.remote_access(),
            on_call=self._company.on_call(),
            seen=seen or ABSENT,
        )
        state = self._session.ask("approval.approve", "/v1/approvals/approve", asked, _states)
        paid = None if state.receipt is None else self._wallet.verified(state.receipt)
        receipt = None if paid is None else paid.of(item.quote.order)
        return Approved(state, receipt)

    def decline(self, item: ApprovalItem, reason: DeclineReason) -> ApprovalState:
        """End a request; `not-me` stops whatever else was begun by others.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        asked = Decline(approval=item.state.approval, reason=reason)
        return self._session.ask("approval.decline", "/v1/approvals/decline", asked, _states)

    def begin(self, asked: BeginApproval) -> ApprovalBegun:
        """Begin an order that somebody approves, or oneself on another device.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        return self._session.ask(
            "approval.begin", "/v1/approvals/begin", asked, _begun, resend=False
        )

    def cancel(self, approval: str, because: str) -> ApprovalState:
        """Take back what one began.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        asked = CancelApproval(approval=approval, because=because)
        return self._session.ask("approval.cancel", "/v1/approvals/cancel", asked, _states)

    def wake_by(self, name: str) -> None:
        """Let a push service wake this device under `name`; empty for not at all.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._session.ask("approval.wake", "/v1/approvals/wake", WakeBy(name=name), _empty)

    def _check(self, item: ApprovalItem) -> None:
        if item.text != approval_text(item.quote, item.asked_by):
            raise NotAuthentic("the text of a request is not what its quote says")
        if item.state.order != item.quote.order:
            raise NotAuthentic("the request is for another order than its quote")


class Opens(Protocol):
    """Opens one sealed reply to the request that began a stream.

    Source: RFC 9052, 5.3
    """

    def __call__(self, message: bytes, /) -> bytes:
        """The content of `message`; raises NotAuthentic.

        Source: RFC 9052, 5.3
        """
        ...


class Streaming:
    """A stream of requests: `body` is posted, the lines of the answer are read.

    Source: WHATWG HTML, 9.2; RFC 9052, 5.3
    """

    def __init__(self, approvals: Approvals, body: bytes, opens: Opens) -> None:
        self._approvals = approvals
        self.body = body
        self._opens = opens

    def items(self, lines: Iterable[bytes]) -> Iterator[ApprovalItem]:
        """The items in the lines of the answer; what came before is left out.

        Raises NotAuthentic for an event that was sealed for another session or stream.
        Source: WHATWG HTML, 9.2
        """
        for line in lines:
            if line.startswith(b"data: "):
                message = b64url_decode(line[6:].strip().decode("ascii"))
                yield from self._approvals.take(self._opens(message))
