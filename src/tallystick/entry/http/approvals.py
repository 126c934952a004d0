"""Sealed operations of approvals: inbox, approve, decline, begin, cancel, wake.

    inbox  -> read from what is durable, at once or at the next change     long poll
    approve -> consent verified here, then one command of the writer

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
"""

import asyncio
from collections.abc import Callable

from tallystick.application.asking import ApprovalAct, Approving, begun_by
from tallystick.application.consent import DeviceSigned, verify_signed
from tallystick.entry.answering import Done, answer_of, refusal, success
from tallystick.entry.assembly import Platform
from tallystick.entry.http.front import Opened, Perform
from tallystick.entry.writing import Submits
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import Malformed, MfsError
from tallystick.kernel.time import Instant
from tallystick.protocol.approvals import (
    LONGEST_WAIT_S,
    Approve,
    BeginApproval,
    CancelApproval,
    Decline,
    Inbox,
    InboxAsked,
    WakeBy,
)
from tallystick.protocol.payments import PaymentRequest, consent_header

Understand = Callable[[Opened, Instant], ApprovalAct]
"""What the content of a request asks of the writer."""

_asked = Decoder(InboxAsked, limit=64)
_begins = Decoder(BeginApproval, limit=2048)
_approves = Decoder(Approve, limit=8192)
_declines = Decoder(Decline, limit=256)
_cancels = Decoder(CancelApproval, limit=1024)
_wakes = Decoder(WakeBy, limit=256)


class ApprovalOperations:
    """Understands and verifies what devices ask about approvals.

    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2
    """

    def __init__(self, platform: Platform, writer: Submits) -> None:
        self._platform = platform
        self._writer = writer
        self._desks = platform.desks

    def performers(self) -> dict[str, Perform]:
        """What carries out each operation, by name.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        return {
            "approval.begin": self._changing(self._begin),
            "approval.inbox": self._inbox,
            "approval.approve": self._changing(self._approve),
            "approval.decline": self._changing(self._decline),
            "approval.cancel": self._changing(self._cancel),
            "approval.wake": self._changing(self._wake),
        }

    def read(self, customer: str, after: int) -> Inbox:
        """What changed for `customer` after a cursor.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._desks.inboxes.inbox(customer, after)

    def _changing(self, understand: Understand) -> Perform:
        def perform(opened: Opened, now: Instant, done: Done) -> None:
            command = Approving(understand(opened, now))
            self._writer.submit(command, lambda recorded: done(answer_of(recorded)))

        return perform

    def _inbox(self, opened: Opened, now: Instant, done: Done) -> None:
        """Answer at once if there is news, else at the next change or when the time is over."""
        asked = _asked.decode_canonical(opened.content)
        if asked.wait_s > LONGEST_WAIT_S:
            raise Malformed(f"wait at most {LONGEST_WAIT_S} seconds")
        live = self._desks.sessions.touch(opened.session, opened.sequence, now)
        found = self.read(live.customer, asked.after)
        if found.items or not asked.wait_s:
            done(success(found))
            return
        self._later(opened.session, live.customer, asked, done)

    def _later(self, session: str, customer: str, asked: InboxAsked, done: Done) -> None:
        loop = asyncio.get_running_loop()

        def answer() -> None:
            timer.cancel()
            stop()
            try:
                self._desks.sessions.look(session, self._platform.clock.now())
                found = self.read(customer, asked.after)
            except MfsError as error:
                done(refusal(error))
            else:
                done(success(found))

        stop = self._desks.approvals.kept.watching.wait(customer, answer)
        timer = loop.call_later(asked.wait_s, answer)

    def _begin(self, opened: Opened, now: Instant) -> ApprovalAct:
        del now
        asked = _begins.decode_canonical(opened.content)
        begun = begun_by(self._desks.customers, asked, source="", channel="")
        return lambda turn: self._desks.beginning.begin_in_session(
            turn, opened.session, opened.sequence, begun
        )

    def _approve(self, opened: Opened, now: Instant) -> ApprovalAct:
        asked = _approves.decode_canonical(opened.content)
        consented = self._consented(opened, asked, now)
        return lambda turn: self._desks.approvals.approve(
            turn, opened.session, opened.sequence, asked, consented
        )

    def _consented(self, opened: Opened, asked: Approve, now: Instant) -> DeviceSigned:
        live = self._desks.sessions.look(opened.session, now)
        row = self._desks.devices.get(live.device)
        return verify_signed(
            PaymentRequest(consent=asked.consent, proof=asked.proof),
            header=b64url(consent_header(live.device)),
            consent_key=Es256VerifyKey(row.consent),
            check_mac=self._platform.quoting.check,
        )

    def _decline(self, opened: Opened, now: Instant) -> ApprovalAct:
        del now
        asked = _declines.decode_canonical(opened.content)
        return lambda turn: self._desks.approvals.decline(
            turn, opened.session, opened.sequence, asked.approval, asked.reason
        )

    def _cancel(self, opened: Opened, now: Instant) -> ApprovalAct:
        del now
        asked = _cancels.decode_canonical(opened.content)
        return lambda turn: self._desks.approvals.cancel_in_session(
            turn, opened.session, opened.sequence, asked.approval, asked.because
        )

    def _wake(self, opened: Opened, now: Instant) -> ApprovalAct:
        del now
        asked = _wakes.decode_canonical(opened.content)
        return lambda turn: self._desks.approvals.wake_by(
            turn, opened.session, opened.sequence, asked.name
        )
