"""What is watched from outside: the disk that the state is on; and who is told of what happens.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tallystick.entry.accounting import Accounting
from tallystick.entry.siem import Destination


@dataclass(frozen=True, slots=True)
class Watched:
    """Where the state of a served provider is, and who is told of security events.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    folder: Path | None = None
    siem: tuple[Destination, ...] = ()


NOT_WATCHED = Watched()


def watch_disk(accounting: Accounting, watched: Watched) -> None:
    """Expose how much room there is where the state is, in bytes; -1 where that cannot be told.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    folder = watched.folder
    if folder is not None:
        accounting.gauges["disk_free_bytes"] = lambda: _free(folder)


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return -1
