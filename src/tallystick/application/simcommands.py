"""Commands of SIMs that sign and of codes for orders, and who executes them.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.4.5
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tallystick.application.consent import PinVerified, SimSigned
from tallystick.application.customers import Customer
from tallystick.application.desks import Desks
from tallystick.application.foreseeing import check_open
from tallystick.application.notices import Template
from tallystick.application.payments import Ask
from tallystick.application.turn import Outcome, Turn
from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.tally.leaf import Commitments
from tallystick.kernel.errors import NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import HOUR_MS
from tallystick.process.policy import Grade, Operation
from tallystick.process.policy.facts import Channel, DeviceTrust, Factor
from tallystick.protocol.payments import Empty, QuoteReply, quote_in

_TOLD_ANEW_MS = HOUR_MS
_FACTORS = (Factor.POSSESSION.value, Factor.KNOWLEDGE.value)


@dataclass(frozen=True, slots=True)
class StockSim:
    """The keys of a SIM that was made, as key blocks.

    Source: ISO/TS 12812-2:2017, 7.2.4; 7.4.2
    """

    iccid: str
    packet_block: bytes
    order_block: bytes


@dataclass(frozen=True, slots=True)
class HearSim:
    """A packet that verified, to be taken over once.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    sim: str
    counter: int


@dataclass(frozen=True, slots=True)
class BindSim:
    """A customer's wish to bind a SIM, with an activation code.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    sim: str
    customer: str
    activation: str
    code: KeyedCode


@dataclass(frozen=True, slots=True)
class OrderBySim:
    """An order whose tag verified.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    sim: str
    customer: str
    consented: SimSigned


@dataclass(frozen=True, slots=True)
class ReportSimChange:
    """The network's word that a customer's SIM was replaced.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    customer: str


@dataclass(frozen=True, slots=True)
class SendOrderCode:
    """A code for an order whose PIN was found right.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    customer: str
    terms: QuoteReply


@dataclass(frozen=True, slots=True)
class OrderByCode:
    """An order whose PIN was found right before, with the code that was sent for it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    customer: str
    consented: PinVerified
    code: KeyedCode


def _bind(desks: Desks, turn: Turn, asked: BindSim) -> Outcome:
    """Bind a SIM to a customer who has a right activation code.

    It gives its holder a PIN to consent with, and is held like one that is dialled: without using
    up the code it raises OutOfReach while what enrolling leans on fails, and the policy's refusal
    while the SIM that the code was sent to changed too lately, Conflict for a SIM not in stock.
    """
    desks.policy.check_reach(Operation.ENROL, turn.now)
    named = desks.customers.get(asked.customer)
    desks.signals.hold_back(named, Operation.CHANGE_PIN, Channel.USSD, turn.now)
    desks.sims.check_stocked(asked.sim)
    customer = desks.access.redeem(turn, asked.activation, asked.code)
    if customer.id != asked.customer:
        raise NotAuthentic("the activation code is not valid", remedy="check it")
    desks.access.redeemed(turn, customer, asked.activation, "")
    replaced = desks.sims.bind(turn, asked.sim, customer.id)
    if replaced:
        desks.notices.add(turn, customer.id, Template.SIM_CHANGED, customer.id)
    return _sim_event(desks, turn, "sim.bound", customer, asked.sim, replaced=replaced)


def _order(desks: Desks, turn: Turn, asked: OrderBySim) -> Outcome:
    """Execute an order that the customer's own SIM tagged; its key says that it is that SIM."""
    customer = desks.customers.get(asked.customer)
    desks.sims.check_bound(asked.sim, customer.id)
    if asked.consented.consent.payer != customer.account:
        raise NotPermitted("the order is not this customer's")
    desks.education.check_terms(customer)
    ask = Ask(
        consented=asked.consented,
        payer=customer,
        channel=Channel.USSD.value,
        grade=Grade.SIM_SIGNED.value,
        device_trust=DeviceTrust.NONE.value,
        device_enrolled_at=0,
        session_since=turn.now,
        factors=_FACTORS,
        sim_age_ms=desks.signals.facts(customer, turn.now).sim_age_ms,
        risk_score=desks.approvals.kept.score(customer.id, turn.now),
        recovering_for_ms=desks.recovery.since(customer.id, turn.now),
    )
    return desks.payments.order(turn, ask)


def _changed(desks: Desks, turn: Turn, asked: ReportSimChange) -> Outcome:
    """Believe the network that the customer's SIM was replaced: it signs nothing any more.

    The customer is told, but once for what a network says several times.
    """
    customer = desks.customers.get(asked.customer)
    if desks.sims.age_ms(customer.id, turn.now) >= _TOLD_ANEW_MS:
        desks.notices.add(turn, customer.id, Template.SIM_CHANGED, customer.id)
    sim = desks.sims.changed(turn, customer.id)
    return _sim_event(desks, turn, "sim.changed", customer, sim, replaced=bool(sim))


def _sim_event(
    desks: Desks, turn: Turn, kind: str, customer: Customer, sim: str, *, replaced: bool
) -> Outcome:
    event = turn.new_id("evt")
    commitments = Commitments(event)
    commitments.commit(desks.customers.commit_mac(customer), {"customer": customer.id, "sim": sim})
    index = turn.record(
        kind,
        policy=desks.policy.version,
        public={"replaced": int(replaced)},
        commitments=commitments,
        event_id=event,
    )
    return Outcome(Empty(), index)


def _send_code(desks: Desks, turn: Turn, asked: SendOrderCode) -> Outcome:
    """Send a code for an order whose PIN was right and for which the policy asks for more."""
    customer = desks.customers.active(desks.customers.get(asked.customer))
    return desks.order_codes.send(turn, customer, asked.terms.quote)


def _order_by_code(desks: Desks, turn: Turn, asked: OrderByCode) -> Outcome:
    """Execute an order that a PIN and a code confirmed.

    What no code would change is refused first, alike for every code, and uses none up.
    """
    customer = replace(desks.customers.get(asked.customer), pin_failures=0)  # its PIN was right
    ask = desks.dialled(customer, asked.consented, Grade.CODE_CONFIRMED, turn.now)
    check_open(desks.payments, desks.policy, desks.customers, turn.now, ask)
    desks.order_codes.use(turn, asked.customer, quote_in(asked.consented.consent), asked.code)
    return desks.dial(turn, asked.customer, asked.consented, Grade.CODE_CONFIRMED)


SimCommand = (
    StockSim | HearSim | BindSim | OrderBySim | ReportSimChange | SendOrderCode | OrderByCode
)

SIM_EXECUTORS: dict[type, Callable[[Desks, Turn, Any], Outcome]] = {
    StockSim: lambda desks, turn, one: desks.sims.stock(
        turn, one.iccid, one.packet_block, one.order_block
    ),
    HearSim: lambda desks, turn, one: desks.sims.hear(turn, one.sim, one.counter),
    BindSim: _bind,
    OrderBySim: _order,
    ReportSimChange: _changed,
    SendOrderCode: _send_code,
    OrderByCode: _order_by_code,
}
