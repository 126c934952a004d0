"""What the store of a served provider has, by a connection that nobody else uses meanwhile."""

from typing import Any

from tests.support.served import Served

from tallystick.infrastructure.store.opening import open_reader


def rows_of(provider: Served, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The rows that `sql` gives now."""
    with open_reader(provider.folder.stored()) as reader:
        return list(reader.rows(sql, parameters))


def row_of(provider: Served, sql: str, parameters: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
    """The one row that `sql` gives now, or None."""
    with open_reader(provider.folder.stored()) as reader:
        return reader.one(sql, parameters)


def leaves_of(provider: Served) -> list[bytes]:
    """Every event that is durable, in order."""
    return [bytes(one[0]) for one in rows_of(provider, "SELECT leaf FROM event ORDER BY idx")]
