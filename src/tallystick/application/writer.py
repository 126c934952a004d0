"""The writer: the only owner of state; takes what has arrived, applies it, commits once, then
answers.

    submit -> pending -> turn: apply each command -> write rows -> COMMIT (helper thread)
           -> sign one checkpoint -> receipts -> answers -> next turn

1. Commands are applied one by one, in order, by pure functions on integers and records.
2. The rows of the whole turn are written with one statement a table and committed once.
3. Only what is durable is signed and answered. The checkpoint's own row goes with the next commit:
   its signature is deterministic, so that a restart finds the same one.
4. If the database refuses the turn, nothing of it stays: memory is rebuilt from the file and its
   commands are tried one by one, so that one bad command does not take the others with it.

Source: ISO/TS 12812-2:2017, 7.3.3; 6.2.3
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tallystick.application.commands import Command, execute, prefetch
from tallystick.application.desks import Desks
from tallystick.application.turn import Outcome, Recorded, Turn
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.tally.archive import Archive
from tallystick.infrastructure.tally.log import Appended
from tallystick.kernel.errors import Broken, MfsError, OutOfReach, Unavailable
from tallystick.kernel.time import Clock


@dataclass(slots=True)
class Prepared:
    """A turn whose rows are written but not yet durable.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    turn: Turn
    commands: Sequence[Command]
    outcomes: list[Outcome]
    appended: Appended | None
    open: bool = False


class Writer:
    """Applies batches of commands; synchronous and without a clock of its own.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        desks: Desks,
        archive: Archive,
        store: GroupCommit,
        clock: Clock,
        entropy: Callable[[int], bytes],
        provider: str,
    ) -> None:
        """Own `desks` (the state), append to the log in `archive`, commit through `store`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._desks = desks
        self._archive = archive
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._provider = provider
        self._stale = False
        self.batches = 0
        self.commands = 0

    def run(self, commands: Sequence[Command]) -> list[Recorded]:
        """Apply, commit and record `commands` as one batch, waiting for the disk.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        try:
            prepared = self.prepare(commands)
        except (Unavailable, Broken) as error:
            return self.retry_singly(commands, error)
        try:
            self.commit(prepared)
        except (Unavailable, Broken) as error:
            self.abandon(prepared)
            return self.retry_singly(commands, error)
        return self.release(prepared)

    def prepare(self, commands: Sequence[Command]) -> Prepared:
        """Apply `commands` in memory and write their rows inside an open database batch.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.refresh()
        turn = Turn(
            now=self._clock.now(),
            first_event=self._archive.size,
            provider=self._provider,
            entropy=self._entropy,
        )
        prepared = Prepared(turn=turn, commands=commands, outcomes=[], appended=None)
        try:
            prefetch(self._desks, commands)
            for command in commands:
                prepared.outcomes.append(self._apply(turn, command))
            self._desks.collect(turn)
            if turn.leaves:
                prepared.appended = self._archive.append(turn.changes, turn.leaves, turn.ids)
            if self._store.counts(turn.changes):
                self._store.begin()
                self._store.write(turn.changes)
                prepared.open = True
        except Exception:
            self.abandon(prepared)
            raise
        return prepared

    def _apply(self, turn: Turn, command: Command) -> Outcome:
        try:
            return execute(self._desks, turn, command)
        except OutOfReach as refusal:
            return Outcome(refusal)
        except (Broken, Unavailable):
            raise
        except MfsError as refusal:
            return Outcome(refusal)

    def commit(self, prepared: Prepared) -> None:
        """Make the batch durable; blocks until the disk says so, on any thread.

        Raises Unavailable when the database refuses; the caller abandons the batch then.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if prepared.open:
            self._store.commit()

    def release(self, prepared: Prepared) -> list[Recorded]:
        """Sign the checkpoint of a durable batch and join each outcome with its receipt.

        While the module that signs is away nobody gets one: whoever asks again with the same id
        does, and the checkpoint is signed before the next batch.
        Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1
        """
        for action in prepared.turn.durable:
            action()
        self.batches += 1
        self.commands += len(prepared.commands)
        appended = prepared.appended
        try:
            note = "" if appended is None else self._archive.sign(appended)
        except Unavailable as away:
            self._stale = True
            return [Recorded(Outcome(away), None) for _ in prepared.outcomes]
        recorded = [self._recorded(outcome, appended, note) for outcome in prepared.outcomes]
        self._desks.trim(prepared.turn.now)
        return recorded

    def _recorded(self, outcome: Outcome, appended: Appended | None, note: str) -> Recorded:
        if outcome.event < 0:
            return Recorded(outcome, None)
        if appended is not None and outcome.event >= appended.first_index:
            position = outcome.event - appended.first_index
            return Recorded(outcome, appended.receipt(position, note, outcome.disclosures))
        return Recorded(outcome, self._archive.receipt(outcome.event, outcome.disclosures))

    def finish(self) -> None:
        """Store the checkpoint that no batch has stored yet, at the end of a run.

        Source: C2SP tlog-checkpoint
        """
        changes = ChangeSet()
        self._archive.flush(changes)
        if not changes.is_empty():
            self._store.run(changes)

    def abandon(self, prepared: Prepared) -> None:
        """Leave no trace of a batch that did not become durable: undo, roll back, read again.

        What cannot be read now is read before the next batch.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._stale = True
        self._store.rollback()
        for action in reversed(prepared.turn.undo):
            action()
        with suppress(Unavailable):
            self.refresh()

    def refresh(self) -> None:
        """Read the state again if it may differ from what is stored.

        Raises Unavailable while the store cannot be read.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._stale:
            if self._store.lost:
                raise Unavailable(
                    "the store is being connected to again",
                    remedy="ask again with the same id",
                    retry_after_s=1,
                )
            self._desks.reset(self._clock.now())
            self._archive.reread()
            self._stale = False

    @property
    def lost(self) -> bool:
        """Whether the store is gone, so that `recover` has to come first.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._store.lost

    @property
    def overtaken(self) -> bool:
        """Whether another process was found to have become the writer.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        return self._store.overtaken

    def recover(self) -> None:
        """Connect to the store again; blocks for seconds, on any thread.

        Raises Unavailable while there is nobody to connect to, or if another process has become
        the writer (`overtaken`).
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._stale = True
        self._store.recover()

    def retry_singly(self, commands: Sequence[Command], error: MfsError) -> list[Recorded]:
        """Try each command of a refused batch by itself; one that fails alone is answered so.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if len(commands) == 1 or self._store.lost or self._stale:
            return [Recorded(Outcome(error), None) for _ in commands]
        return [recorded for command in commands for recorded in self.run((command,))]
