"""Where several fronts listen together, and the socket file through which they reach the doors.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from tallystick.kernel.errors import Unavailable

_TRIES, _BETWEEN_S = 20, 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """An address that fronts share, and the socket file of the doors.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    host: str
    port: int
    doors: str


@contextmanager
def shared_place(host: str, port: int) -> Generator[Place]:
    """Keep `host` and `port` (0 for a free one) for fronts until the block ends.

    Fronts of a service that was killed end within moments, so a taken port is tried again for two
    seconds. Raises Unavailable if somebody else listens there, another service of ours included.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    folder = Path(tempfile.mkdtemp(prefix="tallystick-"))
    try:
        with _alone(host, port) as alone:
            taken = int(alone.getsockname()[1])
        with _bound(host, taken, shared=True):
            yield Place(host, taken, str(folder / "doors"))
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)


def check_free(host: str, port: int) -> None:
    """Pass if nobody listens on `host` and `port`; any port will do if it is 0.

    Raises Unavailable.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    _bound(host, port, shared=False).close()


def _alone(host: str, port: int) -> socket.socket:
    for _ in range(_TRIES - 1):
        with suppress(Unavailable):
            return _bound(host, port, shared=False)
        sleep(_BETWEEN_S)
    return _bound(host, port, shared=False)


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket that is bound there and does not listen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            found.bind(address)
        except OSError:
            found.close()
            raise
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host} port {port}", remedy="choose another port, or end what has it"
        ) from error
    return found
