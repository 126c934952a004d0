"""Signs that somebody looks into this process or changes it, as far as the system shows them.

Who controls the system can hide every one of them; so they are a hint to the person and to the
provider, and never the reason to believe an app.

Source: ISO/TS 12812-2:2017, 7.2.2
"""

import sys
from pathlib import Path
from typing import Final

from tallystick.kernel.model import Record

_OWN: Final = Path("/proc/self")
_HOOKS: Final = (b"frida", b"xposed", b"substrate", b"linjector")
_DEBUGGERS: Final = ("pydevd", "debugpy", "pdb", "bdb")


class RunningSigns(Record, frozen=True, kw_only=True):
    """What was seen: a tracer, a debugger inside, a known hook, a library put before others.

    Source: ISO/TS 12812-2:2017, 7.2.2
    """

    traced: bool = False
    debugger: bool = False
    hooked: bool = False
    preloaded: bool = False

    def seen(self) -> tuple[str, ...]:
        """The signs by name.

        Source: ISO/TS 12812-2:2017, 7.2.2
        """
        return tuple(name for name in type(self).__struct_fields__ if getattr(self, name))


def running_signs(process: Path = _OWN) -> RunningSigns:
    """Look at this process; `process` is its folder in procfs. Where that is none, nothing is seen.

    Source: ISO/TS 12812-2:2017, 7.2.2
    """
    maps = _read(process / "maps").lower()
    tracer = next(
        (line for line in _read(process / "status").splitlines() if line.startswith(b"TracerPid:")),
        b"TracerPid: 0",
    )
    return RunningSigns(
        traced=tracer.split()[-1] != b"0",
        debugger=sys.gettrace() is not None or any(one in sys.modules for one in _DEBUGGERS),
        hooked=any(one in maps for one in _HOOKS),
        preloaded=any(
            one.startswith(b"LD_PRELOAD=") and len(one) > len(b"LD_PRELOAD=")
            for one in _read(process / "environ").split(b"\x00")
        ),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
