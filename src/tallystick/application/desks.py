"""All the writer's state, joined: what each command needs, within reach of its executor.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.3.3
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tallystick.application.acts import Acts
from tallystick.application.approvals import Approvals
from tallystick.application.apps import Applications
from tallystick.application.asking import Beginning, Offline, Reading
from tallystick.application.assisting import AgentBounds
from tallystick.application.attempts import Attempts, Subjects
from tallystick.application.authentication import Access, Sessions
from tallystick.application.authenticators import Authenticators
from tallystick.application.book import LedgerBook
from tallystick.application.certification import Certification
from tallystick.application.consent import DeviceSigned, PinVerified
from tallystick.application.core.settling import Settling
from tallystick.application.customers import Customer, CustomerKind, Customers, Languages
from tallystick.application.desk import Desk
from tallystick.application.devicelife import DeviceLife, OwnDevices, Wiping
from tallystick.application.deviceproofs import DeviceProofs
from tallystick.application.devices import Devices
from tallystick.application.dialling import dialled
from tallystick.application.education import Education
from tallystick.application.exemptions import Exemptions
from tallystick.application.incentives import Incentives
from tallystick.application.keylife import Custody, KeyLife
from tallystick.application.notices import Notices
from tallystick.application.operators import Operators
from tallystick.application.ordercodes import OrderCodes
from tallystick.application.paycrypt import PaymentKeys
from tallystick.application.payments import Ask, AskedReceipt, Payments
from tallystick.application.pins import Pins
from tallystick.application.policing import PolicyInForce
from tallystick.application.proving import Proving
from tallystick.application.recovery import OwnRecovery, Recovery
from tallystick.application.sealing import SealRenewal
from tallystick.application.selfcare import SelfCare
from tallystick.application.signals import Signals
from tallystick.application.sims import Sims
from tallystick.application.turn import Outcome, Turn
from tallystick.application.typedcodes import KeyedCode
from tallystick.application.webhooks import Webhooks
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.time import Instant
from tallystick.process.attestation.environments import grade_of
from tallystick.process.policy import Grade, Operation
from tallystick.process.policy.caps import Preview
from tallystick.process.policy.facts import Channel
from tallystick.process.policy.tightening import Seen
from tallystick.protocol.operators import CustomerOpened, OpenCustomer
from tallystick.protocol.payments import SIGNED_GRADE, AccountReply, Consent, Empty

MAX_AGENT_TIER = 1
"""The highest tier that an agent may open a customer in."""


class _Caching(Protocol):
    """Keeps rows in memory."""

    def trim(self) -> None: ...

    def reset(self) -> None: ...


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
    proofs: DeviceProofs
    sessions: Sessions
    access: Access
    pins: Pins
    attempts: Attempts
    authenticators: Authenticators
    exemptions: Exemptions
    selfcare: SelfCare
    book: LedgerBook
    payments: Payments
    operators: Operators
    acts: Acts
    notices: Notices
    webhooks: Webhooks
    settling: Settling
    certification: Certification
    apps: Applications
    proving: Proving
    signals: Signals
    desk: Desk
    approvals: Approvals
    beginning: Beginning
    offline: Offline
    inboxes: Reading
    recovery: Recovery
    own_recovery: OwnRecovery
    bounds: AgentBounds
    education: Education
    seals: SealRenewal
    keylife: KeyLife
    custody: Custody
    payment_keys: PaymentKeys
    life: DeviceLife
    own_devices: OwnDevices
    wiping: Wiping

    @property
    def incentives(self) -> Incentives:
        """Where subjects of incentives stand.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.payments.incentives

    def place(self, turn: Turn, session_id: str, sequence: int, consented: DeviceSigned) -> Outcome:
        """Execute an order that a device signed, in that device's own session.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        session = self.sessions.admit(turn, session_id, sequence)
        device = self.devices.active(session.device)
        self.apps.check_orders(session.device, turn.now)
        consent = consented.consent
        if consent.payer != session.account or consent.device != session.device:
            raise NotPermitted("the order is not this customer's, or not from this device")
        if consent.grade != SIGNED_GRADE:
            raise NotAuthentic("the consent names a grade that a signing device does not have")
        if self.payments.find(consent.order) is None:
            self.attempts.check_device(session.device, turn.now)
        payer = self.customers.get(session.customer)
        self.education.check_terms(payer)
        shown = self.proofs.shown(device, turn.now)
        ask = Ask(
            consented=consented,
            payer=payer,
            channel=session.channel,
            grade=grade_of(shown.trust),
            device_trust=shown.trust,
            device_enrolled_at=device.enrolled_at,
            session_since=session.established_at,
            factors=self.proofs.factors(device, session.factors),
            risk_score=shown.risk,
            instead=shown.instead,
            recovering_for_ms=self.recovery.since(session.customer, turn.now),
        )
        return self.payments.order(turn, ask)

    def dial(
        self, turn: Turn, customer_id: str, consented: PinVerified,
        grade: Grade = Grade.PIN_VERIFIED,
    ) -> Outcome:  # fmt: skip
        """Execute an order that a PIN confirmed; the count of wrong PINs begins anew.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        customer = self.pins.clear(turn, self.customers.get(customer_id))
        return self.payments.order(turn, self.dialled(customer, consented, grade, turn.now))

    def dialled(
        self, customer: Customer, consented: PinVerified, grade: Grade, now: Instant
    ) -> Ask:
        """The order of `customer`, whose PIN was right, with all that the decision needs.

        Raises NotPermitted for another's order and before the terms were accepted.
        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        ask = dialled(customer, consented, grade, now, self.signals.facts(customer, now))
        self.education.check_terms(customer)
        return ask._replace(
            risk_score=self.approvals.kept.score(customer.id, now),
            recovering_for_ms=self.recovery.since(customer.id, now),
        )

    def try_ended(self, turn: Turn, who: Subjects, *, right: bool, held: bool) -> Outcome:
        """A try was right, which begins the count anew, or wrong or held, which is recorded.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self.pins.was_right(turn, who) if right else self.pins.failed(turn, who, held=held)

    def pin_tried(self, turn: Turn, session_id: str, *, right: bool, held: bool) -> Outcome:
        """A PIN that was tried inside a session was right, wrong or held back.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        if right:
            return self.selfcare.pin_given(turn, session_id)
        return self.selfcare.pin_failed(turn, session_id, held=held)

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
        self.pins.was_right(turn, Subjects(customer_id))
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
        self, turn: Turn, customer_id: str, activation: str, code: KeyedCode, verifier: bytes
    ) -> Outcome:
        """Keep a PIN that the customer chose with a right activation code.

        Without using up the code it raises OutOfReach while what changing a PIN leans on fails, and
        the policy's refusal while the SIM that the code was sent to changed too lately.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
        """
        self.policy.check_reach(Operation.CHANGE_PIN, turn.now)
        customer = self.customers.get(customer_id)
        self.signals.hold_back(customer, Operation.CHANGE_PIN, Channel.USSD, turn.now)
        customer = self.access.redeem(turn, activation, code)
        if customer.id != customer_id:
            raise NotAuthentic("the activation code is not valid", remedy="check it")
        self.access.redeemed(turn, customer, activation, "")
        return Outcome(self.pins.set(turn, self.customers.get(customer_id), verifier))

    def agent_opens(
        self, turn: Turn, session_id: str, sequence: int, request: OpenCustomer
    ) -> Outcome:
        """Open a person whom an agent identified, in the agent's own session.

        Raises NotPermitted for whoever is no agent and for a tier beyond an agent's reach.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        session = self.sessions.admit(turn, session_id, sequence)
        self.proofs.demand(self.devices.active(session.device), turn.now)
        agent = self.customers.active(self.customers.get(session.customer))
        if agent.kind is not CustomerKind.AGENT:
            raise NotPermitted("only agents open customers", because="agent-assisted enrolment")
        if request.kind != "person" or request.tier > MAX_AGENT_TIER:
            raise NotPermitted(
                f"an agent opens persons up to tier {MAX_AGENT_TIER}",
                because="agent-assisted enrolment",
            )
        self.bounds.check_enrolment(turn, agent, request.zone)
        acted = self.acts.open_customer(turn, request, agent.id)
        customer = self.customers.by_alias(request.msisdn)
        reply = CustomerOpened(customer=customer.id, activation=acted.reference, event=acted.event)
        return Outcome(reply, acted.event)

    def install_policy(self, turn: Turn, envelope: str) -> Outcome:
        """Put the first policy into force, or the mended one of this start; others are acts.

        Raises Conflict once there is one.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        if not self.policy.takes_at_start(envelope):
            raise Conflict("a policy is in force", remedy="activate the next one as an operator")
        return Outcome(Empty(), self.policy.activate(turn, envelope))

    def tighten(
        self, turn: Turn, entry: str, seen: Seen, preview: Preview | None = None
    ) -> Outcome:
        """Put a tightening of the policy into force, or propose it beyond its caps.

        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        return Outcome(Empty(), self.policy.tighten(turn, entry, seen, preview))

    def approve_tightening(self, turn: Turn, text: str) -> Outcome:
        """Put a proposed tightening into force that two officers signed.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        return Outcome(Empty(), self.policy.approve_tightening(turn, text))

    def lapse_proposal(self, turn: Turn, proposal: str, seen: Seen | None) -> Outcome:
        """End a proposal whose time is over, or whose signal is well again.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        return Outcome(Empty(), self.policy.measures.proposals.lapse(turn, proposal, seen))

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
        accounts = [name for one in consents for name in (one.payer, one.payee)]
        self.customers.prefetch_owners(accounts)
        devices = [one.device for one in consents if one.device]
        self.devices.prefetch(devices)
        self.apps.prefetch(devices)
        self.proofs.prefetch(devices)
        self.book.prefetch(accounts)
        self.payments.prefetch(consents)

    def collect(self, turn: Turn) -> None:
        """Put the ledger's changes into the rows of this turn, and verdicts that changed.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.book.collect(turn)
        self.access.sweep(turn)

    def trim(self, now: int) -> None:
        """Forget what is over capacity; between durable batches only.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for one in self._caching():
            one.trim()
        self.payments.trim(now)

    def reset(self, now: int) -> None:
        """Read everything from the store again, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.policy.load()
        for one in self._caching():
            one.reset()
        self.recovery.reset(Instant(now))
        self.desk.emergencies.reset()
        self.notices.reset()
        self.payments.reset(now)

    def _caching(self) -> tuple[_Caching, ...]:
        desk, kept = self.desk, self.approvals.kept
        return (
            self.customers, self.languages, self.devices, self.access, self.operators, self.sims,
            self.order_codes, self.bounds, self.education, desk.views, desk.workloads, kept,
            self.certification, self.keylife, self.custody, self.signals, self.attempts,
            self.authenticators, self.exemptions, self.book, self.payment_keys, self.apps,
            self.proofs, self.life,
        )  # fmt: skip
