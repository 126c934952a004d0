"""Collectors of security events that really listen: TCP, TLS, UDP and HTTP on loopback."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from simulators.loopback import LoopbackServer, Request, Response
from tests.support.rfc5424 import Parsed, frames, parse

__all__ = ["Datagrams", "HttpCollector", "Stream", "until"]


def until(true: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until `true()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


class Stream:
    """Takes octet-counted messages over TCP, or TLS with a certificate; may hang up and return."""

    def __init__(self, tls: tuple[Path, Path] | None = None, port: int = 0) -> None:
        self.octets: list[bytearray] = []
        self._context: ssl.SSLContext | None = None
        if tls is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        threads = []
        while not self._stop.is_set():
            try:
                link, _ = self._socket.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=self._read, args=(link,), daemon=True))
            threads[-1].start()
        for one in threads:
            one.join(timeout=5)

    def _read(self, link: socket.socket) -> None:
        arrived = bytearray()
        self.octets.append(arrived)
        try:
            if self._context is not None:
                link = self._context.wrap_socket(link, server_side=True)
            link.settimeout(0.05)
            while not self._stop.is_set():
                try:
                    some = link.recv(65_536)
                except TimeoutError:
                    continue
                if not some:
                    return
                arrived += some
        except OSError:
            return
        finally:
            link.close()

    def messages(self) -> list[Parsed]:
        """Every whole message that arrived; fails if one does not follow the grammar."""
        return [parse(one) for octets in self.octets for one in frames(bytes(octets))[0]]

    def close(self) -> None:
        """Hang up and listen no more."""
        self._stop.set()
        self._thread.join(timeout=5)
        self._socket.close()


class Datagrams:
    """Takes a message a datagram."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._arrived: list[Parsed] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def messages(self) -> list[Parsed]:
        """Every message that arrived."""
        while True:
            try:
                self._arrived.append(parse(self._socket.recv(65_536)))
            except BlockingIOError:
                return self._arrived


class HttpCollector:
    """Takes OTLP export requests, and answers with `status`."""

    def __init__(self, reply: bytes = b"{}") -> None:
        self.status = 200
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self._reply = reply
        self._server = LoopbackServer(self._handle)
        self.address = self._server.url.removeprefix("http://")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _handle(self, request: Request) -> Response:
        self.paths.append(request.path)
        if self.status == 200:
            self.bodies.append(json.loads(request.body))
        return Response(self.status, self._reply)

    def records(self) -> list[dict[str, Any]]:
        """Every log record that was taken."""
        return [
            record
            for body in self.bodies
            for resource in body["resourceLogs"]
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]
