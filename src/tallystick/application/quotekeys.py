"""The key under which quotes are proved: replaced twice a day, the one before still checks.

So a key is in use for half a day and recognised for another half, within the day that the key
table allows, and no quote dies of the change.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; ISO/IEC 9797-2
"""

from collections.abc import Callable, Sequence

from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.kernel.errors import NotAuthentic, Unavailable
from tallystick.kernel.time import DAY_MS, Instant

IN_USE_MS = DAY_MS // 2
_KEPT = 2

Keep = Callable[[Sequence[bytes]], None]
"""Stores the wrapped keys, newest first, in place of those before."""


class QuoteKeys:
    """The newest quote key and the one before it.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 9797-2
    """

    def __init__(self, module: CryptoModule, handles: Sequence[KeyHandle], keep: Keep) -> None:
        """Use the newest of `handles` (newest first, at least one) and recognise the next.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._module = module
        self._handles = list(handles[:_KEPT])
        self._keep = keep

    def mac(self, message: bytes) -> bytes:
        """The MAC of `message` under the newest key.

        Source: ISO/IEC 9797-2
        """
        return self._module.mac(self._handles[0], message)

    def check(self, message: bytes, tag: bytes) -> None:
        """Pass if one of the keys made `tag` over `message`.

        Raises NotAuthentic otherwise.
        Source: ISO/IEC 9797-2
        """
        for handle in self._handles[:-1]:
            try:
                return self._module.verify_mac(handle, message, tag)
            except NotAuthentic:
                continue
        return self._module.verify_mac(self._handles[-1], message, tag)

    def blocks(self) -> list[bytes]:
        """The wrapped keys, newest first.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return [self._module.export_block(handle) for handle in self._handles]

    def renew(self, now: Instant) -> bool:
        """Replace the newest key if its half day is over, and store it before it is used.

        Raises Unavailable if it cannot be stored; the key in use stays then.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        if now < self._handles[0].created_at + IN_USE_MS:
            return False
        fresh = self._module.generate(Purpose.QUOTE)
        before, *old = self._handles
        blocks = [self._module.export_block(one) for one in (fresh, before)]
        try:
            self._keep(blocks)
        except OSError as error:
            self._module.destroy(fresh)
            raise Unavailable(
                "the new quote key cannot be stored", remedy="look after the disk"
            ) from error
        self._handles = [fresh, before]
        for handle in old:
            self._module.destroy(handle)
        return True
