"""Random bytes of the operating system, watched for the failures that can be seen from here.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 18031; NIST SP 800-90B, 4.4.1
"""

import os
from collections.abc import Callable

from tallystick.kernel.errors import Broken, Malformed, Unavailable

Entropy = Callable[[int], bytes]
"""Gives as many random bytes as it is asked for; a test may pass a seeded one."""

_WATCHED = 16
_MAX_DRAW = 1 << 20


def operating_system(length: int) -> bytes:
    """`length` bytes of getrandom(2).

    Raises Unavailable where the operating system has none.
    Source: ISO/IEC 18031
    """
    try:
        return os.urandom(length)  # noqa: TID251 - this is the module's own source
    except (OSError, NotImplementedError) as error:
        raise Unavailable("the operating system gives no random bytes") from error


class WatchedEntropy:
    """A source that stops for good when it repeats itself.

    Each draw is preceded by a sample of 16 bytes that is compared with the one before it; a healthy
    source repeats one with a chance of 2^-128.
    Source: NIST SP 800-90B, 4.4.1
    """

    def __init__(self, source: Entropy = operating_system) -> None:
        self._source = source
        self._last = source(_WATCHED)
        self._stuck = False

    def __call__(self, length: int) -> bytes:
        """`length` random bytes (at most a mebibyte).

        Raises Broken once the source repeated itself or gave too few bytes.
        Source: ISO/IEC 18031
        """
        if not 0 <= length <= _MAX_DRAW:
            raise Malformed("between 0 and 1048576 random bytes can be drawn at once")
        drawn = self._source(_WATCHED + length)
        sample, output = drawn[:_WATCHED], drawn[_WATCHED:]
        if sample == self._last or len(output) != length:
            self._stuck = True
        if self._stuck:
            raise Broken("the source of random bytes repeats itself", remedy="stop; check the host")
        self._last = sample
        return output
