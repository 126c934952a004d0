"""The way of every request that is not for the lane: byte by byte to the writer's process.

A front that meets such a request opens a connection to the doors of the writer's process (a socket
file that only this account can reach), writes the peer's address and a line feed, and from then on
copies both ways. The doors read that line first, so that limits by source see the true source.

Source: ISO/TS 12812-2:2017, 6.2.3; RFC 9112
"""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tallystick.entry.http.lane import LaneProtocol

_LONGEST_PEER = 64
_UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


class RelayingLane(LaneProtocol):
    """A lane that relays what it does not serve itself to the socket file `doors`.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    doors: ClassVar[str] = ""

    def leave(self, data: bytes) -> None:
        """Relay this connection from now on, beginning with `data`.

        Source: RFC 9112
        """
        relay = _FromPeer(self.doors, self.connections)
        relay.begin(self.transport, self.peer, data)
        self.transport.set_protocol(relay)


class _FromPeer(asyncio.Protocol):
    """The peer's side of a relayed connection."""

    def __init__(self, doors: str, connections: set[Any]) -> None:
        self._doors = doors
        self._connections = connections
        self._peer: Any = None
        self._waiting = bytearray()
        self._inner: Any = None
        self._opening: asyncio.Task[None] | None = None

    def begin(self, transport: Any, peer: str, data: bytes) -> None:
        self._peer = transport
        self._connections.add(self)
        self._waiting += peer.encode()[:_LONGEST_PEER] + b"\n" + data
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._peer.pause_reading()
        try:
            self._inner, _ = await loop.create_unix_connection(
                lambda: _FromDoors(self._peer), self._doors
            )
        except OSError:
            if not self._peer.is_closing():
                self._peer.write(_UNAVAILABLE)
                self._peer.close()
            return
        if self._peer.is_closing():
            self._inner.close()
            return
        self._inner.write(bytes(self._waiting))
        self._waiting.clear()
        self._peer.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._inner is None:
            self._waiting += data
        else:
            self._inner.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._inner is not None:
            self._inner.close()

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_reading()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_reading()

    def shutdown(self) -> None:
        """The doors close their side once they have answered; that ends this one too."""


class _FromDoors(asyncio.Protocol):
    """The doors' side of a relayed connection."""

    def __init__(self, peer: Any) -> None:
        self._peer = peer

    def data_received(self, data: bytes) -> None:
        self._peer.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer.close()

    def pause_writing(self) -> None:
        self._peer.pause_reading()

    def resume_writing(self) -> None:
        self._peer.resume_reading()


class RelayedProtocol(asyncio.Protocol):
    """A connection at the doors that a front relays: its first line names the true peer.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._make: Callable[[], HttpToolsProtocol] = lambda: HttpToolsProtocol(
            config, server_state, app_state, _loop
        )
        self._transport: Any = None
        self._head = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the line that names the peer.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read the peer's line, then leave the connection to uvicorn's own protocol.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._head += data
        peer, line_feed, rest = bytes(self._head).partition(b"\n")
        if not line_feed:
            if len(peer) > _LONGEST_PEER:
                self._transport.close()
            return
        protocol = self._make()
        protocol.connection_made(self._transport)
        protocol.client = (peer.decode("ascii", "replace"), 0)
        self._transport.set_protocol(protocol)
        if rest:
            protocol.data_received(rest)
