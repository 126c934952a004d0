"""Rows on their way to and from the tables: whole sets, never one by one.

A `ChangeSet` gathers what a batch changes and writes it with one statement a table, whatever the
batch's size; `load` reads any number of rows by key with one statement.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, LiteralString

from tallystick.infrastructure.store.database import Reader, Statements
from tallystick.infrastructure.store.table import Row, Table, Value
from tallystick.kernel.errors import Broken


class ChangeSet:
    """What one batch writes: new rows in order, changed rows once each, in their last state.

    New rows of all tables go first, table by table in the order in which they were touched, then
    changed rows, then single statements.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    __slots__ = ("_changed", "_new", "_statements")

    def __init__(self) -> None:
        self._new: dict[str, tuple[Table, list[Row]]] = {}
        self._changed: dict[str, tuple[Table, dict[Any, Row]]] = {}
        self._statements: list[tuple[LiteralString, Sequence[Value]]] = []

    def insert(self, table: Table, row: Row) -> None:
        """Append a row whose key is new.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        entry = self._new.get(table.name)
        if entry is None:
            self._new[table.name] = (table, [row])
        else:
            entry[1].append(row)

    def insert_all(self, table: Table, rows: Iterable[Row]) -> None:
        """Append rows whose keys are new.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        entry = self._new.get(table.name)
        if entry is None:
            entry = self._new[table.name] = (table, [])
        entry[1].extend(rows)

    def upsert(self, table: Table, key: object, row: Row) -> None:
        """Write the row under `key`, new or not; the last row of a key in a batch wins.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        entry = self._changed.get(table.name)
        if entry is None:
            self._changed[table.name] = (table, {key: row})
        else:
            entry[1][key] = row

    def statement(self, sql: LiteralString, parameters: Sequence[Value] = ()) -> None:
        """Run one more statement after the rows, such as a purge of what has expired.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._statements.append((sql, parameters))

    def is_empty(self) -> bool:
        """Whether the batch writes nothing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        fresh = any(rows for _, rows in self._new.values())
        return not (fresh or self._changed or self._statements)

    def rows(self) -> Iterator[tuple[Table, list[Row]]]:
        """What the batch writes, table by table: new rows first, then changed ones.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for table, fresh in self._new.values():
            yield table, fresh
        for table, by_key in self._changed.values():
            yield table, list(by_key.values())

    def flush(self, database: Statements) -> None:
        """Write everything inside the database's open batch.

        Raises Unavailable or Broken; the caller rolls back then.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for table, rows in self._new.values():
            if rows:
                database.insert(table, rows)
        for table, by_key in self._changed.values():
            database.insert(table, list(by_key.values()))
        for sql, parameters in self._statements:
            database.execute(sql, parameters)


def load(reader: Reader, table: Table, keys: Iterable[object]) -> dict[Any, Row]:
    """The rows of `table` under `keys`, by key, with one statement; absent keys are left out.

    Keys are all text or all integers. Raises Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return {row[0]: row for row in load_rows(reader, table, keys)}


def load_rows(reader: Reader, table: Table, keys: Iterable[object]) -> list[Row]:
    """Every row of `table` under `keys` with one statement, where a key may have several rows.

    Keys are all text or all integers. Raises Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return select_in(reader, table.select_head, keys)


def select_in(reader: Reader, select_head: LiteralString, keys: Iterable[object]) -> list[Row]:
    """What `select_head`, which ends in `IN `, finds for any of `keys`, with one statement.

    Keys are all text or all integers. Raises Unavailable or Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    wanted = list(keys)
    if not wanted:
        return []
    if all(isinstance(one, str) for one in wanted):
        return reader.among(select_head, [str(one) for one in wanted])
    return reader.among(select_head, [_integer(one) for one in wanted])


def _integer(one: object) -> int:
    if not isinstance(one, int):
        raise Broken("a key is neither text nor an integer")
    return one
