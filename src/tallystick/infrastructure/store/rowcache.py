"""Rows that the writer keeps in memory: read once, changed in memory, written back set by set.

    get      memory, else one row from the reader
    prefetch memory, else all missing rows in one statement
    put      memory now, the batch's ChangeSet for the commit

A cache holds at most `capacity` rows between batches; what a batch changed stays until it is
durable.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Generic, TypeVar

from tallystick.infrastructure.store.changes import ChangeSet, load
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record, from_row, row_of

R = TypeVar("R", bound=Record)


class RowCache(Generic[R]):
    """The rows of one table as `R` records, by primary key.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, table: Table, record: type[R], reader: Reader, *, capacity: int) -> None:
        """Cache rows of `table`, whose columns are the fields of `record` in order.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._table = table
        self._record = record
        self._reader = reader
        self._capacity = capacity
        self._rows: dict[Any, R | None] = {}

    def get(self, key: Any) -> R | None:
        """The record under `key`, or None.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            return self._rows[key]
        except KeyError:
            self.prefetch((key,))
            return self._rows[key]

    def prefetch(self, keys: Iterable[Any]) -> None:
        """Bring all of `keys` into memory with at most one statement.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        missing = [key for key in keys if key not in self._rows]
        if not missing:
            return
        found = load(self._reader, self._table, missing)
        for key in missing:
            row = found.get(key)
            self._rows[key] = None if row is None else from_row(self._record, row)

    def missing(self, keys: Iterable[Any]) -> list[Any]:
        """Those of `keys` that are not in memory, each once.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return [key for key in dict.fromkeys(keys) if key not in self._rows]

    def learn(self, key: Any, record: R | None) -> None:
        """Keep what was read otherwise: the record under `key`, or that there is none.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.setdefault(key, record)

    def put(self, key: Any, record: R, changes: ChangeSet) -> None:
        """Replace the record under `key`, in memory now and on disk with this batch.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows[key] = record
        changes.upsert(self._table, key, row_of(record))

    def add(self, key: Any, record: R, changes: ChangeSet) -> None:
        """Append a record whose key is new.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows[key] = record
        changes.insert(self._table, row_of(record))

    def trim(self) -> bool:
        """Forget the rows that came first once there are too many; call it between batches only.

        Gives whether any were forgotten.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        surplus = len(self._rows) - self._capacity
        if surplus > 0:
            for key in list(islice(self._rows, surplus + self._capacity // 8)):
                del self._rows[key]
        return surplus > 0

    def reset(self) -> None:
        """Forget everything, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.clear()
