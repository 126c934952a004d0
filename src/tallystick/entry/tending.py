"""What goes on by itself: recoveries have their half-time and end, seals move to the newest key.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.2; 7.4.5
"""

import asyncio

from tallystick.application.devicelife import DeviceDue
from tallystick.application.own_commands import SealAnew
from tallystick.application.recovery import RecoveryDue
from tallystick.entry.assembly import Platform
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import MfsError, Unavailable

EVERY_S = 0.5
SEALS_AT_ONCE = 32
SEALS_PAUSE_S = 0.05
"""Rows that are looked at with one command, and the pause before the next: 640 a second at most."""
SEALS_MOST_S = 60.0
"""The longest pause before rows that were refused are looked at again."""
DEVICES_EVERY_S = 2.0


async def tend_recoveries(platform: Platform, writer: WriterLoop) -> None:
    """Tell the writer, for ever, of each recovery whose time has come.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """
    while True:
        await asyncio.sleep(EVERY_S)
        for recovery in platform.desks.recovery.due(platform.clock.now()):
            await writer.ask(RecoveryDue(recovery))


async def tend_seals(platform: Platform, writer: WriterLoop) -> None:
    """Move what is sealed in the store to the newest key, a few rows at a time, once a start.

    Rows that are refused are asked for again, each time later, up to a minute.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    pause = SEALS_PAUSE_S
    while not platform.desks.seals.done:
        refused: object = None
        try:
            refused = (await writer.ask(SealAnew(SEALS_AT_ONCE))).outcome.reply
        except Unavailable as error:  # the module or the store is away: the same rows again
            refused = error
        again = isinstance(refused, MfsError)
        pause = min(2 * pause, SEALS_MOST_S) if again else SEALS_PAUSE_S
        await asyncio.sleep(pause)
    await asyncio.Event().wait()


async def tend_devices(platform: Platform, writer: WriterLoop) -> None:
    """Tell the writer, for ever, of each device whose time has come.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    while True:
        await asyncio.sleep(DEVICES_EVERY_S)
        for device in platform.desks.life.due(platform.clock.now()):
            await writer.ask(DeviceDue(device))
