"""Copy what one store has into another, row by row and provably: engines may differ.

    round 1..n   rows of the source against rows of the target, in the order of their keys: what is
                 missing is inserted, what differs is replaced, what is too much is deleted
    digest       SHA-256 over every row of a table in that order: equal where the tables are

A round may run while the source is written; the last one, and the digests, when nobody writes.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, LiteralString, cast

from tallystick.infrastructure.crypto.digest import sha256_of
from tallystick.infrastructure.store.database import Connection, Database, Reader, Shape, batch
from tallystick.infrastructure.store.table import Row, Table
from tallystick.kernel.errors import Broken
from tallystick.kernel.model import Record

NOT_STATE = frozenset({"schema_version", "writer_beat"})
"""Tables that say how a store was made or is served, not what it holds."""

_BATCH = 2_000


class Round(Record, frozen=True, kw_only=True):
    """What one round did: rows looked at, written, and deleted.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    rows: int
    written: int
    deleted: int


def copy_rows(
    source: Connection,
    target: Database,
    *,
    only_grow: Collection[str] = (),
) -> Round:
    """Make the tables of `target` those of `source`, in batches; gives what had to be done.

    Both have the same schema. Rows of the tables `only_grow` never change, so those that are there
    are not compared. Raises Broken if the schemas differ.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    shapes = _state_of(source)
    if shapes != _state_of(target):
        raise Broken("the two stores have different tables", remedy="use one version for both")
    looked = written = deleted = 0
    with target.reader() as there:
        for shape in shapes:
            copier = _Copier(shape, source, target, there)
            copier.run(grows=shape.table in only_grow)
            looked += copier.looked
            written += copier.written
            deleted += copier.deleted
    return Round(rows=looked, written=written, deleted=deleted)


def state_digests(reader: Connection) -> dict[str, str]:
    """For each table that holds state, SHA-256 (hex) over its rows in the order of their keys.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return {shape.table: _digest(reader, shape) for shape in _state_of(reader)}


def row_counts(reader: Connection) -> dict[str, int]:
    """How many rows each table has.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    counts: dict[str, int] = {}
    for shape in reader.shapes():
        row = reader.one(_sql(f"SELECT count(*) FROM {shape.table}"))
        counts[shape.table] = 0 if row is None else int(row[0])
    return counts


def _state_of(connection: Connection) -> tuple[Shape, ...]:
    return tuple(shape for shape in connection.shapes() if shape.table not in NOT_STATE)


def _digest(reader: Reader, shape: Shape) -> str:
    return sha256_of(map(_octets, reader.stream(_select(shape)))).hex()


def _octets(row: Row) -> bytes:
    """A row so that no two rows look alike: type, length and octets of each value."""
    parts: list[bytes] = []
    for value in row:
        octets = value if isinstance(value, bytes) else str(value).encode()
        parts += (f"{type(value).__name__}:{len(octets)}:".encode(), octets)
    return b"".join(parts)


class _Copier:
    """Brings one table into step."""

    def __init__(self, shape: Shape, source: Reader, target: Database, there: Reader) -> None:
        self._shape = shape
        self._source = source
        self._target = target
        self._there = there
        self._table = _table(shape)
        self._places = tuple(shape.columns.index(one) for one in shape.primary)
        self._fresh: list[Row] = []
        self._gone: list[Row] = []
        self.looked = self.written = self.deleted = 0

    def run(self, *, grows: bool) -> None:
        """Compare from the start, or behind the target's last row where rows never change."""
        after: Sequence[Any] | None = self._last() if grows and len(self._places) == 1 else None
        mine = iter(self._rows(self._source, after))
        theirs = iter(()) if after is not None else iter(self._rows(self._there, None))
        left, right = next(mine, None), next(theirs, None)
        while left is not None or right is not None:
            if right is None or (left is not None and self._key(left) < self._key(right)):
                self.looked += 1
                self._fresh.append(cast("Row", left))
                left = next(mine, None)
            elif left is None or self._key(right) < self._key(left):
                self._gone.append(self._key(right))
                self.deleted += 1
                right = next(theirs, None)
            else:
                self.looked += 1
                if left != right:
                    self._gone.append(self._key(right))
                    self._fresh.append(left)
                left, right = next(mine, None), next(theirs, None)
            if len(self._fresh) + len(self._gone) >= _BATCH:
                self._flush()
        self._flush()

    def _key(self, row: Row) -> Row:
        return tuple(row[place] for place in self._places)

    def _rows(self, reader: Reader, after: Sequence[Any] | None) -> Iterator[Row]:
        if after is None:
            return reader.stream(_select(self._shape))
        return reader.stream(_select(self._shape, behind=True), after)

    def _last(self) -> Row | None:
        """The key of the target's last row, if it has any."""
        name = self._shape.primary[0]
        row = self._there.one(_sql(f"SELECT max({name}) FROM {self._shape.table}"))
        return None if row is None or row[0] is None else row

    def _flush(self) -> None:
        if not self._fresh and not self._gone:
            return
        where = " AND ".join(f"{name} = ?" for name in self._shape.primary)
        delete = _sql(f"DELETE FROM {self._shape.table} WHERE {where}")
        with batch(self._target):
            for gone in self._gone:
                self._target.execute(delete, gone)
            if self._fresh:
                self._target.insert(self._table, self._fresh)
        self.written += len(self._fresh)
        self._fresh, self._gone = [], []


def _select(shape: Shape, *, behind: bool = False) -> LiteralString:
    columns, order = ", ".join(shape.columns), ", ".join(shape.primary)
    where = f" WHERE {shape.primary[0]} > ?" if behind else ""
    return _sql(f"SELECT {columns} FROM {shape.table}{where} ORDER BY {order}")


def _table(shape: Shape) -> Table:
    columns = ", ".join(shape.columns)
    slots = ", ".join("?" for _ in shape.columns)
    return Table(
        name=shape.table,
        key=", ".join(shape.primary),
        insert_head=_sql(f"INSERT INTO {shape.table} ({columns}) VALUES "),
        slots=_sql(f"({slots})"),
        insert_tail="",
        select_head="",
    )


def _sql(text: str) -> LiteralString:
    """Names come from the engine's own catalogue of tables that our migrations made."""
    return cast("Any", text)  # type: ignore[no-any-return]
