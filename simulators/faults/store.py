"""The store at its interface, with the commit semantics of both engines, and its failures.

    file      a commit is there or not; a crash takes what was not committed; a disk may be full
    server    the same, and a connection may break so that nobody knows what the last batch came to;
              a batch may arrive late; a second process may take the writer's place

Rows are kept by SQLite in memory, so that the SQL is the product's own. A batch is gathered and
applied as a whole when its fate is known.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import LiteralString

from tallystick.infrastructure.store.fencing import EPOCH, fenced
from tallystick.infrastructure.store.index import Index
from tallystick.infrastructure.store.sqlite.connection import SqliteConnection
from tallystick.infrastructure.store.sqlite.database import insert_statement
from tallystick.infrastructure.store.sqlite.faults import fault_of
from tallystick.infrastructure.store.table import Row, Table, Value
from tallystick.kernel.errors import Broken, Unavailable

MAX_ROWS = 500


class Fate(Enum):
    """What becomes of a commit.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    DONE = "done"
    FULL = "the disk is full"
    CRASH_BEFORE = "the process dies before the commit"
    TORN = "the process dies while the commit is written"
    CRASH_AFTER = "the process dies after the commit"
    LOST_BEFORE = "the connection breaks, the batch did not arrive"
    LOST_AFTER = "the connection breaks, the batch is there"
    LATE = "the connection breaks, the batch arrives later"


class Crash(BaseException):
    """The process dies here."""


class SimulatedServer:
    """The durable side: one set of tables, one writer at a time, an outage now and then.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, *, is_file: bool) -> None:
        self.is_file = is_file
        self.link = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.writer: SimulatedDatabase | None = None
        self.fates: list[Fate] = []
        self.away = False
        self.fencing = True
        self.lies = False
        self.stale_writes = 0
        self.when_late: Callable[[Callable[[], None]], None] = lambda _batch: None
        self.commits = 0

    def open(self, *, take_over: bool = False) -> "SimulatedDatabase":
        """A connection that is the writer from now on.

        Raises Unavailable while another one is, or the server is away.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self.away:
            raise Unavailable("the store is away")
        if self.writer is not None and not take_over:
            raise Unavailable("another process is the writer")
        if self.writer is not None:
            self.writer.broken = True
        self.writer = SimulatedDatabase(self)
        return self.writer

    def fate(self) -> Fate:
        """What becomes of the next commit.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.commits += 1
        return self.fates.pop(0) if self.fates else Fate.DONE

    def apply(self, statements: list[tuple[str, Sequence[Value]]], *, torn: bool = False) -> None:
        """Run `statements` as one transaction; torn, only a part of them and then none.

        Raises what the engine's failure means.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        nested = self.link.in_transaction  # a store that lies keeps one open
        self.link.execute("SAVEPOINT batch" if nested else "BEGIN")
        try:
            for sql, parameters in statements[: len(statements) // 2 if torn else None]:
                self.link.execute(sql, parameters)
        except (sqlite3.Error, OverflowError, ValueError) as error:
            self._undo(nested)
            raise fault_of(error) from error
        if torn:
            self._undo(nested)
        else:
            self.link.execute("RELEASE batch" if nested else "COMMIT")

    def _undo(self, nested: bool) -> None:
        self.link.execute("ROLLBACK TO batch" if nested else "ROLLBACK")
        if nested:
            self.link.execute("RELEASE batch")

    def lie(self) -> None:
        """From now on commits are acknowledged that are not on the disk yet; a planted mistake.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.lies = True
        self.link.execute("BEGIN")

    def power_off(self) -> None:
        """The writer's process is gone; a store that lied forgets what it acknowledged lately.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.writer = None
        if self.lies and self.link.in_transaction:
            self.link.execute("ROLLBACK")
            self.link.execute("BEGIN")

    def settle(self) -> None:
        """What a lying store wrote so far reaches the disk after all.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self.lies and self.link.in_transaction:
            self.link.execute("COMMIT")
            self.link.execute("BEGIN")


class SimulatedDatabase(SqliteConnection):
    """A writer's connection to the simulated server.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, server: SimulatedServer) -> None:
        super().__init__(server.link)
        self._server = server
        self._batch: list[tuple[str, Sequence[Value]]] | None = None
        self._fence: Row | None = None
        self.owner = ""
        self.broken = False
        self.overtaken = False

    def reader(self) -> "SimulatedReader":
        """A connection that reads what is committed, while this one lives.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return SimulatedReader(self._server.link, self)

    def upkeep(self) -> "NoUpkeep":
        """There is nothing to look after.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return NoUpkeep()

    def execute(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> None:
        """Run one statement, or keep it for the open batch.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._batch is not None:
            self._batch.append((sql, parameters))
        else:
            self._server.apply([(sql, parameters)])

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Write rows, set by set.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for start in range(0, len(rows), MAX_ROWS):
            part = rows[start : start + MAX_ROWS]
            flat = [value for row in part for value in row]
            self.execute(insert_statement(table, len(part)), flat)

    def one(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, which sees what the open batch has written before it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._batch:
            written, self._batch = self._batch, []
            self._server.apply(written)
        return super().one(sql, parameters)

    def build(self, index: Index) -> None:
        """Make `index`.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.execute(index.plain)

    def fence(self, epoch: int, owner: str) -> None:
        """From now on a batch counts only while `owner` has the store under `epoch`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._fence, self.owner = (epoch, owner), owner

    def begin(self) -> None:
        """Begin a batch.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._reachable()
        self._batch = []

    def commit(self) -> None:
        """Meet the batch's fate.

        Raises Unavailable, Broken, or Crash.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        batch, self._batch = self._batch or [], None
        self._reachable()
        fate = self._server.fate() if self._fence is not None else Fate.DONE
        if fate is Fate.FULL:
            raise Unavailable("the disk of the database is full", remedy="free space, then retry")
        if fate is Fate.CRASH_BEFORE:
            raise Crash
        if fate is Fate.TORN:
            self._server.apply(batch, torn=True)
            raise Crash
        if fate is Fate.LOST_BEFORE:
            self._lose()
        if fate is Fate.LATE:
            fence = self._fence
            self._server.when_late(lambda: self._arrive_late(batch, fence))
            self._lose()
        self._admitted()
        self._server.apply(batch)
        if fate is Fate.CRASH_AFTER:
            raise Crash
        if fate is Fate.LOST_AFTER:
            self._lose()

    def rollback(self) -> None:
        """Undo the open batch.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._batch = None

    @property
    def confirms(self) -> bool:
        """As the engine does it.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return not self._server.is_file

    @property
    def lost(self) -> bool:
        """Whether the connection is gone.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.broken or (self._server.away and not self._server.is_file)

    def recover(self) -> None:
        """Connect again under a new number, behind whatever was on its way.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self._server.away:
            raise Unavailable("the store is away")
        if self._server.writer is not self and self._server.writer is not None:
            self.overtaken = True
            raise fenced()
        self._raise_number()
        self._server.writer = self
        self.broken = False

    def close(self) -> None:
        """Let another writer in.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._server.writer is self:
            self._server.writer = None
        self.broken = True

    def _raise_number(self) -> None:
        found = self._server.link.execute(EPOCH).fetchone()
        if found is None or found[1] != self.owner:
            self.overtaken = True
            raise fenced()
        self._server.apply([("UPDATE boot SET number = number + 1 WHERE id = 1", ())])
        self._fence = (found[0] + 1, self.owner)

    def _admitted(self) -> None:
        """The fence, as the engine checks it inside the batch."""
        if self._fence is None:
            return
        if self._server.link.execute(EPOCH).fetchone() != self._fence:
            if self._server.fencing:
                self.overtaken = True
                raise fenced()
            self._server.stale_writes += 1

    def _arrive_late(self, batch: list[tuple[str, Sequence[Value]]], fence: Row | None) -> None:
        if fence is None or self._server.link.execute(EPOCH).fetchone() == fence:
            with suppress(Broken):  # the engine refuses it by itself
                self._server.apply(batch)
                if not self.broken:  # its writer had gone on without it
                    self._server.stale_writes += 1

    def _lose(self) -> None:
        self.broken = True
        raise Unavailable("the connection was lost", retry_after_s=1)

    def _reachable(self) -> None:
        if self.lost:
            raise Unavailable("the connection was lost", retry_after_s=1)


class SimulatedReader(SqliteConnection):
    """Reads what is committed while its writer's connection lives.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: sqlite3.Connection, writer: SimulatedDatabase) -> None:
        super().__init__(link)
        self._writer = writer

    def rows(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query.

        Raises Unavailable while the connection is lost.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._alive()
        return super().rows(sql, parameters)

    def one(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None.

        Raises Unavailable while the connection is lost.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._alive()
        return super().one(sql, parameters)

    def close(self) -> None:
        """Keep the tables, which others read."""

    def _alive(self) -> None:
        if self._writer.lost:
            raise Unavailable("the connection was lost", retry_after_s=1)


class NoUpkeep:
    """Nothing to look after.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def run(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
