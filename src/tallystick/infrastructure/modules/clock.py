"""The machine's clock; everybody else is handed the time.

Source: ISO/TS 12812-2:2017, 3.23
"""

import ctypes
import time

from tallystick.kernel.time import Instant

_TIME_ERROR = 5
_TIMEX = 512
"""More octets than struct timex has; zeros ask for the state and change nothing."""


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
