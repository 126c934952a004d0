"""Keeps the memory of this process out of core files and away from debuggers.

Source: ISO/TS 12812-2:2017, 8.2.3; 7.3.4
"""

import ctypes
import resource
from contextlib import suppress
from pathlib import Path

from tallystick.kernel.errors import Unavailable
from tallystick.kernel.model import Record

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_LOCKED, _RIGHTS, _CAP_IPC_LOCK = "VmLck:", "CapEff:", 14
_FEW_FILES = 256


class Hardening(Record, frozen=True, kw_only=True):
    """What holds for this process, read back after it was set.

    `locked_kib` is the memory that is never swapped out, `file_limit` the bytes that it may write
    to files (-1 for any), `confined` that no program it starts gets more rights than it has.
    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    core_limit: int
    dumpable: bool
    locked_kib: int = 0
    file_limit: int = -1
    confined: bool = False


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


def confine_module_process(*, starts: bool = False) -> Hardening:
    """Harden a process that is nothing but a cryptographic module, beyond `harden_process`.

    Its memory is not swapped out, it writes no file, starts nothing (but for the one that `starts`
    the module), and gains no rights. Where the system lets it lock no memory, `locked_kib` is 0 and
    all else holds.
    Raises Unavailable where the operating system does not do so.
    Source: ISO/TS 12812-2:2017, 8.2.3; mlockall(2); getrlimit(2); prctl(2)
    """
    harden_process()
    _lock_memory()
    try:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        if not starts:
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FEW_FILES, _FEW_FILES))
    except (OSError, ValueError, AttributeError) as error:
        raise Unavailable(
            "the process of the module cannot be confined",
            remedy="run on Linux, and allow setrlimit and prctl",
        ) from error
    return hardening()


def _lock_memory() -> None:
    """Keep what is used of this memory out of the swap; what comes later too, if no limit bites."""
    unlimited = resource.RLIM_INFINITY
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (unlimited, unlimited))
    bounded = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != unlimited
    may_lock = int(_status(_RIGHTS) or "0", 16) >> _CAP_IPC_LOCK & 1
    what = _MCL_CURRENT if bounded and not may_lock else _MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).mlockall(what)


def hardening() -> Hardening:
    """What holds for this process now.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """
    return Hardening(
        core_limit=resource.getrlimit(resource.RLIMIT_CORE)[0],
        dumpable=_says(_PR_GET_DUMPABLE, unknown=True),
        locked_kib=int(_status(_LOCKED) or "0"),
        file_limit=resource.getrlimit(resource.RLIMIT_FSIZE)[0],
        confined=_says(_PR_GET_NO_NEW_PRIVS, unknown=False),
    )


def _says(option: int, *, unknown: bool) -> bool:
    try:
        return _prctl(option, 0) != 0
    except (OSError, AttributeError):
        return unknown


def _status(name: str) -> str:
    """The first word that the kernel says of this process under `name`; empty where it does not."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return ""
    return next((line.split()[1] for line in lines if line.startswith(name)), "")


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
