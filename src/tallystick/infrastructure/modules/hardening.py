"""Keeps the memory of this process out of core files and away from debuggers.

Source: ISO/TS 12812-2:2017, 8.2.3; 7.3.4
"""

import ctypes
import resource

from tallystick.kernel.errors import Unavailable
from tallystick.kernel.model import Record

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


class Hardening(Record, frozen=True, kw_only=True):
    """What holds for this process, read back after it was set.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    core_limit: int
    dumpable: bool


def harden_process() -> Hardening:
    """Set the core file limit to zero and mark the process as not dumpable.

    Raises Unavailable where the operating system does not do so.
    Source: ISO/TS 12812-2:2017, 8.2.3; prctl(2); getrlimit(2)
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _prctl(_PR_SET_DUMPABLE, 0)
    except (OSError, ValueError, AttributeError) as error:
        raise Unavailable(
            "the memory of this process cannot be kept out of core files",
            remedy="run on Linux, and allow setrlimit and prctl",
        ) from error
    found = hardening()
    if found.core_limit != 0 or found.dumpable:
        raise Unavailable("the memory of this process can still be dumped", remedy="see prctl(2)")
    return found


def hardening() -> Hardening:
    """What holds for this process now.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """
    try:
        dumpable = _prctl(_PR_GET_DUMPABLE, 0) != 0
    except (OSError, AttributeError):
        dumpable = True
    return Hardening(core_limit=resource.getrlimit(resource.RLIMIT_CORE)[0], dumpable=dumpable)


def _prctl(option: int, argument: int) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    answer: int = library.prctl(
        ctypes.c_int(option),
        ctypes.c_ulong(argument),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )
    if answer < 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return answer
