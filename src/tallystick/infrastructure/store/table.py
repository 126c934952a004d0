"""What a table holds, and how its rows are written and read.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from typing import Any, LiteralString

from tallystick.kernel.model import Record

Value = str | int | bytes | None
"""What a column holds."""

Row = tuple[Any, ...]
"""One row, its columns in order."""


class Table(Record, frozen=True, kw_only=True):
    """How the rows of one table are written and read, in the SQL that both engines share.

    `insert_head` names the columns and ends before the rows (`INSERT INTO t (...) VALUES `),
    `slots` is one row of question marks, `insert_tail` follows the rows (` ON CONFLICT (id) DO
    UPDATE SET ...` or empty). `select_head` ends with `WHERE key IN `; its first column is the key,
    text or integer.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    name: str
    key: str
    insert_head: LiteralString
    slots: LiteralString
    insert_tail: LiteralString
    select_head: LiteralString
