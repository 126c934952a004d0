"""A simulated message centre and USSD gateway that speaks SMPP 3.4, with the faults of real ones.

It takes the bind of the service, carries menu sessions of its telephones, keeps messages in their
inboxes and tells what became of them. It can be told to drop, delay, repeat or reorder what it
sends, to want less, to refuse, and to end the session. Like a real one it could read every PIN; its
own trace has lengths only.

Source: ISO/TS 12812-2:2017, 7.2.3; D; SMPP 3.4
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, Self, TypeVar

from simulators.smpp_parts import Faults, Page, Taken
from tallystick.entry.smpp.pdus import (
    Command,
    Option,
    Pdu,
    ShortMessage,
    Status,
    UssdOp,
    bind_of,
    message_of,
    octets_of,
    read_pdu,
    word_body,
)
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.secret import Secret
from tallystick.protocol.gsm7 import gsm7_octets, gsm7_text

T = TypeVar("T")
_WAIT_S = 10.0
_STATES = {"DELIVRD": 2, "EXPIRED": 3, "UNDELIV": 5, "REJECTD": 8}


@dataclass(slots=True)
class _Phone:
    pages: list[Page] = field(default_factory=list[Page])
    inbox: list[Taken] = field(default_factory=list[Taken])


class SmppCentre:
    """The simulated centre on the loopback address, on a thread of its own.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, system_id: str, password: Secret[str], *, number: str = "38457") -> None:
        """Listen at once for `system_id` with `password`.

        Source: SMPP 3.4, 4.1.5
        """
        self.faults = Faults()
        self.number = number
        self.port = 0
        self.trace: list[tuple[str, int]] = []
        self.binary: Callable[[str, ShortMessage], None] | None = None
        self._system_id = system_id
        self._password = password
        self._phones: dict[str, _Phone] = {}
        self._changed = Condition()
        self._writer: asyncio.StreamWriter | None = None
        self._sequence = 0
        self._messages = 0
        self._sessions = 0
        self._answers: dict[int, int] = {}
        self._kept_back: list[bytes] = []
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        self._until(lambda: self.port > 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)
        self._loop.close()

    def wait_bound(self) -> None:
        """Return once the service is bound. Raises Unavailable if it is not in time.

        Source: SMPP 3.4, 4.1
        """
        self._until(lambda: self._writer is not None)

    def end_session(self) -> None:
        """Break the connection without a word.

        Source: ISO/TS 12812-2:2017, D
        """
        self._called(self._cut())

    def dial(self, msisdn: str, *inputs: str, code: str = "*384*57#") -> list[str]:
        """Dial `code` and type `inputs` one by one; every page shown.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        session = self.open(msisdn, code)
        pages = [self.page(msisdn, session, 1)]
        for typed in inputs:
            if pages[-1].ends:
                break
            number = pages[-1].number
            self.type(msisdn, session, number, typed)
            pages.append(self.page(msisdn, session, number + 1))
        return [one.text for one in pages]

    def open(self, msisdn: str, code: str = "*384*57#", session: int | None = None) -> int:
        """Begin a session; its number. The page comes by itself.

        Source: SMPP 3.4, 5.3.2.44
        """
        if session is None:
            self._sessions = self._sessions % 255 + 1
            session = self._sessions
        self._phone(msisdn).pages.clear()
        self._ussd(msisdn, session, UssdOp.BEGIN, 0, code)
        return session

    def type(self, msisdn: str, session: int, page: int, typed: str) -> None:
        """Answer the page of this number.

        Source: SMPP 3.4, 5.3.2.43
        """
        self._ussd(msisdn, session, UssdOp.ANSWER, page, typed)

    def page(self, msisdn: str, session: int, number: int) -> Page:
        """The page of this number, or the last one, once it came.

        Raises Unavailable if it does not in time.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        found: list[Page] = []

        def came() -> bool:
            found[:] = [one for one in self._phone(msisdn).pages if one.number >= number]
            return bool(found)

        self._until(came)
        return found[0]

    def pages(self, msisdn: str) -> list[Page]:
        """Every page of the running session as it came, copies among them.

        Source: ISO/TS 12812-2:2017, D
        """
        with self._changed:
            return list(self._phone(msisdn).pages)

    def inbox(self, msisdn: str) -> list[Taken]:
        """Every message to a telephone, oldest first.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        with self._changed:
            return list(self._phone(msisdn).inbox)

    def wait_for(
        self, msisdn: str, fits: Callable[[Taken], bool], timeout_s: float = _WAIT_S
    ) -> Taken:
        """The newest message that fits. Raises Unavailable if none comes in time.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._until(lambda: any(fits(one) for one in self._phone(msisdn).inbox), timeout_s)
        return [one for one in self.inbox(msisdn) if fits(one)][-1]

    def receipt(self, taken: Taken, word: str, *, only_reference: bool = False) -> int:
        """Tell what became of a message; the status of the answer.

        Source: SMPP 3.4, B
        """
        text = f"id:{taken.id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001"
        options: dict[int, bytes] = {
            Option.USER_MESSAGE_REFERENCE: taken.reference.to_bytes(2, "big"),
            Option.MESSAGE_STATE: bytes((_STATES[word],)),
        }
        if only_reference:
            text = ""
        else:
            options[Option.RECEIPTED_MESSAGE_ID] = word_body(taken.id)
        return self.deliver(
            ShortMessage(
                source=taken.message.destination,
                destination=self.number,
                text=Secret(f"{text} stat:{word} err:000".encode()),
                esm_class=0x04,
                options=options,
            )
        )

    def deliver(self, message: ShortMessage) -> int:
        """Give `message` to the service; the status of its answer.

        Raises Unavailable if it does not answer in time.
        Source: SMPP 3.4, 4.6
        """
        sequence = self._called(self._give(message))
        self._until(lambda: sequence in self._answers)
        return self._answers[sequence]

    def raw(self, octets: bytes) -> None:
        """Send `octets` to the service as they are.

        Source: ISO/TS 12812-2:2017, D
        """
        self._called(self._write(octets))

    def _ussd(self, msisdn: str, session: int, operation: UssdOp, page: int, typed: str) -> None:
        message = ShortMessage(
            source=msisdn.removeprefix("+"),
            destination=self.number,
            text=Secret(gsm7_octets(typed)),
            service_type="USSD",
            coding=0x0F,
            options={
                Option.USSD_SERVICE_OP: bytes((operation,)),
                Option.ITS_SESSION_INFO: bytes((session, page << 1)),
            },
        )
        self.trace.append((operation.name.lower(), len(typed)))
        self._called(self._give(message))

    async def _give(self, message: ShortMessage) -> int:
        self._sequence += 1
        octets = octets_of(Command.DELIVER_SM, self._sequence, message)
        await self._send_faulty(octets)
        if self.faults.repeat:
            copy = self._sequence + 1_000_000
            await self._write(octets_of(Command.DELIVER_SM, copy, message))
        return self._sequence

    async def _send_faulty(self, octets: bytes) -> None:
        if self.faults.swap:
            self._kept_back.insert(0, octets)
            if len(self._kept_back) < 2:
                return
            self.faults.swap = False
            for one in self._kept_back:
                await self._write(one)
            self._kept_back.clear()
            return
        await self._write(octets)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._session, "127.0.0.1", 0)
        with self._changed:
            self.port = server.sockets[0].getsockname()[1]
            self._changed.notify_all()
        await self._stop.wait()
        server.close()
        await self._cut()
        await asyncio.sleep(0)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        later: set[asyncio.Task[None]] = set()
        try:
            while True:
                pdu = await read_pdu(reader)
                if self.faults.deaf:
                    continue
                for answer, delay_s in self._answer(pdu, writer):
                    if not delay_s:
                        writer.write(answer)
                        continue
                    task = asyncio.create_task(_after(delay_s, writer, answer))
                    later.add(task)
                    task.add_done_callback(later.discard)
        except (OSError, EOFError):
            pass
        finally:
            if self._writer is writer:
                self._writer = None
            for task in later:
                task.cancel()
            writer.close()

    def _answer(self, pdu: Pdu, writer: asyncio.StreamWriter) -> list[tuple[bytes, float]]:
        if pdu.command == Command.BIND_TRANSCEIVER:
            return [(self._bind(pdu, writer).octets(), 0.0)]
        if pdu.answers:
            with self._changed:
                self._answers[pdu.sequence] = pdu.status
                self._changed.notify_all()
            return []
        if self._writer is not writer:
            return [(Pdu(Command.GENERIC_NACK, Status.BAD_BIND_STATE, pdu.sequence).octets(), 0.0)]
        if pdu.command == Command.SUBMIT_SM:
            return self._submitted(pdu)
        return [(Pdu(pdu.command | 0x80000000, Status.OK, pdu.sequence).octets(), 0.0)]

    def _bind(self, pdu: Pdu, writer: asyncio.StreamWriter) -> Pdu:
        system_id, password = bind_of(pdu.body)
        right = system_id == self._system_id and password == self._password
        status = Status.OK if right else Status.BAD_PASSWORD
        if right:
            with self._changed:
                self._writer = writer
                self._changed.notify_all()
        return Pdu(Command.BIND_TRANSCEIVER_RESP, status, pdu.sequence, word_body("centre"))

    def _submitted(self, pdu: Pdu) -> list[tuple[bytes, float]]:
        faults = self.faults
        for name, status in (("throttle", Status.THROTTLED), ("refuse", Status.REJECTED)):
            if getattr(faults, name):
                setattr(faults, name, getattr(faults, name) - 1)
                return [(Pdu(Command.SUBMIT_SM_RESP, status, pdu.sequence).octets(), 0.0)]
        message = message_of(pdu)
        self._messages += 1
        identifier = f"c{self._messages:x}"
        self._loop.call_soon(self._keep, identifier, message)  # shown once it was answered
        body = word_body(identifier)
        answer = Pdu(Command.SUBMIT_SM_RESP, Status.OK, pdu.sequence, body).octets()
        if faults.drop_answers:
            faults.drop_answers -= 1
            return []
        if faults.late_answers:
            faults.late_answers -= 1
            return [(answer, faults.late_s)]
        return [(answer, 0.0)]

    def _keep(self, identifier: str, message: ShortMessage) -> None:
        phone = f"+{message.destination}"
        info = message.options.get(Option.ITS_SESSION_INFO, b"")
        if message.esm_class & 0x40:
            if self.binary is not None:
                self.binary(phone, message)
            return
        with self._changed:
            if len(info) == 2:
                ends = message.number(Option.USSD_SERVICE_OP) == UssdOp.END
                page = Page(gsm7_text(message.text.reveal()), ends, info[1] >> 1)
                self._phone(phone).pages.append(page)
            else:
                reference = message.number(Option.USER_MESSAGE_REFERENCE) or 0
                self._phone(phone).inbox.append(Taken(identifier, reference, message))
            self._changed.notify_all()

    async def _write(self, octets: bytes) -> None:
        writer = self._writer
        if writer is None:
            raise Unavailable("nobody is bound")
        writer.write(octets)

    async def _cut(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.transport.abort()

    def _phone(self, msisdn: str) -> _Phone:
        return self._phones.setdefault(msisdn, _Phone())

    def _called(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT_S)

    def _until(self, ready: Callable[[], bool], timeout_s: float = _WAIT_S) -> None:
        with self._changed:
            if not self._changed.wait_for(ready, timeout_s):
                raise Unavailable("it did not come in time")


async def _after(delay_s: float, writer: asyncio.StreamWriter, octets: bytes) -> None:
    await asyncio.sleep(delay_s)
    if not writer.is_closing():
        writer.write(octets)
