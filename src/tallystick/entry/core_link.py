"""The link to a core system whose book counts: places, inquires, and hands over believed answers.

The intent is durable in the tally before the core is called, under an id derived from the order.
After a restart every open order counts as placed, so that it is inquired first and never placed
blindly. What the policy does while the core does not answer never stops an inquiry: while the core
counts as failing, the transfer that it was asked about last is inquired again and again, so that
its first answer is noticed though no order is waiting.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

import asyncio
import http.client
from time import monotonic
from urllib.parse import urlsplit

from tallystick.application.core import (
    Asked,
    BookAnswer,
    BookOrder,
    Doubt,
    Exchange,
    Finish,
    GiveToPeople,
    Inquire,
    Patience,
    Place,
    StillUnknown,
    answer_of,
    believe,
    next_step,
    placing_of,
)
from tallystick.application.core.model import DEFAULT_PATIENCE
from tallystick.application.core.settling import book_order
from tallystick.application.own_commands import BookAnswered
from tallystick.application.payments.store import open_orders
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.kernel.ids import id_time
from tallystick.kernel.time import SECOND_MS
from tallystick.process.policy import Dependency
from tallystick.protocol.core import TransferState

EVERY_S = 0.05
TIMEOUT_S = 5.0
PROBE_S = 2.0
CORE = Dependency.CORE.value
_PROBE = "probe"
_MOST_OPEN = 256
_AT_ONCE = 16
_MAX_ANSWER = 64 * 1024
_states = Decoder(TransferState, limit=_MAX_ANSWER)


class HttpBook:
    """A book behind HTTP; every way of not answering is None.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._parts = urlsplit(url)
        self._timeout_s = timeout_s

    def place(self, order: BookOrder) -> BookAnswer | None:
        """Ask the core to move the money, at most once for its id.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._ask("POST", "/v1/transfers", encode_canonical(placing_of(order)))

    def settle(self, order: BookOrder) -> BookAnswer | None:
        """Ask the core to end a pending order by moving the money.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._ask("POST", f"/v1/transfers/{order.id}/settle")

    def void(self, order: BookOrder) -> BookAnswer | None:
        """Ask the core to end a pending order without moving anything.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._ask("POST", f"/v1/transfers/{order.id}/void")

    def inquire(self, identifier: str) -> BookAnswer | None:
        """Ask what has become of an order; changes nothing.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._ask("GET", f"/v1/transfers/{identifier}")

    def _ask(self, method: str, path: str, body: bytes = b"") -> BookAnswer | None:
        secure = self._parts.scheme == "https"
        link = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = link(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            octets = response.read(_MAX_ANSWER + 1)
            return answer_of(_states.decode(octets)) if response.status == 200 else None
        except (OSError, http.client.HTTPException, MfsError):
            return None
        finally:
            connection.close()


class CoreLink:
    """Follows every open order until the core has ended it or people must.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
    """

    def __init__(
        self,
        platform: Platform,
        writer: WriterLoop,
        accounting: Accounting,
        patience: Patience = DEFAULT_PATIENCE,
    ) -> None:
        self._patience = patience
        self._platform = platform
        self._writer = writer
        self._accounting = accounting
        self._book = HttpBook(platform.settings.core_url)
        self._watch = platform.desks.policy.watch
        self._watch.connect(CORE)
        self._last = ""
        self._asked_at = 0.0
        self._histories: dict[str, list[Exchange]] = {
            order: [self._before_restart()] for order in open_orders(platform.reader, 1_000_000)
        }

    @property
    def following(self) -> int:
        """How many orders wait for the core's answer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return len(self._histories)

    def oldest_s(self) -> int:
        """For how many seconds the oldest of them has waited.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if not self._histories:
            return 0
        return max(0, self._platform.clock.now() - id_time(min(self._histories))) // SECOND_MS

    async def follow(self) -> None:
        """Follow open orders, for ever.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        limit = asyncio.Semaphore(_AT_ONCE)
        busy: dict[str, asyncio.Task[None]] = {}
        while True:
            await asyncio.sleep(EVERY_S)
            for order in [one for one, task in busy.items() if task.done()]:
                busy.pop(order).result()
            for order in open_orders(self._platform.reader, _MOST_OPEN):
                if order not in busy:
                    busy[order] = asyncio.create_task(self._advance(order, limit))
            if self._watch.is_failing(CORE) and _PROBE not in busy:
                busy[_PROBE] = asyncio.create_task(self._probe())

    def _before_restart(self) -> Exchange:
        """What stands for all that may have been asked before this process began."""
        unknown = StillUnknown(because=Doubt.SILENCE)
        return Exchange(asked=Asked.PLACE, at=self._platform.clock.now(), judged=unknown)

    async def _advance(self, order: str, limit: asyncio.Semaphore) -> None:
        row = self._platform.desks.payments.find(order)
        if row is None:
            return
        history = self._histories.setdefault(order, [])
        step = next_step(history, self._platform.clock.now(), self._patience)
        if isinstance(step, Finish | GiveToPeople):
            await self._writer.ask(BookAnswered(order, step))
            self._histories.pop(order, None)
            if isinstance(step, GiveToPeople):
                self._accounting.note(Note.ORDER_NEEDS_PEOPLE, order=order, because=step.because)
            return
        if isinstance(step, Inquire) and step.after_ms > 0:
            return
        wanted = book_order(row)
        async with limit:
            self._last, self._asked_at = wanted.id, monotonic()
            if isinstance(step, Place):
                answer = await asyncio.to_thread(self._book.place, wanted)
                asked = Asked.PLACE
            else:
                answer = await asyncio.to_thread(self._book.inquire, wanted.id)
                asked = Asked.INQUIRE
        self._report(answer)
        judged = believe(wanted, answer)
        history.append(Exchange(asked=asked, at=self._platform.clock.now(), judged=judged))
        if isinstance(judged, StillUnknown) and judged.because is Doubt.LIE:
            self._accounting.note(Note.CORE_ANSWERED_WRONGLY, order=order)

    async def _probe(self) -> None:
        """Inquire about the last transfer again if nothing was asked for a while; changes nothing.

        The answer says only that the core answers: what became of the order is not taken from it.
        """
        if monotonic() - self._asked_at < PROBE_S:
            return
        self._asked_at = monotonic()
        self._report(await asyncio.to_thread(self._book.inquire, self._last))

    def _report(self, answer: BookAnswer | None) -> None:
        """Tell the watch whether the core answered, be it wrongly."""
        now = self._platform.clock.now()
        if answer is None:
            self._watch.failed(CORE, now)
        else:
            self._watch.answered(CORE, now)
