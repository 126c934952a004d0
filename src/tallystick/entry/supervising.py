"""What a service tells whoever started it: that it is ready, that it lives, that it ends.

A loop that stands still tells nothing, and its supervisor ends it and starts it again. A store that
is away is no reason: the loop goes on meanwhile.

Source: sd_notify(3)
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

_OFTEN = 3
"""How often it says that it lives, in the time after which it would count as dead."""


class Supervisor:
    """A socket that takes one datagram for each state; nobody listens where there is none.

    Source: sd_notify(3)
    """

    def __init__(self, address: str, patience_s: float = 0.0) -> None:
        """Tell it at `address`, with a sign of life well within each `patience_s` (0: none).

        Source: sd_notify(3)
        """
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._patience_s = patience_s

    @classmethod
    def named_in(cls, environment: Mapping[str, str]) -> "Supervisor":
        """The one that `environment` names, or none.

        Source: sd_watchdog_enabled(3)
        """
        micros = environment.get("WATCHDOG_USEC", "")
        patience_s = int(micros) / 1_000_000 if micros.isascii() and micros.isdigit() else 0.0
        return cls(environment.get("NOTIFY_SOCKET", ""), patience_s)

    def ready(self, status: str) -> None:
        """It serves, or stands by: `status` says which.

        Source: sd_notify(3)
        """
        self._tell(f"READY=1\nSTATUS={status}")

    def ending(self) -> None:
        """It has finished what was begun, and ends.

        Source: sd_notify(3)
        """
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """It lives at this moment.

        Source: sd_notify(3)
        """
        if self._patience_s:
            self._tell("WATCHDOG=1")

    async def live(self) -> None:
        """Say so for as long as the loop turns.

        Source: sd_notify(3)
        """
        while self._patience_s:
            self.alive()
            await asyncio.sleep(self._patience_s / _OFTEN)

    def pausing(self, pause: Callable[[float], None]) -> Callable[[float], None]:
        """`pause`, with a sign of life before it: for a wait outside of the loop.

        Source: sd_notify(3)
        """

        def pause_alive(seconds: float) -> None:
            self.alive()
            pause(seconds)

        return pause_alive

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.setblocking(False)
            way.sendto(state.encode(), self._address)
