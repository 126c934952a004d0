"""Asks an authority for a time stamp, over HTTP.

Plain `http:` is taken as well as `https:`: what goes out is a digest and a random number, and what
comes back is believed for its signature, whoever carried it.

Source: RFC 3161, 3.4; ISO/TS 12812-2:2017, 7.3.3
"""

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Roots
from tallystick.infrastructure.modules.entropy import Entropy, operating_system
from tallystick.infrastructure.timestamps import Query, kept_form
from tallystick.infrastructure.timestamps.request import NONCE_BYTES
from tallystick.kernel.errors import Malformed, Unavailable

QUERY: Final = "application/timestamp-query"
REPLY: Final = "application/timestamp-reply"
TIMEOUT_S: Final = 20.0
_MOST: Final = 256 * 1024

Exchange = Callable[[str, bytes], bytes]
"""Sends a query to an address and gives the answer; raises Unavailable where none comes."""


def exchange(url: str, query: bytes) -> bytes:
    """The answer of the authority at `url` to `query`.

    Raises Malformed for an address that is none, Unavailable where no answer of the sort comes.
    Source: RFC 3161, 3.4
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Malformed("the authority's address is an http or https URL")
    connection = (
        http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        if parts.scheme == "http"
        else http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    )
    where = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", where, query, {"content-type": QUERY, "accept": REPLY})
        reply = connection.getresponse()
        sort, octets = reply.headers.get_content_type(), reply.read(_MOST + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable("the authority cannot be reached", retry_after_s=60) from error
    finally:
        connection.close()
    if reply.status != http.client.OK or sort != REPLY or len(octets) > _MOST:
        raise Unavailable(f"the authority gives no time stamp (HTTP {reply.status}, {sort[:60]})")
    return octets


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority: its address, the roots that are pinned for it, and the policy to ask for.

    Source: RFC 3161, 2.4.1
    """

    url: str
    roots: Roots
    policy: str = ""
    entropy: Entropy = operating_system
    exchange: Exchange = exchange

    def stamp(self, data: bytes) -> bytes:
        """A time stamp over `data` in the form that is kept, verified.

        Raises Unavailable where the authority gives none, NotAuthentic for one that does not hold.
        Source: RFC 3161, 2.2
        """
        nonce = int.from_bytes(self.entropy(NONCE_BYTES), "big")
        query = Query(digest=sha256(data), nonce=nonce, policy=self.policy)
        return kept_form(self.exchange(self.url, query.octets()), query, self.roots)
