"""A SIM as the provider keeps it.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.4.5
"""

from enum import StrEnum

from tallystick.kernel.model import Record


class SimState(StrEnum):
    """Where a SIM stands; only a bound one can order.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    STOCKED = "stocked"
    BOUND = "bound"
    VOID = "void"


class SimRow(Record, frozen=True, kw_only=True):
    """A SIM: `id` is a keyed hash of its serial number, both keys are key blocks.

    `heard` is the highest counter of its packets, `said` the counter of the last packet to it.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    id: str
    state: SimState
    customer: str
    packet_block: bytes
    order_block: bytes
    heard: int
    said: int
    bound_at: int


class HolderRow(Record, frozen=True, kw_only=True):
    """Which SIM is a customer's, empty for none, and when it was last known to change (0: never).

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    customer: str
    sim: str
    changed_at: int
