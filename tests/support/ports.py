"""Ports that a test names before it listens there, or listens on again after a while."""

import fcntl
import itertools
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

_LOWEST = 12_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_folder = Path(tempfile.gettempdir()) / f"tallystick-ports-{os.getuid()}"
_kept: list[int] = []


def free_port() -> int:
    """A port on loopback that nobody else takes while this process lives.

    The system gives ports of its own range to every connection, and keeps them for a minute after
    its end: one that was free is taken a second later. This one is below that range, and a lock
    keeps other processes of tests off it.
    """
    highest = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    _folder.mkdir(mode=0o700, exist_ok=True)
    many = highest - _LOWEST
    first = os.getpid() * 131 % many
    for number in itertools.islice(itertools.count(first), many):
        port = _LOWEST + number % many
        if _locked(port):
            with suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return port
    raise AssertionError("there is no free port")


def _locked(port: int) -> bool:
    descriptor = os.open(_folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _kept.append(descriptor)
    return True
