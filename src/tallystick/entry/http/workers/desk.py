"""The writer's side of the fronts: starts them, answers them, starts them again when one is gone.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tallystick.application.commands import PlaceOrder
from tallystick.application.turn import Recorded
from tallystick.entry.accounting import Accounting, LimitKind
from tallystick.entry.admission import BEGINNINGS, LONGEST_WAIT_S, Admission, overloaded
from tallystick.entry.answering import Answer, Done, answer_of, refusal
from tallystick.entry.assembly import Platform, iv_prefix
from tallystick.entry.http.front import Opened, Perform
from tallystick.entry.http.workers import frames
from tallystick.entry.http.workers.place import Place
from tallystick.entry.module_settings import owned_in
from tallystick.entry.notes import Note
from tallystick.entry.tracing import Tracing
from tallystick.entry.writing import Submits
from tallystick.infrastructure.modules.remote.starting import FRONTS
from tallystick.kernel.errors import MfsError, NotFound, Unavailable
from tallystick.protocol.problems import problem_of

START_S = 30.0
STOP_S = 10.0
BETWEEN_S = 5.0
"""Pause before a front that did not come up is tried again."""

MOST_STARTS = 255
"""How many fronts may begin under one start of the service: the IV prefix has one octet for it."""


@dataclass(frozen=True, slots=True)
class Hiring:
    """How fronts are to work: where, with which certificate (empty for none), at which rates.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    place: Place
    certificate: str
    private_key: str
    session_rate: float
    source_rate: float
    trace_share: float = 0.0
    longest_wait_s: float = LONGEST_WAIT_S
    workers: int = 1


class FrontDesk:
    """Keeps `count` fronts going and carries out what they verified or opened.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self,
        platform: Platform,
        writer: Submits,
        accounting: Accounting,
        performers: dict[str, Perform],
        hiring: Hiring,
        admission: Admission | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._platform = platform
        self._writer = writer
        self._accounting = accounting
        self._performers = performers
        self._hiring = hiring
        self._admission = admission
        self._tracing = tracing
        self._counters: list[_Counter] = []
        self._started = 0
        self._stopping = False
        self._module = owned_in(platform.module)
        platform.desks.sessions.on_forget(self._forget)
        accounting.share_limits(self._spent_here, hiring.workers + 1)

    def count(self) -> int:
        """How many fronts there are.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return len(self._counters)

    async def start(self, count: int) -> None:
        """Start `count` fronts; returns once all of them take orders.

        Raises Unavailable if one of them does not come up.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        ended = await asyncio.gather(*(self._begin() for _ in range(count)), return_exceptions=True)
        for failure in ended:
            if failure is not None:
                await self.stop()
                raise failure

    async def stop(self) -> None:
        """Let every front finish what it began, and end it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._stopping = True
        counters = tuple(self._counters)
        for one in counters:
            one.send(frames.Drain())
        await asyncio.gather(*(asyncio.to_thread(one.reap, STOP_S) for one in counters))

    async def _begin(self) -> None:
        self._started += 1
        if self._started > MOST_STARTS:
            raise Unavailable("no front can be started any more", remedy="restart the service")
        counter = _Counter(self)
        self._counters.append(counter)
        try:
            await counter.open(self._start_frame(self._started), self._let_in)
        except Unavailable:
            if counter in self._counters:  # it never had a link that could end
                self._counters.remove(counter)
            await asyncio.to_thread(counter.reap, STOP_S)
            raise

    def _start_frame(self, ordinal: int) -> frames.Start:
        hiring, platform, module = self._hiring, self._platform, self._module
        return frames.Start(
            host=hiring.place.host,
            port=hiring.place.port,
            certificate=hiring.certificate,
            private_key=hiring.private_key,
            doors=hiring.place.doors,
            iv_prefix=iv_prefix(platform.boot, ordinal),
            profile=platform.settings.profile,
            module="" if module is None else module.path_of(FRONTS.name),
            quote_roots=b"" if module else platform.quote_roots.to_octets().reveal(),
            quote_blocks=platform.quote_keys.blocks(),
            session_rate=hiring.session_rate,
            source_rate=hiring.source_rate,
            trace_share=hiring.trace_share,
            longest_wait_s=hiring.longest_wait_s,
            processes=hiring.workers + 1,
        )

    def _let_in(self, process: int) -> None:
        if self._module is not None:
            self._module.doors.let_in(FRONTS.name, process)

    def _shut_out(self, process: int) -> None:
        if self._module is not None:
            with suppress(MfsError):  # it is away, and its successors know of no other guests
                self._module.doors.shut_out(FRONTS.name, process)

    def quote_keys_changed(self) -> None:
        """Tell every front which quote keys there are now.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        blocks = self._platform.quote_keys.blocks()
        for one in self._counters:
            one.send(frames.QuoteKeysChanged(blocks=blocks))

    def writer_full(self, full: bool) -> None:
        """Tell every front whether to refuse what begins something, unread.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for one in self._counters:
            one.send(frames.WriterFull(full=full))

    def _spent_here(self, kind: LimitKind, name: str, tokens: float) -> None:
        self._pass_on(frames.Spent(kind=kind, name=name, tokens=tokens), None)

    def _pass_on(self, spent: frames.Spent, origin: "_Counter | None") -> None:
        for one in self._counters:
            if one is not origin:
                one.send(spent)

    def _forget(self, session: str) -> None:
        for one in self._counters:
            one.send(frames.Forget(session=session))

    def lost(self, counter: "_Counter") -> None:
        """A front is gone: note it, and start another in its place if it ever took orders.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._counters.remove(counter)
        self._shut_out(counter.process.pid)
        if not self._stopping:
            self._accounting.note(Note.FRONT_GONE, front=counter.process.pid)
        if not self._stopping and counter.took_orders:
            counter.replacing = asyncio.get_running_loop().create_task(self._replace(counter))

    async def _replace(self, counter: "_Counter") -> None:
        await asyncio.to_thread(counter.reap, STOP_S)
        while not self._stopping:
            try:
                await self._begin()
            except Unavailable as error:
                self._accounting.note(Note.FRONT_NOT_STARTED, why=error.detail)
                await asyncio.sleep(BETWEEN_S)
            else:
                return

    def receive(self, counter: "_Counter", frame: frames.FromFront) -> None:
        """Carry out what a front asks.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if isinstance(frame, frames.Ordered):
            answer = counter.answering(frame.call)
            command = PlaceOrder(frame.session, frame.sequence, frame.consented)
            if frame.spent_us:
                self._trace(frame, command, answer)
            else:
                self._writer.submit(command, lambda recorded: answer(answer_of(recorded)))
        elif isinstance(frame, frames.Asked):
            self._perform(frame, counter.answering(frame.call))
        elif isinstance(frame, frames.KeysWanted):
            counter.send(self._keys(frame.session))
        elif isinstance(frame, frames.Counted):
            self._accounting.absorb(frame.answers, frame.lines)
            self._accounting.durations.absorb(frame.durations)
            self._accounting.shed += frame.shed
        elif isinstance(frame, frames.Spent):
            self._accounting.spent_elsewhere(frame.kind, frame.name, frame.tokens)
            self._pass_on(frame, counter)
        else:
            counter.ready()

    def _trace(self, frame: frames.Ordered, command: PlaceOrder, answer: Done) -> None:
        """Carry out an order that its front traced, and go on with its trace."""
        tracing = self._tracing
        if tracing is None:
            self._writer.submit(command, lambda recorded: answer(answer_of(recorded)))
            return
        trace = tracing.resumed("payment.order", frame.spent_us, self._platform.clock.now())
        trace.order = command.consented.consent.order

        def durable(recorded: Recorded) -> None:
            trace.durable(recorded.outcome.event)
            told = answer_of(recorded)
            answer(told)
            trace.answered(told.status, told.code)

        self._writer.submit(command, durable)

    def _perform(self, frame: frames.Asked, done: Done) -> None:
        opened = Opened(frame.session, frame.sequence, frame.content)
        perform = self._performers.get(frame.operation)
        try:
            if perform is None:
                raise NotFound("there is no such operation", remedy="see /openapi.json")
            if self._is_too_much(frame.operation):
                self._accounting.shed += 1
                raise overloaded()
            perform(opened, self._platform.clock.now(), done)
        except MfsError as error:
            done(refusal(error))

    def _is_too_much(self, operation: str) -> bool:
        return operation in BEGINNINGS and self._admission is not None and self._admission.full()

    def _keys(self, session: str) -> frames.KeysGiven | frames.KeysRefused:
        sessions, devices = self._platform.desks.sessions, self._platform.desks.devices
        try:
            live = sessions.look(session, self._platform.clock.now())
            keys = sessions.unwrapped(live)
            consent_key = devices.get(live.device).consent
        except MfsError as error:
            return frames.KeysRefused(session=session, problem=problem_of(error))
        return frames.KeysGiven(
            session=session,
            octets=keys.octets().reveal(),
            device=live.device,
            consent_key=consent_key,
        )


class _Counter:
    """One front as the writer's process sees it."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self._ready = asyncio.Event()
        self._link: frames.Link | None = None
        self.replacing: asyncio.Task[None] | None = None
        self.took_orders = False
        self.process: subprocess.Popen[bytes]

    async def open(self, start: frames.Start, let_in: Callable[[int], None]) -> None:
        ours = self._spawn()
        try:
            let_in(self.process.pid)
        except MfsError:
            ours.close()
            raise
        loop = asyncio.get_running_loop()
        _, self._link = await loop.create_connection(
            lambda: frames.Link(
                frames.from_fronts,
                lambda frame: self._desk.receive(self, frame),
                self._closed,
            ),
            sock=ours,
        )
        self._link.send(start)
        try:
            await asyncio.wait_for(self._ready.wait(), START_S)
        except TimeoutError:
            self.process.kill()
            raise Unavailable("a front did not start", remedy="see its standard error") from None
        if not self.took_orders:
            raise Unavailable("a front ended at once", remedy="see its standard error")

    def _spawn(self) -> socket.socket:
        """Start the process; gives our end of the socket pair."""
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            self.process = subprocess.Popen(  # noqa: S603 - our own module, our own descriptor
                [sys.executable, "-m", "tallystick.entry.http.workers.process", str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(descriptor,),
            )
        return ours

    def _closed(self) -> None:
        self._ready.set()
        self._desk.lost(self)

    def ready(self) -> None:
        self.took_orders = True
        self._ready.set()

    def send(self, frame: frames.FromWriter) -> None:
        if self._link is not None:
            self._link.send(frame)

    def answering(self, call: int) -> Done:
        """The way back of the answer to `call`."""

        def done(answer: Answer) -> None:
            status, code, content = answer
            self.send(frames.Answered(call=call, status=status, code=code, content=content))

        return done

    def reap(self, grace_s: float) -> None:
        """Wait for the process to end, and end it after `grace_s` seconds."""
        try:
            self.process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=grace_s)
