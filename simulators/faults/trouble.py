"""The faults, drawn from the seed and spread over the run.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from simulators.faults.agenda import Agenda, DriftingClock
from simulators.faults.network import Network
from simulators.faults.process import Process
from simulators.faults.store import Fate, SimulatedServer

MINUTE = 60_000
_ON_FILE = (
    "crash before the commit",
    "torn commit",
    "crash after the commit",
    "crash between two answers",
    "killed",
    "disk full",
    "clock jumps",
    "network cut",
    "network storm",
    "orderly hand-over",
)
_ON_SERVER = (
    *_ON_FILE,
    "connection lost before the batch",
    "connection lost after the batch",
    "batch arrives late",
    "store away",
    "writer stands still",
)
_FATES = {
    "crash before the commit": Fate.CRASH_BEFORE,
    "torn commit": Fate.TORN,
    "crash after the commit": Fate.CRASH_AFTER,
    "connection lost before the batch": Fate.LOST_BEFORE,
    "connection lost after the batch": Fate.LOST_AFTER,
    "batch arrives late": Fate.LATE,
}


class Stage(Protocol):
    """What faults happen to.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    agenda: Agenda
    server: SimulatedServer
    network: Network
    clocks: list[DriftingClock]

    def process(self) -> Process | None:
        """The process that serves now, if there is one."""
        ...

    def replace(self, process: Process, *, after_ms: float, take_over: bool) -> None:
        """Start another process in the place of `process` after a while."""
        ...


class Trouble:
    """Makes faults, one after the other.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, stage: Stage, dice: random.Random, kinds: tuple[str, ...] = ()) -> None:
        self._stage = stage
        self._dice = dice
        self.kinds = kinds or (_ON_FILE if stage.server.is_file else _ON_SERVER)
        self.made: Counter[str] = Counter()

    def make(self) -> None:
        """Make one fault now.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        kind = self._dice.choice(self.kinds)
        self.made[kind] += 1
        fate = _FATES.get(kind)
        if fate is not None:
            self._stage.server.fates.append(fate)
            return
        _ACTS[kind](self)

    def arrive_late(self, batch: Callable[[], None]) -> None:
        """Let a batch arrive some time after its connection broke.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._stage.agenda.after(self._dice.expovariate(1 / 25), batch)

    def _between_answers(self) -> None:
        process = self._stage.process()
        if process is not None:
            process.answers_left = self._dice.randrange(3)

    def _kill(self) -> None:
        process = self._stage.process()
        if process is not None:
            process.kill()

    def _disk_full(self) -> None:
        self._stage.server.fates += [Fate.FULL] * self._dice.randint(1, 4)

    def _clock_jumps(self) -> None:
        clock = self._dice.choice(self._stage.clocks)
        jump = self._dice.choice((-10 * MINUTE, -MINUTE, -2_000, 2_000, MINUTE, 10 * MINUTE))
        clock.off_ms = max(-20 * MINUTE, min(20 * MINUTE, clock.off_ms + jump))

    def _cut(self) -> None:
        self._stage.network.cut_until = self._stage.agenda.now + self._dice.uniform(100, 6_000)

    def _storm(self) -> None:
        network = self._stage.network
        before, network.loss = network.loss, 0.3

        def over() -> None:
            network.loss = before

        self._stage.agenda.after(self._dice.uniform(500, 3_000), over)

    def _hand_over(self) -> None:
        process = self._stage.process()
        if process is None:
            return
        # It takes nothing more, finishes what it has, and lets the next one in.
        stage = self._stage

        def ended() -> None:
            if process.alive:
                process.alive = False
                process.database.close()
                stage.replace(process, after_ms=50, take_over=False)

        def when_idle() -> None:
            if not process.alive:
                return
            if process.writer.waiting or process.writer.busy:
                stage.agenda.after(5, when_idle)
            else:
                ended()

        process.leaving = True
        when_idle()

    def _away(self) -> None:
        server, agenda = self._stage.server, self._stage.agenda
        if server.away:
            return
        server.away = True
        if server.writer is not None:
            server.writer.broken = True
            server.writer = None

        def back() -> None:
            server.away = False

        agenda.after(self._dice.uniform(500, 15_000), back)

    def _stand_still(self) -> None:
        """Inside a commit if there is one soon, which is where it hurts most."""
        process = self._stage.process()
        if process is None:
            return
        stage, dice = self._stage, self._dice

        def freeze(tries: int = 50) -> None:
            if process.alive and not process.still and not process.writer.busy and tries:
                stage.agenda.after(1, lambda: freeze(tries - 1))
                return
            process.still = True
            stage.replace(process, after_ms=10_000, take_over=True)
            stage.agenda.after(dice.uniform(1_000, 40_000), process.go_on)

        freeze()


_ACTS = {
    "crash between two answers": Trouble._between_answers,
    "killed": Trouble._kill,
    "disk full": Trouble._disk_full,
    "clock jumps": Trouble._clock_jumps,
    "network cut": Trouble._cut,
    "network storm": Trouble._storm,
    "orderly hand-over": Trouble._hand_over,
    "store away": Trouble._away,
    "writer stands still": Trouble._stand_still,
}
