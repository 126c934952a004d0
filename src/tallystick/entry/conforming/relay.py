"""What lies between the implementation and the provider: passes everything on, alters by rules.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.7; RFC 9110, 3.7
"""

import http.client
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

from tallystick.kernel.errors import Malformed

MAX_BODY = 1024 * 1024
_CLEAR = "application/json"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way.

    Source: RFC 9110, 9
    """

    method: str
    path: str
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply on its way.

    Source: RFC 9110, 15
    """

    status: int
    body: bytes
    content_type: str = _CLEAR
    retry_after_s: int = 0


@dataclass(slots=True)
class Rule:
    """Alters what passes under `path`, a beginning; `times` at most.

    `before` may change the request, or answer it itself; None loses it. `after` may change the
    reply; None loses it.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    path: str
    before: Callable[[Asked], Asked | Answered | None] = lambda asked: asked
    after: Callable[[Asked, Answered], Answered | None] = lambda _, reply: reply
    times: int = 1_000
    used: int = 0


@dataclass(frozen=True, slots=True)
class Passed:
    """What the device sent, and what it was answered; `reply` None for what was lost.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    asked: Asked
    reply: Answered | None


class LoopbackDoor:
    """Serves `handle` on loopback on threads; None from it closes the connection without a word.

    Source: RFC 9112
    """

    def __init__(self, handle: Callable[[Asked], Answered | None], port: int = 0) -> None:
        """Listen at once; port 0 takes a free one.

        Source: RFC 9112
        """
        self._server = _Server(handle, port)
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening.

        Source: RFC 9112, 9.6
        """
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, handle: Callable[[Asked], Answered | None], port: int) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.handle = handle

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever went away in the middle is no news here."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        self._answer(self.rfile.read(size) if 0 <= size <= MAX_BODY else b"")

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        asked = Asked(self.command, self.path, body, self.headers.get("content-type", ""))
        server = self.server
        reply = server.handle(asked) if isinstance(server, _Server) else None
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        self.send_header("content-length", str(len(reply.body)))
        if reply.retry_after_s:
            self.send_header("retry-after", str(reply.retry_after_s))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is given
        """The kit keeps what passed; there is no log."""


@dataclass(slots=True)
class Relay:
    """Passes requests on to `upstream` under the rules in force; keeps what passed.

    Source: RFC 9110, 3.7; ISO/TS 12812-2:2017, 7.2.5
    """

    upstream: str
    rules: list[Rule] = field(default_factory=list[Rule])
    passed: list[Passed] = field(default_factory=list[Passed])
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def playing(self, *rules: Rule) -> Generator[list[Passed]]:
        """Hold the rules in force until the block ends; gives what passes meanwhile.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        self.rules, self.passed = list(rules), []
        try:
            yield self.passed
        finally:
            self.rules = []

    def handle(self, asked: Asked) -> Answered | None:
        """The reply to one request, after the rules; None where it was lost.

        Source: RFC 9110, 3.7
        """
        rule = self._rule_for(asked)
        changed = asked if rule is None else rule.before(asked)
        if isinstance(changed, Asked):
            reply = self.send(changed)
            if rule is not None and reply is not None:
                reply = rule.after(asked, reply)
        else:
            reply = changed
        with self._lock:
            self.passed.append(Passed(asked, reply))
        return reply

    def _rule_for(self, asked: Asked) -> Rule | None:
        with self._lock:
            for rule in self.rules:
                if asked.path.startswith(rule.path) and rule.used < rule.times:
                    rule.used += 1
                    return rule
        return None

    def send(self, asked: Asked) -> Answered | None:
        """The reply of the provider itself, past the rules; None where it gives none.

        Source: RFC 9110, 3.7
        """
        parts = urlsplit(self.upstream)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            headers = {"content-type": asked.content_type} if asked.content_type else {}
            link.request(asked.method, asked.path, body=asked.body or None, headers=headers)
            reply = link.getresponse()
            body = reply.read(MAX_BODY)
            return Answered(reply.status, body, reply.headers.get("content-type", _CLEAR))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()


def flipped(octets: bytes, at: int = -1) -> bytes:
    """`octets` with one bit of the octet `at` changed.

    Raises Malformed where there is none.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    if not octets:
        raise Malformed("there is nothing to alter")
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


def with_body(reply: Answered, body: bytes) -> Answered:
    """`reply` with another body.

    Source: RFC 9110, 15
    """
    return replace(reply, body=body)


def in_clear(status: int, body: bytes) -> Answered:
    """A reply that anybody between could have made.

    Source: RFC 9457, 3
    """
    return Answered(status, body)
