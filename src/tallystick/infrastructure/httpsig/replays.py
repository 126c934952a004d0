"""Which nonces were seen, for as long as their signatures could come again.

The memory ends with the process, so a signature that was made before it began, or could have been,
is refused; and it has room for so many a key, beyond which the key waits and no other does.

Source: RFC 9421, 7.2.2; ISO/TS 12812-2:2017, 7.2.7
"""

from tallystick.infrastructure.httpsig.verifying import Verified
from tallystick.kernel.errors import RateLimited, Replayed, Unavailable
from tallystick.kernel.time import SECOND_MS

MOST_NONCES = 100_000
_SWEEP_MS = SECOND_MS


class Nonces:
    """The nonces of every key that were seen since `began_at` (ms).

    Source: RFC 9421, 7.2.2
    """

    def __init__(self, began_at: int, ahead_ms: int, most: int = MOST_NONCES) -> None:
        """Remember `most` nonces a key; clocks of partners may be `ahead_ms` ahead.

        Source: RFC 9421, 7.2.2
        """
        self._from = began_at + ahead_ms
        self._most = most
        self._swept_at = began_at
        self._seen: dict[str, dict[str, int]] = {}

    def once(self, verified: Verified, now: int) -> None:
        """Note the nonce of a signature that holds, at `now` (ms).

        Raises Replayed if it was seen, Unavailable if it may have been before this process began,
        RateLimited if there is no room for more of this key.
        Source: RFC 9421, 7.2.2
        """
        if verified.created_at < self._from:
            wait_s = -(-(self._from - verified.created_at) // SECOND_MS)
            raise Unavailable(
                "this was signed before nonces were counted here",
                remedy="sign it anew in a moment",
                retry_after_s=wait_s,
            )
        if now >= self._swept_at + _SWEEP_MS:
            self.sweep(now)
        seen = self._seen.setdefault(verified.keyid, {})
        if verified.nonce in seen:
            raise Replayed("this message was received before", remedy="send each message once")
        if len(seen) >= self._most:
            raise RateLimited("too many messages of one partner", retry_after_s=1)
        seen[verified.nonce] = verified.until

    def sweep(self, now: int) -> None:
        """Forget what could not come again anyway.

        Source: RFC 9421, 7.2.2
        """
        self._swept_at = now
        for seen in self._seen.values():
            for nonce in [nonce for nonce, until in seen.items() if until <= now]:
                del seen[nonce]
