"""The front: opens what devices seal, has it performed, and seals the answers.

    Sealed -> Opened -> performed (verified, decided, recorded) -> Answer -> Sealed

It holds no state of its own: keys come from the session table or from the writer's process, and
everything else from the answer. A refusal before the session is known leaves in clear; after it,
sealed.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2; 7.3.3
"""

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from tallystick.entry.accounting import Accounting
from tallystick.entry.answering import Answer, Done, refusal
from tallystick.entry.http.lane import LaneHandler, Respond, clear_refusal
from tallystick.entry.tracing import Trace, Tracing
from tallystick.infrastructure.envelope.cose import ReplyNonces, open_request, peek, seal_reply
from tallystick.infrastructure.envelope.schedule import SessionKeys, session_of
from tallystick.kernel.errors import MfsError, RateLimited, Unavailable
from tallystick.kernel.time import Clock, Instant
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE

_MAX_NAMES = 16_384
_SEALED = SEALED_MEDIA_TYPE.encode()
_TRACED = "payment.order"
_COME_BACK = frozenset({Unavailable.status, RateLimited.status})


class Opened(NamedTuple):
    """An authentic request of a session, not yet understood; `trace` if it is one that is traced.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    session: str
    sequence: int
    content: bytes
    trace: Trace | None = None


Perform = Callable[[Opened, Instant, Done], None]
"""Understands, verifies and carries out a request; raises its refusal or answers, at once or later.
"""

KeysOf = Callable[[str, Instant], SessionKeys]
"""The keys of a live session; raises Unauthenticated."""


class Front:
    """Serves sealed operations.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(
        self,
        keys: KeysOf,
        nonces: ReplyNonces,
        clock: Clock,
        accounting: Accounting,
        tracing: Tracing | None = None,
    ) -> None:
        self._keys = keys
        self._nonces = nonces
        self._clock = clock
        self._accounting = accounting
        self._tracing = tracing
        self._names: dict[bytes, str] = {}

    def handler(self, operation: str, perform: Perform) -> LaneHandler:
        """The handler of a sealed operation.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        keys_of, name_of = self._keys, self.session_named
        clock, nonces, accounting = self._clock, self._nonces, self._accounting
        tracing = self._tracing if operation == _TRACED else None

        def handle(body: bytes, peer: str, respond: Respond) -> None:
            began, now = monotonic(), clock.now()
            trace = None if tracing is None else tracing.payment(operation, began, now)
            try:
                header = peek(body)
                session = name_of(header.kid)
                keys = keys_of(session, now)
                sequence, content = open_request(keys, operation, body, header)
                accounting.admit(session, now)
            except MfsError as error:
                accounting.refused(operation, error, peer, began)
                clear_refusal(error, respond)
                return

            def done(answer: Answer) -> None:
                status, code, reply = answer
                accounting.answered(operation, status, code, began)
                sealed = seal_reply(keys, nonces.draw(), operation, sequence, status, reply)
                respond(status, _SEALED, sealed, int(status in _COME_BACK))
                if trace is not None:
                    trace.answered(status, code)

            if trace is not None:
                trace.opened()
            try:
                perform(Opened(session, sequence, content, trace), now, done)
            except MfsError as error:
                done(refusal(error))

        return handle

    def session_named(self, kid: bytes) -> str:
        """The session that 16 octets name.

        Source: RFC 9052, 3.1
        """
        name = self._names.get(kid)
        if name is None:
            if len(self._names) >= _MAX_NAMES:
                self._names.clear()
            name = self._names[kid] = session_of(kid)
        return name
