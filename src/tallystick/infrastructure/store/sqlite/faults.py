"""What a failure of the database means for the caller, in the words of the error tree.

Out of reach for now (locked, disk full, input/output) is Unavailable: the batch is undone and the
same ids may be sent again. A row that breaks a rule, or a damaged file, is Broken.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import sqlite3

from tallystick.kernel.errors import Broken, MfsError, Unavailable

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_OUT_OF_REACH = {
    sqlite3.SQLITE_FULL: ("the disk of the database is full", "free space, then retry"),
    sqlite3.SQLITE_IOERR: ("the disk of the database fails", "check the disk, then retry"),
    sqlite3.SQLITE_CANTOPEN: (
        "the database file cannot be opened",
        "check that its folder exists and belongs to the service",
    ),
    sqlite3.SQLITE_READONLY: (
        "the database file cannot be written",
        "check that the file and its folder belong to the service",
    ),
    sqlite3.SQLITE_NOMEM: ("the database has no memory left", "free memory, then retry"),
    sqlite3.SQLITE_INTERRUPT: ("the statement was interrupted", "retry"),
}


def fault_of(error: Exception) -> MfsError:
    """The error of ours that says what `error` of the driver means; raise it `from error`.

    The driver's own text stays in the cause: it may quote values.
    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.4
    """
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in _LOCKED:
        return Unavailable(
            "the database is locked by another process",
            remedy="stop the other writer, then retry",
            retry_after_s=1,
        )
    if primary in _DAMAGED:
        return Broken(
            "the database file is damaged",
            remedy="stop, keep the file, restore the last backup, compare it with the tally",
        )
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return Broken("a row breaks a rule of its table", remedy="nothing of it was written")
    if primary in _OUT_OF_REACH:
        detail, remedy = _OUT_OF_REACH[primary]
        return Unavailable(detail, remedy=remedy)
    return Broken("the database refused a statement", remedy="see the cause in the log")
