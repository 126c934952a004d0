"""The lane: sealed operations answered inside the HTTP protocol class, without an ASGI task each.

A connection starts here. While its requests are POSTs to a path in `lanes`, the lane parses them,
collects the body and calls the handler, which answers through a callback with one write. At the
first other request the connection is handed, bytes and all, to uvicorn's own protocol and stays
there. The same operations are routes of the ASGI application, so that the lane can be switched off;
one test suite passes both doors.

What uvicorn does for its connections the lane does for its own: it registers with the server,
closes on shutdown once nothing is in flight, limits heads and bodies, sweeps idle connections,
pauses when the peer does not read, refuses pipelining, and honours `Connection: close`.

Source: RFC 9112; ISO/TS 12812-2:2017, 6.2.3
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tallystick.entry.http.early import EarlyRefusal, is_whole
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.protocol.problems import problem_of

Respond = Callable[[int, bytes, bytes, int], None]
"""Answers once: status, content type, body, seconds to come back after (0: it does not say)."""

LaneHandler = Callable[[bytes, str, Respond], None]
"""Takes body, peer address and the way to answer; never blocks."""

MAX_HEAD_BYTES = 8 * 1024
MAX_BODY_BYTES = 64 * 1024
SEALED_TYPE = b"application/cose"
PROBLEM_MEDIA_TYPE = b"application/problem+json"
_LONGEST_REQUEST_LINE = 256
_POST = b"POST "
_REASONS = {
    200: b"OK", 400: b"Bad Request", 401: b"Unauthorized", 403: b"Forbidden", 404: b"Not Found",
    408: b"Request Timeout", 409: b"Conflict", 410: b"Gone", 413: b"Content Too Large",
    415: b"Unsupported Media Type", 422: b"Unprocessable Content", 429: b"Too Many Requests",
    500: b"Internal Server Error", 503: b"Service Unavailable",
}  # fmt: skip


def clear_refusal(error: MfsError, respond: Respond) -> None:
    """Refuse in clear, where there is no session to seal for.

    Source: RFC 9457; RFC 9110, 10.2.3
    """
    problem = problem_of(error)
    respond(error.status, PROBLEM_MEDIA_TYPE, encode_canonical(problem), problem.retry_after_s)


class LaneProtocol(asyncio.Protocol):
    """One connection in the lane.

    Source: RFC 9112
    """

    lanes: Mapping[bytes, LaneHandler] = {}
    early: EarlyRefusal | None = None
    plain: type[HttpToolsProtocol] = HttpToolsProtocol

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._hand_over = (config, server_state, app_state, _loop)
        self._state = server_state
        self.connections: set[Any] = server_state.connections
        self._parser: Any = httptools.HttpRequestParser(self)
        self._inside = False
        self.transport: Any = None
        self.peer = ""
        self._path = b""
        self._head = bytearray()
        self._body = bytearray()
        self._head_bytes = 0
        self._handler: LaneHandler | None = None
        self._refusal: MfsError | None = None
        self._sealed = False
        self._keep_alive = True
        self._in_flight = False
        self._closing = False
        self._paused = False
        self._complete = False
        self._loop = _loop or asyncio.get_event_loop()
        self._waiting_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection and arm its idle sweep.

        Source: RFC 9112, 9.3
        """
        self.transport = transport
        self.connections.add(self)
        peer: Any = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        self._waiting_since = self._loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; an answer that comes later is dropped.

        Source: RFC 9112, 9.6
        """
        self.connections.discard(self)
        self._closing = True
        self._parser = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser, or decide at a message boundary whose request this is.

        Source: RFC 9112, 2.2
        """
        if self._closing:
            return
        if self._in_flight:
            self._refuse(400, b"one request at a time: pipelining is not served")
            return
        if not self._inside:
            if self._head:
                data = bytes(self._head) + data
                self._head.clear()
            if not self._is_to_be_parsed(data):
                return
            self._begin()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, b"upgrade is not served")
        except httptools.HttpParserError:
            if not self._closing:
                self._refuse(400, b"not an HTTP/1.1 request")

    def _is_to_be_parsed(self, data: bytes) -> bool:
        """Keep, hand over or refuse at once what begins with `data`; True if none of these."""
        decision = self._whose(data)
        if decision is None:
            self._head += data
        elif not decision:
            self.connections.discard(self)
            self.leave(data)
        else:
            return not self._refused_early(data)
        return False

    def _whose(self, head: bytes) -> bool | None:
        """True for the lane, False for uvicorn, None while the request line is incomplete."""
        if not head.startswith(_POST[: len(head)]):
            return False
        end = head.find(b"\r\n", 0, _LONGEST_REQUEST_LINE)
        if end < 0:
            return None if len(head) < _LONGEST_REQUEST_LINE else False
        parts = head[:end].split(b" ")
        if len(parts) != 3 or parts[2] != b"HTTP/1.1":
            return False
        self._path = parts[1]
        self._handler = self.lanes.get(self._path)
        return self._handler is not None

    def _refused_early(self, data: bytes) -> bool:
        """Answer at once, unparsed, what would wait too long; what is not whole is parsed first."""
        early = None if self.early is None else self.early.of(self._path)
        if early is None:
            return False
        self._refusal, answer = early
        if not self._keep_alive or not is_whole(data):
            return False
        self._refusal = None
        self._state.total_requests += 1
        self._waiting_since = self._loop.time()
        self.transport.write(answer)
        return True

    def _begin(self) -> None:
        self._inside = True
        self._body.clear()
        self._head_bytes = 0
        self._keep_alive = True
        self._sealed = False
        self._complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Bound the head and note what matters of it.

        Source: RFC 9112, 5
        """
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_HEAD_BYTES:
            raise httptools.HttpParserError("head too large")
        lowered = name.lower()
        if lowered == b"content-type":
            self._sealed = value.startswith(SEALED_TYPE)
        elif lowered == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
            self._refuse(413, b"the body is larger than 65536 bytes")
            raise httptools.HttpParserError("body too large")
        elif lowered == b"expect" and value.lower() == b"100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body within its bound.

        Source: RFC 9112, 6
        """
        self._body += body
        if len(self._body) > MAX_BODY_BYTES:
            self._refuse(413, b"the body is larger than 65536 bytes")
            raise httptools.HttpParserError("body too large")

    def on_message_complete(self) -> None:
        """Hand the request to its handler.

        Source: RFC 9112, 6.3
        """
        if self._closing:
            return
        if self._complete:
            self._refuse(400, b"one request at a time: pipelining is not served")
            return
        self._complete = True
        self._waiting_since = 0.0
        self._keep_alive = self._parser.should_keep_alive()
        if not self._sealed:
            self._respond(415, b"text/plain", b"send content-type: application/cose")
            return
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            clear_refusal(refusal, self._respond)
            return
        self._in_flight = True
        handler = self._handler
        if handler is not None:
            handler(bytes(self._body), self.peer, self._respond)

    def _respond(
        self, status: int, content_type: bytes, body: bytes, retry_after_s: int = 0
    ) -> None:
        self._in_flight = False
        self._inside = False
        self._state.total_requests += 1
        if self._closing:
            return
        reason = _REASONS.get(status, b"")
        connection = b"" if self._keep_alive else b"connection: close\r\n"
        retry = b"retry-after: %d\r\n" % retry_after_s if retry_after_s else b""
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n%b%b"
            b"cache-control: no-store\r\n\r\n%b"
            % (status, reason, content_type, len(body), connection, retry, body)
        )
        if not self._keep_alive:
            self._closing = True
            self.transport.close()
        else:
            self._waiting_since = self._loop.time()

    def _refuse(self, status: int, text: bytes) -> None:
        """Answer in clear and close: what arrived is not a request that the lane can go on from."""
        if self._closing:
            return
        self._keep_alive = False
        self._respond(status, b"text/plain", text)

    def leave(self, data: bytes) -> None:
        """Hand this connection to uvicorn's own protocol, beginning with `data`.

        Source: RFC 9112
        """
        config, state, app_state, loop = self._hand_over
        protocol = self.plain(config, state, app_state, loop)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(data)

    def shutdown(self) -> None:
        """Close when nothing is in flight; else with the next answer.

        Source: RFC 9112, 9.6
        """
        self._keep_alive = False
        if not self._in_flight:
            self._closing = True
            self.transport.close()

    def pause_writing(self) -> None:
        """Stop reading from a peer that does not read.

        Source: RFC 9112, 9.5
        """
        self._paused = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again.

        Source: RFC 9112, 9.5
        """
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def close_if_idle(self, before: float) -> None:
        """Close a connection that has been waiting for its peer since `before` (loop time).

        Source: RFC 9112, 9.5
        """
        if 0.0 < self._waiting_since < before and not self._in_flight:
            self._closing = True
            self.transport.close()


async def sweep_idle(state: ServerState, *, idle_s: float, every_s: float = 5.0) -> None:
    """Close lane connections that have waited longer than `idle_s` seconds, for ever.

    Source: RFC 9112, 9.5; ISO/TS 12812-2:2017, 6.2.3
    """
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every_s)
        deadline = loop.time() - idle_s
        connections: set[Any] = state.connections
        for connection in tuple(connections):
            if isinstance(connection, LaneProtocol):
                connection.close_if_idle(deadline)
