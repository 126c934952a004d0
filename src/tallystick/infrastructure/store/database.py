"""What a store is to whoever uses it: one connection that writes, any number that read.

Two engines keep the same tables: a file of SQLite and a server of PostgreSQL. SQL stands in the
capabilities' store modules, once, in the words that both understand: `?` for a parameter.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString, Protocol, Self

from tallystick.infrastructure.store.index import Index
from tallystick.infrastructure.store.table import Row, Table, Value
from tallystick.kernel.model import Record


class Reader(Protocol):
    """Whatever rows can be read from; all that a capability's SQL sees of the database.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def rows(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def one(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def among(
        self,
        select_head: LiteralString,
        keys: Sequence[str] | Sequence[int],
        parameters: Sequence[Value] = (),
    ) -> list[Row]:
        """What `select_head`, which ends in `IN `, finds for any of `keys`, with one statement.

        `parameters` are those of `select_head` itself. Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def stream(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """The rows of a query one by one, for results that may not fit into memory.

        They are those of one moment. Finish or close it: it keeps what others replace. Raises
        Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...


class Shape(Record, frozen=True, kw_only=True):
    """A table as the engine has it: its columns, and those of its primary key, in order.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    table: str
    columns: tuple[str, ...]
    primary: tuple[str, ...]


class Connection(Reader, Protocol):
    """One connection; whoever uses it makes sure that only one thread does at a time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def shapes(self) -> tuple[Shape, ...]:
        """Every table, by name.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def check_integrity(self) -> None:
        """Look whether what is stored fits together; raises Broken if not.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def size(self) -> int:
        """How many octets the store takes.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def trace(self, listener: Callable[[str], None] | None) -> None:
        """Hand the text of every statement that runs to `listener`; None stops that.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def close(self) -> None:
        """Close the connection; closing it again does nothing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Upkeep(Protocol):
    """Short work that the store wants done about once a second, beside the writer.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def run(self) -> None:
        """Do it once, on any thread; raises Unavailable or Broken.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def close(self) -> None:
        """Let go of what it needs.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...


class Database(Connection, Protocol):
    """The one connection that writes; no second process writes while this one may.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    @property
    def confirms(self) -> bool:
        """Whether only a commit shows that this is still the writer, also if nothing is written.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        ...

    def reader(self) -> Connection:
        """A further connection that can only read; it sees what is committed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def upkeep(self) -> Upkeep:
        """What to do beside the writer about once a second.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def execute(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> None:
        """Run one statement, inside the open batch if there is one.

        A fault in a batch may only show when the batch is committed. Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Write `rows` of `table` set by set, inside the open batch if there is one.

        Raises what `execute` raises.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def build(self, index: Index) -> None:
        """Make `index` unless it is there and whole; in no batch, for as long as it takes.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def fence(self, epoch: int, owner: str) -> None:
        """From now on a batch counts only while `owner` has the store under number `epoch`.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        ...

    def begin(self) -> None:
        """Begin a batch.

        Raises Unavailable, also if another process has become the writer.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def commit(self) -> None:
        """Make what was written since `begin` durable; undone as a whole if that fails.

        Where the connection was lost meanwhile (`lost`), nobody knows until `recover`. Raises
        Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def rollback(self) -> None:
        """Undo what was written since `begin`; nothing to undo is no fault.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    @property
    def lost(self) -> bool:
        """Whether the connection is gone, so that `recover` has to come first.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    @property
    def overtaken(self) -> bool:
        """Whether another process was found to have become the writer.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
        """
        ...

    def recover(self) -> None:
        """Connect again, so that what the last batch came to is settled and can be read.

        Blocks for seconds. Raises Unavailable while there is nobody to connect to, Broken if
        another process has become the writer.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...


class Statements(Protocol):
    """Where a batch's statements go; all that a ChangeSet needs of a database.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def execute(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> None:
        """Run one statement.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Write rows of one table.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ...


@contextmanager
def batch(database: Database) -> Generator[None]:
    """Everything that the block writes, as one batch; nothing of it if the block fails.

    Raises Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    database.begin()
    try:
        yield
    except BaseException:
        database.rollback()
        raise
    database.commit()


def has_table(reader: Connection, name: str) -> bool:
    """Whether the store has the table `name`; one that an older version served last may lack it.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return any(shape.table == name for shape in reader.shapes())


def shapes_of(columns: Iterable[Row]) -> tuple[Shape, ...]:
    """The shapes that an engine's catalogue describes, in rows ordered by table.

    A row is table, column, and the column's place in the primary key: from 1, 0 for none.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    found: dict[str, tuple[list[str], dict[int, str]]] = {}
    for table, column, place in columns:
        names, primary = found.setdefault(table, ([], {}))
        names.append(column)
        if place:
            primary[place] = column
    return tuple(
        Shape(
            table=table,
            columns=tuple(names),
            primary=tuple(primary[place] for place in sorted(primary)),
        )
        for table, (names, primary) in found.items()
    )
