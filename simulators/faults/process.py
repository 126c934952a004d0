"""The process of the service: the real platform and the real writer loop, on simulated time.

It can be killed at any event, die inside a commit or between two answers, or stand still and go on.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

import random
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from simulators.faults.agenda import Agenda, DriftingClock, SimulatedLoop
from simulators.faults.core import CoreFollower, HostileCore
from simulators.faults.store import Crash, SimulatedServer
from tallystick.application.commands import Command, DialBalance, DialOrder, EstablishSession
from tallystick.application.consent import PinVerified, consent_of
from tallystick.application.turn import Recorded
from tallystick.entry import handshakes
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import assemble
from tallystick.entry.http.front import Front
from tallystick.entry.http.sealed import SealedOperations, sealed_handlers
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.codec import b64url, encode
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.process.policy import Grade
from tallystick.process.policy.facts import Channel
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.payments import Quote, QuoteRequest
from tallystick.protocol.problems import problem_of
from tallystick.protocol.session import SESSIONS_PATH
from tallystick.protocol.tally_api import ConsistencyReply

T = TypeVar("T")
_PLENTY = 1e12


class AskQuote(NamedTuple):
    """Somebody who dials asks for terms."""

    customer: str
    request: QuoteRequest


class Dial(NamedTuple):
    """Somebody who dialled a right PIN confirms the terms."""

    customer: str
    quote: Quote


class AskBalance(NamedTuple):
    """Somebody who dialled a right PIN asks for the balance."""

    customer: str


class Post(NamedTuple):
    """A request of an app, as octets."""

    path: str
    body: bytes


class Get(NamedTuple):
    """A public question: two sizes of the log."""

    old: int
    new: int


class Http(NamedTuple):
    """An answer over HTTP."""

    status: int
    media: str
    body: bytes


Respond = Callable[[Any], None]


class Process:
    """One start of the service, on one machine.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self,
        agenda: Agenda,
        server: SimulatedServer,
        folder: ProviderFolder,
        secret: Secret[bytes],
        dice: random.Random,
        *,
        clock: DriftingClock,
        core: HostileCore | None,
        take_over: bool,
        died: Callable[["Process"], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._agenda = agenda
        self._dice = dice
        self._died = died
        self._failed = failed
        self.alive, self.still, self.leaving = True, False, False
        self._held: list[Callable[[], None]] = []
        self.answers_left: int | None = None
        self.clock = clock
        self.database = server.open(take_over=take_over)
        try:
            self.platform = assemble(
                folder, secret, self.database, clock=clock, entropy=dice.randbytes
            )
        except BaseException:
            self.database.close()
            raise
        loop = SimulatedLoop(agenda, self.run)
        self.writer = WriterLoop(self.platform.writer, loop, CommitOnAgenda(self))
        accounting = Accounting(clock, _unheard, session_rate=_PLENTY, source_rate=_PLENTY)
        front = Front(self.platform.desks.sessions.keys, self.platform.nonces, clock, accounting)
        performers = SealedOperations(self.platform, self.writer).performers()
        self._sealed = sealed_handlers(front, performers)
        self._follower = None
        if core is not None:
            self._follower = CoreFollower(self.platform, self.writer, core, dice)
        self._tick()

    def run(self, action: Callable[[], None]) -> None:
        """Run `action` as this process, if it lives; later, if it stands still.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if not self.alive:
            return
        if self.still:
            self._held.append(action)
            return
        try:
            action()
        except Crash:
            self.kill()
        except Exception as error:  # noqa: BLE001 - a finding, not the simulator's end
            self._failed(error)

    def kill(self) -> None:
        """The process is gone, with all that it had in memory.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self.alive:
            self.alive = False
            self._died(self)

    def go_on(self) -> None:
        """It does not stand still any more: everything that waited happens now.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.still = False
        held, self._held = self._held, []
        for action in held:
            self.run(action)

    def receive(self, request: Any, respond: Respond) -> None:
        """Answer one request, now or once it is durable.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        self.run(lambda: self._receive(request, self._counted(respond)))

    def latency_ms(self) -> float:
        """How long the store takes for a commit.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return 2 + self._dice.expovariate(1 / 12)

    def _counted(self, respond: Respond) -> Respond:
        """Dies before the answer whose turn it is to be the last."""

        def answer(value: Any) -> None:
            if self.answers_left is not None:
                self.answers_left -= 1
                if self.answers_left < 0:
                    raise Crash
            respond(value)

        return answer

    def _receive(self, request: Any, respond: Respond) -> None:
        try:
            match request:
                case AskQuote():
                    customer = self.platform.desks.customers.get(request.customer)
                    now = self.clock.now()
                    respond(
                        self.platform.quoting.quote(
                            customer, request.request, now, Channel.USSD.value
                        )
                    )
                case Dial():
                    self._submit(self._dialled(request), respond)
                case AskBalance():
                    self._submit(DialBalance(request.customer), respond)
                case Get():
                    proof = self.platform.archive.consistency(request.old, request.new)
                    reply = ConsistencyReply(
                        old=request.old, new=request.new, proof=b64url(b"".join(proof))
                    )
                    respond(Http(200, "application/json", encode(reply)))
                case Post():
                    self._post(request, respond)
        except MfsError as error:
            refused = isinstance(request, Get | Post)
            respond(_problem(error) if refused else error)

    def _dialled(self, request: Dial) -> Command:
        consent = consent_of(
            request.quote,
            device="",
            grade=Grade.PIN_VERIFIED.value,
            consented_at=request.quote.issued_at,
        )
        proof = PinVerified(consent=consent, channel_message=f"sha256:{request.quote.order}")
        return DialOrder(request.customer, proof)

    def _submit(self, command: Command, respond: Respond) -> None:
        self.writer.submit(command, respond)

    def _post(self, request: Post, respond: Respond) -> None:
        handler = self._sealed.get(request.path)
        if handler is not None:
            handler(
                request.body,
                "",
                lambda status, media, body, _: respond(Http(status, media.decode(), body)),
            )
        elif request.path == SESSIONS_PATH:
            answered = handshakes.answer(self.platform, request.body)
            respond(Http(200, "application/json", answered.body))
        else:
            session = request.path.rsplit("/", 1)[1]
            proved = handshakes.proved(self.platform, session, request.body)

            def opened(recorded: Recorded) -> None:
                try:
                    sealed = handshakes.accepted(self.platform, recorded, proved.keys)
                except MfsError as error:
                    respond(_problem(error))
                else:
                    respond(Http(200, SEALED_MEDIA_TYPE, sealed))

            self.writer.submit(EstablishSession(proved), opened)

    def _tick(self) -> None:
        """Once a second: what the service does beside answering."""

        def again() -> None:
            self.writer.rest()
            if self._follower is not None:
                self._follower.look()
            if self.database.overtaken:
                self.kill()
                return
            self._tick()

        self._agenda.after(1_000 if self._follower is None else 100, lambda: self.run(again))


class CommitOnAgenda:
    """Where commits wait: for a while of simulated time, one after the other.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Run `work` a little later.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        future: Future[T] = Future()

        def run() -> None:
            try:
                result = work()
            except Crash:
                raise
            except BaseException as error:  # noqa: BLE001 - the future carries it
                future.set_exception(error)
            else:
                future.set_result(result)

        process = self._process
        process._agenda.after(process.latency_ms(), lambda: process.run(run))
        return future

    def close(self) -> None:
        """Nothing waits in the end."""


def _problem(error: MfsError) -> Http:
    return Http(error.status, "application/problem+json", encode(problem_of(error)))


def _unheard(octets: bytes) -> None:
    del octets


def unreachable() -> Unavailable:
    """What somebody is told whose request reaches no process.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return Unavailable("nobody answers", retry_after_s=1)
