"""The writer on an event loop: what arrives during a commit makes the next batch.

Everything runs on the loop's thread but COMMIT, which waits for the disk on a helper thread.

When the connection to the store is lost, commands wait while the helper thread connects again, and
the batch that was on its way is tried again under the same ids: what it came to is known by then.
After a few attempts whoever waits is told to ask again later.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any, Protocol, TypeVar

from tallystick.application.commands import (
    AgentOpens,
    Command,
    DialOrder,
    PlaceOrder,
)
from tallystick.application.simcommands import OrderBySim
from tallystick.application.turn import Outcome, Recorded
from tallystick.application.writer import Prepared, Writer
from tallystick.entry.admission import Pace, Standing, overloaded
from tallystick.entry.batching import next_batch
from tallystick.infrastructure.store.commit import CommitThread
from tallystick.kernel.errors import Broken, MfsError, Unavailable

T = TypeVar("T")
_BEGINNINGS = PlaceOrder | DialOrder | OrderBySim | AgentOpens
WhenDurable = Callable[[Recorded], None]
MAX_WAITING = 8192
"""How many commands wait at most, whatever they are and however long they take."""

RECOVERY_PAUSE_S = 0.25
RECOVERY_PATIENCE = 20
"""How many attempts to connect again commands wait for before they are refused."""


class Submits(Protocol):
    """Takes commands for the writer.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def submit(self, command: Command, answer: WhenDurable) -> None:
        """Execute `command` with the next batch; `answer` is called once it is durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...


class Loop(Protocol):
    """What the writer needs of an event loop; a simulation brings its own.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def call_soon(self, callback: Callable[..., object], *arguments: Any) -> object:
        """Run `callback` with the next events.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: Any) -> object:
        """Run `callback` with the next events, asked for by another thread.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> object:
        """Run `callback` after `delay` seconds.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...


class Thread(Protocol):
    """Where commits wait for the store, one after the other.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Run `work` after what was submitted before.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def close(self) -> None:
        """Finish what was submitted.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...


class WriterLoop:
    """Hands commands to the writer, batch by batch, and answers once they are durable.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        writer: Writer,
        loop: Loop,
        thread: Thread | None = None,
        *,
        longest_wait_s: float = math.inf,
    ) -> None:
        """Run `writer` on `loop`, and what waits for the store on `thread`, one of its own if none.

        New orders are refused once what waits takes longer than `longest_wait_s` seconds.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._writer = writer
        self._loop = loop
        self._thread: Thread = thread or CommitThread()
        self._waiting: deque[tuple[Command, WhenDurable]] = deque()
        self._busy = False
        self._attempts = 0
        self._losses = 0
        self._closing = False
        self._stopped: MfsError | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self.batch_began = self.batch_durable = 0.0
        self._standing = Standing(longest_wait_s)
        self._pace = Pace()
        self._prepared_s = self._oldest_at = 0.0
        self._full = False
        self.on_full: Callable[[bool], None] | None = None
        self.waited_us = self.shed = 0

    def ahead_s(self) -> float:
        """How many seconds of work wait, by what the last full batches took; 0 while the store is
        away.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return 0.0 if self._attempts else len(self._waiting) * self._pace.each_s

    @property
    def waiting(self) -> int:
        """How many commands wait for the next batch.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether a batch is on its way, or the store is being connected to again.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._busy

    @property
    def stopped(self) -> MfsError | None:
        """Why writes stopped, or None.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._stopped

    @property
    def recovering(self) -> bool:
        """Whether the store is away and being connected to again.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._attempts > 0

    def submit(self, command: Command, answer: WhenDurable) -> None:
        """Execute `command` with the next batch; `answer` is called once it is durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self._attempts > RECOVERY_PATIENCE:
            answer(Recorded(Outcome(_away()), None))
            return
        waiting = len(self._waiting)
        if self._stopped is not None or waiting >= MAX_WAITING:
            answer(Recorded(Outcome(self._stopped or overloaded()), None))
            return
        if isinstance(command, _BEGINNINGS) and self._standing.is_too_long(
            self.ahead_s(), monotonic()
        ):
            self.shed += 1
            self._tell_full(full=True)
            answer(Recorded(Outcome(overloaded()), None))
            return
        if not waiting:
            self._oldest_at = monotonic()
        self._waiting.append((command, answer))
        self._begin()

    def _tell_full(self, *, full: bool) -> None:
        if full is not self._full:
            self._full = full
            if self.on_full is not None:
                self.on_full(full)

    def _begin(self) -> None:
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._turn)

    async def ask(self, command: Command) -> Recorded:
        """What `command` came to, once it is durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        future: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()

        def answer(recorded: Recorded) -> None:
            if not future.done():
                future.set_result(recorded)

        self.submit(command, answer)
        return await future

    def rest(self) -> None:
        """Store the newest checkpoint if nothing is going on; call it now and then.

        Source: C2SP tlog-checkpoint
        """
        if self._busy or self._stopped is not None:
            return
        if self._writer.lost:
            self._begin()
            return
        try:
            self._writer.finish()
        except MfsError:
            return

    async def close(self) -> None:
        """Finish what was submitted, take nothing more, end the helper thread.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._closing = True
        await self._idle.wait()
        self._stopped = Unavailable("the service is stopping", remedy="try again")
        self._thread.close()

    def _turn(self) -> None:
        if self._writer.lost:
            self._recover()
            return
        self.batch_began = began = monotonic()
        self.waited_us += int((began - self._oldest_at) * 1e6) if self._waiting else 0
        self._oldest_at = began
        batch = next_batch(self._waiting)
        try:
            prepared = self._writer.prepare([command for command, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever waits must be answered
            self._failed(batch, error)
            return
        self._prepared_s = monotonic() - began
        self._tell_full(full=False)
        future = self._thread.submit(lambda: self._writer.commit(prepared))
        future.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(
                self._durable, prepared, batch, done.exception()
            )
        )

    def _durable(
        self,
        prepared: Prepared,
        batch: list[tuple[Command, WhenDurable]],
        failure: BaseException | None,
    ) -> None:
        self.batch_durable = monotonic()
        recorded: list[Recorded] = []
        try:
            if failure is None:
                recorded = self._writer.release(prepared)
            else:
                self._writer.abandon(prepared)
        except Exception as error:  # noqa: BLE001 - whoever waits must be answered
            self._halt(batch, error)
            return
        if failure is not None:
            self._failed(batch, failure)
            return
        self._losses = 0
        self._answer(batch, recorded)
        answered_s = monotonic() - self.batch_durable
        self._pace.note(len(batch), self._prepared_s + answered_s)
        self._next()

    def _failed(self, batch: list[tuple[Command, WhenDurable]], failure: BaseException) -> None:
        """Try a batch again that the store refused: whole after a lost connection, else singly."""
        if not isinstance(failure, Unavailable | Broken):
            self._halt(batch, failure)
            return
        if self._writer.lost and not self._losses:
            self._losses += 1
            self._waiting.extendleft(reversed(batch))
        else:
            commands = [command for command, _ in batch]
            try:
                recorded = self._writer.retry_singly(commands, failure)
            except Exception as error:  # noqa: BLE001 - whoever waits must be answered
                self._halt(batch, error)
                return
            self._answer(batch, recorded)
        self._next()

    def _halt(self, batch: list[tuple[Command, WhenDurable]], failure: BaseException) -> None:
        """Stop for good after what must not happen: what is in memory is not to be trusted."""
        unexpected = Broken("the writer failed in an unexpected way")
        stopped = failure if isinstance(failure, MfsError) else unexpected
        self._stopped = stopped
        self._answer(batch, [Recorded(Outcome(stopped), None) for _ in batch])
        self._next()

    def _recover(self) -> None:
        """Connect again on the helper thread, and again a little later if that fails."""
        self._attempts += 1
        future = self._thread.submit(self._writer.recover)
        future.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(self._recovered, done.exception())
        )

    def _recovered(self, failure: BaseException | None) -> None:
        if failure is None:
            self._attempts = 0
            self._next()
            return
        overtaken = self._writer.overtaken
        if isinstance(failure, Unavailable) and not self._closing and not overtaken:
            if self._attempts > RECOVERY_PATIENCE:
                self._refuse_waiting(_away())
            self._loop.call_later(RECOVERY_PAUSE_S, self._recover)
            return
        self._attempts = 0
        self._stopped = (
            failure
            if isinstance(failure, MfsError)
            else Broken("the store failed in an unexpected way")
        )
        self._refuse_waiting(self._stopped)
        self._next()

    def _refuse_waiting(self, refusal: MfsError) -> None:
        waiting = list(self._waiting)
        self._waiting.clear()
        self._answer(waiting, [Recorded(Outcome(refusal), None) for _ in waiting])

    def _answer(self, batch: list[tuple[Command, WhenDurable]], recorded: list[Recorded]) -> None:
        for (_, answer), one in zip(batch, recorded, strict=True):
            if isinstance(one.outcome.reply, Broken) or (
                self._writer.overtaken and isinstance(one.outcome.reply, Unavailable)
            ):
                self._stopped = one.outcome.reply
            answer(one)

    def _next(self) -> None:
        if self._waiting and self._stopped is not None:
            self._refuse_waiting(self._stopped)
        if self._waiting:
            self._loop.call_soon(self._turn)
        else:
            self._busy = False
            self._idle.set()


def _away() -> Unavailable:
    return Unavailable(
        "the store cannot be reached", remedy="ask again with the same id", retry_after_s=2
    )
