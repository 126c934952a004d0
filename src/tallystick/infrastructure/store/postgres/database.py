"""The connection that writes to a server: batches in one round trip, fenced, never in doubt.

A commit is waited for until the connection breaks. Then nobody knows whether the batch is durable:
`recover` connects again and raises the boot number, which waits for a batch that is still on its
way and is itself replicated before it returns. What is read after that is what counts.

Source: PostgreSQL 15, 34.5; ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import LiteralString, Self

from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.fencing import EPOCH, fenced
from tallystick.infrastructure.store.index import Index
from tallystick.infrastructure.store.postgres.dialect import columns_of, insert_sql
from tallystick.infrastructure.store.postgres.indexing import Builder
from tallystick.infrastructure.store.postgres.lease import (
    BEAT,
    END,
    END_OWN,
    FENCE,
    NEXT,
    RESIGN,
    SELF,
    TAKE,
)
from tallystick.infrastructure.store.postgres.link import Link
from tallystick.infrastructure.store.postgres.reading import PostgresConnection
from tallystick.infrastructure.store.postgres.values import (
    INT8,
    Sent,
    array_of,
    array_type,
    parameters_of,
)
from tallystick.infrastructure.store.table import Row, Table, Value
from tallystick.kernel.errors import Broken, MfsError, Unavailable

_TYPES: LiteralString = """SELECT attname, atttypid::int8 FROM pg_attribute
    WHERE attrelid = to_regclass(?) AND attnum > 0"""


class PostgresReader(PostgresConnection):
    """What the writer decides by: reads from the server that takes its writes, or from nobody.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: Link, forget: Callable[["PostgresReader"], None]) -> None:
        super().__init__(link)
        self._forget = forget

    def close(self) -> None:
        """Close the connection; the writer does not count on it any more.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._forget(self)
        super().close()

    def renew(self, link: Link) -> None:
        """Go on over `link`, after the writer had to connect again.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._link.close()
        self._link = link
        self._streams = 0


class PostgresDatabase(PostgresConnection):
    """The one connection that writes, and the lock that keeps a second writer out.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: Link, address: Address) -> None:
        super().__init__(link)
        self.address = address
        self._self: Row = (0, "")
        self._epoch = 0
        self.owner = ""
        self.overtaken = False
        self._batch = False
        self._types: dict[str, tuple[int, ...]] = {}
        self._readers: list[PostgresReader] = []
        self._closed = False

    @classmethod
    def open(cls, address: Address, *, take_over: bool = False) -> Self:
        """Become the writer of the database at `address`.

        With `take_over` the connection that is the writer is ended first. Raises Unavailable if
        another process is the writer, or nobody answers that takes writes.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        link = Link.connect(address, purpose="writer", writes=True)
        database = cls(link, address)
        try:
            if take_over:
                database.rows(END)
            database._lock(
                Unavailable(
                    "another process is the writer of this database",
                    remedy="stop it first, or wait for it with --standby",
                )
            )
        except BaseException:
            link.close()
            raise
        return database

    def reader(self) -> PostgresReader:
        """A further connection, to the same server, that can only read.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        reader = PostgresReader(self._reading(), self._forget)
        self._readers.append(reader)
        return reader

    def _forget(self, reader: PostgresReader) -> None:
        with suppress(ValueError):  # it was closed before
            self._readers.remove(reader)

    def upkeep(self) -> "Beat":
        """Tell others about once a second that this writer is alive.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return Beat(self)

    def execute(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> None:
        """Run one statement; inside a batch it is put on its way, and a fault shows at the commit.

        Raises Unavailable or Broken.
        Source: PostgreSQL 15, 34.5
        """
        self._link.send(sql, parameters)
        if not self._batch:
            self._link.sync()

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Write `rows` of `table` with one statement, a column an array.

        Raises Unavailable or Broken.
        Source: PostgreSQL 15, 9.19
        """
        types = self._types_of(table)
        try:
            arrays = [
                array_of(element, column)
                for element, column in zip(types, zip(*rows, strict=True), strict=True)
            ]
        except (ValueError, TypeError, struct.error) as error:
            raise Broken("a row has a value that its column cannot hold") from error
        sent: Sent = (arrays, [1] * len(arrays))
        self._link.send_raw(
            insert_sql(table.insert_head, table.insert_tail),
            sent,
            [array_type(element) for element in types],
        )
        if not self._batch:
            self._link.sync()

    def build(self, index: Index) -> None:
        """Make `index` unless it is there and valid, beside whoever writes; in no batch.

        Raises Unavailable or Broken.
        Source: PostgreSQL 15, CREATE INDEX
        """
        with Builder.open(self.address) as builder:
            builder.build(index)

    def fence(self, epoch: int, owner: str) -> None:
        """From now on a batch counts only while `owner` has the store under number `epoch`.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        self._epoch, self.owner = epoch, owner

    def begin(self) -> None:
        """Begin a batch; the fence is its first statement.

        Raises Unavailable.
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        if self._closed:
            raise Broken("the database is closed")
        self._link.send_raw(b"BEGIN", ((), ()))
        self._batch = True
        if self._epoch:
            self._link.send_raw(FENCE, parameters_of((self._epoch,)), (INT8,))

    def commit(self) -> None:
        """Make what was written since `begin` durable; waits for as long as the connection lives.

        Raises Unavailable or Broken. With `lost` nobody knows what the batch came to.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._batch = False
        self._link.send_raw(b"COMMIT", ((), ()))
        try:
            self._link.sync(None)
        except BaseException:
            self.rollback()
            self.overtaken = self.overtaken or self._is_overtaken()
            raise

    def rollback(self) -> None:
        """Undo what was written since `begin`; nothing to undo is no fault.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._batch = False
        if self._link.lost:
            return
        with suppress(Unavailable, Broken):  # what was sent is undone, whatever it came to
            self._link.sync()
        if not self._link.lost and self._link.in_batch:
            self._link.send_raw(b"ROLLBACK", ((), ()))
            self._link.sync()

    @property
    def confirms(self) -> bool:
        """Yes: a server that was cut off would answer from what it remembers.

        Source: PostgreSQL 15, 27.2.8
        """
        return True

    @property
    def lost(self) -> bool:
        """Whether the connection is gone, or that of a reader.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.is_lost or any(one.is_lost for one in self._readers)

    def recover(self) -> None:
        """Connect again under a new boot number; then what is read is durable, and all there is.

        Raises Unavailable while nobody answers that takes writes, or if another process has become
        the writer (`overtaken`).
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        if self._closed:
            raise Broken("the database is closed")
        before, self._batch = self._self, False
        self._link.close()
        self._link = Link.connect(self.address, purpose="writer", writes=True)
        try:
            self.rows(END_OWN, before)
            self.overtaken = self._is_overtaken()
            self._lock(fenced())
            if self.owner:
                self._raise_number()
            for reader in tuple(self._readers):
                reader.renew(self._reading())
        except BaseException:
            self._link.close()
            raise

    def close(self) -> None:
        """Close the connection and let another writer in.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self.owner and not self._link.lost:
                self.rows(RESIGN)
        except (Unavailable, Broken):
            pass  # whoever waits sees that the beat stands still
        finally:
            super().close()

    def _lock(self, refusal: MfsError) -> None:
        """Become the writer; if another connection is, raise `refusal`."""
        self._self = self.rows(SELF)[0]
        if self.one(TAKE) != (1,):
            self.overtaken = bool(self.owner)
            raise refusal

    def _raise_number(self) -> None:
        """Wait for what an earlier connection left on its way, and shut it out."""
        found = self.rows(NEXT, (self.owner,))
        if not found:
            raise fenced()
        self._epoch = int(found[0][0])

    def _is_overtaken(self) -> bool:
        """Whether the store is under another start's name, as far as can be seen now."""
        if not self.owner or self._link.lost:
            return False
        found = self.one(EPOCH)
        return found is not None and found[1] != self.owner

    def _reading(self) -> Link:
        link = Link.connect(self.address, purpose="writer's reader", writes=True)
        link.send("SET default_transaction_read_only = on")
        link.sync()
        return link

    def _types_of(self, table: Table) -> tuple[int, ...]:
        known = self._types.get(table.insert_head)
        if known is None:
            name, columns = columns_of(table.insert_head)
            # The catalogue is the engine's own affair: no statement of the capability's.
            listener, self._link.listener = self._link.listener, None
            found: dict[str, int] = dict(self.rows(_TYPES, (name,)))
            self._link.listener = listener
            if not set(columns) <= set(found):
                raise Broken("the database refused a statement (42P01)")
            known = self._types[table.insert_head] = tuple(found[one] for one in columns)
        return known


class Beat:
    """Counts the writer's beat up, over a connection of its own.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._link: Link | None = None

    def run(self) -> None:
        """Beat once.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._link is None or self._link.lost:
            address = self._database.address
            self._link = Link.connect(address, purpose="writer's beat", writes=True)
        self._link.send(BEAT, (self._database.owner,))
        self._link.sync()

    def close(self) -> None:
        """Close the connection.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._link is not None:
            self._link.close()
