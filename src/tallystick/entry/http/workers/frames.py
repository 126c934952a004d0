"""The frames between a front and the writer's process, and the link that carries them.

A message is four octets of length, then a MessagePack list of frames: what one turn of the loop
brought together goes out in one write. The socket pair has no name and is inherited, so that nobody
else can speak on it.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from tallystick.application.consent import DeviceSigned
from tallystick.entry.accounting import LimitKind
from tallystick.kernel.codec import Unpacker, pack
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.protocol.problems import Problem

_LENGTH = 4
MAX_MESSAGE = 64 * 1024 * 1024


class Start(Record, frozen=True, kw_only=True, tag=True):
    """What a front needs to begin: where to listen, what it is called, the keys it may hold.

    Limits are kept together with all other `processes`.
    `iv_prefix` belongs to this front and this start of it alone. `module` is the socket file of the
    module that checks quotes; without one `quote_roots` open `quote_blocks`, and no other, here.
    Source: ISO/TS 12812-2:2017, 7.4.2; NIST SP 800-38D, 8.2.1
    """

    host: str
    port: int
    certificate: str
    private_key: str
    doors: str
    iv_prefix: bytes
    profile: str
    module: str
    quote_roots: bytes
    quote_blocks: list[bytes]
    session_rate: float
    source_rate: float
    trace_share: float
    longest_wait_s: float
    processes: int


class Ready(Record, frozen=True, kw_only=True, tag=True):
    """The front takes orders.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """


class Drain(Record, frozen=True, kw_only=True, tag=True):
    """Take no new connection, finish what was begun, end.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """


class QuoteKeysChanged(Record, frozen=True, kw_only=True, tag=True):
    """The quote key was replaced; the wrapped keys to check with from now on, newest first.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    blocks: list[bytes]


class KeysWanted(Record, frozen=True, kw_only=True, tag=True):
    """A front asks for the keys of a session.

    Source: ISO/TS 12812-2:2017, 3.22
    """

    session: str


class KeysGiven(Record, frozen=True, kw_only=True, tag=True):
    """The keys of a live session, its device, and the public half that its consents verify under.

    Source: ISO/TS 12812-2:2017, 3.22
    """

    session: str
    octets: bytes
    device: str
    consent_key: bytes


class KeysRefused(Record, frozen=True, kw_only=True, tag=True):
    """There is no such live session; the refusal as it is to be answered.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    session: str
    problem: Problem


class Forget(Record, frozen=True, kw_only=True, tag=True):
    """A session ended; its keys are to be forgotten.

    Source: ISO/TS 12812-2:2017, 3.22
    """

    session: str


class Ordered(Record, frozen=True, kw_only=True, tag=True):
    """An order whose consent the front verified; if it is traced, what each step took there.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    call: int
    session: str
    sequence: int
    consented: DeviceSigned
    spent_us: tuple[int, ...] = ()


class Asked(Record, frozen=True, kw_only=True, tag=True):
    """Any other sealed request, opened.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    call: int
    operation: str
    session: str
    sequence: int
    content: bytes


class Answered(Record, frozen=True, kw_only=True, tag=True):
    """The answer to `Ordered` or `Asked`; what it says is durable.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    call: int
    status: int
    code: str
    content: bytes


class Counted(Record, frozen=True, kw_only=True, tag=True):
    """What a front answered since it last said so, by operation, status and code; and log lines.

    `durations` has each operation's buckets, then its microseconds; `shed` counts what was
    refused unread.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    answers: list[tuple[str, int, str, int]]
    durations: list[tuple[str, list[int]]]
    lines: bytes
    shed: int


class Spent(Record, frozen=True, kw_only=True, tag=True):
    """How many tokens of its limit a session or source (`kind`) took at another process.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    kind: LimitKind
    name: str
    tokens: float


class WriterFull(Record, frozen=True, kw_only=True, tag=True):
    """Whether more waits for the writer than it carries out in time.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    full: bool


FromFront = Ready | KeysWanted | Ordered | Asked | Counted | Spent
FromWriter = (
    Start
    | Drain
    | QuoteKeysChanged
    | KeysGiven
    | KeysRefused
    | Forget
    | Answered
    | WriterFull
    | Spent
)

from_fronts: Unpacker[list[FromFront]] = Unpacker(list[FromFront])
from_writer: Unpacker[list[FromWriter]] = Unpacker(list[FromWriter])


def message(frames: Sequence[Record]) -> bytes:
    """`frames` as one message.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    body = pack(frames)
    return len(body).to_bytes(_LENGTH, "big") + body


class Link(asyncio.Protocol):
    """One end of the socket pair: collects frames for one write a turn, hands over what arrives.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self,
        unpacker: Unpacker[Any],
        receive: Callable[[Any], None],
        closed: Callable[[], None],
    ) -> None:
        """Call `receive` with each frame, `closed` once the other end is gone or talks nonsense.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._unpacker = unpacker
        self._receive = receive
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._arrived = bytearray()
        self._leaving: list[Record] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the other end is gone.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._transport = None
        self._closed()

    def data_received(self, data: bytes) -> None:
        """Hand over each whole message; end the link at the first that is none.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        arrived = self._arrived
        arrived += data
        start = 0
        while len(arrived) - start >= _LENGTH:
            length = int.from_bytes(arrived[start : start + _LENGTH], "big")
            end = start + _LENGTH + length
            if length > MAX_MESSAGE:
                self.close()
                return
            if len(arrived) < end:
                break
            try:
                frames = self._unpacker.unpack(bytes(arrived[start + _LENGTH : end]))
            except Malformed:
                self.close()
                return
            start = end
            for frame in frames:
                self._receive(frame)
        del arrived[:start]

    def send(self, frame: Record) -> None:
        """Send `frame` with all others of this turn; dropped if the other end is gone.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if not self._leaving:
            self._loop.call_soon(self._write)
        self._leaving.append(frame)

    def flush(self) -> None:
        """Write what waits, now.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._write()

    def close(self) -> None:
        """End the link.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._transport is not None:
            self._transport.close()

    def _write(self) -> None:
        frames, self._leaving = self._leaving, []
        if frames and self._transport is not None:
            self._transport.write(message(frames))
