"""What operators do about recoveries, resting, frozen and suspended accounts, and agents' places.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.1; 7.4.5
"""

from dataclasses import dataclass

from tallystick.application.assisting import AgentBounds
from tallystick.application.book import LedgerBook
from tallystick.application.customers import Customer, CustomerStatus
from tallystick.application.notices import Template
from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.recovery.model import Opener, RecoveryRow
from tallystick.application.recovery.rules import frozen, moved, runs, suspended
from tallystick.application.recovery.service import Opening, Recovery
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import instant_of
from tallystick.protocol.recovery import (
    CancelRecovery,
    FinishRecovery,
    FreezeAccount,
    OpenRecovery,
    PlaceAgent,
    RecoveryKind,
    RecoveryState,
    ReleaseAccount,
    RestAccount,
    ResumeCustomer,
    SuspendCustomer,
    ViewFrozen,
)

_BECAUSE = "it lets somebody in"

_open = Decoder(OpenRecovery)
_finish = Decoder(FinishRecovery)
_cancel = Decoder(CancelRecovery)
_rest = Decoder(RestAccount)
_freeze = Decoder(FreezeAccount)
_view = Decoder(ViewFrozen)
_release = Decoder(ReleaseAccount)
_suspend = Decoder(SuspendCustomer)
_resume = Decoder(ResumeCustomer)
_place = Decoder(PlaceAgent)


@dataclass(frozen=True, slots=True)
class LifeActs:
    """Executes the acts of people about the life of accounts.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.5
    """

    recovery: Recovery
    bounds: AgentBounds
    book: LedgerBook

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {
            "open-recovery": self._open_recovery,
            "finish-recovery": self._finish_recovery,
            "cancel-recovery": self._cancel_recovery,
            "rest-account": self._rest_account,
            "freeze-account": self._freeze_account,
            "view-frozen": self._view_frozen,
            "release-account": self._release_account,
            "suspend-customer": self._suspend_customer,
            "resume-customer": self._resume_customer,
            "place-agent": self._place_agent,
        }

    def _open_recovery(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("open a recovery", jws, because=_BECAUSE)
        asked = _open.decode(body)
        customer = self.recovery.parts.customers.by_alias(asked.number)
        opening = Opening(
            kind=RecoveryKind(asked.kind),
            opener=Opener.OPERATORS,
            proof=",".join(_operator(one) for one in jws),
            evidence=asked.evidence,
            new_number=asked.new_number,
            because=asked.because,
        )
        event = turn.next_event()
        row = self.recovery.open(turn, customer, opening)
        return Acted("the recovery cools off, and every old channel was told", event, row.id)

    def _finish_recovery(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        row = self.recovery.find(_finish.decode(body).recovery)
        event = turn.next_event()
        done = self.recovery.finish(turn, row, _operator(jws[-1]))
        sent = done.state is RecoveryState.CODE_SENT
        says = "a code was sent to the customer's number" if sent else "the recovery is completed"
        return Acted(says, event, done.id)

    def _cancel_recovery(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _cancel.decode(body)
        row = self.recovery.find(asked.recovery)
        outcome = self.recovery.cancel(turn, row, _operator(jws[-1]), asked.because)
        return Acted("the recovery is cancelled", outcome.event, row.id)

    def _rest_account(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _rest.decode(body)
        parts = self.recovery.parts
        customer = parts.customers.active(parts.customers.by_alias(asked.number))
        if any(runs(row) for row in self.recovery.of(customer.id)):
            raise Conflict("a recovery of this account runs", remedy="finish or cancel it first")
        parts.customers.save(turn, replace(customer, status=CustomerStatus.DORMANT))
        turn.on_durable(lambda: parts.sessions.end_customer(customer.id, turn.now))
        index = turn.record(
            "account.rested", policy=parts.policy.version, public={"because": asked.because}
        )
        return Acted("the account rests until it is recovered", index, customer.id)

    def _freeze_account(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _freeze.decode(body)
        customer = self.recovery.parts.customers.by_alias(asked.number)
        if any("," in one or not one.startswith("opr_") for one in asked.operators):
            raise Malformed("operators are named by their ids")
        if any(frozen(row) for row in self.recovery.of(customer.id)):
            raise Conflict("the account is frozen", remedy="let two officers release it first")
        opening = Opening(
            kind=RecoveryKind(asked.kind),
            opener=Opener.OPERATORS,
            proof=customer.status.value,
            evidence=asked.evidence,
            because=asked.because,
        )
        row = self._stop(turn, customer, opening, "the account is frozen", asked.operators)
        index = self.recovery.record(turn, row, "account.frozen")
        return Acted("nothing leaves the account", index, row.id)

    def _suspend_customer(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _suspend.decode(body)
        parts = self.recovery.parts
        customer = parts.customers.by_alias(asked.number)
        if customer.status is CustomerStatus.SUSPENDED:
            raise Conflict(
                f"the customer is {customer.status}",
                remedy="look at the customer's page for what stops the account",
            )
        opening = Opening(
            kind=RecoveryKind.SUSPENSION,
            opener=Opener.OPERATORS,
            proof=customer.status.value,
            because=asked.because,
        )
        row = self._stop(turn, customer, opening, "the customer is suspended")
        parts.notices.add(turn, customer.id, Template.CUSTOMER_SUSPENDED, row.id)
        index = self.recovery.record(turn, row, "customer.suspended")
        return Acted("the customer is suspended on every channel, and was told", index, row.id)

    def _stop(
        self,
        turn: Turn,
        customer: Customer,
        opening: Opening,
        because: str,
        access: tuple[str, ...] = (),
    ) -> RecoveryRow:
        """Let nothing go out or come in, end recoveries, codes and sessions."""
        parts = self.recovery.parts
        if customer.status is CustomerStatus.ERASED:
            raise Conflict(
                f"the account is {customer.status}",
                remedy="look at the customer's page for what stops the account",
            )
        for row in self.recovery.of(customer.id):
            if runs(row):
                self.recovery.cancel(turn, row, opening.kind.value, because)
        stopped = self.recovery.row(turn, customer, opening, RecoveryState.FROZEN)
        stopped = replace(stopped, access=",".join(access))
        if customer.activation:
            parts.access.void(turn, customer.activation)
        now_known = parts.customers.get(customer.id)
        parts.customers.save(turn, replace(now_known, status=CustomerStatus.SUSPENDED))
        turn.on_durable(lambda: parts.sessions.end_customer(customer.id, turn.now))
        self.recovery.keep_new(turn, stopped)
        return stopped

    def _resume_customer(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("resume a customer", jws, because=_BECAUSE)
        asked = _resume.decode(body)
        parts = self.recovery.parts
        customer = parts.customers.by_alias(asked.number)
        rows = self.recovery.of(customer.id)
        row = next((one for one in rows if suspended(one)), None)
        if row is None:
            raise NotFound("this customer is not suspended", remedy="look at the customer's page")
        if any(frozen(one) for one in rows):
            raise Conflict("the account is frozen as well", remedy="release it first")
        before = self._let_go_on(turn, row, jws)
        parts.notices.add(turn, customer.id, Template.CUSTOMER_RESUMED, row.id)
        now_known = self.recovery.find(row.id)
        index = self.recovery.record(turn, now_known, "customer.resumed", asked.because)
        return Acted(f"the customer is {before} again", index, row.id)

    def _let_go_on(self, turn: Turn, row: RecoveryRow, jws: tuple[str, ...]) -> CustomerStatus:
        """End the freeze or suspension `row`: the customer stands again as before it."""
        by = ",".join(_operator(one) for one in jws)
        customers = self.recovery.parts.customers
        before = CustomerStatus(row.proof)
        customers.save(turn, replace(customers.get(row.customer), status=before))
        self.recovery.keep_new(turn, moved(row, RecoveryState.RELEASED, turn.now, by))
        return before

    def _view_frozen(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        row = self._frozen(_view.decode(body).customer)
        operator = _operator(jws[-1])
        if operator not in row.access.split(","):
            raise NotPermitted(
                "the freeze does not name this operator",
                because=row.kind.value,
                remedy="ask an operator whom the freeze names",
            )
        customer = self.recovery.parts.customers.get(row.customer)
        seen = {
            "account": customer.account,
            "available_minor": self.book.available(customer.account),
            "currency": self.book.chart.currency,
            "reserved_minor": self.book.reserved(customer.account),
        }
        index = self.recovery.record(turn, replace(row, ended_by=operator), "account.viewed")
        return Acted(encode_canonical(seen).decode(), index, row.id)

    def _release_account(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("release an account", jws, because=_BECAUSE)
        asked = _release.decode(body)
        row = self._frozen(asked.customer)
        before = self._let_go_on(turn, row, jws)
        told = replace(self.recovery.find(row.id), evidence=asked.evidence)
        index = self.recovery.record(turn, told, "account.released", asked.because)
        return Acted(f"the account is {before} again", index, row.id)

    def _place_agent(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _place.decode(body)
        agent = self.recovery.parts.customers.by_alias(asked.number)
        until = instant_of(asked.trained_until)
        index = self.bounds.place(turn, agent, asked.zones, until)
        return Acted("the agent assists there and no longer than trained", index, agent.id)

    def _frozen(self, customer: str) -> RecoveryRow:
        for row in self.recovery.of(customer):
            if frozen(row):
                return row
        raise NotFound("this account is not frozen", remedy="look at the customer's page")


def _operator(jws: str) -> str:
    return read_signature(jws).act.operator
