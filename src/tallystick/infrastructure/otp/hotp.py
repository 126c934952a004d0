"""HOTP: a code out of a counter, and the search for one in a window of counters.

Source: RFC 4226
"""

from collections.abc import Callable

from tallystick.infrastructure.crypto.digest import equal
from tallystick.kernel.errors import Malformed
from tallystick.kernel.secret import Secret

Mac = Callable[[bytes], bytes]
"""HMAC under a seed that stays where it is: 20, 32 or 64 bytes."""

FEWEST_DIGITS, MOST_DIGITS = 6, 10


def truncated(tag: bytes, digits: int) -> str:
    """The last `digits` (6 to 10) decimal digits of 31 bits of `tag`, zeros in front kept.

    Raises Malformed for another number of digits.
    Source: RFC 4226, 5.3; RFC 6287, 5.2
    """
    if not FEWEST_DIGITS <= digits <= MOST_DIGITS:
        raise Malformed(f"a code has {FEWEST_DIGITS} to {MOST_DIGITS} digits")
    offset = tag[-1] & 0x0F
    number = int.from_bytes(tag[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def code_at(mac: Mac, counter: int, digits: int) -> str:
    """The code at `counter` (a count of events, or a time step).

    Source: RFC 4226, 5.3; RFC 6238, 4.2
    """
    return truncated(mac(counter.to_bytes(8, "big")), digits)


def matching(mac: Mac, given: Secret[str], first: int, last: int, digits: int) -> int:
    """The counter from `first` to `last` whose code is `given`, the lowest one; -1 for none.

    All of them are computed whatever is given, so that the time tells nothing.
    Source: RFC 4226, 7.4; ISO/TS 12812-2:2017, 7.3.2
    """
    octets = given.reveal().encode()
    found = -1
    for counter in range(last, first - 1, -1):
        if equal(code_at(mac, counter, digits).encode(), octets):
            found = counter
    return found
