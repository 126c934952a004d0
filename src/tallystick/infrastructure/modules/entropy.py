"""Random bytes of the operating system, watched for the failures that can be seen from here.

The cut-offs let a healthy source fail once in 2^50 looks: a false alarm ends all service.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 18031; NIST SP 800-90B, 4.4
"""

import os
import re
from collections.abc import Callable
from threading import Lock

from tallystick.kernel.errors import Broken, Malformed, Unavailable

Entropy = Callable[[int], bytes]
"""Gives as many random bytes as it is asked for; a test may pass a seeded one."""

_WATCHED = 16
_MAX_DRAW = 1 << 20
_POOL = 1024
_SMALL = 64
_REPEATED = re.compile(rb"(.)\1{8}", re.DOTALL)
_WINDOW, _MOST_ALIKE = 512, 26


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

    Each draw from the source is preceded by a sample of 16 bytes that is compared with the one
    before it; a healthy source repeats one with a chance of 2^-128. Small requests are served from
    draws of 1,024 bytes, each byte once, whichever thread asks; a process that was forked draws
    anew. Those draws are looked at for nine equal bytes in a row, and each half of one for how
    often its first byte comes.
    Source: NIST SP 800-90B, 4.4.1; 4.4.2
    """

    def __init__(self, source: Entropy = operating_system) -> None:
        self._source = source
        self._last = source(_WATCHED)
        self._stuck = False
        self._pool = b""
        self._at = 0
        self._process = os.getpid()
        self._alone = Lock()

    def __call__(self, length: int) -> bytes:
        """`length` random bytes (at most a mebibyte).

        Raises Broken once the source repeated itself or gave too few bytes.
        Source: ISO/IEC 18031
        """
        if not 0 <= length <= _MAX_DRAW:
            raise Malformed("between 0 and 1048576 random bytes can be drawn at once")
        with self._alone:
            if self._stuck or length > _SMALL:
                return self._draw(length)
            end = self._at + length
            if end > len(self._pool) or self._process != os.getpid():
                self._pool, self._process = self._healthy(self._draw(_POOL)), os.getpid()
                self._at, end = 0, length
            output = self._pool[self._at : end]
            self._at = end
            return output

    def _healthy(self, pool: bytes) -> bytes:
        """`pool`, if the first byte of no window comes too often in it; raises Broken otherwise."""
        windows = (pool[start : start + _WINDOW] for start in range(0, _POOL, _WINDOW))
        alike = max(one.count(one[0]) for one in windows)
        if alike > _MOST_ALIKE or _REPEATED.search(pool) is not None:
            self._stuck = True
            raise Broken("the source of random bytes is not random", remedy="stop; check the host")
        return pool

    def _draw(self, length: int) -> bytes:
        drawn = self._source(_WATCHED + length)
        sample, output = drawn[:_WATCHED], drawn[_WATCHED:]
        if sample == self._last or len(output) != length:
            self._stuck = True
        if self._stuck:
            raise Broken("the source of random bytes repeats itself", remedy="stop; check the host")
        self._last = sample
        return output
