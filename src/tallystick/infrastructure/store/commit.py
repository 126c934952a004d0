"""One commit for many commands: begin, write, commit; or nothing of it.

The statements run where the commands were applied; only `commit`, which waits for the disk, is
sent to the one helper thread. The connection has one thread at a time: while a commit is on its
way nothing else may be asked of it, which is checked.

After a failure nothing of the batch is stored, except when the disk or the connection failed during
the very commit: then it may be. So the caller reads its state again, from a connection that knows,
and the same commands are tried again under the same ids.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from typing import TypeVar

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Database
from tallystick.kernel.errors import Broken

T = TypeVar("T")


class _Phase(Enum):
    IDLE = "idle"
    WRITING = "writing"
    COMMITTING = "committing"


class GroupCommit:
    """Writes one batch after the other through the writer's connection.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._phase = _Phase.IDLE
        self.batches = 0

    def counts(self, changes: ChangeSet) -> bool:
        """Whether a batch of `changes` has to be committed before it is answered.

        One that writes nothing has not, except where only a commit shows that this is the writer.
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        return self._database.confirms or not changes.is_empty()

    def begin(self) -> None:
        """Open a batch.

        Raises Unavailable if another process writes, Broken if a batch is open already.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._expect(_Phase.IDLE)
        self._database.begin()
        self._phase = _Phase.WRITING

    def write(self, changes: ChangeSet) -> None:
        """Write the rows of `changes` into the open batch; if that fails the batch is undone.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._expect(_Phase.WRITING)
        try:
            changes.flush(self._database)
        except BaseException:
            self.rollback()
            raise

    def commit(self) -> None:
        """Make the open batch durable; blocks until the disk says so.

        Raises Unavailable or Broken; the batch is undone then.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._expect(_Phase.WRITING)
        self._phase = _Phase.COMMITTING
        try:
            self._database.commit()
            self.batches += 1
        finally:
            self._phase = _Phase.IDLE

    def rollback(self) -> None:
        """Undo the open batch, if there is one.

        Raises Broken while a commit is on its way.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._phase is _Phase.COMMITTING:
            raise Broken("the batch is being committed and cannot be undone")
        self._phase = _Phase.IDLE
        self._database.rollback()

    @property
    def lost(self) -> bool:
        """Whether the connection is gone, so that `recover` has to come first.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._database.lost

    @property
    def overtaken(self) -> bool:
        """Whether another process was found to have become the writer.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        return self._database.overtaken

    def recover(self) -> None:
        """Connect again, so that what the last batch came to can be read; blocks for seconds.

        Raises Unavailable while there is nobody to connect to, or if another process has become
        the writer (`overtaken`).
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._expect(_Phase.IDLE)
        self._database.recover()

    def run(self, changes: ChangeSet) -> None:
        """Write and commit `changes` as one batch, waiting for the disk.

        Raises Unavailable or Broken; nothing of it is in the file then.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.begin()
        self.write(changes)
        self.commit()

    def _expect(self, phase: _Phase) -> None:
        if self._phase is not phase:
            raise Broken(
                f"the store is {self._phase.value}, not {phase.value}",
                remedy="one batch at a time: begin, write, commit",
            )


class CommitThread:
    """The one helper thread on which commits wait for the disk.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Run `work` on the thread, after what was submitted before; callbacks run there too.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._pool.submit(work)

    def close(self) -> None:
        """Finish what was submitted and end the thread.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._pool.shutdown(wait=True)
