"""The loop that counts what subjects of incentives did, and has the writer move them when due.

Everybody is counted every ten minutes, and at once when something was given back. What is counted
is read beside the writer; the writer asks the rules again.

Source: ISO/TS 12812-2:2017, 6.1
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from tallystick.application.controls.merits import count
from tallystick.application.own_commands import Fall, Rise
from tallystick.application.payments.store import given_back_since, last_order
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.process.policy.facts import SubjectClass
from tallystick.process.policy.incentives import (
    Counted,
    Standing,
    falls_by,
    standing_id,
    why_not_rise,
)
from tallystick.process.policy.language.model import Ladder

EVERY_S: Final = 2.0
COUNT_EVERY_MS: Final = 10 * MINUTE_MS
"""How often everybody is counted: it reads the orders of the ladders' time."""


class Steps:
    """Counts for one platform, and says which moves are due.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._counted_at = -COUNT_EVERY_MS
        self._order = ""
        self._version: int = 0

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        """The ladders of the policy in force.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._platform.desks.incentives.ladders

    def read(self, now: Instant, ladders: tuple[Ladder, ...]) -> Mapping[str, Counted] | None:
        """What is counted at `now`, on any thread; None while nothing calls for counting.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        platform = self._platform
        version = platform.desks.policy.version
        with platform.database.reader() as reader:
            newest = last_order(reader)
            calm = now - self._counted_at < COUNT_EVERY_MS and version == self._version
            if calm and not given_back_since(reader, self._order):
                return None
            counted = count(
                reader,
                ladders,
                dict(platform.desks.incentives.standings),
                platform.registers.read(),
                now,
                platform.desks.policy.compiled.policy.header.effective_at,
            )
        self._counted_at, self._order, self._version = now, newest, version
        return counted

    def due(self, counted: Mapping[str, Counted], now: Instant) -> Iterator[Rise | Fall]:
        """The commands that are due at `now` on what was `counted`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        incentives = self._platform.desks.incentives
        for ladder in self.ladders:
            for subject, one in subjects(ladder, counted):
                stands = incentives.standing(ladder, subject, one.begun)
                found = move(ladder, stands, one, now)
                if found is not None:
                    yield found


def subjects(ladder: Ladder, counted: Mapping[str, Counted]) -> Iterator[tuple[str, Counted]]:
    """The subjects of `ladder` that were counted, each with its measures.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if ladder.subject is not SubjectClass.AGENT:
        found = counted.get(standing_id(ladder.id, ladder.of))
        if found is not None:
            yield ladder.of, found
        return
    start = standing_id(ladder.id, "")
    for name, one in counted.items():
        if name.startswith(start):
            yield name.removeprefix(start), one


def move(ladder: Ladder, stands: Standing, counted: Counted, now: int) -> Rise | Fall | None:
    """The command that is due for a subject, a fall before a rise; None where it stays.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if falls_by(ladder, stands, counted) is not None:
        return Fall(ladder.id, stands.subject, counted)
    if not why_not_rise(ladder, stands, counted, now):
        return Rise(ladder.id, stands.subject, counted)
    return None


async def watch_incentives(platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
    """Look at the subjects again and again, for ever; what cannot be read is looked at later.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    steps = Steps(platform)
    while True:
        await asyncio.sleep(EVERY_S)
        ladders = steps.ladders
        if not ladders:
            continue
        now = platform.clock.now()
        try:
            counted = await asyncio.to_thread(steps.read, now, ladders)
        except MfsError:
            continue
        for command in list(steps.due(counted or {}, now)):
            reply = (await writer.ask(command)).outcome.reply
            if isinstance(reply, MfsError):
                note, why = Note.INCENTIVE_STAYS, reply.detail
            else:
                note = Note.INCENTIVE_RISEN if isinstance(command, Rise) else Note.INCENTIVE_FALLEN
                why = command.counted.said()
            accounting.note(note, entry=command.ladder, subject=command.subject, why=why)
