"""The machine's clock; everybody else is handed the time.

Source: ISO/TS 12812-2:2017, 3.23
"""

import time

from tallystick.kernel.time import Instant


class SystemClock:
    """The machine's clock.

    Source: ISO/TS 12812-2:2017, 3.23
    """

    def now(self) -> Instant:
        """Milliseconds since the epoch, by the machine.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return Instant(time.time_ns() // 1_000_000)
