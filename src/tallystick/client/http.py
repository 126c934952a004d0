"""HTTP for the SDK, on the standard library: kept-alive connections, TLS 1.3, bounded replies.

Sealed requests have a connection of their own, since the provider serves those on a faster path.

A request that may not have been answered is reported as Unavailable and is never sent again here:
the retry contract belongs to the caller, who knows which id makes a repetition safe.

Source: RFC 9112; ISO/TS 12812-2:2017, 7.2.3
"""

import http.client
import select
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
        self._links: dict[bool, http.client.HTTPConnection] = {}
        self._lock = threading.Lock()

    def __del__(self) -> None:
        for link in getattr(self, "_links", {}).values():  # nobody can ask over them any more
            link.close()

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """POST `body` and read the whole reply.

        Raises Unavailable if the provider cannot be reached or does not answer in time.
        Source: RFC 9110, 9.3.3
        """
        return self._exchange("POST", path, body, {"content-type": content_type})

    def post_with(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """POST `body` under these header fields, `content-type` among them.

        Raises Unavailable as `post` does.
        Source: RFC 9110, 9.3.3
        """
        return self._exchange("POST", path, body, headers)

    @property
    def host(self) -> str:
        """The `host` field of requests: the port is left out where the scheme implies it.

        Source: RFC 9110, 7.2
        """
        named = f"[{self._host}]" if ":" in self._host else self._host
        implied = 80 if self._tls is None else 443
        return named if self._port in {None, implied} else f"{named}:{self._port}"

    def get(self, path: str) -> Reply:
        """GET `path`.

        Raises Unavailable as `post` does.
        Source: RFC 9110, 9.3.1
        """
        return self._exchange("GET", path, None, {})

    def close(self) -> None:
        """Close the connections; the next request opens another.

        Source: RFC 9112, 9.6
        """
        with self._lock:
            for link in self._links.values():
                link.close()
            self._links.clear()

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Reply:
        sealed = headers.get("content-type", "").startswith("application/cose")
        with self._lock:
            link = self._link(sealed)
            try:
                link.request(method, path, body=body, headers=headers)
                response = link.getresponse()
                octets = response.read(MAX_REPLY_BYTES + 1)
            except (OSError, http.client.HTTPException) as error:
                self._drop(sealed)
                raise self._unanswered(error) from error
            if response.will_close or len(octets) > MAX_REPLY_BYTES:
                self._drop(sealed)
            if len(octets) > MAX_REPLY_BYTES:
                raise Malformed("the provider's reply is too large")
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(status=response.status, body=octets, headers=fields)

    def _link(self, sealed: bool) -> http.client.HTTPConnection:
        link = self._links.get(sealed)
        if link is not None and _ended_by_peer(link):
            self._drop(sealed)
            link = None
        if link is None:
            if self._tls is None:
                link = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
            else:
                link = http.client.HTTPSConnection(
                    self._host, self._port, timeout=self._timeout_s, context=self._tls
                )
            self._links[sealed] = link
        return link

    def _unanswered(self, error: Exception) -> Unavailable:
        if isinstance(error, ssl.SSLCertVerificationError):
            return Unavailable(
                f"the certificate of {self.host} is not believed: {error.verify_message}",
                remedy="check the address and whose certificates are believed; then try again with "
                "the same order id",
            )
        if isinstance(error, ConnectionRefusedError):
            return Unavailable(
                f"nothing listens at {self.host}",
                remedy="check the address, or try again with the same order id",
            )
        return Unavailable("the provider did not answer", remedy="try again with the same order id")

    def _drop(self, sealed: bool) -> None:
        self._links.pop(sealed).close()


def _ended_by_peer(link: http.client.HTTPConnection) -> bool:
    """Whether an idle connection was closed: nothing may be readable on it between requests."""
    if link.sock is None:
        return False
    readable, _, _ = select.select([link.sock], [], [], 0)
    return bool(readable)


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
