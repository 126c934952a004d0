"""An index of a table that may be large when it gets it.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from typing import LiteralString

from tallystick.kernel.model import Record


class Index(Record, frozen=True, kw_only=True):
    """An index `name` of `table` on `terms`, the columns; `where` says of which rows, all if empty.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    name: LiteralString
    table: LiteralString
    terms: LiteralString
    where: LiteralString = ""

    @property
    def statement(self) -> LiteralString:
        """What makes it, in the words of both engines.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return "CREATE INDEX " + self.name + self._rest

    @property
    def statement_beside(self) -> LiteralString:
        """What makes it on a server without keeping writers out; in no batch.

        Source: PostgreSQL 15, CREATE INDEX
        """
        return "CREATE INDEX CONCURRENTLY " + self.name + self._rest

    @property
    def statement_against(self) -> LiteralString:
        """What removes it on a server without keeping writers out; in no batch.

        Source: PostgreSQL 15, DROP INDEX
        """
        return "DROP INDEX CONCURRENTLY " + self.name

    @property
    def _rest(self) -> LiteralString:
        rest: LiteralString = " ON " + self.table + " (" + self.terms + ")"
        return rest + " WHERE " + self.where if self.where else rest
