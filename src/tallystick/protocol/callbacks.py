"""What a partner's callback is authenticated by, and menus whose callbacks repeat all inputs.

    tallystick-callback: t=MILLISECONDS,mac=BASE64URL

HMAC-SHA-256 under the secret that provider and partner share, over label, path, instant and body.

An accumulating dialect sends every input so far, joined by `*`, with each callback. What is new in
it is found by counting and by a keyed MAC over what was seen. Inputs that may be secret are left
out of the MAC: a mark stands for them, so that nobody can try PINs against it.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3; 7.3.4; ISO/IEC 9797-2
"""

import re
from collections.abc import Callable
from enum import StrEnum

from tallystick.kernel.codec import b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Expired, NotAuthentic
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

CALLBACK_HEADER = "tallystick-callback"
TOLERANCE_MS = 60_000
"""How far the partner's clock may be off, and how old a callback may be."""

Mac = Callable[[bytes], bytes]
"""A keyed MAC of at least 16 octets."""

_LABEL = b"tallystick callback v1\x00"
_HISTORY = b"tallystick dialled history v1\x00"
_HEADER = re.compile(r"t=([1-9][0-9]{12,13}),mac=([A-Za-z0-9_-]{43})")


class Proof(Record, frozen=True, kw_only=True):
    """What a callback header says: when it was sent (ms), and its MAC.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    at: int
    tag: bytes


def callback_message(path: str, at: int, body: bytes) -> bytes:
    """The octets that the MAC of a callback is over.

    Source: ISO/IEC 9797-2
    """
    return _LABEL + path.encode() + b"\x00" + str(at).encode() + b"\x00" + body


def callback_header(path: str, at: int, body: bytes, mac: Mac) -> str:
    """The header of a callback sent at `at` (ms).

    Source: ISO/IEC 9797-2
    """
    return f"t={at},mac={b64url(mac(callback_message(path, at, body)))}"


def read_proof(header: str, now: int) -> Proof:
    """The proof in a callback header; its MAC is the caller's to check.

    Raises NotAuthentic for anything else, Expired for what is more than a minute off.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    match = _HEADER.fullmatch(header)
    if match is None:
        raise NotAuthentic("the callback has no proof of its sender")
    at = int(match.group(1))
    if abs(now - at) > TOLERANCE_MS:
        raise Expired("the callback is too old or from a wrong clock", remedy="send it anew")
    return Proof(at=at, tag=b64url_decode(match.group(2)))


class Compared(StrEnum):
    """How a text of all inputs stands to the history that was seen.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    NEXT = "next"
    REPEATED = "repeated"
    SHORTER = "shorter"
    ALTERED = "altered"


class History(Record, frozen=True, kw_only=True):
    """What was seen of a session: `hidden` says of each part whether it may be a secret.

    `tag` is the MAC over the parts that are not; none of them can be read from it.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
    """

    hidden: tuple[bool, ...]
    tag: bytes

    def compare(self, text: Secret[str], session: str, mac: Mac) -> Compared:
        """How `text` stands to this history.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        parts = _parts(text)
        if len(parts) < len(self.hidden):
            return Compared.SHORTER
        seen = parts[: len(self.hidden)]
        if Secret(mac(_told(seen, self.hidden, session))) != Secret(self.tag):
            return Compared.ALTERED
        return Compared.REPEATED if len(parts) == len(self.hidden) else Compared.NEXT

    def newest(self, text: Secret[str]) -> Secret[str]:
        """What `text` has beyond this history; it may hold a `*` that the customer typed.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return Secret("*".join(_parts(text)[len(self.hidden) :]))

    def with_newest(self, text: Secret[str], session: str, mac: Mac, *, secret: bool) -> "History":
        """The history once `text` was seen; what is new in it is left out of the MAC if `secret`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        parts = _parts(text)
        hidden = (*self.hidden, *(secret for _ in parts[len(self.hidden) :]))
        return History(hidden=hidden, tag=mac(_told(parts, hidden, session)))


def no_history(session: str, mac: Mac) -> History:
    """The history of a session that was just dialled: nothing was typed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return History(hidden=(), tag=mac(_told([], (), session)))


def skips_a_step(newest: Secret[str]) -> bool:
    """Whether `newest` may be two inputs: parts on both sides of a `*`.

    A `*` with nothing on one side was surely typed.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    parts = newest.reveal().split("*")
    return len(parts) > 1 and all(parts)


def _parts(text: Secret[str]) -> list[str]:
    typed = text.reveal()
    return typed.split("*") if typed else []


def _told(parts: list[str], hidden: tuple[bool, ...], session: str) -> bytes:
    told = [None if secret else part for part, secret in zip(parts, hidden, strict=True)]
    return _HISTORY + encode_canonical([session, told])
