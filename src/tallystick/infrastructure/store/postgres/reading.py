"""Connections that read: what is committed now, or what was at one moment.

A reader never decides: it may be connected to a replica. What the writer decides by, it reads
through `PostgresDatabase.reader`, which stays on the server that takes writes.

Source: PostgreSQL 15, 13.2; ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Callable, Iterator, Sequence
from typing import LiteralString, Self

from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.database import Shape, shapes_of
from tallystick.infrastructure.store.postgres.dialect import among_sql, translated
from tallystick.infrastructure.store.postgres.lease import is_held
from tallystick.infrastructure.store.postgres.link import Link
from tallystick.infrastructure.store.postgres.values import (
    INT8,
    INT8_ARRAY,
    TEXT,
    TEXT_ARRAY,
    Sent,
    array_of,
    parameters_of,
)
from tallystick.infrastructure.store.table import Row, Value
from tallystick.kernel.errors import Broken

_PART = 2_000
"""How many rows of a stream are fetched at once."""

_SHAPES: LiteralString = """SELECT c.relname, a.attname, coalesce(
        array_position(i.indkey::int2[], a.attnum) + 1, 0)::int8
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname COLLATE "C", a.attnum"""
_SIZE: LiteralString = """SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::int8
    FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""


class PostgresConnection:
    """One connection to a server; whoever uses it makes sure that only one thread does at a time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._streams = 0
        self._pinned = False
        self._cursors = 0

    def rows(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._ask(translated(sql), parameters_of(parameters))

    def one(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def among(
        self,
        select_head: LiteralString,
        keys: Sequence[str] | Sequence[int],
        parameters: Sequence[Value] = (),
    ) -> list[Row]:
        """What `select_head`, which ends in `IN `, finds for any of `keys`, with one statement.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        octets, forms = parameters_of(parameters)
        if not keys:
            return []
        element, array = (TEXT, TEXT_ARRAY) if isinstance(keys[0], str) else (INT8, INT8_ARRAY)
        sent = ([*octets, array_of(element, keys)], [*forms, 1])
        types = [*(0 for _ in octets), array]
        # An array of texts and one of integers are statements of their own.
        sql = among_sql(select_head) + (b"" if element == TEXT else b" ")
        return self._ask(sql, sent, types)

    def stream(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """The rows of a query one by one, for results that may not fit into memory.

        They are those of the moment when the first was asked for. Raises Unavailable or Broken.
        Source: PostgreSQL 15, DECLARE
        """
        if not self._streams and not self._pinned:
            self._link.send_raw(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ((), ()))
        self._streams += 1
        self._cursors += 1
        name = b"c%d" % self._cursors
        try:
            declare = b"DECLARE " + name + b" NO SCROLL CURSOR FOR " + translated(sql)
            self._ask(declare, parameters_of(parameters))
            fetch = b"FETCH %d FROM %s" % (_PART, name)
            while part := self._ask(fetch, ((), ())):
                yield from part
                if len(part) < _PART:
                    break
        finally:
            self._streams -= 1
            if not self._link.lost:
                if not self._link.in_failed_batch:
                    self._link.send_raw(b"CLOSE " + name, ((), ()))
                if not self._streams and not self._pinned:
                    self._link.send_raw(b"ROLLBACK", ((), ()))
                self._link.sync()

    def pin(self) -> None:
        """See from now on what is committed now, until the connection is closed.

        Source: PostgreSQL 15, 13.2.2
        """
        self._link.send_raw(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ((), ()))
        self._ask(b"SELECT 1", ((), ()))
        self._pinned = True

    def shapes(self) -> tuple[Shape, ...]:
        """Every table, by name.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return shapes_of(self.rows(_SHAPES))

    def size(self) -> int:
        """How many octets the tables and their indexes take.

        Source: PostgreSQL 15, 9.27.7
        """
        row = self.one(_SIZE)
        return 0 if row is None else int(row[0])

    def check_integrity(self) -> None:
        """Read every page of every table, so that checksums are compared; raises Broken.

        The cluster must have been made with data checksums.
        Source: PostgreSQL 15, 30.2
        """
        if self.one("SELECT current_setting('data_checksums')") != ("on",):
            raise Broken(
                "the database server keeps no checksums of its pages",
                remedy="stop it and run pg_checksums --enable",
            )
        for shape in self.shapes():
            self._ask(f"SELECT count(*) FROM {shape.table}".encode(), ((), ()))

    def trace(self, listener: Callable[[str], None] | None) -> None:
        """Hand the text of every statement that runs to `listener`; None stops that.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._link.listener = listener

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._link.lost

    def close(self) -> None:
        """Close the connection.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, sql: bytes, sent: Sent, types: Sequence[int] = ()) -> list[Row]:
        self._link.send_raw(sql, sent, types)
        return self._link.sync()[-1]


def open_reader(address: Address) -> PostgresConnection:
    """A read-only connection to the server at `address`.

    Raises Unavailable if nobody answers.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    connection = PostgresConnection(Link.connect(address, purpose="reader", writes=False))
    connection.rows("SET default_transaction_read_only = on")
    return connection


def open_snapshot(address: Address) -> PostgresConnection:
    """A read-only connection that sees the tables as they are now, whatever is written meanwhile.

    Source: PostgreSQL 15, 13.2.2
    """
    connection = open_reader(address)
    connection.pin()
    return connection


def is_being_written(address: Address) -> bool:
    """Whether a process has the store at `address` open as its writer.

    Source: PostgreSQL 15, 13.3.5
    """
    with open_reader(address) as reader:
        return is_held(reader)
