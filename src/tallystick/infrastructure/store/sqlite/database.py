"""The database file: one process writes it, any number of connections read it.

Write-ahead log, every commit on the disk before it returns, no checkpoint inside a commit: a
helper thread moves pages from the log with `Checkpointer.passive()`, and the writer calls
`Database.checkpoint()` now and then right after a commit, so that the log can start over.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.4
"""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import LiteralString, Self

from tallystick.infrastructure.store.fencing import EPOCH, fenced
from tallystick.infrastructure.store.index import Index
from tallystick.infrastructure.store.sqlite.connection import (
    DRIVER,
    WRITER,
    SqliteConnection,
    connect,
    open_reader,
)
from tallystick.infrastructure.store.sqlite.faults import fault_of
from tallystick.infrastructure.store.table import Row, Table, Value
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.model import Record

MAX_VARIABLES = 32_766
"""The most values that one statement may carry."""


class Checkpoint(Record, frozen=True, kw_only=True):
    """What a checkpoint of the write-ahead log found: pages in the log, pages moved out of it.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    complete: bool
    log_pages: int
    moved_pages: int


class Checkpointer(SqliteConnection):
    """A connection of its own for the thread that moves pages out of the write-ahead log.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def passive(self) -> Checkpoint:
        """Move what can be moved without waiting for anybody.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return _checkpoint(self)

    def run(self) -> None:
        """Move what can be moved: what the file wants done beside the writer.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.passive()


class SqliteDatabase(SqliteConnection):
    """The one connection that writes, and the lock that keeps a second writer process out.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: sqlite3.Connection, path: Path, lock: int) -> None:
        super().__init__(link)
        self.path = path
        self._lock = lock
        self._fence: Row | None = None
        self.overtaken = False

    @classmethod
    def open(cls, path: Path | str, *, busy_ms: int = 50) -> Self:
        """Open the file at `path` for writing, creating it (0600) and its folder (0700).

        A statement waits at most `busy_ms` for a lock. Raises Unavailable if another process is
        the writer, if others may write to the folder, or if the disk fails.
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.4
        """
        place = Path(path).absolute()
        lock = _prepare(place)
        try:
            link = connect(place, "rw", busy_ms, WRITER)
        except BaseException:
            os.close(lock)
            raise
        return cls(link, place, lock)

    def reader(self, *, busy_ms: int = 50) -> SqliteConnection:
        """A further connection that can only read; it sees what is committed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return open_reader(self.path, busy_ms=busy_ms)

    def upkeep(self) -> Checkpointer:
        """A further connection, for the thread that empties the write-ahead log.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return Checkpointer(connect(self.path, "rw", 0, WRITER))

    def execute(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> None:
        """Run one statement, inside the open batch if there is one.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            self.link.execute(sql, parameters)
        except DRIVER as error:
            raise fault_of(error) from error

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Write `rows` of `table` with as few statements as the engine's limit allows.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        most = MAX_VARIABLES // len(rows[0])
        for start in range(0, len(rows), most):
            part = rows[start : start + most] if len(rows) > most else rows
            self.execute(insert_statement(table, len(part)), tuple(chain.from_iterable(part)))

    def build(self, index: Index) -> None:
        """Make `index` unless it is there; a file has it whole or not at all.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self.one("SELECT 1 FROM sqlite_schema WHERE name = ?", (index.name,)) is None:
            self.execute(index.plain)

    def fence(self, epoch: int, owner: str) -> None:
        """From now on a batch counts only while `owner` has the store under number `epoch`.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        self._fence = (epoch, owner)

    def begin(self) -> None:
        """Begin to write.

        Raises Unavailable at once if somebody else is writing or has become the writer.
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        self.execute("BEGIN IMMEDIATE")
        if self._fence is not None and self.one(EPOCH) != self._fence:
            self.rollback()
            self.overtaken = True
            raise fenced()

    def commit(self) -> None:
        """Make what was written since `begin` durable; undone as a whole if that fails.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            self.link.execute("COMMIT")
        except DRIVER as error:
            self.rollback()
            raise fault_of(error) from error

    def rollback(self) -> None:
        """Undo what was written since `begin`; nothing to undo is no fault.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self.link.in_transaction:
            self.execute("ROLLBACK")

    @property
    def confirms(self) -> bool:
        """No: the lock keeps others out for as long as this process lives.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return False

    @property
    def lost(self) -> bool:
        """Never: a file is there or fails.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return False

    def recover(self) -> None:
        """Nothing: a file is not connected to.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """

    def checkpoint(self) -> Checkpoint:
        """A short passive checkpoint by the writer itself, between batches.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return _checkpoint(self)

    def close(self) -> None:
        """Move the log into the file, close it and let another writer in.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._lock >= 0:
            super().close()
            os.close(self._lock)
            self._lock = -1


def insert_statement(table: Table, count: int) -> LiteralString:
    """The one statement that writes `count` rows of `table`.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    more: LiteralString = ", " + table.slots
    return table.insert_head + table.slots + more * (count - 1) + table.insert_tail


def is_being_written(path: Path | str) -> bool:
    """Whether a process has the file at `path` open as its writer.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    place = Path(path)
    try:
        lock = os.open(place.with_name(place.name + ".lock"), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _checkpoint(connection: SqliteConnection) -> Checkpoint:
    busy, log_pages, moved_pages = connection.one("PRAGMA wal_checkpoint(PASSIVE)") or (1, 0, 0)
    complete = not busy and log_pages == moved_pages
    return Checkpoint(complete=complete, log_pages=log_pages, moved_pages=moved_pages)


def _prepare(path: Path) -> int:
    """Create the folder and the file for their owner alone; gives the descriptor of the lock."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(path.parent.stat().st_mode) & 0o022:
            raise Unavailable(
                "others may write to the folder of the database",
                remedy="give the service a folder of its own with mode 0700",
            )
        lock = _own(path.with_name(path.name + ".lock"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(_own(path))
        except BaseException:
            os.close(lock)
            raise
    except BlockingIOError as error:
        raise Unavailable(
            "another process is the writer of this database",
            remedy="stop it first, or read with a read-only connection",
        ) from error
    except OSError as error:
        raise Unavailable(
            "the database file cannot be opened",
            remedy="check that its folder exists and belongs to the service",
        ) from error
    return lock


def _own(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
        os.fchmod(descriptor, 0o600)
    return descriptor
