"""A key-encryption key in the transit engine of Vault or OpenBao, asked over its HTTP API.

    vault-transit://MOUNT/NAME?address=https://HOST:8200&auth=file:/PATH&namespace=N&ca=/PATH

`auth` says where the client token comes from, as for a PIN. What the secret is bound to goes as
associated data, which a key of the kind `aes256-gcm96` authenticates.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; RFC 9110
"""

import http.client
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import (
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.secret import Secret

KIND: Final = "vault-transit"
TIMEOUT_S: Final = 5.0
WAITS_S: Final = (0.25, 0.5, 1.0)
"""How long is waited before each further attempt."""
_LONGEST_WAIT_S: Final = 5.0
_MOST: Final = 64 * 1024
_SEE: Final = "check its address"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class TransitKey:
    """Where the engine is, which key is meant, and what opens its door.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    address: str
    mount: str
    name: str
    client: Secret[str]
    namespace: str = ""
    authorities: str = ""


class VaultTransit:
    """Wraps and unwraps by asking; what is throttled is asked again after a pause.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    kind = KIND

    def __init__(self, where: TransitKey, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Ask at `where`; raises Malformed for an address that would send secrets in clear.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        parts = urlsplit(where.address)
        allowed = {"https", "http"} if parts.hostname in _LOOPBACK else {"https"}
        if not parts.hostname or parts.scheme not in allowed:
            raise Malformed(
                "the address of the key service is an https URL",
                remedy="http is for localhost only",
            )
        self._where = where
        self._pause = pause

    def wrap(self, secret: Secret[bytes], context: bytes) -> bytes:
        """`secret` as the engine enciphers it, `vault:v1:...`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        body = {"plaintext": _text(secret.reveal()), "associated_data": _text(context)}
        return self._answer("encrypt", "ciphertext", body).encode()

    def unwrap(self, wrapped: bytes, context: bytes) -> Secret[bytes]:
        """What the engine deciphers; NotAuthentic where it cannot.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        body = {"ciphertext": wrapped.decode(errors="replace"), "associated_data": _text(context)}
        text = self._answer("decrypt", "plaintext", body)
        try:
            return Secret(b64decode(text, validate=True))
        except ValueError:
            raise Unavailable("the key service answers something else", remedy=_SEE) from None

    def __repr__(self) -> str:
        return f"VaultTransit({self._where.mount}/{self._where.name})"

    def _answer(self, act: str, wanted: str, body: dict[str, str]) -> str:
        found = self._data(act, body).get(wanted)
        if not isinstance(found, str):
            raise Unavailable("the key service answers something else", remedy=_SEE)
        return found

    def _data(self, act: str, body: dict[str, str]) -> dict[str, Any]:
        octets = encode(body)
        path = f"/v1/{quote(self._where.mount)}/{act}/{quote(self._where.name, safe='')}"
        waits = iter(WAITS_S)
        while True:
            try:
                return self._once(act, path, octets)
            except Unavailable as error:
                wait = next(waits, None)
                if wait is None:
                    raise
                self._pause(min(max(wait, error.retry_after_s or 0), _LONGEST_WAIT_S))

    def _once(self, act: str, path: str, octets: bytes) -> dict[str, Any]:
        where = self._where
        fields = {"content-type": "application/json", "x-vault-token": where.client.reveal()}
        if where.namespace:
            fields["x-vault-namespace"] = where.namespace
        connection = self._connection()
        try:
            connection.request("POST", path, octets, fields)
            reply = connection.getresponse()
            status, retry = reply.status, reply.headers.get("retry-after", "")
            found = reply.read(_MOST + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                "the key service cannot be reached",
                remedy="check its address, its certificate and the network",
            ) from error
        finally:
            connection.close()
        if status != http.client.OK:
            raise _refusal(act, status, retry)
        return cast("dict[str, Any]", _answers.decode(found).get("data", {}))

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._where.address)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port or 8200, timeout=TIMEOUT_S)
        context = ssl.create_default_context(cafile=self._where.authorities or None)
        return http.client.HTTPSConnection(
            host, parts.port or 8200, timeout=TIMEOUT_S, context=context
        )


_answers = Decoder(dict[str, Any])


def _refusal(act: str, status: int, retry: str) -> MfsError:
    """What the status of an answer means; its words are not repeated, they may hold anything.

    Source: RFC 9110, 15
    """
    if status == http.client.FORBIDDEN:
        return NotPermitted(
            "the key service refuses",
            because="permission denied",
            remedy=f"give this client `update` on {act} of the key, and a token that is in force",
        )
    if status == http.client.NOT_FOUND:
        return NotFound("the key service has no such engine", remedy="check mount and name")
    if status == http.client.BAD_REQUEST:
        return NotAuthentic(
            f"the key service cannot {act} this",
            remedy="check which key-encryption key the address names",
        )
    after = int(retry) if retry.isascii() and retry.isdigit() and len(retry) < 4 else None
    says = {429: "is throttling", 503: "is sealed, or stands by"}.get(status, f"fails ({status})")
    return Unavailable(f"the key service {says}", remedy="wait, or see to it", retry_after_s=after)


def _text(octets: bytes) -> str:
    return b64encode(octets).decode()
