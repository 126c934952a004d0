"""The loop that looks at controls, and has the writer tighten or ease the policy when it is due.

What is read from the store is read beside the writer; what is decided is decided by the writer,
which asks the rules again. Before a tightening begins, whom it touches is counted for each cohort.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

import asyncio
from collections.abc import Iterator
from typing import Final

from tallystick.application.controls import Established, Signals, read_controls
from tallystick.application.controls.signals import Stored
from tallystick.application.own_commands import Ease, LapseProposal, Tighten
from tallystick.application.tightenings.recorded import preview_of
from tallystick.application.tightenings.store import Waiting
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.process.policy.caps import Preview
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import Measure, Seen

EVERY_S: Final = 2.0
COUNT_EVERY_MS: Final = 10 * MINUTE_MS
"""How often established devices are counted: it reads the orders of ninety days."""

RECOUNT_MS: Final = 5 * MINUTE_MS
"""How long it holds whom a tightening would touch."""

GAUGE: Final = "tightenings_in_force"


def tell_measures(platform: Platform, accounting: Accounting) -> None:
    """Note every beginning and end of a tightening or of its proposal, and how many are in force.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    measures = platform.desks.policy.measures

    def told(measure: Measure) -> None:
        note = Note.POLICY_EASED if measure.until else Note.POLICY_TIGHTENED
        accounting.note(
            note,
            entry=measure.entry,
            cohort=measure.cohort,
            measure=measure.id,
            why=measure.ended or measure.evidence,
        )

    def told_of_proposal(waiting: Waiting) -> None:
        proposal = waiting.proposal()
        note = Note.PROPOSAL_ENDED if waiting.ended else Note.TIGHTENING_CAPPED
        accounting.note(
            note,
            kind="tightening",
            proposal=waiting.id,
            entry=proposal.entry,
            cohort=proposal.cohort,
            why=waiting.ended or proposal.beyond,
        )

    measures.tell = told
    measures.proposals.tell = told_of_proposal
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
        self._previews: dict[str, Preview] = {}

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

    def due(self, stored: Stored, now: Instant) -> Iterator[Tighten | Ease | LapseProposal]:
        """The commands that are due at `now` on what was `stored`; on any thread.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        measures = self._platform.desks.policy.measures
        found = self._signals.seen(self.entries, stored, now)
        for waiting in measures.proposals.waiting:
            seen = found.get(waiting.proposal().entry)
            if now >= waiting.until or (seen is not None and not seen.failing):
                yield LapseProposal(waiting.id, seen)
        for name, seen in found.items():
            if not measures.why_not(name, seen, now):
                yield self._tighten(name, seen, now) if seen.failing else Ease(name, seen)

    def _tighten(self, name: str, seen: Seen, now: Instant) -> Tighten:
        return Tighten(name, seen, self.preview(name, now))

    def preview(self, name: str, now: Instant) -> Preview | None:
        """Whom entry `name` would touch at `now`; None where the store cannot be read.

        What was counted a moment ago beside the same measures is not counted again.
        Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
        """
        policy = self._platform.desks.policy
        entry = next(one for one in self.entries if one.id == name)
        steps = tuple(sorted(one.step for one in policy.measures.current))
        known = self._previews.get(name)
        if (
            known is not None
            and (known.version, known.steps) == (policy.version, steps)
            and 0 <= now - known.at < RECOUNT_MS
        ):
            return known
        try:
            with self._platform.database.reader() as reader:
                found = preview_of(reader, policy.base, entry, steps, now)
        except MfsError:
            return None
        self._previews[name] = found
        return found


async def watch_controls(
    platform: Platform, writer: WriterLoop, accounting: Accounting, *, every_s: float = EVERY_S
) -> None:
    """Look at the controls again and again, for ever; what cannot be read is looked at later.

    What is due and refused is asked again, and noted once for each reason. Each command is worked
    out when the one before it is done, since it counts beside what is in force.

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
        waiting = controls.due(stored, now)
        while (command := await asyncio.to_thread(next, waiting, None)) is not None:
            reply = (await writer.ask(command)).outcome.reply
            if isinstance(command, LapseProposal):
                continue
            refused = reply.detail if isinstance(reply, MfsError) else ""
            if refused and told.get(command.entry) != refused:
                accounting.note(Note.NOT_TIGHTENED, entry=command.entry, why=refused)
            told[command.entry] = refused
