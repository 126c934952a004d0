"""What operators' acts do, one line each; who may and how many must agree is the policy's.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3; 13.3; 14.2.1
"""

from collections.abc import Callable, Mapping

from tallystick.application.authentication import Access, Activation
from tallystick.application.book import LedgerBook
from tallystick.application.consent import TwoOperators, consent_of
from tallystick.application.customers import (
    Customer,
    CustomerKind,
    Customers,
    CustomerStatus,
    Profile,
)
from tallystick.application.daybook import DayBook
from tallystick.application.operators import Acted, Operators, Performer, check_two_people
from tallystick.application.payments import Ask, Payments
from tallystick.application.payments.model import Stage
from tallystick.application.policing import PolicyInForce
from tallystick.application.quoting import Quoting
from tallystick.application.sims import Sims
from tallystick.application.turn import Turn
from tallystick.application.webhooks import Webhooks
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.infrastructure.ledger.chart import cover, issue
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Conflict, Malformed, MfsError, NotFound, NotPermitted
from tallystick.kernel.time import instant_of
from tallystick.process.policy import Grade
from tallystick.process.policy.facts import FOREVER, Channel, Factor
from tallystick.protocol.desk import BIND, BindPasskey
from tallystick.protocol.operators import (
    ActivatePolicy,
    AddWebhook,
    CloseDay,
    CoverCommission,
    EraseSubject,
    FundAccount,
    InviteOperator,
    IssueActivation,
    LiftTightening,
    OpenCustomer,
    ReversePayment,
    SetIncentive,
    ShadowPolicy,
)

_open_customer = Decoder(OpenCustomer)
_issue = Decoder(IssueActivation)
_fund = Decoder(FundAccount)
_reverse = Decoder(ReversePayment)
_activate = Decoder(ActivatePolicy, limit=600 * 1024)
_shadow = Decoder(ShadowPolicy, limit=600 * 1024)
_lift = Decoder(LiftTightening)
_set = Decoder(SetIncentive)
_cover = Decoder(CoverCommission)
_erase = Decoder(EraseSubject)
_webhook = Decoder(AddWebhook)
_close = Decoder(CloseDay)
_invite = Decoder(InviteOperator)
_bind = Decoder(BindPasskey)


_RUNNING = (Stage.ACCEPTED, Stage.UNKNOWN)
_RUNS_S = 60
"""When to look again at an order that runs."""

More = Mapping[str, Performer]
"""Acts that another capability does, by name."""

Issue = Callable[[Turn, Customer, str], Activation]
"""Makes a customer's activation code and sees to it that it arrives."""


class Acts:
    """Executes acts that were signed, allowed and, where the policy asks, seconded.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(
        self,
        *,
        access: Access,
        book: LedgerBook,
        customers: Customers,
        days: DayBook,
        operators: Operators,
        payments: Payments,
        policy: PolicyInForce,
        quoting: Quoting,
        sims: Sims,
        webhooks: Webhooks,
        more: More,
    ) -> None:
        """Join the capabilities that acts touch; `more` are acts that others do.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._access = access
        self._book = book
        self._customers = customers
        self._days = days
        self._operators = operators
        self._payments = payments
        self._policy = policy
        self._quoting = quoting
        self._sims = sims
        self._webhooks = webhooks
        self._by_name: dict[str, Performer] = {
            "activate-policy": self._activate_policy,
            "add-webhook": self._add_webhook,
            BIND: self._bind_passkey,
            "close-day": self._close_day,
            "cover-commission": self._cover_commission,
            "enrol-operator": self._invite_operator,
            "erase-subject": self._erase_subject,
            "fund-account": self._fund_account,
            "issue-activation": self._issue_activation,
            "lift-tightening": self._lift_tightening,
            "open-customer": self._open_customer,
            "reverse-payment": self._reverse_payment,
            "set-incentive": self._set_incentive,
            "shadow-policy": self._shadow_policy,
            **more,
        }

    def perform(self, turn: Turn, name: str, body: bytes, jws: tuple[str, ...]) -> Acted:
        """Do the act `name` with its canonical `body`, on the signatures `jws`.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        performer = self._by_name.get(name)
        if performer is None:
            raise NotFound("there is no such act", remedy="look at the list of acts")
        return performer(turn, body, jws)

    def open_customer(
        self, turn: Turn, asked: OpenCustomer, opened_by: str, issue_code: Issue | None = None
    ) -> Acted:
        """Open a customer with an account, and send the activation to the number.

        With `issue_code` the activation goes where that says instead.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        kind = CustomerKind(asked.kind)
        ceiling = self._policy.compiled.ceiling_minor(asked.tier)
        account = self._book.open_account(turn, kind, ceiling)
        profile = Profile(name=asked.name, msisdn=asked.msisdn, till=asked.till)
        customer = self._customers.open(
            turn, profile, kind, tier=asked.tier, account=account, opened_by=opened_by
        )
        activation = (issue_code or self._access.issue)(turn, customer, opened_by)
        index = turn.record_about(
            "customer.opened",
            policy=self._policy.version,
            mac=self._customers.commit_mac(customer),
            committed={"account": account, "customer": customer.id, "name": asked.name},
            public={"customer_kind": kind.value, "opened_by": opened_by, "tier": asked.tier},
        )
        return Acted(f"customer {customer.id} opened", index, activation.id)

    def _open_customer(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        return self.open_customer(turn, _open_customer.decode(body), "operator")

    def _issue_activation(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        customer = self._customers.by_alias(_issue.decode(body).number)
        by_recovery = self._policy.compiled.policy.recovery.codes == "recovery"
        if by_recovery and (customer.devices or customer.pin or self._sims.holds(customer.id)):
            raise NotPermitted(
                "who has a device, a SIM that signs or a PIN gets a code by a recovery only",
                because="nobody lets themselves in by knowing somebody's number",
                remedy="open a recovery, with a second operator",
            )
        activation = self._access.issue(turn, customer, "operator")
        index = turn.record(
            "activation.issued",
            policy=self._policy.version,
            public={"activation": activation.id},
        )
        return Acted("an activation code was sent to the customer's number", index, activation.id)

    def _fund_account(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _fund.decode(body)
        customer = self._customers.active(self._customers.by_alias(asked.number))
        event = turn.new_id("evt")
        issued = issue(
            self._book.chart,
            event,
            customer.account,
            asked.amount_minor,
            event_index=turn.next_event(),
        )
        self._book.post(issued, turn.now)
        index = turn.record_about(
            "account.funded",
            policy=self._policy.version,
            mac=self._customers.commit_mac(customer),
            committed={"account": customer.account, "amount_minor": asked.amount_minor},
            public={"bank_reference": asked.bank_reference, "currency": asked.currency},
            event_id=event,
        )
        return Acted("money was issued against the safeguarding account", index)

    def _reverse_payment(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _reverse.decode(body)
        original = self._payments.find(asked.order)
        if original is None:
            raise NotFound("there is no such order", remedy="look at the order's id")
        if original.stage is not Stage.SETTLED or len(jws) != 2:
            raise Conflict(
                f"an order that is {original.stage} cannot be reversed",
                remedy="look at the order; what runs still can be waited for",
                retry_after_s=_RUNS_S if original.stage in _RUNNING else None,
            )
        payer = self._customers.owner(original.payee)
        payee = self._customers.owner(original.payer)
        quote = self._quoting.reversal(
            original, payee, self._customers.profile(payee).name, turn.now
        )
        grade = Grade.TWO_OPERATORS
        consent = consent_of(quote, device="", grade=grade.value, consented_at=turn.now)
        ask = Ask(
            consented=TwoOperators(consent=consent, acts=(jws[0], jws[1])),
            payer=payer,
            channel=Channel.OPERATOR.value,
            grade=grade.value,
            device_trust="none",
            device_enrolled_at=0,
            session_since=turn.now,
            factors=(Factor.POSSESSION.value, Factor.KNOWLEDGE.value),
        )
        outcome = self._payments.order(turn, ask)
        if isinstance(outcome.reply, MfsError):
            raise outcome.reply
        return Acted(f"order {original.id} was given back", outcome.event, quote.order)

    def _activate_policy(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        index = self._policy.activate(turn, _activate.decode(body).envelope)
        return Acted(f"policy version {self._policy.version} is in force", index)

    def _shadow_policy(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        envelope = _shadow.decode(body).envelope
        if not envelope:
            return Acted("no policy decides in shadow", self._policy.end_shadow(turn))
        index = self._policy.shadow(turn, envelope)
        return Acted(f"policy version {self._policy.shadow_version} decides in shadow", index)

    def _lift_tightening(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _lift.decode(body)
        check_two_people("lift a tightening", jws, because="lifting loosens")
        until = instant_of(asked.until) if asked.until else FOREVER
        if until <= turn.now:
            raise Malformed("a tightening is lifted until a moment that is to come")
        index = self._policy.lift(turn, asked.entry, until, asked.because)
        blocked = asked.until or "the next version of the policy"
        return Acted(f"{asked.entry} is lifted and does not begin again before {blocked}", index)

    def _set_incentive(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _set.decode(body)
        check_two_people("set an incentive", jws, because="setting may loosen")
        if asked.subject.startswith("cus_"):
            agent = self._customers.get(asked.subject)
            if agent.kind is not CustomerKind.AGENT:
                raise NotPermitted(
                    "only agents stand on the incentives of agents", remedy="name an agent"
                )
        index = self._payments.incentives.put(
            turn, asked.ladder, asked.subject, asked.step, asked.because
        )
        return Acted(f"{asked.subject} is on step {asked.step} of {asked.ladder}", index)

    def _cover_commission(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _cover.decode(body)
        if asked.currency != self._book.chart.currency:
            raise Malformed(f"this provider's books are in {self._book.chart.currency}")
        event = turn.new_id("evt")
        paid = cover(self._book.chart, event, asked.amount_minor, event_index=turn.next_event())
        self._book.post(paid, turn.now)
        index = turn.record(
            "commission.covered",
            policy=self._policy.version,
            public={
                "amount_minor": asked.amount_minor,
                "bank_reference": asked.bank_reference,
                "currency": asked.currency,
            },
            event_id=event,
        )
        return Acted("own money is safeguarded for what is owed", index)

    def _erase_subject(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _erase.decode(body)
        customer = self._customers.get(asked.customer)
        if customer.status is CustomerStatus.SUSPENDED:
            raise Conflict(
                "the account is frozen or suspended", remedy="release or resume it first"
            )
        if self._book.available(customer.account) or self._book.reserved(customer.account):
            raise Conflict("the account still has money", remedy="pay it out first")
        self._customers.erase(turn, customer)
        index = turn.record(
            "customer.erased",
            policy=self._policy.version,
            public={"because": asked.because, "customer": customer.id},
        )
        return Acted("the person's key is destroyed; every proof stays valid", index)

    def _add_webhook(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _webhook.decode(body)
        webhook = self._webhooks.add(turn, asked.url, asked.kinds)
        index = turn.record(
            "webhook.added", policy=self._policy.version, public={"webhook": webhook}
        )
        return Acted("events will be delivered there, signed", index, webhook)

    def _close_day(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        closing = self._days.close(turn, _close.decode(body).day)
        index = turn.record("day.closed", policy=self._policy.version, public=closing.public())
        return Acted(closing.says(), index)

    def _invite_operator(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _invite.decode(body)
        if asked.role not in self._policy.compiled.policy.operators.roles:
            raise NotFound("the policy in force knows no such role", remedy="look at its roles")
        issued_by = read_signature(jws[0]).act.operator
        self._operators.invite(turn, asked.code_hash, asked.role, issued_by)
        index = turn.record(
            "operator.invited", policy=self._policy.version, public={"role": asked.role}
        )
        return Acted("whoever has the code may enrol once", index)

    def _bind_passkey(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _bind.decode(body)
        operator = self._operators.get(read_signature(jws[0]).act.operator)
        self._operators.invite(turn, asked.code_hash, operator.role, operator.id, operator.id)
        index = turn.record(
            "operator.passkey-invited",
            policy=self._policy.version,
            public={"operator": operator.id},
        )
        return Acted("the code brings one passkey to you", index)
