"""A copy of the database file, taken while the writer goes on.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import os
import sqlite3
from pathlib import Path

from tallystick.infrastructure.store.sqlite.faults import fault_of
from tallystick.kernel.errors import Broken, Conflict, Unavailable

_PATIENCE_S = 10


def copy_database(source: Path, target: Path) -> None:
    """Copy the file at `source` to the new file `target` (0600) as it is at one moment.

    The copy needs no other file beside it and is on disk when this returns. Raises Conflict if
    `target` is there, Unavailable, or Broken if the pages of the copy do not fit together.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    try:
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise Conflict(f"{target.name} is there already", remedy="choose a new folder") from None
    except OSError as error:
        raise Unavailable("the copy cannot be written", remedy="check its folder") from error
    try:
        _copy(source, target)
        make_whole(target)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise fault_of(error) from error


def _copy(source: Path, target: Path) -> None:
    reading = sqlite3.connect(
        f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S
    )
    try:
        writing = sqlite3.connect(target, isolation_level=None)
        try:
            reading.backup(writing)
        finally:
            writing.close()
    finally:
        reading.close()


def make_whole(target: Path) -> None:
    """Let the file `target`, which nobody has open, need no other file beside it, and check it.

    It is on disk when this returns. Raises Broken if its pages do not fit together, or what the
    driver or the system raises.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    link = sqlite3.connect(target, isolation_level=None)
    try:
        link.execute("PRAGMA journal_mode = DELETE")
        found = link.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        link.close()
    if found != ("ok",):
        raise Broken("the pages of the copy do not fit together", remedy="check the database")
    for place in (target, target.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
