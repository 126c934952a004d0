"""The front: opens what devices seal, verifies what they sign, and seals the answers.

    Sealed -> Opened -> Authenticated command -> (writer) -> Recorded -> Sealed

It holds no state of its own: session keys come from the session table, everything else from the
writer's answer. A refusal before the session is known leaves in clear; after it, sealed.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2; 7.3.3
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.commands import Command
from tallystick.application.turn import Recorded
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.http.lane import LaneHandler, Respond
from tallystick.entry.writing import Submits
from tallystick.infrastructure.envelope.cose import open_request, peek, seal_reply
from tallystick.infrastructure.envelope.schedule import SessionKeys, session_of
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Broken, MfsError
from tallystick.kernel.model import Wire
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.problems import problem_of

PROBLEM_MEDIA_TYPE = b"application/problem+json"
_MAX_NAMES = 16_384
_SEALED = SEALED_MEDIA_TYPE.encode()


@dataclass(frozen=True, slots=True)
class Opened:
    """An authentic request of a live session, not yet understood.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    session: str
    sequence: int
    content: bytes
    keys: SessionKeys


Authenticate = Callable[[Opened, int], Command]
"""Understands and verifies a request at an instant (ms); what comes out is for the writer."""

Read = Callable[[Opened, int], Wire]
"""Answers a request that changes nothing."""


class Front:
    """Serves sealed operations.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(self, platform: Platform, writer: Submits, accounting: Accounting) -> None:
        self._platform = platform
        self._sessions = platform.desks.sessions
        self._clock = platform.clock
        self._nonces = platform.nonces
        self._writer = writer
        self._accounting = accounting
        self._names: dict[bytes, str] = {}

    def changing(self, operation: str, authenticate: Authenticate) -> LaneHandler:
        """The handler of an operation that becomes a command.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """

        def handle(body: bytes, peer: str, respond: Respond) -> None:
            opened = self._open(operation, body, peer, respond)
            if opened is None:
                return
            try:
                command = authenticate(opened, self._clock.now())
            except MfsError as error:
                self._refuse(operation, opened, error, respond)
                return

            def answer(recorded: Recorded) -> None:
                self._answer(operation, opened, recorded, respond)

            self._writer.submit(command, answer)

        return handle

    def reading(self, operation: str, read: Read) -> LaneHandler:
        """The handler of an operation that changes nothing but the session's window.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """

        def handle(body: bytes, peer: str, respond: Respond) -> None:
            opened = self._open(operation, body, peer, respond)
            if opened is None:
                return
            now = self._clock.now()
            try:
                self._sessions.touch(opened.session, opened.sequence, now)
                reply = read(opened, now)
            except MfsError as error:
                self._refuse(operation, opened, error, respond)
                return
            self._seal(operation, opened, 200, encode_canonical(reply), respond)

        return handle

    def _open(self, operation: str, body: bytes, peer: str, respond: Respond) -> Opened | None:
        now = self._clock.now()
        try:
            session = self._name_of(peek(body).kid)
            keys = self._sessions.keys(session, now)
            opened = open_request(keys, operation, body)
            self._accounting.admit(session, now)
        except MfsError as error:
            self._accounting.refused(operation, error, peer)
            self._clear(error, respond)
            return None
        return Opened(session, opened.sequence, opened.content, keys)

    def _name_of(self, kid: bytes) -> str:
        name = self._names.get(kid)
        if name is None:
            if len(self._names) >= _MAX_NAMES:
                self._names.clear()
            name = self._names[kid] = session_of(kid)
        return name

    def _answer(self, operation: str, opened: Opened, recorded: Recorded, respond: Respond) -> None:
        reply = recorded.outcome.reply
        receipt = recorded.receipt
        if isinstance(reply, MfsError):
            self._accounting.answered(operation, reply.status, reply.code)
            content = encode_canonical(problem_of(reply, receipt))
            self._seal(operation, opened, reply.status, content, respond, counted=True)
            return
        if isinstance(reply, Wire):
            content = encode_canonical(reply)
        elif receipt is not None:
            content = encode_canonical(reply.with_receipt(receipt))
        else:
            self._refuse(operation, opened, Broken("an answer lacks its receipt"), respond)
            return
        self._seal(operation, opened, 200, content, respond)

    def _refuse(self, operation: str, opened: Opened, error: MfsError, respond: Respond) -> None:
        self._accounting.answered(operation, error.status, error.code)
        content = encode_canonical(problem_of(error))
        self._seal(operation, opened, error.status, content, respond, counted=True)

    def _seal(
        self,
        operation: str,
        opened: Opened,
        status: int,
        content: bytes,
        respond: Respond,
        *,
        counted: bool = False,
    ) -> None:
        if not counted:
            self._accounting.answered(operation, status, "")
        sealed = seal_reply(
            opened.keys, self._nonces.draw(), operation, opened.sequence, status, content
        )
        respond(status, _SEALED, sealed)

    def _clear(self, error: MfsError, respond: Respond) -> None:
        respond(error.status, PROBLEM_MEDIA_TYPE, encode_canonical(problem_of(error)))
