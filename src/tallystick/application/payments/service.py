"""Orders from consent to receipt, as the writer executes them.

    known id?  -> the original answer, or Conflict for another body
    facts -> decision -> Permit -> book -> event -> order row        settled
                      -> Denied, limits, funds -> event -> order row refused, and remembered
                      -> StepUp, Delayed, a dependency fails -> refused now, not remembered

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.1; 11.2.2
"""

from collections.abc import Sequence

from tallystick.application.book import LedgerBook
from tallystick.application.consent import TwoOperators, evidence_of
from tallystick.application.customers import Customer, Customers
from tallystick.application.exemptions import Exemptions
from tallystick.application.incentives import Commission, Incentives
from tallystick.application.incentives.service import agent_account, pays_agents
from tallystick.application.notices import Notices, Template
from tallystick.application.payments.model import (
    Ask,
    Evidence,
    KnownPayee,
    OrderRow,
    PaymentSettled,
    Stage,
    refusal_of,
)
from tallystick.application.payments.proof import Proofs, public_fields, seen_by
from tallystick.application.payments.rules import body_digest, check_parties, check_refund, facts_of
from tallystick.application.payments.store import KNOWN_PAYEE, ORDER, last_order
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    LimitExceeded,
    MfsError,
    NotFound,
    NotPermitted,
    Refused,
)
from tallystick.kernel.ids import first_id_at
from tallystick.kernel.model import replace
from tallystick.process.policy import Delayed, Denied, Grade, Permit, StepUp
from tallystick.protocol.payments import Consent, PaymentKind

_GIVING_BACK = frozenset({PaymentKind.REFUND, PaymentKind.REVERSAL})
_DIALLED = frozenset({Grade.PIN_VERIFIED.value, Grade.CODE_CONFIRMED.value, Grade.SIM_SIGNED.value})
_ORDER = "ord"


class Payments:
    """Executes orders; remembers every final answer under its order id.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        customers: Customers,
        book: LedgerBook,
        policy: PolicyInForce,
        notices: Notices,
        exemptions: Exemptions,
        incentives: Incentives,
        reader: Reader,
        *,
        started_at: int,
        capacity: int,
    ) -> None:
        """Use `customers`, `book` and `policy`; orders issued before `started_at` may be on disk.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._customers = customers
        self.incentives = incentives
        self._proofs = Proofs(customers, incentives.commissions)
        self._book = book
        self._policy = policy
        self._notices = notices
        self._exemptions = exemptions
        self._orders = RowCache(ORDER, OrderRow, reader, capacity=capacity)
        self._payees = RowCache(KNOWN_PAYEE, KnownPayee, reader, capacity=capacity)
        self._reader = reader
        self._all_known_from = self._first_unknown(started_at)
        self._stage = Stage.ACCEPTED if book.elsewhere else Stage.SETTLED

    def order(self, turn: Turn, ask: Ask) -> Outcome:
        """Execute an authentic order, or answer as it was answered before.

        Raises Conflict, StepUpRequired, NotPermitted (delay), OutOfReach (a dependency fails) and
        ServiceSuspended without a trace; every other refusal is recorded and remembered.

        Unavailable and Broken say nothing of the order: the caller has to undo the whole batch.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        consent = ask.consented.consent
        evidence = evidence_of(ask.consented)
        digest = body_digest(evidence)
        known = self.find(consent.order)
        if known is not None:
            return self._again(known, digest)
        self._policy.services.check(consent.kind, ask.channel)
        payee = self._payee(consent)
        known_payee = self._payees.get(consent.payer + consent.payee) is not None
        facts = facts_of(ask, consent, self._policy, turn.now, payee_known=known_payee)
        facts = self.incentives.with_steps(facts, ask.payer, payee)
        if pays_agents(consent.kind):
            self.incentives.commissions.begin(consent.order)
        verdict = self._policy.decide(facts, subject=consent.order)
        decision = verdict.decision
        refusal: MfsError | None = None
        if isinstance(verdict, Denied) and decision.closed:
            raise verdict.error()
        if ask.instead is not None and isinstance(verdict, Denied | StepUp):
            raise ask.instead
        if turn.now > consent.expires_at:
            # Remembered like every refusal: a clock that is set back, or another machine's, must
            # not let a late copy of the order through once its payer was told that it is void.
            refusal = Expired("the quote has expired", remedy="ask for a new quote")
        elif isinstance(verdict, StepUp | Delayed):
            raise verdict.error()
        elif isinstance(verdict, Permit):
            try:
                self._execute(turn, ask, consent, verdict, payee, digest)
            except Refused as error:  # a store that is away refuses nothing: it undoes the batch
                if ask.instead is not None and isinstance(error, LimitExceeded):
                    raise ask.instead from error
                refusal = error
        else:
            refusal = verdict.error()
        facts_text = encode_canonical(facts).decode()
        kept = self._kept(ask, consent, evidence, facts_text)
        row = self._row(turn, ask, consent, digest, decision.row, refusal, kept)
        return self._record(turn, ask, consent, payee, row, facts_text)

    def _payee(self, consent: Consent) -> Customer | None:
        try:
            return self._customers.owner(consent.payee)
        except NotFound:
            return None

    def _execute(
        self,
        turn: Turn,
        ask: Ask,
        consent: Consent,
        permit: Permit,
        payee: Customer | None,
        digest: bytes,
    ) -> None:
        """Move the money, or raise why not; takes the permit that only the decision makes."""
        if permit.subject != consent.order:
            raise NotPermitted("the permit is for another order")
        if payee is None:
            raise NotFound("the payee's account does not exist")
        self._customers.active(ask.payer)
        self._customers.payable(payee)
        if not isinstance(ask.consented, TwoOperators):
            check_parties(consent.kind, ask.payer.kind, payee.kind)
        original: OrderRow | None = None
        if consent.kind in _GIVING_BACK:
            original = self.find(consent.original)
            check_refund(original, consent.payer, consent.payee, consent.amount_minor)
        commission = self._commission(consent, permit)
        self._book.pay(
            order=consent.order,
            payer=consent.payer,
            payee=consent.payee,
            amount_minor=consent.amount_minor,
            fee_minor=consent.fee_minor,
            commission=commission,
            limits=permit.limits,
            body_hash=digest,
            now=turn.now,
            event=turn.next_event(),
        )
        if original is not None:
            self.give_back(turn, original, consent.amount_minor)
        if self._exemptions.counting and not isinstance(ask.consented, TwoOperators):
            known = self._payees.get(consent.payer + consent.payee) is not None
            self._exemptions.settled(
                turn, consent.order, ask.payer.id, consent.kind, consent.amount_minor, known=known
            )
        before = "" if original is None else original.kind
        self.incentives.keep(turn, commission, consent.original, before)
        self.know(turn, consent.payer, consent.payee)

    def know(self, turn: Turn, payer: str, payee: str) -> None:
        """Remember that `payer` paid or confirmed `payee`, both account ids.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        pair = payer + payee
        if self._payees.get(pair) is None:
            self._payees.put(pair, KnownPayee(pair=pair, since=turn.now), turn.changes)

    def knows(self, payer: str, payee: str) -> bool:
        """Whether `payer` paid or confirmed `payee` before, both account ids.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._payees.get(payer + payee) is not None

    def _commission(self, consent: Consent, permit: Permit) -> Commission | None:
        """What the order pays its agent; what a reversal takes back of it."""
        if consent.kind == PaymentKind.REVERSAL:
            original = self.find(consent.original)
            kind = "" if original is None else original.kind
            return self.incentives.taken_back(consent.order, consent.original, kind)
        agent = agent_account(consent.kind, consent.payer, consent.payee)
        earned = permit.commission_minor
        return self.incentives.earned(consent.order, agent, earned, permit.facts)

    def give_back(self, turn: Turn, original: OrderRow, amount_minor: int) -> None:
        """Note on `original` that `amount_minor` of it went back.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        returned = original.returned_minor + amount_minor
        stage = Stage.RETURNED if returned == original.amount_minor else original.stage
        self.save(turn, replace(original, returned_minor=returned, stage=stage))

    def _row(
        self,
        turn: Turn,
        ask: Ask,
        consent: Consent,
        digest: bytes,
        row: str,
        refusal: MfsError | None,
        evidence: bytes,
    ) -> OrderRow:
        return OrderRow(
            id=consent.order,
            body_hash=digest,
            kind=consent.kind,
            stage=self._stage if refusal is None else Stage.REFUSED,
            error="" if refusal is None else refusal.code,
            detail="" if refusal is None else refusal.detail,
            remedy="" if refusal is None else refusal.remedy,
            because="" if refusal is None else refusal.because,
            payer=consent.payer,
            payee=consent.payee,
            amount_minor=consent.amount_minor,
            fee_minor=consent.fee_minor,
            currency=consent.currency,
            original=consent.original,
            returned_minor=0,
            grade=ask.grade,
            device=consent.device,
            policy=self._policy.version,
            row=row,
            evidence=evidence,
            event=turn.next_event(),
            balance_minor=self._book.available(consent.payer),
            at=turn.now,
        )

    def _record(
        self,
        turn: Turn,
        ask: Ask,
        consent: Consent,
        payee: Customer | None,
        row: OrderRow,
        facts_text: str,
    ) -> Outcome:
        """Append the event and the order's row, and make the answer."""
        commitments = self._proofs.commitments(
            row, ask.payer, payee, consent.payee_name, facts_text
        )
        index = turn.record(
            "payment",
            policy=row.policy,
            public=public_fields(row),
            commitments=commitments,
            event_id=row.id,
            stage=row.stage,
        )
        self._orders.add(row.id, row, turn.changes)
        if row.stage is Stage.SETTLED:
            self.tell(turn, row, ask.payer, payee)
        return Outcome(self._reply(row), index, commitments.disclosures(self._sees(row)))

    def _sees(self, row: OrderRow) -> frozenset[str]:
        return seen_by(row, row.payer, self.incentives.commissions.of(row.id, row.kind))

    def _kept(self, ask: Ask, consent: Consent, evidence: str, facts_text: str) -> bytes:
        """The consent as given and the facts, sealed under the payer's own key."""
        kept = Evidence(
            proof=evidence,
            consent="" if consent.device else encode_canonical(consent).decode(),
            facts=facts_text,
        )
        return self._customers.seal(ask.payer, encode_canonical(kept))

    def tell(self, turn: Turn, row: OrderRow, payer: Customer, payee: Customer | None) -> None:
        """Tell those by SMS who have no device that could show them the receipt.

        Who paid by dialling is told in any case: the app knows nothing of it.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        back = row.kind is PaymentKind.REVERSAL
        if not payer.devices or row.grade in _DIALLED:
            sent = Template.PAYMENT_REVERSED if back else Template.PAYMENT_SENT
            self._notices.add(turn, payer.id, sent, row.id)
        if payee is not None and not payee.devices:
            received = Template.PAYMENT_REVERSED if back else Template.PAYMENT_RECEIVED
            self._notices.add(turn, payee.id, received, row.id)

    def _reply(self, row: OrderRow) -> MfsError | PaymentSettled:
        if row.error:
            return refusal_of(row)
        return PaymentSettled(row.balance_minor)

    def _again(self, known: OrderRow, digest: bytes) -> Outcome:
        """The original answer to an order that was answered before."""
        if known.body_hash != digest:
            raise Conflict("this order id was used for another order", remedy="ask for a new quote")
        return Outcome(
            self._reply(known), known.event, self._proofs.disclosures(known, known.payer)
        )

    def find(self, order: str) -> OrderRow | None:
        """The order with this id, or None; asks the disk only where memory cannot know.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if order >= self._all_known_from:
            self._orders.learn(order, None)
        return self._orders.get(order)

    @property
    def proofs(self) -> Proofs:
        """What proves orders.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._proofs

    def by_event(self, leaf: bytes | None) -> OrderRow | None:
        """The order that a leaf of the tally records, or None.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if leaf is None:
            return None
        event = decode_leaf(leaf)
        return self.find(event.id) if event.kind == "payment" else None

    def prefetch(self, consents: Sequence[Consent]) -> None:
        """Bring the orders and payees of `consents` into memory with at most two statements.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        old = [one.order for one in consents if one.order < self._all_known_from]
        self._orders.prefetch(old)
        self._payees.prefetch([one.payer + one.payee for one in consents])

    def save(self, turn: Turn, row: OrderRow) -> None:
        """Keep a changed order.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._orders.put(row.id, row, turn.changes)

    def trim(self, now: int) -> None:
        """Forget orders that are over capacity; what is forgotten is on disk.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._payees.trim()
        self.incentives.commissions.trim()
        if self._orders.trim():
            self._all_known_from = max(self._all_known_from, first_id_at(_ORDER, now + 1))

    def reset(self, now: int) -> None:
        """Forget all orders, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._orders.reset()
        self._payees.reset()
        self.incentives.reset()
        self._all_known_from = self._first_unknown(now)

    def _first_unknown(self, now: int) -> str:
        """From this id on memory knows every order: behind `now`, and behind all that are stored.

        A clock that was set back, or another machine's that was ahead, gave ids behind `now`.
        """
        return max(first_id_at(_ORDER, now + 1), last_order(self._reader) + "0")
