"""Indexes of large tables, built while others write; one that was left unfinished is built anew.

A build that was interrupted leaves its index behind, marked invalid: it costs every write and helps
no query. One process builds at a time, so what is invalid is nobody's work in progress.

Source: PostgreSQL 15, CREATE INDEX
"""

from typing import LiteralString

from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.index import Index
from tallystick.infrastructure.store.postgres.link import Link
from tallystick.infrastructure.store.postgres.reading import PostgresConnection
from tallystick.kernel.errors import Unavailable

_LOCK: LiteralString = "hashtextextended('tallystick indexes ' || current_schema(), 0)"
_TAKE: LiteralString = f"SELECT pg_try_advisory_lock({_LOCK})"
_GIVE: LiteralString = f"SELECT pg_advisory_unlock({_LOCK})"
_VALID: LiteralString = """SELECT i.indisvalid FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE c.relname = ? AND c.relnamespace = current_schema()::regnamespace"""


class Builder(PostgresConnection):
    """A connection that builds indexes; it needs not be the writer.

    Source: PostgreSQL 15, CREATE INDEX
    """

    @classmethod
    def open(cls, address: Address) -> "Builder":
        """Connect to the server at `address` that takes writes.

        Raises Unavailable if nobody answers.
        Source: PostgreSQL 15, 34.1
        """
        return cls(Link.connect(address, purpose="index builder", writes=True))

    def build(self, index: Index) -> None:
        """Make `index` unless it is there and valid; takes as long as the table needs.

        Raises Unavailable, also if another process builds, or Broken.
        Source: PostgreSQL 15, CREATE INDEX
        """
        if self.one(_TAKE) != (True,):
            raise Unavailable("another process builds an index", remedy="wait until it is done")
        try:
            found = self.one(_VALID, (index.name,))
            if found is not None and not found[0]:
                self._run(index.against)
            if found is None or not found[0]:
                self._run(index.beside)
        finally:
            if not self._link.lost:
                self.one(_GIVE)

    def _run(self, statement: LiteralString) -> None:
        self._link.send(statement)
        self._link.sync(None)
