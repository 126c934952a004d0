"""All the writer's state, joined: what each command needs, within reach of its executor.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.3.3
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.application.acts import Acts
from tallystick.application.authentication import Access, Sessions
from tallystick.application.authentication.pins import Pins
from tallystick.application.book import LedgerBook
from tallystick.application.certification import Certification
from tallystick.application.consent import DeviceSigned, PinVerified, SimSigned
from tallystick.application.core.settling import Settling
from tallystick.application.customers import Customer, CustomerKind, Customers, Languages
from tallystick.application.devices import Devices
from tallystick.application.notices import Notices
from tallystick.application.operators import Operators
from tallystick.application.ordercodes import OrderCodes
from tallystick.application.payments import Ask, AskedReceipt, Payments
from tallystick.application.policing import PolicyInForce
from tallystick.application.proving import Proving
from tallystick.application.sims import Sims
from tallystick.application.turn import Outcome, Turn
from tallystick.application.webhooks import Webhooks
from tallystick.infrastructure.tally.leaf import Commitments
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.secret import Secret
from tallystick.process.policy import Grade, Operation
from tallystick.process.policy.facts import Channel, Dependency, DeviceTrust, Factor
from tallystick.process.policy.tightening import Seen
from tallystick.protocol.operators import CustomerOpened, OpenCustomer
from tallystick.protocol.payments import (
    SIGNED_GRADE,
    AccountReply,
    Consent,
    Empty,
    QuoteReply,
    quote_in,
)

_SIGNED = (Factor.POSSESSION.value, Factor.INHERENCE.value)
_DIALLED = (Factor.POSSESSION.value, Factor.KNOWLEDGE.value)
_ATTESTED = DeviceTrust.ATTESTED_HARDWARE.value
_ATTESTED_GRADE = Grade.DEVICE_SIGNED_ATTESTED.value
MAX_AGENT_TIER = 1
"""The highest tier that an agent may open a customer in."""


@dataclass(frozen=True, slots=True)
class Desks:
    """The capabilities that the writer owns.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    policy: PolicyInForce
    customers: Customers
    languages: Languages
    sims: Sims
    order_codes: OrderCodes
    devices: Devices
    sessions: Sessions
    access: Access
    pins: Pins
    book: LedgerBook
    payments: Payments
    operators: Operators
    acts: Acts
    notices: Notices
    webhooks: Webhooks
    settling: Settling
    certification: Certification
    proving: Proving

    def place(self, turn: Turn, session_id: str, sequence: int, consented: DeviceSigned) -> Outcome:
        """Execute an order that a device signed, in that device's own session.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        session = self.sessions.admit(turn, session_id, sequence)
        device = self.devices.active(session.device)
        consent = consented.consent
        if consent.payer != session.account or consent.device != session.device:
            raise NotPermitted("the order is not this customer's, or not from this device")
        if consent.grade != SIGNED_GRADE:
            raise NotAuthentic("the consent names a grade that a signing device does not have")
        attested = device.trust == _ATTESTED
        ask = Ask(
            consented=consented,
            payer=self.customers.get(session.customer),
            channel=session.channel,
            grade=_ATTESTED_GRADE if attested else SIGNED_GRADE,
            device_trust=device.trust,
            device_enrolled_at=device.enrolled_at,
            session_since=session.established_at,
            factors=_SIGNED,
        )
        return self.payments.order(turn, ask)

    def dial(
        self,
        turn: Turn,
        customer_id: str,
        consented: PinVerified,
        grade: Grade = Grade.PIN_VERIFIED,
    ) -> Outcome:
        """Execute an order that a PIN confirmed; the count of wrong PINs begins anew.

        Where no network tells of changed SIMs, the policy is told of a missing signal.
        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        customer = self.pins.clear(turn, self.customers.get(customer_id))
        if consented.consent.payer != customer.account:
            raise NotPermitted("the order is not this customer's")
        ask = Ask(
            consented=consented,
            payer=customer,
            channel=Channel.USSD.value,
            grade=grade.value,
            device_trust=DeviceTrust.NONE.value,
            device_enrolled_at=0,
            session_since=turn.now,
            factors=_DIALLED,
            degraded=() if self.sims.signalled else ((Dependency.SIM_SIGNAL.value, 0),),
            sim_age_ms=self.sims.age_ms(customer.id, turn.now),
        )
        return self.payments.order(turn, ask)

    def send_order_code(self, turn: Turn, customer_id: str, terms: QuoteReply) -> Outcome:
        """Send a code for an order whose PIN was right and for which the policy asks for more.

        Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        customer = self.customers.active(self.customers.get(customer_id))
        return self.order_codes.send(turn, customer, terms.quote)

    def dial_with_code(
        self, turn: Turn, customer_id: str, consented: PinVerified, code: Secret[str]
    ) -> Outcome:
        """Execute an order that a PIN and a code confirmed.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3; 11.2.2
        """
        self.order_codes.use(turn, customer_id, quote_in(consented.consent), code)
        return self.dial(turn, customer_id, consented, Grade.CODE_CONFIRMED)

    def order_by_sim(self, turn: Turn, sim: str, customer_id: str, consented: SimSigned) -> Outcome:
        """Execute an order that the customer's own SIM tagged; its key says that it is that SIM.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        customer = self.customers.get(customer_id)
        self.sims.check_bound(sim, customer.id)
        if consented.consent.payer != customer.account:
            raise NotPermitted("the order is not this customer's")
        ask = Ask(
            consented=consented,
            payer=customer,
            channel=Channel.USSD.value,
            grade=Grade.SIM_SIGNED.value,
            device_trust=DeviceTrust.NONE.value,
            device_enrolled_at=0,
            session_since=turn.now,
            factors=_DIALLED,
            sim_age_ms=self.sims.age_ms(customer.id, turn.now),
        )
        return self.payments.order(turn, ask)

    def bind_sim(
        self, turn: Turn, sim: str, customer_id: str, activation: str, code: Secret[str]
    ) -> Outcome:
        """Bind a SIM to a customer who has a right activation code.

        Raises OutOfReach, without using up the code, while what enrolling leans on fails.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self.policy.check_reach(Operation.ENROL, turn.now)
        customer = self.access.redeem(turn, activation, code)
        if customer.id != customer_id:
            raise NotAuthentic("the activation code is not valid", remedy="check it")
        replaced = self.sims.bind(turn, sim, customer.id)
        return self._sim_event(turn, "sim.bound", customer, sim, replaced=replaced)

    def sim_changed(self, turn: Turn, customer_id: str) -> Outcome:
        """Believe the network that the customer's SIM was replaced: it signs nothing any more.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        customer = self.customers.get(customer_id)
        sim = self.sims.changed(turn, customer.id)
        return self._sim_event(turn, "sim.changed", customer, sim, replaced=bool(sim))

    def _sim_event(
        self, turn: Turn, kind: str, customer: Customer, sim: str, *, replaced: bool
    ) -> Outcome:
        event = turn.new_id("evt")
        commitments = Commitments(event)
        commitments.commit(
            self.customers.commit_mac(customer), {"customer": customer.id, "sim": sim}
        )
        index = turn.record(
            kind,
            policy=self.policy.version,
            public={"replaced": int(replaced)},
            commitments=commitments,
            event_id=event,
        )
        return Outcome(Empty(), index)

    def end_session(self, turn: Turn, session_id: str, sequence: int) -> Outcome:
        """End a session at its device's wish.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self.sessions.admit(turn, session_id, sequence)
        turn.on_durable(lambda: self.sessions.end(session_id, turn.now))
        return Outcome(Empty())

    def read_account(self, turn: Turn, session_id: str, sequence: int) -> Outcome:
        """The balance of the session's customer, as the commands before this one left it.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        session = self.sessions.admit(turn, session_id, sequence)
        return self._balance(session.account, session.device)

    def dial_balance(self, turn: Turn, customer_id: str) -> Outcome:
        """The balance of a customer whose PIN was right, which begins the count of failures anew.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        self.pins.was_right(turn, customer_id)
        return self._balance(self.customers.get(customer_id).account)

    def _balance(self, account: str, device: str = "") -> Outcome:
        return Outcome(
            AccountReply(
                account=account,
                currency=self.book.chart.currency,
                available_minor=self.book.available(account),
                reserved_minor=self.book.reserved(account),
                device=device,
            )
        )

    def read_receipt(self, turn: Turn, session_id: str, sequence: int, order_id: str) -> Outcome:
        """The receipt of an order that the session's customer paid or received.

        Raises NotFound for another one's.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        session = self.sessions.admit(turn, session_id, sequence)
        order = self.payments.find(order_id)
        if order is None:
            raise NotFound("no such order of yours")
        disclosures = self.payments.proofs.disclosures(order, session.account)
        return Outcome(AskedReceipt(), order.event, disclosures)

    def set_pin(
        self, turn: Turn, customer_id: str, activation: str, code: Secret[str], verifier: bytes
    ) -> Outcome:
        """Keep a PIN that the customer chose with a right activation code.

        Raises OutOfReach, without using up the code, while what changing a PIN leans on fails.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self.policy.check_reach(Operation.CHANGE_PIN, turn.now)
        customer = self.access.redeem(turn, activation, code)
        if customer.id != customer_id:
            raise NotAuthentic("the activation code is not valid", remedy="check it")
        return Outcome(self.pins.set(turn, customer, verifier))

    def agent_opens(
        self, turn: Turn, session_id: str, sequence: int, request: OpenCustomer
    ) -> Outcome:
        """Open a person whom an agent identified, in the agent's own session.

        Raises NotPermitted for whoever is no agent and for a tier beyond an agent's reach.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        session = self.sessions.admit(turn, session_id, sequence)
        self.devices.active(session.device)
        agent = self.customers.active(self.customers.get(session.customer))
        if agent.kind is not CustomerKind.AGENT:
            raise NotPermitted("only agents open customers", because="agent-assisted enrolment")
        if request.kind != "person" or request.tier > MAX_AGENT_TIER:
            raise NotPermitted(
                f"an agent opens persons up to tier {MAX_AGENT_TIER}",
                because="agent-assisted enrolment",
            )
        acted = self.acts.open_customer(turn, request, agent.id)
        customer = self.customers.by_alias(request.msisdn)
        reply = CustomerOpened(customer=customer.id, activation=acted.reference, event=acted.event)
        return Outcome(reply, acted.event)

    def install_policy(self, turn: Turn, envelope: str) -> Outcome:
        """Put the first policy into force; later ones are acts.

        Raises Conflict once there is one.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        if self.policy.version:
            raise Conflict("a policy is in force", remedy="activate the next one as an operator")
        return Outcome(Empty(), self.policy.activate(turn, envelope))

    def tighten(self, turn: Turn, entry: str, seen: Seen) -> Outcome:
        """Put a tightening of the policy into force.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        return Outcome(Empty(), self.policy.tighten(turn, entry, seen))

    def ease(self, turn: Turn, entry: str, seen: Seen) -> Outcome:
        """End a tightening whose time is over.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        return Outcome(Empty(), self.policy.ease(turn, entry, seen))

    def invite(self, turn: Turn, hashed: str, role: str) -> Outcome:
        """Invite an operator at set-up.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self.operators.invite(turn, hashed, role, "set-up")
        return Outcome(Empty())

    def prefetch(self, consents: Sequence[Consent]) -> None:
        """Bring what orders will ask for into memory, set by set.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        accounts = [account for one in consents for account in (one.payer, one.payee)]
        self.customers.prefetch_owners(accounts)
        self.devices.prefetch([one.device for one in consents if one.device])
        self.book.prefetch(accounts)
        self.payments.prefetch(consents)

    def collect(self, turn: Turn) -> None:
        """Put the ledger's changes into the rows of this turn.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.book.collect(turn)

    def trim(self, now: int) -> None:
        """Forget what is over capacity; between durable batches only.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.customers.trim()
        self.languages.trim()
        self.sims.trim()
        self.order_codes.trim()
        self.devices.trim()
        self.access.trim()
        self.operators.trim()
        self.certification.trim()
        self.book.trim()
        self.payments.trim(now)

    def reset(self, now: int) -> None:
        """Read everything from the store again, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.policy.load()
        self.customers.reset()
        self.languages.reset()
        self.sims.reset()
        self.order_codes.reset()
        self.devices.reset()
        self.access.reset()
        self.operators.reset()
        self.certification.reset()
        self.book.reset()
        self.notices.reset()
        self.payments.reset(now)
