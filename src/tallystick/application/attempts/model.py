"""What is counted: tries in a row of a customer, a device or a source.

Source: ISO/TS 12812-2:2017, 7.3.2
"""

from collections.abc import Iterator
from typing import NamedTuple

from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.model import Record

SOURCE = "source:"
NOBODY = "nobody"
"""Stands for whoever is not known, so that counting them is as much work; it never blocks."""

_RECEIPT = "receipt:"


class AttemptRow(Record, frozen=True, kw_only=True):
    """Tries in a row of one subject; what was right begins the row anew.

    `blocks` counts blocks in a row; `stopped` is 1 once only two operators may unlock; `held`
    counts tries while none was allowed, so that refusing one writes as much as counting one.

    The row `reported_by` a device has what the phone said of itself: `failures` in all, in
    `blocks` those in a row, `tried_at` when it said so last, `held` how often it said less.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    subject: str
    failures: int
    tried_at: int
    blocked_until: int
    blocks: int
    stopped: int
    held: int = 0


class Subjects(NamedTuple):
    """Who tries: a customer, on a device, from a source; empty for what is not known.

    With `receipt` it is a receipt's code that is guessed, which is no proof of who asks: it is
    counted by itself, so that looking at forged messages does not block a PIN.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    customer: str
    device: str = ""
    source: str = ""
    receipt: bool = False

    def names(self) -> Iterator[str]:
        """The names under which a try is counted.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        if self.customer:
            yield f"{_RECEIPT if self.receipt else ''}{self.customer}"
        else:
            yield NOBODY
        if self.device and not self.receipt:
            yield self.device
        if self.source:
            yield f"{SOURCE}{self.source}"


def reported_by(device: str) -> str:
    """The name of the row with what `device` reported of its own user verification.

    Source: ISO/TS 12812-2:2017, 8.1.5
    """
    return f"reported:{device}"


def not_right() -> NotAuthentic:
    """The one face of a wrong, unknown and blocked PIN or code.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    return NotAuthentic(
        "that is not right, or there were too many tries",
        remedy="check it and try again later, or ask the provider",
    )
