"""Commands of SIMs that sign and of codes for orders, and who executes them.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.4.5
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tallystick.application.consent import PinVerified, SimSigned
from tallystick.application.desks import Desks
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import QuoteReply


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
    code: Secret[str]


@dataclass(frozen=True, slots=True)
class OrderBySim:
    """An order whose tag verified.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    sim: str
    customer: str
    consented: SimSigned


@dataclass(frozen=True, slots=True)
class SimChanged:
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
    code: Secret[str]


SimCommand = StockSim | HearSim | BindSim | OrderBySim | SimChanged | SendOrderCode | OrderByCode

SIM_EXECUTORS: dict[type, Callable[[Desks, Turn, Any], Outcome]] = {
    StockSim: lambda desks, turn, one: desks.sims.stock(
        turn, one.iccid, one.packet_block, one.order_block
    ),
    HearSim: lambda desks, turn, one: desks.sims.hear(turn, one.sim, one.counter),
    BindSim: lambda desks, turn, one: desks.bind_sim(
        turn, one.sim, one.customer, one.activation, one.code
    ),
    OrderBySim: lambda desks, turn, one: desks.order_by_sim(
        turn, one.sim, one.customer, one.consented
    ),
    SendOrderCode: lambda desks, turn, one: desks.send_order_code(turn, one.customer, one.terms),
    OrderByCode: lambda desks, turn, one: desks.dial_with_code(
        turn, one.customer, one.consented, one.code
    ),
    SimChanged: lambda desks, turn, one: desks.sim_changed(turn, one.customer),
}
