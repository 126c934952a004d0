"""What a mobile network says of a customer's number, as stored; no number is in it.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 7.4.5
"""

from enum import StrEnum
from typing import NamedTuple

from tallystick.kernel.model import Record

UNKNOWN = -1
"""A moment that nobody told; zero is "never, as far as the network can see"."""


class SignalKind(StrEnum):
    """What the network saw happen to a number.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    SIM_SWAP = "sim-swap"
    DEVICE_SWAP = "device-swap"
    RECYCLED = "number-recycled"


class Answers(Record, frozen=True, kw_only=True):
    """What the network answered at one time; moments in ms, `UNKNOWN` where it did not say.

    `sim_changed_at` and `device_changed_at` are 0 where no change was seen in the monitored period,
    which is `sim_seen_ms` and `device_seen_ms` long. `recycled` says that somebody else has the
    number since the account was opened, `roaming` that the phone is abroad.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    sim_changed_at: int = UNKNOWN
    sim_seen_ms: int = 0
    device_changed_at: int = UNKNOWN
    device_seen_ms: int = 0
    recycled: bool = False
    roaming: bool = False


class SignalRow(Record, frozen=True, kw_only=True):
    """The last answers about a customer's number and when they were given (ms).

    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.4
    """

    customer: str
    asked_at: int
    sim_changed_at: int
    sim_seen_ms: int
    device_changed_at: int
    device_seen_ms: int
    recycled: int
    roaming: int


class SimFacts(NamedTuple):
    """What a decision is told: how old the SIM is at least, and the signal if it is missing or old.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    sim_age_ms: int
    degraded: tuple[tuple[str, int], ...]
