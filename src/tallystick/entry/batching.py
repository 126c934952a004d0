"""Which of the commands that wait make the next batch.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections import deque
from typing import TypeVar

from tallystick.application.commands import Command, PerformAct
from tallystick.application.own_commands import RehearseFor

T = TypeVar("T")
MAX_BATCH = 1024
_REHEARSED = PerformAct | RehearseFor


def next_batch(waiting: deque[tuple[Command, T]]) -> list[tuple[Command, T]]:
    """Take what waits, up to the first act of an operator or look at one, which may be rehearsed.

    So payments wait for one rehearsal at most. An act that is bound to what was shown is a batch by
    itself.
    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
    """
    batch = list[tuple[Command, T]]()
    while waiting and len(batch) < MAX_BATCH:
        command = waiting[0][0]
        if isinstance(command, PerformAct) and command.signed.bound and batch:
            break
        batch.append(waiting.popleft())
        if isinstance(command, _REHEARSED):
            break
    return batch
