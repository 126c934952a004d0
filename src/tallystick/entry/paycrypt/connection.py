"""HTTP/1.1 at the door: one request at a time on a connection that is kept.

Source: RFC 9112; ISO/TS 12812-2:2017, 6.2.3
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

import httptools

from tallystick.entry.paycrypt.answers import CONTROL_TYPE, DATA_TYPE, Answer
from tallystick.entry.paycrypt.door import MAX_BODY, Door, Request

MAX_HEAD: Final = 16 * 1024
MOST_FIELDS: Final = 64
MOST_CONNECTIONS: Final = 1_024
IDLE_S: Final = 75.0
REQUEST_S: Final = 15.0
_REASONS: Final = {
    200: b"OK", 400: b"Bad Request", 403: b"Forbidden", 404: b"Not Found",
    413: b"Content Too Large", 429: b"Too Many Requests", 500: b"Internal Server Error",
    503: b"Service Unavailable",
}  # fmt: skip


class DoorConnection(asyncio.Protocol):
    """One connection.

    Source: RFC 9112
    """

    def __init__(self, door: Door, living: "set[DoorConnection]") -> None:
        self._door = door
        self._living = living
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer = ""
        self._closing = False
        self._busy = False
        self._clear()

    def _clear(self) -> None:
        self._url = b""
        self._headers: dict[str, list[str]] = {}
        self._body = bytearray()
        self._head = 0
        self._complete = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are as many as there may be.

        Source: RFC 9112, 9.5
        """
        self._transport = transport
        peer: Any = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        if len(self._living) >= MOST_CONNECTIONS:
            self._closing = True
            transport.close()
            return
        self._living.add(self)
        self._wait(IDLE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what is being done is finished and not answered.

        Source: RFC 9112, 9.6
        """
        self._closing = True
        self._living.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Feed the parser.

        Source: RFC 9112, 2.2
        """
        if self._closing:
            return
        if self._busy:
            self._refuse(400)
            return
        if not self._head:
            self._wait(REQUEST_S)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400)

    def on_url(self, url: bytes) -> None:
        """Collect the target.

        Source: RFC 9112, 3.2
        """
        self._url += url
        self._grown(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a field, within bounds.

        Source: RFC 9112, 5
        """
        self._grown(len(name) + len(value) + 4)
        fields = self._headers.setdefault(name.decode("latin-1").lower(), [])
        fields.append(value.decode("latin-1"))
        if len(self._headers) > MOST_FIELDS:
            raise httptools.HttpParserError("too many fields")

    def on_headers_complete(self) -> None:
        """Let a client go on that waits to be told.

        Source: RFC 9110, 10.1.1
        """
        length = self._headers.get("content-length", ["0"])[0]
        if length.isdigit() and int(length) > MAX_BODY:
            self._refuse(413)
            raise httptools.HttpParserError("body too large")
        if self._headers.get("expect", [""])[0].lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body within its bound.

        Source: RFC 9112, 6
        """
        self._body += body
        if len(self._body) > MAX_BODY:
            self._refuse(413)
            raise httptools.HttpParserError("body too large")

    def on_message_complete(self) -> None:
        """Answer the request.

        Source: RFC 9112, 6.3
        """
        if self._closing:
            return
        if self._complete:
            self._refuse(400)
            return
        self._complete = True
        path, _, query = self._url.partition(b"?")
        found = self._door.answer(
            Request(
                self._parser.get_method().decode("ascii"),
                path,
                query,
                self._headers,
                bytes(self._body),
                self._peer,
            )
        )
        if isinstance(found, Answer):
            self._send(found)
            return
        self._busy = True
        if self._timer is not None:
            self._timer.cancel()
        self._task = self._loop.create_task(self._later(found))

    async def _later(self, found: Awaitable[Answer]) -> None:
        answer = await found
        self._busy = False
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        if self._closing:
            return
        keep = self._parser.should_keep_alive()
        control = "x-amz-target" in self._headers
        kind = CONTROL_TYPE if control else DATA_TYPE
        error = b"x-amzn-errortype: %b\r\n" % answer.error.encode() if answer.error else b""
        request_id = self._door.request_id()
        self._transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n%b"
            b"x-amzn-requestid: %b\r\ncache-control: no-store\r\n%b\r\n%b"
            % (
                answer.status, _REASONS[answer.status], kind, len(answer.body), error, request_id,
                b"" if keep else b"connection: close\r\n", answer.body,
            )
        )  # fmt: skip
        self._clear()
        if keep:
            self._wait(IDLE_S)
        else:
            self.close()

    def _refuse(self, status: int) -> None:
        """Answer what is no request of this protocol, and close."""
        if not self._closing:
            self._transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                % (status, _REASONS[status])
            )
            self.close()

    def _grown(self, by: int) -> None:
        self._head += by
        if self._head > MAX_HEAD:
            raise httptools.HttpParserError("head too large")

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.close)

    def close(self) -> None:
        """Close the connection.

        Source: RFC 9112, 9.6
        """
        self._closing = True
        self._transport.close()

    def pause_writing(self) -> None:
        """Stop reading from a peer that does not read.

        Source: RFC 9112, 9.5
        """
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again.

        Source: RFC 9112, 9.5
        """
        self._transport.resume_reading()
