"""Challenges that need no memory until they are answered, and are answered once.

    nonce (16) || end (8, ms) || HMAC over kind, nonce and end (32)

Source: W3C WebAuthn Level 3, 13.4.3; ISO/TS 12812-2:2017, 7.3.2
"""

from collections.abc import Callable

from tallystick.infrastructure.crypto.digest import equal, hmac_sha256
from tallystick.kernel.errors import Expired
from tallystick.kernel.time import MINUTE_MS, Instant

CHALLENGE_LIFE_MS = 5 * MINUTE_MS
_HEAD = 24


class Challenges:
    """Makes and takes challenges; those of one kind are not taken for another.

    Source: W3C WebAuthn Level 3, 13.4.3
    """

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._secret = entropy(32)
        self._used: dict[bytes, int] = {}

    def make(self, kind: bytes, now: Instant) -> bytes:
        """A challenge of 56 octets that is good for five minutes.

        Source: W3C WebAuthn Level 3, 13.4.3
        """
        head = self._entropy(16) + (now + CHALLENGE_LIFE_MS).to_bytes(8, "big")
        return head + self._mac(kind, head)

    def take(self, kind: bytes, challenge: bytes, now: Instant) -> None:
        """Use up a challenge of this service.

        Raises Expired for one that is old, was used, or was never made.
        Source: W3C WebAuthn Level 3, 13.4.3
        """
        head, mark = challenge[:_HEAD], challenge[_HEAD:]
        end = int.from_bytes(head[16:], "big")
        made = equal(mark, self._mac(kind, head))
        self._used = {one: until for one, until in self._used.items() if until > now}
        if not made or now >= end or challenge in self._used:
            raise Expired("this page was open for too long", remedy="load it again")
        self._used[challenge] = end

    def _mac(self, kind: bytes, head: bytes) -> bytes:
        return hmac_sha256(self._secret, kind + b"\x00" + head)
