"""An index of a table that may be large when it gets it.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from typing import LiteralString

from tallystick.kernel.model import Record


class Index(Record, frozen=True, kw_only=True):
    """An index `name` of `table`, and the statements that make it and make it go.

    `plain` is in the words of both engines; `beside` and `against` are what a server builds and
    drops it with while others write.
    Source: PostgreSQL 15, CREATE INDEX
    """

    name: str
    table: str
    plain: LiteralString
    beside: LiteralString
    against: LiteralString


def index_on(table: LiteralString, name: LiteralString, terms: LiteralString) -> Index:
    """The index called `name` on `terms`: columns in parentheses, and a WHERE if it has one.

    Source: PostgreSQL 15, CREATE INDEX
    """
    rest: LiteralString = f"{name} ON {table} {terms}"
    return Index(
        name=name,
        table=table,
        plain=_CREATE + rest,
        beside=_CREATE_BESIDE + rest,
        against=_DROP_BESIDE + name,
    )


_CREATE: LiteralString = "CREATE INDEX "
_CREATE_BESIDE: LiteralString = "CREATE INDEX CONCURRENTLY "
_DROP_BESIDE: LiteralString = "DROP INDEX CONCURRENTLY "
