"""The listener of the door, and what goes on beside it: counts, refusals as evidence, burials.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3; 8.2.2
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from tallystick.application.paycrypt import InPaycrypt, PaymentKeys
from tallystick.application.paycrypt.model import PENDING
from tallystick.application.turn import Turn
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.paycrypt.asking import Ground
from tallystick.entry.paycrypt.authorities import Authorities
from tallystick.entry.paycrypt.connection import DoorConnection
from tallystick.entry.paycrypt.credentials import credential_key
from tallystick.entry.paycrypt.door import Door, counts
from tallystick.entry.paycrypt_settings import must_have
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.time import MINUTE_MS

EVERY_S: Final = 5.0
_COUNT_MS: Final = MINUTE_MS


def place_of(text: str) -> tuple[str, int]:
    """The host and the port of HOST:PORT; raises Malformed.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise Malformed("the door listens at HOST:PORT", remedy="such as 127.0.0.1:8490")
    return host.strip("[]"), int(port)


def open_door(platform: Platform, writer: WriterLoop, accounting: Accounting) -> Door:
    """The door of a platform, with every key that is kept in its module.

    Raises NotFound where the provider has no such door.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    module = platform.paycrypt
    if module is None:
        raise NotFound("the provider has no payment cryptography door")
    settings = must_have(platform.folder.root)
    kept = platform.desks.payment_keys
    folder = platform.folder
    authorities = Authorities(module, folder.blocks(), folder.save_block)
    ground = Ground(settings, module, kept, writer, platform.clock, authorities)
    ground.load()
    credential = credential_key(platform.folder, module)
    return Door(ground, platform.desks.desk.workloads, accounting, credential)


async def keep_door(
    door: Door,
    place: tuple[str, int],
    tls: ssl.SSLContext | None,
    started: Callable[[int], None],
) -> None:
    """Listen at `place` until cancelled; `started` is told the port.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    living: set[DoorConnection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: DoorConnection(door, living), place[0], place[1], ssl=tls, backlog=512
    )
    started(int(server.sockets[0].getsockname()[1]))
    due = door.on.clock.now() + _COUNT_MS
    try:
        while True:
            await asyncio.sleep(EVERY_S)
            due = await _tend(door, due)
    finally:
        server.close()
        for connection in tuple(living):
            connection.close()
        await tell(door)


async def _tend(door: Door, due: int) -> int:
    """Bury keys whose days are over, tell refusals; once a minute, tell what was counted."""
    now = door.on.clock.now()
    kept = door.on.kept
    for row in [one for one in kept.keys.values() if one.state == PENDING and now >= one.delete_at]:
        await _write(door, _burial(row.id))
        handle = door.on.handles.pop(row.id, None)
        if handle is not None:
            door.on.module.destroy(handle)
    if now < due and not door.refusals:
        return due
    await tell(door)
    return now + _COUNT_MS


async def tell(door: Door) -> None:
    """Record what was refused because of what the module is, and what was done how often.

    Source: ISO/TS 12812-2:2017, 7.3.3; 8.2.2
    """
    refusals, door.refusals = door.refusals, {}
    for told in refusals:
        await _write(door, _refusal(told))
    if door.counted:
        found = counts(door.counted)
        door.counted.clear()
        await _write(door, lambda desk, turn: desk.count(turn, found))


def _burial(key_id: str) -> Callable[[PaymentKeys, Turn], int]:
    return lambda desk, turn: desk.bury(turn, key_id)


def _refusal(told: tuple[str, str, str]) -> Callable[[PaymentKeys, Turn], int]:
    return lambda desk, turn: desk.refused(turn, *told)


async def _write(door: Door, act: Callable[[PaymentKeys, Turn], int]) -> None:
    await door.on.writer.ask(InPaycrypt(act))
