"""What goes on beside the answering: begun together, and noted where one ends by a fault.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from tallystick.entry.accounting import Accounting
from tallystick.entry.notes import Note


def begun(
    duties: Iterable[Coroutine[Any, Any, None]], accounting: Accounting
) -> list[asyncio.Task[None]]:
    """Each of `duties` as a task of its own; what ends one by a fault is noted at once.

    The others go on and so does the service: answering needs none of them at that moment.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return [_begun(duty, accounting) for duty in duties]


def _begun(duty: Coroutine[Any, Any, None], accounting: Accounting) -> asyncio.Task[None]:
    task = asyncio.ensure_future(duty)

    def tell(ended: asyncio.Task[None]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is not None:
            accounting.note(
                Note.DUTY_ENDED,
                duty=getattr(duty, "__qualname__", "unnamed"),
                error=type(error).__name__,
            )

    task.add_done_callback(tell)
    return task
