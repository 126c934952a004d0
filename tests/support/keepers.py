"""Who keeps a module's process: found in the table of processes, as its administrator would."""

import time
from contextlib import suppress
from pathlib import Path

from tallystick.infrastructure.modules.remote.client import RemoteModule


def children(pid: int) -> set[int]:
    """The processes that the process `pid` started and that are there."""
    found = set()
    for one in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            number, _, rest = one.read_text().partition(" (")
            if rest.rpartition(") ")[2].split()[1] == str(pid):
                found.add(int(number))
    return found


def spare_of(keeper: int, module: RemoteModule) -> int:
    """The spare of `keeper`, once there is one."""
    inner = module.status().process
    end = time.monotonic() + 20
    while not children(keeper) - {inner}:
        assert time.monotonic() < end, "the keeper has no spare"
        time.sleep(0.02)
    return next(iter(children(keeper) - {inner}))
