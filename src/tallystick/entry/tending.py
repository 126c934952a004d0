"""What time does: recoveries are told at half-time and end, unused devices rest, ended ones go.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
"""

import asyncio

from tallystick.application.devicelife import DeviceDue
from tallystick.application.recovery import RecoveryDue
from tallystick.entry.assembly import Platform
from tallystick.entry.writing import WriterLoop

EVERY_S = 0.5
DEVICES_EVERY_S = 2.0


async def tend_recoveries(platform: Platform, writer: WriterLoop) -> None:
    """Tell the writer, for ever, of each recovery whose time has come.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """
    while True:
        await asyncio.sleep(EVERY_S)
        for recovery in platform.desks.recovery.due(platform.clock.now()):
            await writer.ask(RecoveryDue(recovery))


async def tend_devices(platform: Platform, writer: WriterLoop) -> None:
    """Tell the writer, for ever, of each device whose time has come.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    while True:
        await asyncio.sleep(DEVICES_EVERY_S)
        for device in platform.desks.life.due(platform.clock.now()):
            await writer.ask(DeviceDue(device))
