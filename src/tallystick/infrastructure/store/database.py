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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, LiteralString, Protocol, Self

from tallystick.infrastructure.store.faults import fault_of
from tallystick.kernel.errors import Broken, Unavailable
from tallystick.kernel.model import Record

Value = str | int | bytes | None
"""What a column holds."""

Row = tuple[Any, ...]

# What the driver raises; OverflowError and ValueError for values that no column can hold.
_DRIVER = (sqlite3.Error, OverflowError, ValueError)

_WRITER: tuple[LiteralString, ...] = (
    "PRAGMA page_size = 4096",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
)
_READER: tuple[LiteralString, ...] = (
    "PRAGMA query_only = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
)


class Reader(Protocol):
    """Whatever rows can be read from; all that a capability's SQL sees of the database.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def rows(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def one(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def stream(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """The rows of a query one by one, for results that may not fit into memory.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...


class Checkpoint(Record, frozen=True, kw_only=True):
    """What a checkpoint of the write-ahead log found: pages in the log, pages moved out of it.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    complete: bool
    log_pages: int
    moved_pages: int


class Connection:
    """One connection; whoever uses it makes sure that only one thread does at a time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: sqlite3.Connection) -> None:
        self._link = link

    def rows(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            return self._link.execute(sql, parameters).fetchall()
        except _DRIVER as error:
            raise fault_of(error) from error

    def one(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            cursor = self._link.execute(sql, parameters)
            row: Row | None = cursor.fetchone()
            cursor.close()
        except _DRIVER as error:
            raise fault_of(error) from error
        return row

    def stream(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """The rows of a query one by one, for results that may not fit into memory.

        An unfinished stream keeps its snapshot, and with it the write-ahead log: finish or close
        it. Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            cursor = self._link.execute(sql, parameters)
        except _DRIVER as error:
            raise fault_of(error) from error
        try:
            yield from cursor
        except sqlite3.Error as error:
            raise fault_of(error) from error
        finally:
            cursor.close()

    def check_integrity(self) -> None:
        """Read the whole file; raises Broken if its pages or its references do not fit together.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        found = [row[0] for row in self.rows("PRAGMA quick_check(1)")]
        dangling = self.one("SELECT count(*) FROM pragma_foreign_key_check")
        if found != ["ok"] or dangling != (0,):
            raise Broken(
                "the database file is damaged",
                remedy="stop, keep the file, restore the last backup, compare it with the tally",
            )

    def trace(self, listener: Callable[[str], None] | None) -> None:
        """Hand the text of every statement that runs to `listener`; None stops that.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._link.set_trace_callback(listener)

    def close(self) -> None:
        """Close the connection.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Checkpointer(Connection):
    """A connection of its own for the thread that moves pages out of the write-ahead log.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def passive(self) -> Checkpoint:
        """Move what can be moved without waiting for anybody.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return _checkpoint(self)


class Database(Connection):
    """The one connection that writes, and the lock that keeps a second writer process out.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: sqlite3.Connection, path: Path, lock: int) -> None:
        super().__init__(link)
        self.path = path
        self._lock = lock

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
            link = _connect(place, "rw", busy_ms, _WRITER)
        except BaseException:
            os.close(lock)
            raise
        return cls(link, place, lock)

    def reader(self, *, busy_ms: int = 50) -> Connection:
        """A further connection that can only read; it sees what is committed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return open_reader(self.path, busy_ms=busy_ms)

    def checkpointer(self) -> Checkpointer:
        """A further connection for the thread that empties the write-ahead log.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return Checkpointer(_connect(self.path, "rw", 0, _WRITER))

    def execute(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> int:
        """Run one statement; gives the number of rows it changed (-1 if it changes none).

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            return self._link.execute(sql, parameters).rowcount
        except _DRIVER as error:
            raise fault_of(error) from error

    def begin(self) -> None:
        """Begin to write; raises Unavailable at once if somebody else is writing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make what was written since `begin` durable; undone as a whole if that fails.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            self._link.execute("COMMIT")
        except _DRIVER as error:
            self.rollback()
            raise fault_of(error) from error

    def rollback(self) -> None:
        """Undo what was written since `begin`; nothing to undo is no fault.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._link.in_transaction:
            self.execute("ROLLBACK")

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


def open_reader(path: Path | str, *, busy_ms: int = 50) -> Connection:
    """A read-only connection to the file at `path`, which another process may be writing.

    Raises Unavailable if there is none.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return Connection(_connect(Path(path).absolute(), "ro", busy_ms, _READER))


def open_snapshot(path: Path | str, *, busy_ms: int = 50) -> Connection:
    """A read-only connection that sees the file as it is now, whatever is written meanwhile.

    Close it soon: it keeps the write-ahead log. Raises Unavailable if there is none.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    connection = open_reader(path, busy_ms=busy_ms)
    connection.rows("BEGIN")
    connection.one("SELECT count(*) FROM sqlite_schema")
    return connection


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


def _connect(
    path: Path, mode: LiteralString, busy_ms: int, settings: tuple[LiteralString, ...]
) -> sqlite3.Connection:
    try:
        link = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=busy_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
    except sqlite3.Error as error:
        raise fault_of(error) from error
    try:
        for setting in settings:
            link.execute(setting)
        link.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.Error as error:
        link.close()
        raise fault_of(error) from error
    return link


def _checkpoint(connection: Connection) -> Checkpoint:
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
