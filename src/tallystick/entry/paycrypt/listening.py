"""The listener of the door, and what goes on beside it: counts, refusals as evidence, burials.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3; 8.2.2
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from tallystick.application.paycrypt import InPaycrypt, PaymentKeys
from tallystick.application.paycrypt.model import PENDING
from tallystick.application.surrogates.forms import Way
from tallystick.application.surrogates.model import OPEN, WHY_NOT
from tallystick.application.turn import Turn
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.keykeeping import inventory_of
from tallystick.entry.paycrypt.asking import Ground
from tallystick.entry.paycrypt.authorities import Authorities
from tallystick.entry.paycrypt.connection import DoorConnection
from tallystick.entry.paycrypt.credentials import credential_key
from tallystick.entry.paycrypt.door import NOTED, Door, counts
from tallystick.entry.paycrypt.surrogates import move_some
from tallystick.entry.paycrypt_settings import must_have
from tallystick.entry.pki.partnerlists import PartnerLists
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import Malformed, MfsError, NotFound
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
        raise NotFound(
            "the provider has no payment cryptography door",
            remedy="write paycrypt.json, or serve without --payment-cryptography",
        )
    settings = must_have(platform.folder.root)
    kept = platform.desks.payment_keys
    folder = platform.folder
    authorities = Authorities(module, folder.blocks(), folder.save_block)
    lists = PartnerLists(platform.list_files, settings.without_lists)
    ground = Ground(settings, module, kept, writer, platform.clock, authorities, lists)
    ground.load({one.id: one.uses for one in inventory_of(folder)})
    credential = credential_key(platform.folder, module)
    door = Door(ground, platform.desks.desk.workloads, accounting, credential)
    tell_numbers(door, accounting)
    return door


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
            with suppress(MfsError):  # what the writer or the module refuses now waits for the next
                due = await _tend(door, due)
    finally:
        server.close()
        for connection in tuple(living):
            connection.close()
        await tell(door)


async def _tend(door: Door, due: int) -> int:
    """Bury keys whose days are over, tell refusals; once a minute, tell what was counted."""
    await move_surrogates(door)
    now = door.on.clock.now()
    kept = door.on.kept
    for row in [one for one in kept.keys.values() if one.state == PENDING and now >= one.delete_at]:
        await _write(door, _burial(row.id))
        handle = door.on.handles.pop(row.id, None)
        if handle is not None:
            door.on.module.destroy(handle)
    await tell_unlisted(door)
    if now < due and not door.refusals:
        return due
    await tell(door)
    return now + _COUNT_MS


async def tell_unlisted(door: Door) -> None:
    """Record which authorities were relied on although they publish no list, once a start each.

    Source: ISO/TS 12812-2:2017, 7.4.2; 7.3.3
    """
    waiting = [one for one in door.on.unlisted.items() if one[0] not in door.on.told_unlisted]
    for authority, (program, call) in waiting:
        reply = await _write(door, partial(_unlisted, authority, program, call))
        if not isinstance(reply, MfsError):
            door.on.told_unlisted.add(authority)


def _unlisted(authority: str, program: str, call: str, kept: PaymentKeys, turn: Turn) -> int:
    return kept.relied_on(turn, program, call, authority)


async def move_surrogates(door: Door) -> None:
    """Take what is held in domains with new keys to them, some at a time; destroy the old ones.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    desk, keys = door.on.kept.surrogates, door.on.surrogate_keys
    for row in list(desk.domains.values()):
        if row.state != OPEN or row.way != Way.RANDOM:
            continue
        while len(desk.generations(row.id)) + (desk.key(row.id, row.generation) is None) > 1:
            moved: list[int] = []
            await _write(door, partial(move_some, keys, row.id, moved))
            if not moved or not moved[-1]:
                break
    keys.drop_ended(desk)


def tell_numbers(door: Door, accounting: Accounting) -> None:
    """Let `accounting` tell how many values were given back, of how many agreed, and what was not.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    desk, on = door.on.kept.surrogates, door.on

    def spent() -> dict[str, int]:
        now = on.clock.now()
        return {
            f"{row.id}/{purpose}": 100 * desk.spent(row.id, purpose, now) // hourly
            for row in desk.domains.values()
            if row.state == OPEN
            for purpose, hourly in row.agreed().items()
        }

    def revealed() -> dict[str, int]:
        return {name: on.revealed.get(name, 0) for name in desk.domains}

    accounting.labelled |= {
        "surrogates_revealed_total": ("domain", revealed),
        "surrogates_spent_percent": ("purpose", spent),
        "surrogates_refused_total": ("because", lambda: _these(door, WHY_NOT)),
        "paycrypt_refused_total": ("because", lambda: _these(door, NOTED - WHY_NOT)),
    }


def _these(door: Door, reasons: frozenset[str]) -> dict[str, int]:
    return {one: number for one, number in door.told.items() if one in reasons}


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


async def _write(door: Door, act: Callable[[PaymentKeys, Turn], int]) -> object:
    return (await door.on.writer.ask(InPaycrypt(act))).outcome.reply
