"""A session with a message centre, begun again after every end and slowed down when told so.

    connect -> bind -> use -> end -> wait, twice as long each time up to half a minute -> connect

After a refusal for too much traffic nothing is sent for a while, twice as long each time up to five
seconds, and the message is tried again a few times.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.2.3; SMPP 3.4, 2; 5.1.3
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tallystick.entry.partner_settings import SmppBind
from tallystick.entry.smpp.link import Heard, Late, Pace, SmppLink
from tallystick.entry.smpp.pdus import ShortMessage
from tallystick.kernel.errors import MfsError, RateLimited, Unavailable
from tallystick.kernel.secret import Secret

TRIES = 4
"""How often a message is handed over while the centre wants less."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait before binding again, in seconds: at first, and at most.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    first_s: float = 0.5
    longest_s: float = 30.0


class KeptLink:
    """Binds again and again; `run` it for ever.

    Source: ISO/TS 12812-2:2017, 6.2.3; SMPP 3.4, 2
    """

    def __init__(
        self,
        bind: SmppBind,
        password: Secret[str],
        heard: Heard,
        late: Late,
        draw: Callable[[int], bytes],
        patience: Patience,
    ) -> None:
        """Bind as `bind` says; `draw(n)` gives n random bytes, so that not all return at once.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._bind = bind
        self._password = password
        self._heard = heard
        self._late = late
        self._draw = draw
        self._patience = patience
        self._link: SmppLink | None = None
        self._pause_s = 0.0
        self._clear = asyncio.Event()
        self._clear.set()
        self.bound = asyncio.Event()
        self.binds = 0
        self.taken = 0
        self.throttled = 0
        self.told: Callable[[str], None] = lambda _: None

    async def run(self) -> None:
        """Keep a session until cancelled; `told` hears why one could not begin or that it ended.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        wait_s = self._patience.first_s
        while True:
            try:
                await self._session()
            except (OSError, MfsError, ssl.SSLError) as error:
                self.told(error.code if isinstance(error, MfsError) else "no-connection")
            else:
                wait_s = self._patience.first_s
                self.told("ended")
            jitter = int.from_bytes(self._draw(2), "big") / 65536
            await asyncio.sleep(wait_s * (0.5 + jitter / 2))
            wait_s = min(2 * wait_s, self._patience.longest_s)

    async def submit(self, message: ShortMessage, reference: str = "") -> str:
        """Hand `message` over, again if the centre wanted less at first; its id at the centre.

        Raises Unavailable without a session or where the outcome is open, RateLimited if the centre
        wants less still, Malformed if it refuses this message.
        Source: ISO/TS 12812-2:2017, 7.2.7; SMPP 3.4, 4.4
        """
        for tried in range(1, TRIES + 1):
            await self._clear.wait()
            link = self._link
            if link is None:
                raise Unavailable("there is no session with the message centre")
            try:
                sent = await link.submit(message, reference)
            except RateLimited:
                self._slow_down()
                if tried == TRIES:
                    raise
            else:
                self._pause_s = 0.0
                self.taken += 1
                return sent
        raise Unavailable("the message centre did not take the message")

    def _slow_down(self) -> None:
        self.throttled += 1
        if not self._clear.is_set():
            return
        self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._clear.clear()
        asyncio.get_running_loop().call_later(self._pause_s, self._clear.set)

    async def _session(self) -> None:
        bind = self._bind
        context = _context(bind)
        streams = await asyncio.wait_for(
            asyncio.open_connection(
                bind.host, bind.port, ssl=context, server_hostname=bind.host if context else None
            ),
            bind.answer_ms / 1000,
        )
        pace = Pace(bind.window, bind.answer_ms / 1000, bind.enquire_ms / 1000)
        link = SmppLink(streams, pace, self._heard, self._late)
        running = asyncio.create_task(link.run())
        try:
            await link.bind(bind.system_id, self._password, bind.system_type)
            self._link = link
            self.binds += 1
            self.bound.set()
            await running
        finally:
            self._link = None
            self.bound.clear()
            if not running.done():
                with suppress(Unavailable):
                    await link.close()
                running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _context(bind: SmppBind) -> ssl.SSLContext | None:
    if not bind.tls:
        return None
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
