"""Who keeps a module's process: found in the table of processes, as its administrator would."""

import time
from contextlib import suppress
from pathlib import Path

from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.handing import SPARE


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
    """The spare of `keeper`, once its program runs: before that it is only a copy of the keeper."""
    inner = module.status().process
    end = time.monotonic() + 20
    while not (found := [one for one in children(keeper) - {inner} if _is_spare(one)]):
        assert time.monotonic() < end, "the keeper has no spare"
        time.sleep(0.02)
    return found[0]


def _is_spare(pid: int) -> bool:
    with suppress(OSError):
        return SPARE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
