"""HTTP for the SDK, on the standard library: one kept-alive connection, TLS 1.3, bounded replies.

A request that may not have been answered is reported as Unavailable and is never sent again here:
the retry contract belongs to the caller, who knows which id makes a repetition safe.

Source: RFC 9112; ISO/TS 12812-2:2017, 7.2.3
"""

import http.client
import ssl
import threading
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.client.session import Reply
from tallystick.kernel.errors import Malformed, Unavailable

MAX_REPLY_BYTES = 4 * 1024 * 1024


class HttpTransport:
    """Sends requests to one provider; safe to share between threads, one request at a time.

    Source: RFC 9112
    """

    def __init__(self, url: str, *, ca_file: Path | None = None, timeout_s: float = 10.0) -> None:
        """Talk to `url`; `http:` is for loopback only, elsewhere TLS 1.3 is demanded.

        Raises Malformed for another scheme or for `http:` beyond loopback.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Malformed("the provider's address is an http or https URL")
        if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise Malformed("http is for loopback only", remedy="use an https address")
        self._host = parts.hostname
        self._port = parts.port
        self._tls = _tls(ca_file) if parts.scheme == "https" else None
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """POST `body` and read the whole reply.

        Raises Unavailable if the provider cannot be reached or does not answer in time.
        Source: RFC 9110, 9.3.3
        """
        return self._exchange("POST", path, body, {"content-type": content_type})

    def get(self, path: str) -> Reply:
        """GET `path`.

        Raises Unavailable as `post` does.
        Source: RFC 9110, 9.3.1
        """
        return self._exchange("GET", path, None, {})

    def close(self) -> None:
        """Close the connection; the next request opens another.

        Source: RFC 9112, 9.6
        """
        with self._lock:
            self._drop()

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Reply:
        with self._lock:
            try:
                connection = self._connected()
                connection.request(method, path, body=body, headers=headers)
                response = connection.getresponse()
                octets = response.read(MAX_REPLY_BYTES + 1)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                raise Unavailable(
                    "the provider did not answer", remedy="try again with the same order id"
                ) from error
            if len(octets) > MAX_REPLY_BYTES:
                self._drop()
                raise Malformed("the provider's reply is too large")
            if response.will_close:
                self._drop()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(status=response.status, body=octets, headers=fields)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._tls is None:
                connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=self._timeout_s
                )
            else:
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=self._timeout_s, context=self._tls
                )
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
