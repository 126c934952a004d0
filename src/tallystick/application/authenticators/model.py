"""An authenticator as the provider keeps it, and the windows in which its codes are looked for.

Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226, 7.4; RFC 6238, 5.2
"""

from tallystick.kernel.model import Record

AHEAD = 10
"""How far ahead of the last one a HOTP counter may be: buttons are pressed in pockets."""

AHEAD_TO_RESYNC = 100
AROUND = 1
"""Time steps before and after the expected one in which a code is looked for."""

AROUND_TO_RESYNC = 20


class AuthenticatorRow(Record, frozen=True, kw_only=True):
    """One customer's authenticator: `seed` is a key block, `unused` the lowest counter or time step
    whose code was not used; `drift` is in steps, `question` the challenge that waits for an answer.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
    """

    customer: str
    kind: str
    suite: str
    digits: int
    step_s: int
    seed: bytes
    unused: int
    drift: int
    question: str
    enrolled_at: int


class Window(Record, frozen=True, kw_only=True):
    """The counters from `first` to `last` whose codes are computed.

    Source: RFC 4226, 7.4
    """

    first: int
    last: int


def window_of(row: AuthenticatorRow, step: int, *, resync: bool) -> Window:
    """Where the code of `row` is looked for; `step` is the present time step of a TOTP.

    It has the same width whatever was used: what is used up is refused after the search.
    Source: RFC 4226, 7.4; RFC 6238, 5.2; ISO/TS 12812-2:2017, 7.3.2
    """
    if row.kind == "hotp":
        return Window(first=row.unused, last=row.unused + (AHEAD_TO_RESYNC if resync else AHEAD))
    around = AROUND_TO_RESYNC if resync else AROUND
    expected = step + row.drift
    return Window(first=max(0, expected - around), last=expected + around)
