"""The writer on an event loop: what arrives during a commit makes the next batch.

Everything runs on the loop's thread but COMMIT, which waits for the disk on a helper thread.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tallystick.application.commands import Command
from tallystick.application.turn import Outcome, Recorded
from tallystick.application.writer import Prepared, Writer
from tallystick.infrastructure.store.commit import CommitThread
from tallystick.kernel.errors import Broken, MfsError, Unavailable

WhenDurable = Callable[[Recorded], None]
MAX_BATCH = 1024
MAX_WAITING = 8192


class Submits(Protocol):
    """Takes commands for the writer.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def submit(self, command: Command, answer: WhenDurable) -> None:
        """Execute `command` with the next batch; `answer` is called once it is durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...


class WriterLoop:
    """Hands commands to the writer, batch by batch, and answers once they are durable.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, writer: Writer, loop: asyncio.AbstractEventLoop) -> None:
        self._writer = writer
        self._loop = loop
        self._thread = CommitThread()
        self._waiting: deque[tuple[Command, WhenDurable]] = deque()
        self._busy = False
        self._stopped: MfsError | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """How many commands wait for the next batch.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return len(self._waiting)

    @property
    def stopped(self) -> MfsError | None:
        """Why writes stopped, or None.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._stopped

    def submit(self, command: Command, answer: WhenDurable) -> None:
        """Execute `command` with the next batch; `answer` is called once it is durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self._stopped is not None or len(self._waiting) >= MAX_WAITING:
            refusal = self._stopped or Unavailable(
                "too many requests wait", remedy="try again with the same id", retry_after_s=1
            )
            answer(Recorded(Outcome(refusal), None))
            return
        self._waiting.append((command, answer))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._turn)

    async def ask(self, command: Command) -> Recorded:
        """What `command` came to, once it is durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        future: asyncio.Future[Recorded] = self._loop.create_future()

        def answer(recorded: Recorded) -> None:
            if not future.done():
                future.set_result(recorded)

        self.submit(command, answer)
        return await future

    def rest(self) -> None:
        """Store the newest checkpoint if nothing is going on; call it now and then.

        Source: C2SP tlog-checkpoint
        """
        if not self._busy and self._stopped is None:
            try:
                self._writer.finish()
            except MfsError:
                return

    async def close(self) -> None:
        """Finish what was submitted, take nothing more, end the helper thread.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        await self._idle.wait()
        self._stopped = Unavailable("the service is stopping", remedy="try again")
        self._thread.close()

    def _turn(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
        commands = [command for command, _ in batch]
        answers = [answer for _, answer in batch]
        try:
            prepared = self._writer.prepare(commands)
        except (Unavailable, Broken) as error:
            self._answer(answers, self._writer.retry_singly(commands, error))
            self._next()
            return
        future = self._thread.submit(lambda: self._writer.commit(prepared))
        future.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(
                self._durable, prepared, answers, done.exception()
            )
        )

    def _durable(
        self, prepared: Prepared, answers: list[WhenDurable], failure: BaseException | None
    ) -> None:
        if failure is None:
            recorded = self._writer.release(prepared)
        elif isinstance(failure, MfsError):
            self._writer.abandon(prepared)
            recorded = self._writer.retry_singly(prepared.commands, failure)
        else:
            self._stopped = Broken("the store failed in an unexpected way")
            self._writer.abandon(prepared)
            recorded = [Recorded(Outcome(self._stopped), None) for _ in answers]
        self._answer(answers, recorded)
        self._next()

    def _answer(self, answers: list[WhenDurable], recorded: list[Recorded]) -> None:
        for answer, one in zip(answers, recorded, strict=True):
            if isinstance(one.outcome.reply, Broken):
                self._stopped = one.outcome.reply
            answer(one)

    def _next(self) -> None:
        if self._waiting:
            self._loop.call_soon(self._turn)
        else:
            self._busy = False
            self._idle.set()
