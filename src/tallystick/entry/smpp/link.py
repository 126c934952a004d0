"""One bound session with a message centre: requests in a window, answers by sequence number.

    connect -> bind_transceiver -> requests and answers, both ways -> end

A request that is not answered in time has an unknown outcome. Its answer may still come; whoever
waits no more is told of it by `late`, so that the same message is not sent twice.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7; SMPP 3.4, 2; 7.2
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from tallystick.entry.smpp.pdus import (
    Command,
    Pdu,
    ShortMessage,
    Status,
    bind_body,
    message_of,
    octets_of,
    read_pdu,
    word_of,
)
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, RateLimited, Unavailable
from tallystick.kernel.secret import Secret

_LAST_SEQUENCE = 0x7FFFFFFF
_MOST_LATE = 1_000
_SLOW_DOWN = frozenset({Status.THROTTLED, Status.QUEUE_FULL})

Heard = Callable[[ShortMessage], Awaitable[int]]
"""Takes a message of the network over; the status to answer with."""

Late = Callable[[str, str], None]
"""Told that the message of this key was taken over after all, and its id at the centre."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests may wait for an answer, and for how long things may take, in seconds.

    Source: SMPP 3.4, 7.2
    """

    window: int = 10
    answer_s: float = 5.0
    enquire_s: float = 30.0


class SmppLink:
    """A session; `run` it beside its use until it ends.

    Source: SMPP 3.4, 2
    """

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        pace: Pace,
        heard: Heard,
        late: Late,
    ) -> None:
        """Speak over `streams`; messages go to `heard`.

        Source: SMPP 3.4, 2
        """
        self._reader, self._writer = streams
        self._pace = pace
        self._heard = heard
        self._late = late
        self._sequence = 0
        self._waiting: dict[int, tuple[asyncio.Future[Pdu], str]] = {}
        self._overdue: dict[int, str] = {}
        self._window = asyncio.Semaphore(pace.window)
        self._hearing: set[asyncio.Task[None]] = set()
        self._last = monotonic()
        self.ended = asyncio.Event()

    async def bind(self, system_id: str, password: Secret[str], system_type: str) -> None:
        """Bind as transceiver; call it beside `run`.

        Raises NotAuthentic if the centre refuses, Unavailable if it does not answer.
        Source: SMPP 3.4, 4.1.5
        """
        body = bind_body(system_id, password, system_type)
        answer = await self._asked(Command.BIND_TRANSCEIVER, body)
        if answer.status != Status.OK:
            raise NotAuthentic(
                f"the message centre refuses the bind ({answer.status:#x})",
                remedy="check system id and password with the network",
            )

    async def submit(self, message: ShortMessage, reference: str = "") -> str:
        """Hand `message` over; its id at the centre. `reference` names it if its answer is late.

        Raises RateLimited if the centre wants less, Malformed if it refuses this message,
        Unavailable if it does not say in time, which leaves open whether it took it.
        Source: SMPP 3.4, 4.4.1; 4.4.2
        """
        async with self._window:
            sequence = self._next()
            octets = octets_of(Command.SUBMIT_SM, sequence, message)
            answer = await self._answered(sequence, octets, reference)
        if answer.status in _SLOW_DOWN:
            raise RateLimited("the message centre wants fewer messages", retry_after_s=1)
        if answer.status != Status.OK:
            raise Malformed(f"the message centre refuses the message ({answer.status:#x})")
        return word_of(answer.body)

    async def run(self) -> None:
        """Read until the session ends, and ask now and then whether the other side is there.

        Source: SMPP 3.4, 4.11; 7.2
        """
        asking = asyncio.create_task(self._enquire())
        try:
            while True:
                pdu = await read_pdu(self._reader)
                self._last = monotonic()
                if not self._take(pdu):
                    break
        except (OSError, EOFError, Malformed):
            pass  # a stream that broke, or that is out of step, ends the session
        finally:
            asking.cancel()
            self._end()
            await asyncio.gather(asking, *self._hearing, return_exceptions=True)

    async def close(self) -> None:
        """Say good-bye, and end.

        Source: SMPP 3.4, 4.2
        """
        with suppress(MfsError):
            await self._asked(Command.UNBIND)
        self._end()

    def _end(self) -> None:
        self.ended.set()
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(Unavailable("the session with the message centre ended"))
        self._waiting.clear()
        self._writer.close()

    def _take(self, pdu: Pdu) -> bool:
        """Deal with one PDU; whether the session goes on."""
        if pdu.answers:
            self._match(pdu)
        elif pdu.command == Command.ENQUIRE_LINK:
            self._send(Pdu(Command.ENQUIRE_LINK_RESP, Status.OK, pdu.sequence))
        elif pdu.command == Command.UNBIND:
            self._send(Pdu(Command.UNBIND_RESP, Status.OK, pdu.sequence))
            return False
        elif pdu.command == Command.DELIVER_SM:
            self._deliver(pdu)
        else:
            self._send(Pdu(Command.GENERIC_NACK, Status.BAD_COMMAND, pdu.sequence))
        return True

    def _match(self, pdu: Pdu) -> None:
        future, reference = self._waiting.pop(pdu.sequence, (None, ""))
        if future is not None and not future.done():
            future.set_result(pdu)
            return
        reference = reference or self._overdue.pop(pdu.sequence, "")
        if reference and pdu.command == Command.SUBMIT_SM_RESP and pdu.status == Status.OK:
            self._late(reference, word_of(pdu.body))

    def _deliver(self, pdu: Pdu) -> None:
        if len(self._hearing) >= 4 * self._pace.window:
            self._send(Pdu(Command.DELIVER_SM_RESP, Status.QUEUE_FULL, pdu.sequence, b"\x00"))
            return
        task = asyncio.create_task(self._hear(pdu))
        self._hearing.add(task)
        task.add_done_callback(self._hearing.discard)

    async def _hear(self, pdu: Pdu) -> None:
        status: int = Status.SYSTEM_ERROR
        try:
            status = await self._heard(message_of(pdu))
        except Malformed:
            status = Status.REJECTED
        except MfsError:
            status = Status.TRY_AGAIN
        finally:
            self._send(Pdu(Command.DELIVER_SM_RESP, status, pdu.sequence, b"\x00"))

    async def _enquire(self) -> None:
        """End the session if the other side, after a silence, does not say that it is there."""
        while not self.ended.is_set():
            silent = monotonic() - self._last
            await asyncio.sleep(max(0.01, self._pace.enquire_s - silent))
            if monotonic() - self._last < self._pace.enquire_s:
                continue
            try:
                await self._asked(Command.ENQUIRE_LINK)
            except Unavailable:
                self._end()

    async def _asked(self, command: Command, body: bytes = b"") -> Pdu:
        sequence = self._next()
        return await self._answered(sequence, Pdu(command, 0, sequence, body).octets(), "")

    async def _answered(self, sequence: int, octets: bytes, reference: str) -> Pdu:
        if self.ended.is_set():
            raise Unavailable("there is no session with the message centre")
        future: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = future, reference
        self._write(octets)
        try:
            # no task in between: who waits goes on before the next PDU is dealt with
            async with asyncio.timeout(self._pace.answer_s):
                return await future
        except TimeoutError:
            if future.done() and not future.cancelled():
                return future.result()  # it came in the moment in which the time was over
            if self._waiting.pop(sequence, None) and reference:
                self._overdue[sequence] = reference
                while len(self._overdue) > _MOST_LATE:
                    del self._overdue[next(iter(self._overdue))]
            raise Unavailable("the message centre did not answer in time") from None

    def _send(self, pdu: Pdu) -> None:
        self._write(pdu.octets())

    def _write(self, octets: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(octets)

    def _next(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence
