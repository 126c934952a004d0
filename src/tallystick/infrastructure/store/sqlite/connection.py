"""A connection to the file of SQLite, and the settings under which one writes or reads.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import LiteralString, Self

from tallystick.infrastructure.store.database import Shape, shapes_of
from tallystick.infrastructure.store.sqlite.faults import fault_of
from tallystick.infrastructure.store.table import Row, Value
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import Broken

DRIVER = (sqlite3.Error, OverflowError, ValueError)

"""What the driver raises; OverflowError and ValueError for values that no column can hold."""

_ONE_OF: LiteralString = "(SELECT value FROM json_each(?))"

WRITER: tuple[LiteralString, ...] = (
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
"""How the writer works: every commit on the disk, no checkpoint inside one."""

_READER: tuple[LiteralString, ...] = (
    "PRAGMA query_only = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
)


class SqliteConnection:
    """One connection; whoever uses it makes sure that only one thread does at a time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, link: sqlite3.Connection) -> None:
        self.link = link

    def rows(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row of a query.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            return self.link.execute(sql, parameters).fetchall()
        except DRIVER as error:
            raise fault_of(error) from error

    def one(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None.

        Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            cursor = self.link.execute(sql, parameters)
            row: Row | None = cursor.fetchone()
            cursor.close()
        except DRIVER as error:
            raise fault_of(error) from error
        return row

    def stream(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """The rows of a query one by one, for results that may not fit into memory.

        An unfinished stream keeps its snapshot, and with it the write-ahead log: finish or close
        it. Raises Unavailable or Broken.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            cursor = self.link.execute(sql, parameters)
        except DRIVER as error:
            raise fault_of(error) from error
        try:
            yield from cursor
        except sqlite3.Error as error:
            raise fault_of(error) from error
        finally:
            cursor.close()

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
        return self.rows(select_head + _ONE_OF, (*parameters, encode(keys).decode()))

    def shapes(self) -> tuple[Shape, ...]:
        """Every table, by name.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return shapes_of(
            self.rows(
                """SELECT t.name, c.name, c.pk FROM sqlite_schema AS t
                    JOIN pragma_table_info(t.name) AS c
                    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid"""
            )
        )

    def size(self) -> int:
        """How many octets the file takes.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        row = self.one("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return 0 if row is None else int(row[0])

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
        self.link.set_trace_callback(listener)

    def close(self) -> None:
        """Close the connection.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    path: Path, mode: LiteralString, busy_ms: int, settings: tuple[LiteralString, ...]
) -> sqlite3.Connection:
    """Open the file at `path` in `mode` (`rw` or `ro`) under `settings`.

    Raises Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
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


def open_reader(path: Path | str, *, busy_ms: int = 50) -> SqliteConnection:
    """A read-only connection to the file at `path`, which another process may be writing.

    Raises Unavailable if there is none.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return SqliteConnection(connect(Path(path).absolute(), "ro", busy_ms, _READER))


def open_snapshot(path: Path | str, *, busy_ms: int = 50) -> SqliteConnection:
    """A read-only connection that sees the file as it is now, whatever is written meanwhile.

    Close it soon: it keeps the write-ahead log. Raises Unavailable if there is none.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    connection = open_reader(path, busy_ms=busy_ms)
    connection.rows("BEGIN")
    connection.one("SELECT count(*) FROM sqlite_schema")
    return connection
