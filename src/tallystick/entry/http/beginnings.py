"""The doors of partners who begin approvals: shops and programs with an identity of their own.

    bearer: ID.SECRET or a signature over the body -> request -> number to show beside the order

Source: RFC 6750, 2.1; ISO/TS 12812-2:2017, 7.3.2; 7.5; 11.2.2
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from tallystick.application.asking import ApprovalAct, Approving, begun_by
from tallystick.application.desk.workloads import is_workload
from tallystick.application.turn import Recorded
from tallystick.entry.accounting import Accounting
from tallystick.entry.answering import answer_of
from tallystick.entry.assembly import Platform
from tallystick.entry.http.asked import asked_for, body_of, count_answer
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed, MfsError, Unauthenticated
from tallystick.kernel.secret import Secret
from tallystick.process.policy.facts import Channel
from tallystick.protocol.approvals import (
    BEGIN,
    ApprovalAsked,
    BeginApproval,
    CancelApproval,
    OfflineReply,
)

_MAX_BYTES = 4096
_COST = 1.0
_BEARER = "bearer "
_begins = Decoder(BeginApproval, limit=_MAX_BYTES)
_asks = Decoder(ApprovalAsked, limit=256)
_cancels = Decoder(CancelApproval, limit=1024)
_replies = Decoder(OfflineReply, limit=256)

Understand = Callable[[bytes, str], ApprovalAct]
"""What a body asks for, by whom."""


class BeginningDoors:
    """Begins, follows and ends requests for partners.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.5
    """

    def __init__(self, platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
        self._platform = platform
        self._writer = writer
        self._accounting = accounting

    async def begin(self, request: Request) -> Response:
        """Begin a request.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        return await self._done(request, "approvals.begin", self._begins)

    async def status(self, request: Request) -> Response:
        """Where a request stands.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return await self._done(request, "approvals.status", self._status)

    async def cancel(self, request: Request) -> Response:
        """Take a request back.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return await self._done(request, "approvals.cancel", self._cancel)

    async def offline(self, request: Request) -> Response:
        """The signed form of a request.

        Source: RFC 7515, 7.1
        """
        return await self._done(request, "approvals.offline", self._shows)

    async def reply(self, request: Request) -> Response:
        """Give the digits that a device answered.

        Source: RFC 6287, 7.1
        """
        return await self._done(request, "approvals.reply", self._replies)

    def _begins(self, body: bytes, source: str) -> ApprovalAct:
        asked = begun_by(
            self._platform.desks.customers,
            _begins.decode(body),
            source=source,
            channel=Channel.WEB.value,
        )
        beginning = self._platform.desks.beginning
        return lambda turn: beginning.begin(turn, asked)

    def _shows(self, body: bytes, source: str) -> ApprovalAct:
        approval, offline = _asks.decode(body).approval, self._platform.desks.offline
        return lambda turn: offline.show(turn, source, approval)

    def _replies(self, body: bytes, source: str) -> ApprovalAct:
        asked, offline = _replies.decode(body), self._platform.desks.offline
        code = Secret(asked.code)
        return lambda turn: offline.reply(turn, source, asked.approval, code)

    async def _done(self, request: Request, operation: str, understand: Understand) -> Response:
        asked_for(request, operation)
        now = self._platform.clock.now()
        body = await body_of(request, self._accounting, now, cost=_COST, limit=_MAX_BYTES)
        source = f"workload:{self._program(request, body)}"
        recorded = await self._writer.ask(Approving(understand(body, source)))
        return self._answer(request, recorded)

    def _program(self, request: Request, body: bytes) -> str:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise Malformed("send content-type: application/json")
        given = request.headers.get("authorization", "")
        bearer = given[len(_BEARER) :].strip()
        if not given.lower().startswith(_BEARER) or not is_workload(bearer):
            raise Unauthenticated(
                "no program asks here", remedy="ask the provider for an identity of your own"
            )
        now = self._platform.clock.now()
        return self._platform.desks.desk.workloads.admit(bearer, body, BEGIN, now)

    def _answer(self, request: Request, recorded: Recorded) -> Response:
        reply = recorded.outcome.reply
        if isinstance(reply, MfsError):
            raise reply
        count_answer(self._accounting, request, 200, "")
        return Response(answer_of(recorded).content, media_type="application/json")

    def _status(self, body: bytes, source: str) -> ApprovalAct:
        approval = _asks.decode(body).approval
        return lambda turn: self._platform.desks.approvals.status(turn, source, approval)

    def _cancel(self, body: bytes, source: str) -> ApprovalAct:
        asked = _cancels.decode(body)
        return lambda turn: self._platform.desks.approvals.cancel(
            turn, source, asked.approval, asked.because
        )
