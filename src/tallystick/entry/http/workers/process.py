"""A front as a process of its own, which the writer's process starts with one descriptor.

It keeps no state that counts: the keys of the sessions that it serves, the public halves that
consents verify under, and the quote key, unless the module has a process of its own. When the
writer's process is gone, so is the front.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.2.7; 11.2.2
"""

import asyncio
import signal
import socket
import ssl
import sys
from math import inf

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from tallystick.application.consent import verify_signed
from tallystick.application.quotekeys import QuoteKeys
from tallystick.entry.accounting import Accounting, LimitKind
from tallystick.entry.admission import Admission
from tallystick.entry.answering import Answer, Done
from tallystick.entry.http.early import EarlyRefusal
from tallystick.entry.http.front import Front, Opened, Perform
from tallystick.entry.http.lane import LaneHandler, Respond, clear_refusal, sweep_idle
from tallystick.entry.http.operations import OPERATIONS, Protection
from tallystick.entry.http.pace import FLUSH_S, IDLE_S, quiet_collector
from tallystick.entry.http.sealed import MAX_ORDER_BYTES, sealed_handlers
from tallystick.entry.http.workers import frames
from tallystick.entry.http.workers.relay import RelayingLane
from tallystick.entry.http.workers.sessions import SessionCache
from tallystick.entry.tracing import Tracing
from tallystick.infrastructure.envelope.cose import ReplyNonces, peek
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.hardening import harden_process
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Broken, MfsError, Unauthenticated, Unavailable
from tallystick.kernel.time import Clock, Instant
from tallystick.protocol.payments import PaymentRequest

GRACE_S = 5.0
_MOST_UNKNOWN = 1_024


class FrontProcess:
    """One front: its link to the writer, its lane, its counters.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._link: frames.Link | None = None
        self._sessions = SessionCache()
        self._calls: dict[int, Done] = {}
        self._call = 0
        self._module: RemoteModule | SoftModule | None = None
        self._quote_keys: QuoteKeys | None = None
        self._orders = Decoder(PaymentRequest, limit=MAX_ORDER_BYTES)
        self._begin: asyncio.Future[frames.Start] = asyncio.get_running_loop().create_future()
        self._end = asyncio.Event()
        self._gone = asyncio.Event()
        self._lines = b""
        self._ahead_s = 0.0
        self._accounting: Accounting | None = None

    async def run(self, descriptor: int) -> None:
        """Serve until the writer says so or is gone.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        loop = asyncio.get_running_loop()
        pair = socket.socket(fileno=descriptor)
        _, self._link = await loop.create_connection(
            lambda: frames.Link(frames.from_writer, self._receive, self._lost), sock=pair
        )
        start = await self._begin
        accounting = Accounting(
            self._clock,
            self._keep_lines,
            session_rate=start.session_rate,
            source_rate=start.source_rate,
        )
        state = ServerState()
        accounting.share_limits(self._spent_here, start.processes)
        self._accounting = accounting
        admission = Admission(start.longest_wait_s, loop.call_soon, lambda: self._ahead_s)
        early = EarlyRefusal(admission, accounting)
        server = await self._listen(start, state, self._handlers(start, accounting), early)
        tasks = [
            asyncio.create_task(sweep_idle(state, idle_s=IDLE_S)),
            asyncio.create_task(self._report(accounting)),
        ]
        quiet_collector()
        self._link.send(frames.Ready())
        await self._end.wait()
        server.close()
        for connection in tuple(state.connections):
            connection.shutdown()
        deadline = loop.time() + GRACE_S
        while state.connections and loop.time() < deadline and not self._gone.is_set():
            await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        self._count(accounting)
        self._link.flush()
        self._link.close()

    async def _listen(
        self,
        start: frames.Start,
        state: ServerState,
        handlers: dict[str, LaneHandler],
        early: EarlyRefusal,
    ) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        lanes = {path.encode(): handler for path, handler in handlers.items()}
        lane = type("Lane", (RelayingLane,), {"lanes": lanes, "doors": start.doors, "early": early})
        config = Config(app="", log_config=None)
        return await loop.create_server(
            lambda: lane(config, state, {}, loop),
            start.host,
            start.port,
            reuse_port=True,
            backlog=1024,
            ssl=_tls(start),
        )

    def _handlers(self, start: frames.Start, accounting: Accounting) -> dict[str, LaneHandler]:
        self._module = self._opened(start)
        self._use_quote_keys(start.quote_blocks)
        tracing = Tracing(start.trace_share, self._module.random) if start.trace_share else None
        nonces = ReplyNonces(start.iv_prefix)
        front = Front(self._sessions.keys, nonces, self._clock, accounting, tracing)
        performers: dict[str, Perform] = {
            one.name: self._asking(one.name)
            for one in OPERATIONS
            if one.protection is Protection.SEALED and not one.streamed
        }
        performers["payment.order"] = self._ordering()
        return {
            path: self._with_keys(front, handler)
            for path, handler in sealed_handlers(front, performers).items()
        }

    def _opened(self, start: frames.Start) -> RemoteModule | SoftModule:
        """What checks quotes: the module of the service, or one in this process."""
        if start.module:
            return RemoteModule(start.module)
        roots = BlockRoots.from_octets(start.quote_roots)
        return SoftModule(roots, self._clock, profile=start.profile)

    def _with_keys(self, front: Front, handler: LaneHandler) -> LaneHandler:
        """`handler`, once the keys of the session that a request names are here."""
        sessions = self._sessions

        def handle(body: bytes, peer: str, respond: Respond) -> None:
            try:
                session = front.session_named(peek(body).kid)
            except MfsError:
                handler(body, peer, respond)
                return
            if session in sessions:
                handler(body, peer, respond)
                return

            def resume(error: MfsError | None) -> None:
                if error is None or isinstance(error, Unauthenticated):
                    handler(body, peer, respond)
                else:
                    clear_refusal(error, respond)

            if sessions.waiting >= _MOST_UNKNOWN:
                clear_refusal(_crowded(), respond)
            elif sessions.wait(session, resume):
                self._send(frames.KeysWanted(session=session))

        return handle

    def _use_quote_keys(self, blocks: list[bytes]) -> None:
        if self._module is not None:
            handles = [self._module.import_block(block) for block in blocks]
            self._quote_keys = QuoteKeys(self._module, handles, _keeps_nothing)

    def _check_quote(self, proved: bytes, tag: bytes) -> None:
        if self._quote_keys is None:
            raise Unavailable("the front is not ready", remedy="try again", retry_after_s=1)
        self._quote_keys.check(proved, tag)

    def _ordering(self) -> Perform:
        """Orders are verified here; the writer decides on what was verified."""

        def perform(opened: Opened, now: Instant, done: Done) -> None:
            live = self._sessions.look(opened.session)
            consented = verify_signed(
                self._orders.decode_canonical(opened.content),
                header=live.header,
                consent_key=live.consent_key,
                check_mac=self._check_quote,
            )
            spent: tuple[int, ...] = ()
            if opened.trace is not None:
                opened.trace.verified()
                spent = opened.trace.spent_us()
            self._send(
                frames.Ordered(
                    call=self._called(done),
                    session=opened.session,
                    sequence=opened.sequence,
                    consented=consented,
                    spent_us=spent,
                )
            )

        return perform

    def _asking(self, operation: str) -> Perform:
        """Everything else the writer's process understands and answers."""

        def perform(opened: Opened, now: Instant, done: Done) -> None:
            self._send(
                frames.Asked(
                    call=self._called(done),
                    operation=operation,
                    session=opened.session,
                    sequence=opened.sequence,
                    content=opened.content,
                )
            )

        return perform

    def _called(self, done: Done) -> int:
        self._call += 1
        self._calls[self._call] = done
        return self._call

    def _send(self, frame: frames.FromFront) -> None:
        if self._link is not None:
            self._link.send(frame)

    def _spent_here(self, kind: LimitKind, name: str, tokens: float) -> None:
        self._send(frames.Spent(kind=kind, name=name, tokens=tokens))

    def _receive(self, frame: frames.FromWriter) -> None:
        if isinstance(frame, frames.Answered):
            done = self._calls.pop(frame.call)
            done(Answer(frame.status, frame.code, frame.content))
        elif isinstance(frame, frames.KeysGiven):
            self._sessions.given(frame)
        elif isinstance(frame, frames.KeysRefused):
            self._sessions.refused(frame)
        elif isinstance(frame, frames.Forget):
            self._sessions.forget(frame.session)
        elif isinstance(frame, frames.QuoteKeysChanged):
            self._use_quote_keys(frame.blocks)
        elif isinstance(frame, frames.Start):
            self._begin.set_result(frame)
        elif isinstance(frame, frames.Spent):
            if self._accounting is not None:
                self._accounting.spent_elsewhere(frame.kind, frame.name, frame.tokens)
        elif isinstance(frame, frames.WriterFull):
            self._ahead_s = inf if frame.full else 0.0
        else:
            self._end.set()

    def _lost(self) -> None:
        """The writer's process is gone: nobody could answer any more."""
        self._gone.set()
        self._end.set()
        if not self._begin.done():
            self._begin.set_exception(Broken("the writer's process is gone"))

    def _keep_lines(self, octets: bytes) -> None:
        self._lines += octets

    async def _report(self, accounting: Accounting) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            self._count(accounting)

    def _count(self, accounting: Accounting) -> None:
        accounting.flush()
        answers = accounting.taken()
        lines, self._lines = self._lines, b""
        if answers or lines:
            durations = accounting.durations.taken()
            shed, accounting.shed = accounting.shed, 0
            self._send(frames.Counted(answers=answers, durations=durations, lines=lines, shed=shed))


def _crowded() -> Unavailable:
    return Unavailable("too many requests wait", remedy="try again", retry_after_s=1)


def _keeps_nothing(_: object) -> None:
    """A front stores no key."""


def _tls(start: frames.Start) -> ssl.SSLContext | None:
    if not start.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(start.certificate, start.private_key)
    return context


async def _main(descriptor: int) -> None:
    await FrontProcess(SystemClock()).run(descriptor)


if __name__ == "__main__":
    harden_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        uvloop.run(_main(int(sys.argv[1])))
    except (MfsError, OSError) as error:
        sys.stderr.write(f"a front ended: {error}\n")
        sys.exit(1)
