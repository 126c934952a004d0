"""One writer and no other: the number that every batch is written under.

A start takes the next boot number in its own name (see `boots`) and fences its connection with
both. From then on each batch of an older start fails in the database itself, however long its
process was stopped.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from typing import LiteralString

from tallystick.kernel.errors import Unavailable

EPOCH: LiteralString = "SELECT number, owner FROM boot WHERE id = 1"
"""The number under which, and the start by which, the store may be written."""


def fenced() -> Unavailable:
    """What an older writer is told, and whoever waits at it: to ask again, where the other serves.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return Unavailable(
        "another process has become the writer of this store",
        remedy="nothing was written; ask again, the other one serves",
        retry_after_s=1,
    )
