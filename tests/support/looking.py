"""What the store of a served provider has, by a connection that nobody else uses meanwhile."""

import time
from typing import Any

from tests.support.served import Served

from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.tally.leaf import decode_leaf


def rows_of(provider: Served, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The rows that `sql` gives now."""
    with open_reader(provider.folder.stored()) as reader:
        return list(reader.rows(sql, parameters))


def row_of(provider: Served, sql: str, parameters: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
    """The one row that `sql` gives now, or None."""
    with open_reader(provider.folder.stored()) as reader:
        return reader.one(sql, parameters)


def log_of(provider: Served) -> bytes:
    """The log with every line of now: they are written a few times a second, in their order.

    A request that is refused is the line after them; with fronts it is that of one front only.
    """
    mark = b'"operation":"session.hello"'
    known = b"".join(provider.log).count(mark)
    provider.transport.post("/v1/sessions", b"{}", "application/json")
    limit = time.monotonic() + 20
    while (found := b"".join(provider.log)).count(mark) <= known:
        assert time.monotonic() < limit, "the log is not written"
        time.sleep(0.02)
    return found


def leaves_of(provider: Served) -> list[bytes]:
    """Every event that is durable, in order."""
    return [bytes(one[0]) for one in rows_of(provider, "SELECT leaf FROM event ORDER BY idx")]


def caused(provider: Served, since: int) -> list[str]:
    """The kinds of the events from `since` on that somebody caused, in order.

    A minute after it began, and each day, the service counts its devices of its own accord.
    """
    kinds = [decode_leaf(leaf).kind for leaf in leaves_of(provider)[since:]]
    return [one for one in kinds if one != "fleet.counted"]
