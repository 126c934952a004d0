"""What each sealed operation comes to: a command for the writer, or an answer from what is known.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; 12.3
"""

from collections.abc import Callable

from tallystick.application.appraisals import AskProof, ReportSignals, TakeProof
from tallystick.application.commands import (
    AgentOpens,
    Command,
    EndSession,
    PlaceOrder,
    ReadAccount,
    ReadReceipt,
)
from tallystick.application.consent import verify_signed
from tallystick.application.turn import Recorded
from tallystick.entry.answering import Done, answer_of, success
from tallystick.entry.assembly import Platform
from tallystick.entry.hashing import HashingPool
from tallystick.entry.http.approvals import ApprovalOperations
from tallystick.entry.http.front import Front, Opened, Perform
from tallystick.entry.http.lane import LaneHandler
from tallystick.entry.http.operations import operation
from tallystick.entry.http.ownfactors import OwnFactors
from tallystick.entry.http.ownlife import OwnLife
from tallystick.entry.tracing import Trace
from tallystick.entry.writing import Submits, WhenDurable
from tallystick.infrastructure.crypto.signature import Es256VerifyKey, VerifyKey
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Instant
from tallystick.process.attestation.signals import Signal
from tallystick.protocol.deviceproofs import DeviceProof, DeviceSignals
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import (
    Empty,
    PaymentRequest,
    QuoteRequest,
    ReceiptRequest,
    consent_header,
)

MAX_ORDER_BYTES = 8192
_MAX_HOT_DEVICES = 16_384


class SealedOperations:
    """Understands and verifies the content of sealed requests.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(
        self, platform: Platform, writer: Submits, hashing: HashingPool | None = None
    ) -> None:
        """Carry out with `writer`; without `hashing` nobody's own factors are asked for here.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._own = OwnFactors(platform, writer, hashing) if hashing is not None else None
        self._approvals = ApprovalOperations(platform, writer)
        self._life = OwnLife(platform, writer) if hashing is not None else None
        self._platform = platform
        self._writer = writer
        self._desks = platform.desks
        self._payments = Decoder(PaymentRequest, limit=MAX_ORDER_BYTES)
        self._quotes = Decoder(QuoteRequest, limit=2048)
        self._receipts = Decoder(ReceiptRequest, limit=512)
        self._customers = Decoder(OpenCustomer, limit=2048)
        self._empty = Decoder(Empty, limit=16)
        self._proofs = Decoder(DeviceProof, limit=16 * 1024)
        self._signals = Decoder(DeviceSignals, limit=512)
        self._signers: dict[str, tuple[str, VerifyKey]] = {}

    def performers(self) -> dict[str, Perform]:
        """What carries out each sealed operation, by name.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        return {
            "payment.order": self._changing(self.order),
            "session.end": self._changing(self.end),
            "agent.open-customer": self._changing(self.agent_opens),
            "payment.quote": self._reading(self.quote),
            "payment.receipt": self._changing(self.receipt),
            "account.read": self._changing(self.account),
            "device.challenge": self._changing(self.device_challenge),
            "device.prove": self._changing(self.device_proof),
            "device.report": self._changing(self.device_signals),
            **self._approvals.performers(),
            **(self._own.performers() if self._own is not None else {}),
            **(self._life.performers() if self._life is not None else {}),
        }

    def device_challenge(self, opened: Opened, _: Instant) -> AskProof:
        """What the device's next proof answers.

        Source: RFC 9334, 10.2
        """
        self._empty.decode(opened.content)
        return AskProof(opened.session, opened.sequence)

    def device_proof(self, opened: Opened, _: Instant) -> TakeProof:
        """A proof of the session's own device.

        Source: RFC 9334, 8.1
        """
        proof = self._proofs.decode_canonical(opened.content)
        return TakeProof(opened.session, opened.sequence, proof)

    def device_signals(self, opened: Opened, _: Instant) -> ReportSignals:
        """What the app notices of the session's own device.

        Raises Malformed for signals that are not sorted, or stand twice.
        Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
        """
        told = self._signals.decode_canonical(opened.content).signals
        if list(told) != sorted(set(told)):
            raise Malformed("signals are sorted, and each stands once")
        return ReportSignals(opened.session, opened.sequence, tuple(map(Signal, told)))

    def _changing(self, authenticate: Callable[[Opened, Instant], Command]) -> Perform:
        """An operation that becomes a command."""
        submit = self._writer.submit

        def perform(opened: Opened, now: Instant, done: Done) -> None:
            command = authenticate(opened, now)
            trace = opened.trace
            if trace is None:
                submit(command, lambda recorded: done(answer_of(recorded)))
            else:
                submit(command, followed(trace, command, done))

        return perform

    def _reading(self, read: Callable[[Opened, Instant], Wire]) -> Perform:
        """An operation that changes nothing but the session's window."""
        sessions = self._desks.sessions

        def perform(opened: Opened, now: Instant, done: Done) -> None:
            sessions.touch(opened.session, opened.sequence, now)
            done(success(read(opened, now)))

        return perform

    def order(self, opened: Opened, now: Instant) -> Command:
        """An order whose consent the session's own device signed and this provider quoted.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        live = self._desks.sessions.look(opened.session, now)
        header, key = self._signer(live.device)
        consented = verify_signed(
            self._payments.decode_canonical(opened.content),
            header=header,
            consent_key=key,
            check_mac=self._platform.quoting.check,
        )
        return PlaceOrder(opened.session, opened.sequence, consented)

    def end(self, opened: Opened, now: Instant) -> Command:
        """The end of the session.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._empty.decode(opened.content)
        return EndSession(opened.session, opened.sequence)

    def agent_opens(self, opened: Opened, now: Instant) -> Command:
        """A customer whom an agent identified.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        request = self._customers.decode_canonical(opened.content)
        return AgentOpens(opened.session, opened.sequence, request)

    def quote(self, opened: Opened, now: Instant) -> Wire:
        """The terms of a payment by the session's customer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        request = self._quotes.decode_canonical(opened.content)
        live = self._desks.sessions.look(opened.session, now)
        payer = self._desks.customers.get(live.customer)
        return self._platform.quoting.quote(payer, request, now, live.channel)

    def receipt(self, opened: Opened, now: Instant) -> Command:
        """The receipt of an order that the session's customer paid or received.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        del now
        request = self._receipts.decode_canonical(opened.content)
        return ReadReceipt(opened.session, opened.sequence, request.order)

    def account(self, opened: Opened, now: Instant) -> Command:
        """The balance of the session's customer.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        del now
        self._empty.decode(opened.content)
        return ReadAccount(opened.session, opened.sequence)

    def _signer(self, device: str) -> tuple[str, VerifyKey]:
        found = self._signers.get(device)
        if found is None:
            if len(self._signers) >= _MAX_HOT_DEVICES:
                self._signers.clear()
            row = self._desks.devices.get(device)
            found = (b64url(consent_header(device)), Es256VerifyKey(row.consent))
            self._signers[device] = found
        return found


def followed(trace: Trace, command: Command, done: Done) -> WhenDurable:
    """Answers by `done` once `command` is durable, and keeps in `trace` when that was.

    Source: OpenTelemetry Trace API
    """
    trace.verified(command.consented.consent.order if isinstance(command, PlaceOrder) else "")

    def durable(recorded: Recorded) -> None:
        trace.durable(recorded.outcome.event)
        done(answer_of(recorded))

    return durable


def sealed_handlers(front: Front, performers: dict[str, Perform]) -> dict[str, LaneHandler]:
    """The handler of each sealed operation, by path.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return {
        operation(name).path: front.handler(name, perform) for name, perform in performers.items()
    }
