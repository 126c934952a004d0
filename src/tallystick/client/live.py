"""What a device remembers of an open session, and of who was not let in.

Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.model import Record
from tallystick.protocol.session import SessionAccepted


class Tries(Record, frozen=True, kw_only=True):
    """User verifications that failed on this device: all since the keys were made, and in a row.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
    """

    failed: int = 0
    in_row: int = 0

    def after(self, *, right: bool) -> "Tries":
        """The counts after one more verification; the sum of failures never falls.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        if right:
            return Tries(failed=self.failed)
        return Tries(failed=self.failed + 1, in_row=self.in_row + 1)


class Live:
    """An open session; our clock counts from its opening, since the provider's may differ.

    `reported` is what was said in it of failed user verifications.
    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2
    """

    __slots__ = ("accepted", "keys", "last", "reported", "sequence", "until")

    def __init__(self, keys: SessionKeys, accepted: SessionAccepted, now: int) -> None:
        """Begin at `now` (ms) of our clock.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self.keys = keys
        self.accepted = accepted
        self.sequence = 0
        self.reported = Tries()
        self.last = now
        self.until = now + accepted.expires_at - accepted.server_time


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed request, and what opens each of its answers with status 200.

    Source: RFC 9052, 5.3
    """

    body: bytes
    open: Callable[[bytes], bytes]
