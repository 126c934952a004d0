"""The loop that looks at controls, and has the writer tighten or ease the policy when it is due.

What is read from the store is read beside the writer; what is decided is decided by the writer,
which asks the rules again.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

import asyncio
from collections.abc import Iterator
from typing import Final

from tallystick.application.commands import Ease, Tighten
from tallystick.application.controls import Established, Signals, read_controls
from tallystick.application.controls.signals import Stored
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import Measure

EVERY_S: Final = 2.0
COUNT_EVERY_MS: Final = 10 * MINUTE_MS
"""How often established devices are counted: it reads the orders of ninety days."""

GAUGE: Final = "tightenings_in_force"


def tell_measures(platform: Platform, accounting: Accounting) -> None:
    """Note every beginning and end of a tightening, and how many are in force.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    measures = platform.desks.policy.measures

    def told(measure: Measure) -> None:
        note = Note.POLICY_EASED if measure.until else Note.POLICY_TIGHTENED
        accounting.note(
            note, entry=measure.entry, measure=measure.id, why=measure.ended or measure.evidence
        )

    measures.tell = told
    accounting.gauges[GAUGE] = lambda: len(measures.current)


class Controls:
    """Looks at the controls of one platform; counts of devices are kept for a while.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._signals = Signals(platform.desks.policy.watch)
        self._population: Established | None = None
        self._counted_at = 0

    @property
    def entries(self) -> tuple[Tightening, ...]:
        """What the policy in force lets the service tighten.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        policy = self._platform.desks.policy
        return policy.compiled.policy.tightening if policy.version else ()

    def read(self, now: Instant) -> Stored:
        """What the store says at `now`; on any thread.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if now - self._counted_at >= COUNT_EVERY_MS:
            self._population = None
        with self._platform.database.reader() as reader:
            stored = read_controls(reader, self.entries, now, self._population)
        if stored.population is not None and self._population is None:
            self._population, self._counted_at = stored.population, now
        return stored

    def due(self, stored: Stored, now: Instant) -> Iterator[Tighten | Ease]:
        """The commands that are due at `now` on what was `stored`.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        measures = self._platform.desks.policy.measures
        for name, seen in self._signals.seen(self.entries, stored, now).items():
            if not measures.why_not(name, seen, now):
                yield Tighten(name, seen) if seen.failing else Ease(name, seen)


async def watch_controls(
    platform: Platform, writer: WriterLoop, accounting: Accounting, *, every_s: float = EVERY_S
) -> None:
    """Look at the controls again and again, for ever; what cannot be read is looked at later.

    What is due and refused is asked again, and noted once for each reason.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """
    controls, told = Controls(platform), dict[str, str]()
    while True:
        await asyncio.sleep(every_s)
        if not controls.entries:
            continue
        now = platform.clock.now()
        try:
            stored = await asyncio.to_thread(controls.read, now)
        except MfsError:
            continue
        for command in list(controls.due(stored, now)):
            reply = (await writer.ask(command)).outcome.reply
            refused = reply.detail if isinstance(reply, MfsError) else ""
            if refused and told.get(command.entry) != refused:
                accounting.note(Note.NOT_TIGHTENED, entry=command.entry, why=refused)
            told[command.entry] = refused
