"""One request for one list: conditional, bounded in size, ended at any time from another thread.

Nothing is followed: a server that sends elsewhere has not answered. What is encoded, longer than it
says, shorter, or beyond the bound is refused whole.

Source: RFC 9110, 8.8; 13.1; 15.4; RFC 9111, 5.2; ISO/TS 12812-2:2017, 7.2.6
"""

import http.client
import re
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from tallystick.entry.vendors.proxy import Way
from tallystick.kernel.errors import Malformed, TooLarge, Unavailable

SILENCE_S: Final = 10.0
"""How long a connection may stay without a byte."""

MOST: Final = 16 * 1024 * 1024
_STEP: Final = 64 * 1024
_MOST_TAG: Final = 200
_MAX_AGE: Final = re.compile(r"(?:^|[ ,])max-age=\"?(\d{1,9})\b", re.IGNORECASE)
_CUT: Final = "the server of the list ended the connection early"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the octets, None where it is still the list that was asked about.

    `tag` and `changed` are to be given with the next request, `issued_at` is the date of the list
    (ms) and `max_age_s` how long it is good for; 0 and -1 where the server does not say.
    Source: RFC 9110, 8.8; RFC 9111, 5.2.2.1
    """

    octets: bytes | None
    tag: str
    changed: str
    issued_at: int
    max_age_s: int


class Fetch:
    """One request to `url`, which `cut` ends.

    Source: RFC 9110, 13.1
    """

    def __init__(
        self,
        url: str,
        *,
        tag: str = "",
        changed: str = "",
        most: int = MOST,
        way: Way | None = None,
    ) -> None:
        """Ask whether it is another list than the one with this `tag`, `changed` then.

        It goes directly there, or through a proxy that `way` names, whatever the environment says.
        Source: RFC 9110, 9.3.6; 13.1
        """
        self._parts = urlsplit(url)
        self._fields = {
            "accept-encoding": "identity",
            "cache-control": "no-cache",
            "user-agent": "tallystick",
            **({"if-none-match": tag} if tag else {}),
            **({"if-modified-since": changed} if changed else {}),
        }
        self._asked = bool(tag or changed)
        self._most = most
        self._way = way
        self._line: socket.socket | None = None
        self._over = False

    def run(self) -> Fetched:
        """What the server answers; blocks, and is to run on a thread of its own.

        Raises Unavailable where it does not answer with a list, TooLarge, Malformed.
        Source: RFC 9110, 15.3.1; 15.4.5
        """
        host, port = self._place()
        link = http.client.HTTPConnection(host, port, timeout=SILENCE_S)
        try:
            link.sock = self._connected(host, port)
            link.request("GET", self._parts.path or "/", headers=self._fields)
            with closing(link.getresponse()) as response:
                return self._answer(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = "took too long" if self._over else "does not answer"
            raise Unavailable(f"the server of the list {why}") from error
        finally:
            link.close()
            if self._line is not None:
                self._line.close()

    def _place(self) -> tuple[str, int]:
        usual = 443 if self._parts.scheme == "https" else 80
        return self._parts.hostname or "", self._parts.port or usual

    def _connected(self, host: str, port: int) -> socket.socket:
        """A connection to the server, through the proxy if there is one, inside TLS if it is to be.

        A second handle to it is kept: whoever cuts the request ends it there, however far it is.
        """
        place = (host, port) if self._way is None else (self._way.host, self._way.port)
        raw = socket.create_connection(place, timeout=SILENCE_S)
        try:
            self._line = raw.dup()
            self._check_time()  # it may have been over before there was anything to end
            if self._way is not None:
                _open_way(raw, self._way, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
            if self._parts.scheme != "https":
                return raw
            return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise

    def _check_time(self) -> None:
        if self._over:
            raise Unavailable("the server of the list took too long")

    def cut(self) -> None:
        """End the request, from another thread: `run` raises Unavailable then.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._over = True
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _answer(self, response: http.client.HTTPResponse) -> Fetched:
        if response.status == 304 and self._asked:
            return self._with(response, None)
        if 300 <= response.status < 400:
            raise Unavailable(f"the server of the list sends elsewhere ({response.status})")
        if response.status != 200:
            raise Unavailable(f"the server of the list answers {response.status}")
        if response.getheader("content-encoding", "identity").lower() != "identity":
            raise Malformed("the list came encoded")
        return self._with(response, self._body(response))

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        said = response.getheader("content-length", "")
        length = int(said) if said.isascii() and said.isdigit() else -1
        if length > self._most:
            raise TooLarge(f"a list has at most {self._most} bytes")
        found = bytearray()
        while step := response.read1(_STEP):
            found += step
            if len(found) > self._most:
                raise TooLarge(f"a list has at most {self._most} bytes")
        if self._over or length not in (-1, len(found)):
            raise Unavailable(_CUT)
        return bytes(found)

    def _with(self, response: http.client.HTTPResponse, octets: bytes | None) -> Fetched:
        tag, changed = (_short(response.getheader(one, "")) for one in ("etag", "last-modified"))
        told = _MAX_AGE.search(response.getheader("cache-control", ""))
        return Fetched(octets, tag, changed, _date(changed), int(told[1]) if told else -1)


def _open_way(raw: socket.socket, way: Way, place: str) -> None:
    """Have the proxy at the other end of `raw` open the way to `place`.

    Raises Unavailable where it does not, and says nothing of what the proxy was told.
    """
    said = way.authorization.reveal()
    who = f"Proxy-Authorization: {said}\r\n" if said else ""
    raw.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{who}\r\n".encode("ascii"))
    answer = http.client.HTTPResponse(raw, method="CONNECT")
    with closing(answer):
        answer.begin()
        if answer.status != 200:
            raise Unavailable(f"the proxy does not open the way to the list ({answer.status})")


def _short(field: str) -> str:
    return field if len(field) <= _MOST_TAG and field.isascii() and field.isprintable() else ""


def _date(field: str) -> int:
    """The date of a list in ms; 0 where the server names none that is one."""
    try:
        return max(0, int(parsedate_to_datetime(field).timestamp() * 1000)) if field else 0
    except (ValueError, TypeError, OverflowError):
        return 0
