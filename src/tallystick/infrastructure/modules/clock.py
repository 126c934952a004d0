"""The machine's clock; everybody else is handed the time.

Source: ISO/TS 12812-2:2017, 3.23
"""

import ctypes
import struct
import time
from dataclasses import dataclass

from tallystick.kernel.time import Instant

_TIME_ERROR = 5
_TIMEX = 512
"""More octets than struct timex has; zeros ask for the state and change nothing."""


_LARGEST_ERROR = struct.Struct("@IqqqqI")
"""The members of struct timex up to its status, on systems with 64 bits."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the kernel says of its clock: whether it is kept, and by how much it is off at most.

    Source: ISO/TS 12812-2:2017, 3.23; adjtimex(2)
    """

    synchronised: bool
    most_off_ms: int


class SystemClock:
    """The machine's clock.

    Source: ISO/TS 12812-2:2017, 3.23
    """

    def now(self) -> Instant:
        """Milliseconds since the epoch, by the machine.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return Instant(time.time_ns() // 1_000_000)


def is_synchronised() -> bool | None:
    """Whether the kernel says that something keeps its clock; None where it does not say.

    Source: ISO/TS 12812-2:2017, 3.23; adjtimex(2)
    """
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def clock_state() -> ClockState | None:
    """What the kernel says of its clock; None where it does not say.

    Source: ISO/TS 12812-2:2017, 3.23; adjtimex(2)
    """
    timex = ctypes.create_string_buffer(_TIMEX)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    most_off_us = int(_LARGEST_ERROR.unpack_from(timex.raw)[3])
    return ClockState(state != _TIME_ERROR, (most_off_us + 999) // 1000)


def elapsed_ms() -> int:
    """Milliseconds since some instant, by a clock that is never set.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    return time.monotonic_ns() // 1_000_000


def core_ms() -> int:
    """Milliseconds that this thread had a core until now, however many others wanted one.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    return time.thread_time_ns() // 1_000_000
