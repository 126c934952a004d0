"""TOTP: HOTP whose counter is the time, in steps since an epoch.

Source: RFC 6238
"""

from tallystick.kernel.errors import Malformed
from tallystick.kernel.time import SECOND_MS, Instant

LONGEST_STEP_S = 300


def step_of(now: Instant, step_s: int, begins_s: int = 0) -> int:
    """The time step that `now` (ms) lies in, of `step_s` seconds each since `begins_s`.

    Raises Malformed for a length that is none.
    Source: RFC 6238, 4.2
    """
    if not 0 < step_s <= LONGEST_STEP_S:
        raise Malformed(f"a time step has 1 to {LONGEST_STEP_S} seconds")
    return (now // SECOND_MS - begins_s) // step_s
