"""A small HTTP server on the loopback address for simulated players; one thread a connection.

Source: ISO/TS 12812-2:2017, 7.1; RFC 9112
"""

import http.client
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import urlsplit

from tallystick.kernel.errors import Malformed, Unavailable

MAX_BODY_BYTES = 64 * 1024
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What came in.

    Source: RFC 9110, 9
    """

    method: str
    path: str
    body: bytes
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out, or came back.

    Source: RFC 9110, 15
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    fields: Fields = ()


def _named(fields: Iterable[tuple[str, str]]) -> Fields:
    return tuple((name.lower(), value) for name, value in fields)


Handler = Callable[[Request], Response | None]
"""Answers a request; None closes the connection without a word."""


class ServerThread:
    """An HTTP server on 127.0.0.1 that runs on a thread of its own until closed.

    Each connection is a `connection`, which finds whom it answers for as `server.owner`; port 0
    takes a free one. It speaks `tls` if given.
    Source: RFC 9112
    """

    def __init__(
        self,
        connection: type[BaseHTTPRequestHandler],
        owner: object,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Start at once.

        Source: RFC 9112
        """
        self._scheme = "http" if tls is None else "https"
        self._server = OwnedServer(("127.0.0.1", port), connection)
        self._server.owner = owner
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens.

        Source: RFC 9112
        """
        return self._server.server_port

    @property
    def url(self) -> str:
        """Its address.

        Source: RFC 9112
        """
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening; requests under way are dropped.

        Source: RFC 9112, 9.6
        """
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def wait(self) -> None:
        """Wait until it is closed from another thread.

        Source: RFC 9112
        """
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OwnedServer(ThreadingHTTPServer):
    """The server of a `ServerThread`: one thread a connection, none of which is waited for.

    Source: RFC 9112
    """

    daemon_threads = True
    block_on_close = False
    owner: object
    request_queue_size = 128
    """Who comes while five others wait is not sent away to try again a second later."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away is no news here."""


class LoopbackServer(ServerThread):
    """Serves `handle` on 127.0.0.1 until closed; port 0 takes a free one.

    Source: RFC 9112
    """

    def __init__(self, handle: Handler, *, port: int = 0) -> None:
        """Start at once, on a thread of its own.

        Source: RFC 9112
        """
        self.handle = handle
        super().__init__(_Connection, self, port=port)


class _Connection(BaseHTTPRequestHandler):
    timeout = 5
    server: OwnedServer

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.send_error(411)
            return
        self._serve(self.rfile.read(int(length)))

    def _serve(self, body: bytes) -> None:
        owner = self.server.owner
        request = Request(self.command, self.path, body, _named(self.headers.items()))
        response = owner.handle(request) if isinstance(owner, LoopbackServer) else None
        self.close_connection = True
        if response is None:
            return
        self.send_response_only(response.status)
        self.send_header("content-type", response.content_type)
        self.send_header("content-length", str(len(response.body)))
        for name, value in response.fields:
            self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is given
        """Write nothing: a request line may name a person."""


def exchange(
    url: str,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    timeout_s: float = 5.0,
    fields: Fields = (),
) -> Response:
    """One request to `url` on the loopback address and its reply, on a connection of its own.

    `fields` are its header fields; without any it is JSON.

    Raises Malformed for an address beyond loopback, Unavailable if no reply comes.
    Source: RFC 9112
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise Malformed("simulated players talk over http on the loopback address only")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    try:
        given = {"content-type": "application/json", **dict(_named(fields))}
        connection.request(method, path, body or None, given)
        reply = connection.getresponse()
        octets = reply.read(16 * MAX_BODY_BYTES)
        return Response(reply.status, octets, fields=_named(reply.getheaders()))
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable("no reply came") from error
    finally:
        connection.close()
