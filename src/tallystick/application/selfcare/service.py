"""What customers do about their own factors, sessions, devices and payees, as the writer executes.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.application.attempts import Attempts, Subjects, not_right
from tallystick.application.authentication import Dialled, Session, Sessions
from tallystick.application.authenticators import Authenticators
from tallystick.application.customers import Customer, Customers
from tallystick.application.devicelife import Act, By, DeviceLife
from tallystick.application.deviceproofs import DeviceProofs
from tallystick.application.devices import Devices, Reason
from tallystick.application.payments import Payments
from tallystick.application.pins import Pins
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.policy import AccountStatus, Facts, Operation, Permit
from tallystick.process.policy.facts import FOREVER, Channel, Factor
from tallystick.protocol.authentication import Challenge, FactorsGiven, LiveSession, LiveSessions
from tallystick.protocol.payments import Empty


@dataclass(frozen=True, slots=True)
class Crew:
    """The capabilities that self-care joins.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    attempts: Attempts
    authenticators: Authenticators
    customers: Customers
    devices: Devices
    payments: Payments
    pins: Pins
    policy: PolicyInForce
    sessions: Sessions
    life: DeviceLife
    proofs: DeviceProofs


class SelfCare:
    """Strengthens sessions, and lets customers change what is theirs.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def question(self, turn: Turn, session_id: str, sequence: int) -> Outcome:
        """A challenge for the customer's authenticator.

        Source: RFC 6287, 7.1
        """
        live, customer = self._who(turn, session_id, sequence)
        del live
        return Outcome(Challenge(question=self._crew.authenticators.challenge(turn, customer)))

    def give_code(
        self,
        turn: Turn,
        session_id: str,
        sequence: int,
        code: Secret[str],
        following: Secret[str] | None,
    ) -> Outcome:
        """Count, look for and use up a one-time code, in one step of the writer.

        Raises NotAuthentic alike for whatever is not right.
        Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226, 7.4
        """
        crew = self._crew
        live, customer = self._who(turn, session_id, sequence)
        who = Subjects(customer.id, live.device)
        try:
            crew.attempts.count(turn, who)
        except NotAuthentic:
            crew.authenticators.look(customer, turn.now, code, following)
            crew.attempts.wrong(turn, who, held=True)
            raise
        try:
            category = crew.authenticators.use(turn, customer, live.channel, code, following)
        except NotAuthentic:
            crew.attempts.wrong(turn, who)
            raise
        crew.attempts.right(turn, who)
        return self._strengthened(turn, live, category)

    def count_pin(self, turn: Turn, session_id: str, sequence: int) -> Outcome:
        """Count a try of the PIN inside a session.

        Raises NotAuthentic, the same as for a wrong PIN, while there may be none.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live, customer = self._who(turn, session_id, sequence)
        return self._crew.pins.count_try(turn, Subjects(customer.id, live.device))

    def pin_given(self, turn: Turn, session_id: str) -> Outcome:
        """A counted PIN was right: it stands behind the session.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live = self._crew.sessions.look(session_id, turn.now)
        self._crew.attempts.right(turn, Subjects(live.customer, live.device))
        return self._strengthened(turn, live, Factor.KNOWLEDGE.value)

    def pin_failed(self, turn: Turn, session_id: str, *, held: bool) -> Outcome:
        """A PIN was wrong, or was `held` back by earlier failures.

        Raises NotAuthentic once it is recorded.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live = self._crew.sessions.look(session_id, turn.now)
        self._crew.attempts.wrong(turn, Subjects(live.customer, live.device), held=held)
        raise not_right()

    def change_pin(self, turn: Turn, session_id: str, sequence: int, verifier: bytes) -> Outcome:
        """Keep the verifier of a new PIN.

        Raises StepUpRequired with what would be enough.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live, customer = self._who(turn, session_id, sequence)
        self._permit(turn, live, customer, Operation.CHANGE_PIN)
        return Outcome(self._crew.pins.set(turn, customer, verifier, live.channel))

    def add_payee(self, turn: Turn, session_id: str, sequence: int, payee: str) -> Outcome:
        """Confirm a payee before the first payment.

        Raises StepUpRequired with what would be enough, NotFound.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        live, customer = self._who(turn, session_id, sequence)
        self._permit(turn, live, customer, Operation.ADD_PAYEE)
        known = self._crew.customers.by_alias(payee)
        self._crew.payments.know(turn, customer.account, known.account)
        self._record(turn, "payee.added", customer, {"payee": known.account})
        return Outcome(Empty())

    def remove_device(self, turn: Turn, session_id: str, sequence: int, device: str) -> Outcome:
        """Remove a device of the customer for good; its sessions end with this commit.

        Raises StepUpRequired with what would be enough, NotFound for another one's device.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        live, customer = self._who(turn, session_id, sequence)
        row = self._crew.devices.get(device)
        if row.customer != customer.id:
            raise NotFound("no such device", remedy="look at the list of devices")
        self._permit(turn, live, customer, Operation.MANAGE_DEVICE)
        by = By.THIS_DEVICE if row.id == live.device else By.OTHER_DEVICE
        said = Reason.REMOVED.value
        return Outcome(Empty(), self._crew.life.act(turn, row, Act.DEACTIVATE, by, said))

    def asking(self, turn: Turn, session_id: str, sequence: int) -> tuple[str, Customer]:
        """The device of the session that asks, and its customer; the request is admitted.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live, customer = self._who(turn, session_id, sequence)
        return live.device, customer

    def permit_devices(self, turn: Turn, session_id: str) -> None:
        """Pass if the session has the factors that managing devices takes.

        Raises StepUpRequired with what would be enough.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        live = self._crew.sessions.look(session_id, turn.now)
        customer = self._crew.customers.get(live.customer)
        self._permit(turn, live, customer, Operation.MANAGE_DEVICE)

    def key_is_void(self, turn: Turn, session_id: str, sequence: int, because: str) -> Outcome:
        """The phone's consent key is void: the device is removed, and has to be enrolled again.

        Nothing stands in the way of saying so: it only takes away.
        Source: ISO 19092; ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        live, _ = self._who(turn, session_id, sequence)
        row, said = self._crew.devices.active(live.device), f"{Reason.UNLOCKING.value} ({because})"
        index = self._crew.life.act(turn, row, Act.VOID_KEY, By.THIS_DEVICE, said)
        return Outcome(Empty(), index)

    def report_tries(
        self, turn: Turn, session_id: str, sequence: int, failed: int, in_row: int
    ) -> Outcome:
        """Count what the phone says of user verifications that failed, with the device's tries.

        Raises Malformed for more in a row than in all.
        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
        """
        live, customer = self._who(turn, session_id, sequence)
        if in_row > failed:
            raise Malformed("more failed in a row than in all")
        who = Subjects(customer.id, live.device)
        return Outcome(Empty(), self._crew.attempts.reported(turn, who, failed, in_row))

    def sessions(self, turn: Turn, session_id: str, sequence: int) -> Outcome:
        """The customer's live sessions.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live, customer = self._who(turn, session_id, sequence)
        return Outcome(LiveSessions(sessions=self.listed(customer.id, turn.now, live.id)))

    def end_others(self, turn: Turn, session_id: str, sequence: int, other: str) -> Outcome:
        """End one other session of the customer, or all others.

        Raises NotFound for one that is not the customer's.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        live, customer = self._who(turn, session_id, sequence)
        sessions, now = self._crew.sessions, turn.now
        if other and other not in {one.id for one in sessions.of(customer.id, now)}:
            raise NotFound(
                "there is no such session of yours", remedy="load the list of sessions again"
            )
        if other == live.id:
            raise Conflict("this is the session itself", remedy="end it with session.end")
        if other:
            turn.on_durable(lambda: sessions.end(other, now))
        else:
            turn.on_durable(lambda: sessions.end_customer(customer.id, now, but=live.id))
        self._record(turn, "sessions.ended", customer, {"all": not other})
        return Outcome(Empty())

    def listed(self, customer: str, now: Instant, own: str = "") -> tuple[LiveSession, ...]:
        """The live sessions of `customer`, for people.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return tuple(_shown(one, own) for one in self._crew.sessions.of(customer, now))

    def _who(self, turn: Turn, session_id: str, sequence: int) -> tuple[Session, Customer]:
        live = self._crew.sessions.admit(turn, session_id, sequence)
        self._crew.devices.active(live.device)
        return live, self._crew.customers.active(self._crew.customers.get(live.customer))

    def _strengthened(self, turn: Turn, live: Session, category: str) -> Outcome:
        self._crew.sessions.strengthen(turn, live, category)
        customer = self._crew.customers.get(live.customer)
        self._record(turn, "authentication.factor", customer, {"category": category})
        return Outcome(FactorsGiven(factors=live.factors, at=live.factor_at))

    def _record(
        self, turn: Turn, kind: str, customer: Customer, about: Mapping[str, str | bool]
    ) -> None:
        told = {name: str(value) for name, value in about.items()}
        turn.record_about(
            kind,
            policy=self._crew.policy.version,
            mac=self._crew.customers.commit_mac(customer),
            committed={"customer": customer.id, **told},
            public={},
        )

    def _permit(self, turn: Turn, live: Session, customer: Customer, operation: Operation) -> None:
        crew, now = self._crew, turn.now
        crew.policy.check_reach(operation, now)
        device = crew.proofs.demand(crew.devices.active(live.device), now, raised=True)
        facts = Facts(
            operation=operation.value,
            channel=live.channel,
            tier=customer.tier,
            device_trust=device.trust,
            account_status=AccountStatus(customer.status.value).value,
            factors=live.factors,
            device_age_ms=max(0, now - device.enrolled_at),
            account_age_ms=max(0, now - customer.opened_at),
            session_age_ms=max(0, now - live.established_at),
            factor_age_ms=now - live.factor_at if live.factor_at else FOREVER,
            minute_of_day=crew.policy.compiled.minute_of_day(now),
            recent_failures=customer.pin_failures,
            degraded=crew.policy.degraded_since(now),
        )
        verdict = crew.policy.decide(facts, subject=live.id)
        if not isinstance(verdict, Permit):
            raise verdict.error()


def _shown(one: Session | Dialled, own: str) -> LiveSession:
    return LiveSession(
        session=one.id,
        channel=Channel.USSD.value if isinstance(one, Dialled) else one.channel,
        device="" if isinstance(one, Dialled) else one.device,
        established_at=one.established_at,
        last_seen=one.last_seen,
        own=one.id == own,
    )
