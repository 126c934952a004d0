"""What time does to recoveries: half-time is told, and what nobody finishes ends.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
"""

import asyncio

from tallystick.application.recovery import RecoveryDue
from tallystick.entry.assembly import Platform
from tallystick.entry.writing import WriterLoop

EVERY_S = 0.5


async def tend_recoveries(platform: Platform, writer: WriterLoop) -> None:
    """Tell the writer, for ever, of each recovery whose time has come.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """
    while True:
        await asyncio.sleep(EVERY_S)
        for recovery in platform.desks.recovery.due(platform.clock.now()):
            await writer.ask(RecoveryDue(recovery))
