"""What the service leans on: who is told when it fails, and the two adapters that watch in a row.

The core system and the SMSC report from where they are asked (`core_link`, `delivering`). The
module is asked for one thing of each kind every second, witnesses at every round. Each change of
state is a note with the roles that the row of the policy tells, and a gauge says what fails. A
process of the module that was started again is a note and an event, however soon it answers; a
keeper that another one replaced is a note.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from tallystick.application.own_commands import NoteReturn
from tallystick.application.policing import Change
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.desking import tell_emergencies, tell_operators, tell_suspensions
from tallystick.entry.module_settings import owned_in, remote_in
from tallystick.entry.notes import Note
from tallystick.entry.witnessing import Asker, Witnessing, ask_for_ever
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import SECOND_MS
from tallystick.process.policy import Dependency

GAUGE = "dependency_failing"
EVERY_S = 1.0
_MODULE = Dependency.MODULE.value
_WITNESS = Dependency.WITNESS.value
_PROBE = b"tallystick module probe v1\x00"


def tell_changes(platform: Platform, accounting: Accounting) -> None:
    """Note every change of what fails, with what the policy does then and whom it tells.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    watch = platform.desks.policy.watch

    def told(change: Change) -> None:
        fields: dict[str, int | str] = {"dependency": change.name}
        rules = platform.desks.policy.compiled.policy.dependencies if _has_policy(platform) else {}
        rule = rules.get(change.name)
        fields |= {
            "does": "closed: the policy does not name it" if rule is None else rule.on_failure,
            "operations": "all" if rule is None else ",".join(rule.operations),
            "tell": "" if rule is None else ",".join(rule.tell),
        }
        if not change.failing:
            fields["seconds"] = max(0, change.at - change.since) // SECOND_MS
        note = Note.DEPENDENCY_FAILS if change.failing else Note.DEPENDENCY_ANSWERS
        accounting.note(note, **fields)

    watch.listeners.append(told)
    accounting.labelled[GAUGE] = ("dependency", watch.states)
    tell_emergencies(platform.desks.desk.emergencies, accounting)
    tell_operators(platform.desks.operators, accounting)
    tell_suspensions(platform.desks.policy.services, accounting)


def _has_policy(platform: Platform) -> bool:
    return platform.desks.policy.version > 0


async def watch_module(platform: Platform, *, every_s: float = EVERY_S) -> None:
    """Ask the module for a random number, a MAC and a signature again and again, for ever.

    Source: ISO/TS 12812-2:2017, 6.2.3; 8.2.3
    """
    watch, module = platform.desks.policy.watch, platform.module
    watch.connect(_MODULE)
    signing = platform.keys.newest(Purpose.WEBHOOK)
    codes = platform.keys.newest(Purpose.RECEIPT_CODE)
    while True:
        try:
            probe = _PROBE + module.random(16)
            module.sign(signing, probe + module.mac(codes, probe))
        except MfsError:
            watch.failed(_MODULE, platform.clock.now())
        else:
            watch.answered(_MODULE, platform.clock.now())
        await asyncio.sleep(every_s)


async def tell_returns(
    platform: Platform, writer: WriterLoop, accounting: Accounting, *, every_s: float = EVERY_S
) -> None:
    """Note and record each process of the module, and of its keeper, that replaced a lost one.

    Nothing is to be told of a module that has no process of its own.
    Source: ISO/TS 12812-2:2017, 6.2.3; 8.2.3
    """
    module, known = remote_in(platform.module), 1
    owned = owned_in(platform.module)
    while module is not None:
        for keeper in owned.held.keepers() if owned is not None else ():
            accounting.note(Note.MODULE_KEPT_AGAIN, process=keeper)
        with suppress(MfsError):  # it is away; its watch tells of it
            told = module.status()
            if told.starts > known:
                known = told.starts
                accounting.note(Note.MODULE_RETURNED, starts=known, ended=told.last_end)
                await writer.ask(NoteReturn(known, told.last_end))
        await asyncio.sleep(every_s)


def witnessed(
    platform: Platform, accounting: Accounting, witnessing: Witnessing
) -> Coroutine[Any, Any, None]:
    """Ask the witnesses for ever; the dependency fails when a round brings no countersignature.

    Source: C2SP tlog-witness; ISO/TS 12812-2:2017, 6.2.3
    """
    watch = platform.desks.policy.watch
    watch.connect(_WITNESS)
    asker = Asker(platform.archive, witnessing.endpoints)

    def report(signed: bool) -> None:
        now = platform.clock.now()
        if signed:
            watch.answered(_WITNESS, now)
        else:
            watch.failed(_WITNESS, now)

    tell = _unwitnessed(accounting, asker)
    return ask_for_ever(asker, witnessing.file, tell, report, every_s=witnessing.every_s)


def _unwitnessed(accounting: Accounting, asker: Asker) -> Callable[[str, str], None]:
    """Notes that a witness did not countersign, and why: out of reach, or of another opinion."""

    def tell(name: str, why: str) -> None:
        disagrees = name in asker.disagreeing
        note = Note.WITNESS_DISAGREES if disagrees else Note.NOT_WITNESSED
        accounting.note(note, witness=name, why=why)

    return tell
