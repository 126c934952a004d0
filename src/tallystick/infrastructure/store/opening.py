"""Open a store by its place: a path for the embedded file, an address for a PostgreSQL server.

The engine of servers is imported when it is first needed: its driver is an extra.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

# ruff: noqa: PLC0415 - see above
from collections.abc import Iterable
from pathlib import Path

from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.database import Connection, Database
from tallystick.infrastructure.store.migrations import Migration, missing_indexes
from tallystick.infrastructure.store.sqlite import connection as sqlite
from tallystick.infrastructure.store.sqlite.database import SqliteDatabase
from tallystick.infrastructure.store.sqlite.database import is_being_written as file_is_written
from tallystick.kernel.errors import Unavailable

Place = Path | Address
"""Where a store is."""


def open_database(place: Place, *, take_over: bool = False) -> Database:
    """Open the store at `place` for writing; a file is created where there is none.

    `take_over` ends the connection of a server's writer that does not beat any more. Raises
    Unavailable if another process is the writer or nobody answers.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    if isinstance(place, Address):
        with _Driver():
            from tallystick.infrastructure.store.postgres.database import PostgresDatabase
        return PostgresDatabase.open(place, take_over=take_over)
    return SqliteDatabase.open(place)


def open_reader(place: Place) -> Connection:
    """A read-only connection to the store at `place`, which another process may be writing.

    Raises Unavailable if there is none.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    if isinstance(place, Address):
        with _Driver():
            from tallystick.infrastructure.store.postgres import reading
        return reading.open_reader(place)
    return sqlite.open_reader(place)


def open_snapshot(place: Place) -> Connection:
    """A read-only connection that sees the store as it is now, whatever is written meanwhile.

    Close it soon: it keeps what others replace. Raises Unavailable if there is none.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    if isinstance(place, Address):
        with _Driver():
            from tallystick.infrastructure.store.postgres import reading
        return reading.open_snapshot(place)
    return sqlite.open_snapshot(place)


def is_being_written(place: Place) -> bool:
    """Whether a process has the store at `place` open as its writer.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    if isinstance(place, Address):
        with _Driver():
            from tallystick.infrastructure.store.postgres import reading
        return reading.is_being_written(place)
    return file_is_written(place)


def build_missing(place: Place, migrations: Iterable[Migration]) -> tuple[str, ...]:
    """Build, beside the writer of a server, the indexes of steps that it lacks; gives their names.

    A file gets them from its writer. Raises Unavailable, also if another process builds, or Broken.
    Source: PostgreSQL 15, CREATE INDEX
    """
    if not isinstance(place, Address):
        return ()
    with _Driver():
        from tallystick.infrastructure.store.postgres.indexing import Builder
    with Builder.open(place) as builder:
        missing = missing_indexes(builder, migrations)
        for index in missing:
            builder.build(index)
    return tuple(index.name for index in missing)


class _Driver:
    """Says what to install where the import inside it fails."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, ImportError):
            raise Unavailable(
                "the driver of PostgreSQL is not installed",
                remedy="pip install 'tallystick[postgres]'",
            ) from error
