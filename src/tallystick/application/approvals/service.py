"""Approvals as the writer executes them: signed on a device, and paid in the same step.

    approve: session, right to sign, device, consent, number, company
             -> kept        while more people are needed
             -> order paid  with the last of them, once

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2; Delegated Regulation (EU) 2018/389, 5
"""

from dataclasses import dataclass

from tallystick.application.approvals.kept import Kept
from tallystick.application.approvals.model import ApprovalRow, SignatureRow
from tallystick.application.approvals.rules import (
    MOST_WRONG,
    PAUSE_MS,
    enough,
    moved,
    subjects,
    weakest,
)
from tallystick.application.apps import Applications
from tallystick.application.attempts import Attempts, Subjects, not_right
from tallystick.application.authentication import Session, Sessions
from tallystick.application.consent import DeviceSigned
from tallystick.application.customers import Customers
from tallystick.application.deviceproofs import DeviceProofs
from tallystick.application.devices import Device, Devices
from tallystick.application.education import Education, also_seen, check_acknowledged
from tallystick.application.notices import Notices, Template
from tallystick.application.payments import Ask, Payments
from tallystick.application.policing import PolicyInForce
from tallystick.application.recovery import Recovery
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import (
    Broken,
    Conflict,
    Expired,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, SECOND_MS
from tallystick.process.policy import Grade
from tallystick.process.policy.facts import DeviceTrust
from tallystick.protocol.approvals import (
    WARNING,
    ApprovalStage,
    ApprovalState,
    Approve,
    DeclineReason,
)
from tallystick.protocol.payments import SIGNED_GRADE, Empty
from tallystick.protocol.receipt import Receipt

_ATTESTED = DeviceTrust.ATTESTED_HARDWARE.value
_ATTESTED_GRADE = Grade.DEVICE_SIGNED_ATTESTED.value


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer to a request whose order was paid, but for its receipt.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    state: ApprovalState

    def with_receipt(self, receipt: Receipt) -> ApprovalState:
        """The whole answer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return replace(self.state, receipt=receipt)


@dataclass(frozen=True, slots=True)
class Staff:
    """The capabilities that approvals join.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    apps: Applications
    attempts: Attempts
    customers: Customers
    devices: Devices
    education: Education
    notices: Notices
    payments: Payments
    policy: PolicyInForce
    proofs: DeviceProofs
    recovery: Recovery
    sessions: Sessions


class Approvals:
    """Asks people on their devices, and executes what they agreed to.

    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    def __init__(self, staff: Staff, kept: Kept) -> None:
        self._staff = staff
        self.kept = kept

    def approve(
        self, turn: Turn, session: str, sequence: int, asked: Approve, consented: DeviceSigned
    ) -> Outcome:
        """Take the consent of one approver; with the last of them the order is paid at once.

        A request that was approved is answered as before. Raises NotFound for whoever is no
        approver, NotAuthentic for other terms, a wrong number and a blocked device, NotPermitted
        while the device was under somebody's influence, before the payer accepted the terms and for
        a warning that was not acknowledged, UpgradeRequired for an application that orders nothing,
        Expired, Conflict for one that ended otherwise, and what payments refuse with.
        Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        live, device, row = self._who(turn, session, sequence, asked.approval)
        if row.stage is ApprovalStage.APPROVED and live.customer in self.kept.signed(row):
            return self.answered(row)
        self._open(turn, row)
        self._check_right(row, live)
        self._staff.apps.check_orders(live.device, turn.now)
        self._staff.proofs.demand(device, turn.now)
        self._staff.education.check_terms(self._staff.customers.get(row.payer))
        self._staff.attempts.check_device(live.device, turn.now)
        consent = consented.consent
        if consent.order != row.order_id or consent.quote_hash != b64url(row.digest):
            raise NotAuthentic("the consent is for other terms", remedy="look at the request again")
        if consent.device != live.device or consent.grade != SIGNED_GRADE:
            raise NotAuthentic("the consent is not this device's")
        content = self.kept.content(row)
        if asked.number != content.number:
            raise self._wrong_number(turn, row, live)
        if asked.remote_access or asked.on_call:
            return self._pause(turn, row)
        if turn.now < row.paused_until:
            raise NotPermitted(
                WARNING,
                because="somebody may have looked on or talked to you a while ago",
                remedy=f"approve it again in {(row.paused_until - turn.now) // SECOND_MS + 1} s",
            )
        warnings = also_seen(content.quote.kind, content.shown, asked.seen or ())
        check_acknowledged(warnings, consent, self._staff.policy.compiled.policy.education)
        signature = SignatureRow(
            pair=f"{row.id}/{live.customer}",
            approval=row.id,
            customer=live.customer,
            device=live.device,
            trust=device.trust,
            enrolled_at=device.enrolled_at,
            since=live.established_at,
            at=turn.now,
            jws=self._staff.customers.seal(
                self._staff.customers.get(row.payer), consented.jws.encode()
            ),
        )
        return self._signed(turn, row, signature, consented, live)

    def _signed(
        self,
        turn: Turn,
        row: ApprovalRow,
        signature: SignatureRow,
        consented: DeviceSigned,
        live: Session,
    ) -> Outcome:
        signed = self.kept.signed(row)
        signed.setdefault(signature.customer, signature)
        if not enough(row, signed):
            self.kept.sign(turn, signature)
            row = self.kept.record(turn, row, "signed", {"signed": len(signed)})
            return Outcome(self.kept.state(row, len(signed)))
        device = self._staff.devices.get(live.device)
        trust = weakest([one.trust for one in signed.values()])
        grade = _ATTESTED_GRADE if trust == _ATTESTED else SIGNED_GRADE
        devices = map(self._staff.devices.get, [one.device for one in signed.values()])
        risk = max(self._staff.proofs.score(one, turn.now) for one in devices)
        ask = Ask(
            consented=consented,
            payer=self._staff.customers.get(row.payer),
            channel=live.channel,
            grade=grade,
            device_trust=trust,
            device_enrolled_at=max(one.enrolled_at for one in signed.values()),
            session_since=max(one.since for one in signed.values()),
            factors=self._staff.proofs.factors(device, live.factors),
            risk_score=max(risk, self.kept.score(row.payer, turn.now)),
            recovering_for_ms=self._staff.recovery.since(row.payer, turn.now),
        )
        outcome = self._staff.payments.order(turn, ask)
        self.kept.sign(turn, signature)
        return self.executed(turn, row, outcome, len(signed))

    def executed(self, turn: Turn, row: ApprovalRow, outcome: Outcome, signed: int) -> Outcome:
        """Keep that the order of `row` came to `outcome`, in the same batch as the order.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        refused = outcome.reply if isinstance(outcome.reply, MfsError) else None
        code = "" if refused is None else refused.code
        try:
            done = self._keep_executed(turn, row, code, signed)
        except MfsError as error:  # an order without its request must not become durable
            raise Broken("what became of a request could not be kept") from error
        if refused is not None:
            return outcome
        return outcome._replace(reply=Settled(self.kept.state(done, signed)))

    def _keep_executed(self, turn: Turn, row: ApprovalRow, code: str, signed: int) -> ApprovalRow:
        done = replace(moved(row, ApprovalStage.APPROVED), outcome=code)
        for subject in subjects(row):
            count = self.kept.pace(subject)
            self.kept.set_pace(turn, replace(count, unanswered=0, next_at=0))
        order = self._staff.payments.find(row.order_id)
        stage = "" if order is None else order.stage.value
        told: dict[str, str | int] = {"signed": signed, "outcome": code or stage}
        return self.kept.record(turn, done, "approved", told)

    def answered(self, row: ApprovalRow) -> Outcome:
        """What was answered when `row` was approved, with its order's receipt.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        order = self._staff.payments.find(row.order_id)
        state = self.kept.state(row, len(self.kept.signed(row)))
        if order is None:
            return Outcome(state)
        payer = self._staff.customers.get(row.payer)
        shown = self._staff.payments.proofs.disclosures(order, payer.account)
        return Outcome(Settled(state), order.event, shown)

    def decline(
        self, turn: Turn, session: str, sequence: int, approval: str, reason: DeclineReason
    ) -> Outcome:
        """End a request as one of its approvers; `not-me` also raises the risk at once.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        live, _, row = self._who(turn, session, sequence, approval)
        if row.stage is not ApprovalStage.DECLINED:
            row = moved(row, ApprovalStage.DECLINED, reason.value)
            row = self.kept.record(turn, row, "declined")
            if reason is DeclineReason.NOT_ME:
                self._was_not_me(turn, row, live.customer)
        return Outcome(self.kept.state(row, len(self.kept.signed(row))))

    def _was_not_me(self, turn: Turn, row: ApprovalRow, customer: str) -> None:
        """Raise the risk, end what else waits for this person, stop who asked, and tell people."""
        for one in {customer, row.payer}:
            self._raise_risk(turn, one)
        for other in self.kept.pending(customer):
            stopped = moved(other, ApprovalStage.CANCELLED, "somebody else began a request")
            self.kept.record(turn, stopped, "cancelled")
        count = self.kept.pace(subjects(row)[1])
        self.kept.set_pace(turn, replace(count, next_at=turn.now + DAY_MS, at=turn.now))
        told = {"approval": row.id, "channel": row.channel}
        self.kept.event(turn, "security.not-me", customer, told, {"source": row.source})

    def _raise_risk(self, turn: Turn, customer: str) -> None:
        now, before = turn.now, self.kept.risk(customer)
        counted = before is not None and self.kept.score(customer, now) > 0
        denials = before.denials + 1 if before is not None and counted else 1
        self.kept.raise_risk(turn, customer, denials)
        self._staff.notices.add(turn, customer, Template.NOT_ME, customer)

    def device_stopped(self, turn: Turn, device: Device) -> None:
        """Cancel what waits for this device alone, was begun by its customer or signed by them.

        No push wakes the device any more.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        customer = device.customer
        for row in self.kept.pending(customer):
            only = row.devices == device.id
            begun = row.source == f"customer:{customer}"
            if only or begun or customer in self.kept.signed(row):
                stopped = moved(row, ApprovalStage.CANCELLED, "a device was stopped")
                self.kept.record(turn, stopped, "cancelled")
        self.kept.wake_by(turn, device.id, customer, "")

    def cancel(self, turn: Turn, source: str, approval: str, because: str = "") -> Outcome:
        """Take a request back, as who began it; an empty `source` is an operator.

        Raises NotFound for another's, Conflict for one that ended.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        row = self.kept.get(approval)
        if source and row.source != source:
            raise NotFound(
                "there is no such request for you", remedy="load the list of requests again"
            )
        row = moved(row, ApprovalStage.CANCELLED, because or "taken back")
        row = self.kept.record(turn, row, "cancelled")
        return Outcome(self.kept.state(row, len(self.kept.signed(row))), row.event)

    def cancel_in_session(
        self, turn: Turn, session: str, sequence: int, approval: str, because: str
    ) -> Outcome:
        """Take a request back that one began in a session.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        live = self._staff.sessions.admit(turn, session, sequence)
        return self.cancel(turn, f"customer:{live.customer}", approval, because)

    def status(self, turn: Turn, source: str, approval: str) -> Outcome:
        """Where a request stands, for who began it.

        Raises NotFound for another's.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        row = self.kept.get(approval)
        if row.source != source:
            raise NotFound(
                "there is no such request for you", remedy="load the list of requests again"
            )
        return Outcome(self.kept.state(row, len(self.kept.signed(row))))

    def expire(self, turn: Turn, approvals: list[str]) -> Outcome:
        """End those of `approvals` that are past their time.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        for one in approvals:
            row = self.kept.get(one)
            if row.stage is ApprovalStage.PENDING and turn.now > row.expires_at:
                self.kept.record(turn, moved(row, ApprovalStage.EXPIRED), "expired")
        return Outcome(Empty())

    def wake_by(self, turn: Turn, session: str, sequence: int, name: str) -> Outcome:
        """Keep under which name a push service wakes the session's device.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        live = self._staff.sessions.admit(turn, session, sequence)
        self._staff.devices.active(live.device)
        self.kept.wake_by(turn, live.device, live.customer, name)
        return Outcome(Empty())

    def _who(
        self, turn: Turn, session: str, sequence: int, approval: str
    ) -> tuple[Session, Device, ApprovalRow]:
        live = self._staff.sessions.admit(turn, session, sequence)
        device = self._staff.devices.active(live.device)
        self._staff.customers.active(self._staff.customers.get(live.customer))
        row = self.kept.get(approval)
        if live.customer not in row.names():
            raise NotFound(
                "there is no such request for you", remedy="load the list of requests again"
            )
        return live, device, row

    def _open(self, turn: Turn, row: ApprovalRow) -> None:
        if row.stage is ApprovalStage.PENDING and turn.now > row.expires_at:
            self.kept.record(turn, moved(row, ApprovalStage.EXPIRED), "expired")
            raise Expired("the request is past its time", remedy="begin a new one")
        if row.stage is not ApprovalStage.PENDING:
            raise Conflict(f"the request is {row.stage}", remedy="begin a new one")

    def _check_right(self, row: ApprovalRow, live: Session) -> None:
        if row.devices and live.device not in row.devices.split(","):
            raise NotPermitted(
                "the request is for another device of yours",
                remedy="answer it on the device that shows it",
            )
        if live.customer == row.initiator and not row.initiator_may:
            raise NotPermitted(
                "you began this order yourself",
                because="somebody else has to approve it",
                remedy="ask another approver of the account",
            )

    def _wrong_number(self, turn: Turn, row: ApprovalRow, live: Session) -> MfsError:
        """Count a wrong number over all channels; the second ends the request."""
        who = Subjects(live.customer, live.device)
        held = False
        try:
            self._staff.attempts.count(turn, who)
        except NotAuthentic:
            held = True
        self._staff.attempts.wrong(turn, who, held=held)
        counted = replace(row, wrong=row.wrong + 1)
        if counted.wrong >= MOST_WRONG:
            ended = moved(counted, ApprovalStage.DECLINED, "wrong-number")
            self.kept.record(turn, ended, "declined")
        else:
            self.kept.record(turn, counted, "mistyped")
        return not_right()

    def _pause(self, turn: Turn, row: ApprovalRow) -> Outcome:
        paused = replace(row, paused_until=turn.now + PAUSE_MS)
        paused = self.kept.record(turn, paused, "paused")
        return Outcome(self.kept.state(paused, len(self.kept.signed(paused))))
