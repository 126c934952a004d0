"""The doors that are not sealed: handshakes, operators' acts, keys, the tally's public side,
health.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2; 7.4.1
"""

from starlette.requests import Request
from starlette.responses import Response

from tallystick.application.commands import (
    Command,
    EnrolDevice,
    EstablishSession,
    JoinOperator,
    PerformAct,
)
from tallystick.application.devicelife import HearWipe
from tallystick.application.own_commands import StateApp, StateCertificate
from tallystick.application.turn import Recorded
from tallystick.entry import handshakes
from tallystick.entry.accounting import Accounting
from tallystick.entry.admission import Admission, overloaded
from tallystick.entry.assembly import Platform
from tallystick.entry.http.asked import (
    asked_for,
    began,
    body_of,
    count_answer,
    json_of,
    peer_of,
    problem_of_refusal,
)
from tallystick.entry.http.operations import ACT_NAMES
from tallystick.entry.http.partners import message_keys
from tallystick.entry.mno import MnoLink
from tallystick.entry.tracing import Trace, Tracing, read_parent, write_parent
from tallystick.entry.tracing.parents import HEADER
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.errors import (
    Broken,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
)
from tallystick.kernel.model import Wire
from tallystick.process.policy import Dependency
from tallystick.protocol.devicelife import SignedWipe
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.http_signatures import MessageKeys
from tallystick.protocol.keylist import LIST_AT
from tallystick.protocol.operators import EnrolOperator, SignedRequest
from tallystick.protocol.statements import read_statement
from tallystick.protocol.tally_api import (
    CheckpointReply,
    ConsistencyReply,
    HealthReply,
    SignedKeyList,
)

MAX_PLAIN_BYTES = 64 * 1024
MAX_ACT_BYTES = 1024 * 1024
HANDSHAKE_COST = 1.0
CONSISTENCY_COST = 0.1
FAILED_CODE_COST = 10.0
_enrol_operator = Decoder(EnrolOperator, limit=4096)
_wipe = Decoder(SignedWipe, limit=4096)
_signed_request = Decoder(SignedRequest, limit=MAX_ACT_BYTES)


class Doors:
    """Answers requests that come in clear.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    def __init__(
        self,
        platform: Platform,
        writer: WriterLoop,
        accounting: Accounting,
        admission: Admission,
        tracing: Tracing | None = None,
    ) -> None:
        self._platform = platform
        self._desks = platform.desks
        self._writer = writer
        self._accounting = accounting
        self._admission = admission
        self._tracing = tracing
        self._message_keys: dict[str, MessageKeys] = {}
        self._network = MnoLink(platform, writer, accounting)

    async def hello(self, request: Request) -> Response:
        """Answer m1 with m2; nothing is kept. Refused while others would wait too long for it.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        asked_for(request, "session.hello")
        if self._admission.full():
            self._accounting.shed += 1
            raise overloaded()
        body = await self._body(request, HANDSHAKE_COST)
        answered = handshakes.answer(self._platform, body)
        count_answer(self._accounting, request, 200, "")
        return Response(answered.body, media_type="application/json")

    async def establish(self, request: Request) -> Response:
        """Open the session of a device that proves itself.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        asked_for(request, "session.establish")
        body = await self._body(request, HANDSHAKE_COST)
        session: str = request.path_params["session"]
        proved = handshakes.proved(self._platform, session, body)
        recorded = await self._writer.ask(EstablishSession(proved))
        return self._accepted(request, recorded, proved.keys)

    async def enrol(self, request: Request) -> Response:
        """Enrol a device; a wrong code also counts against the address that it came from.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        asked_for(request, "enrolment.complete")
        body = await self._body(request, HANDSHAKE_COST)
        session: str = request.path_params["session"]
        opened = handshakes.enrolment(self._platform, session, body)
        customer = self._desks.access.customer_of(opened.activation)
        if customer is not None:
            await self._network.refresh(customer)
        recorded = await self._writer.ask(EnrolDevice(opened, peer_of(request)))
        if isinstance(recorded.outcome.reply, NotAuthentic):
            self._accounting.admit_source(
                peer_of(request), self._platform.clock.now(), FAILED_CODE_COST
            )
        return self._accepted(request, recorded, opened.keys)

    async def operator_enrol(self, request: Request) -> Response:
        """Enrol an operator with a one-time code.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        asked_for(request, "operator.enrol")
        body = await self._body(request, FAILED_CODE_COST)
        command = JoinOperator(_enrol_operator.decode(body))
        return await self._executed(request, command)

    async def act(self, request: Request) -> Response:
        """Carry out a signed act, or keep it for a second operator.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        name: str = request.path_params["act"]
        if name not in ACT_NAMES:
            raise NotFound("there is no such act", remedy="look at the list of acts")
        asked_for(request, name)
        body = await self._body(request, HANDSHAKE_COST, MAX_ACT_BYTES)
        asked = _signed_request.decode(body)
        inner = encode_canonical(asked.body)
        signed = self._desks.operators.verify(asked.jws, inner, name, self._platform.clock.now())
        trace = None
        if self._tracing is not None:
            parent = read_parent(request.headers.get(HEADER, ""))
            now = self._platform.clock.now()
            trace = self._tracing.act(name, parent, began(request), now)
        if trace is None:
            return await self._executed(request, PerformAct(signed))
        return await self._traced(request, PerformAct(signed), trace)

    async def certificate(self, request: Request) -> Response:
        """Add or withdraw a certificate of evaluation, as officers signed.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        asked_for(request, "certificate.state")
        body = await self._body(request, HANDSHAKE_COST)
        statement = read_statement(body)
        self._desks.certification.verify(statement)
        return await self._executed(request, StateCertificate(statement))

    async def apps(self, request: Request) -> Response:
        """Enter what officers signed of an application.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        asked_for(request, "app.state")
        statement = read_statement(await self._body(request, HANDSHAKE_COST))
        self._desks.apps.verify(statement)
        return await self._executed(request, StateApp(statement))

    async def wipe(self, request: Request) -> Response:
        """Give a phone whose keys are denied its order to wipe, or hear that it did.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        asked_for(request, "device.wipe")
        body = await self._body(request, HANDSHAKE_COST)
        word = self._desks.wiping.verify(_wipe.decode(body), self._platform.clock.now())
        return await self._executed(request, HearWipe(word))

    async def keys(self, request: Request) -> Response:
        """The key list with one signature.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return json_of(SignedKeyList(key_list=self._platform.classical_list()))

    async def dual_keys(self, request: Request) -> Response:
        """The key list with two signatures.

        Source: ISO/TS 12812-2:2017, 7.4.2; FIPS 204
        """
        if not self._platform.trust.twice:
            raise NotFound("the key list has one signature", remedy=f"ask {LIST_AT}")
        return json_of(SignedKeyList(key_list=self._platform.key_list))

    async def message_keys(self, request: Request) -> Response:
        """The keys that the provider signs HTTP messages with, stated by the key in force.

        Source: ISO/TS 12812-2:2017, 7.4.2; RFC 9421
        """
        listed = self._platform.keys.newest(Purpose.SESSION_SIGNATURE).id
        if listed not in self._message_keys:
            self._message_keys = {listed: message_keys(self._platform)}
        return json_of(self._message_keys[listed])

    async def checkpoint(self, request: Request) -> Response:
        """The newest signed checkpoint.

        Source: C2SP tlog-checkpoint
        """
        note = self._platform.archive.note
        if not note:
            raise NotFound("the tally is empty", remedy="ask again after the first event")
        return json_of(CheckpointReply(checkpoint=note))

    async def consistency(self, request: Request) -> Response:
        """The proof that the tally at `new` continues the tally at `old`.

        Source: RFC 9162, 2.1.4
        """
        asked_for(request, "tally.consistency")
        self._accounting.admit_source(
            peer_of(request), self._platform.clock.now(), CONSISTENCY_COST
        )
        old, new = _size(request, "old"), _size(request, "new")
        proof = self._platform.archive.consistency(old, new)
        return json_of(ConsistencyReply(old=old, new=new, proof=b64url(b"".join(proof))))

    async def live(self, request: Request) -> Response:
        """The process answers.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return json_of(HealthReply(status="live"))

    async def ready(self, request: Request) -> Response:
        """Whether orders are taken, and what to do if not.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        stopped = self._writer.stopped
        if stopped is not None:
            reply = HealthReply(status="stopped", remedy=stopped.remedy or stopped.detail)
            return json_of(reply, 503)
        if self._writer.recovering:
            remedy = "the store is being connected to again: look whether its server takes writes"
            return json_of(HealthReply(status="store away", remedy=remedy), 503)
        if self._desks.policy.watch.is_failing(Dependency.MODULE.value):
            remedy = "the module that holds the keys does not serve: see `tallystick module status`"
            return json_of(HealthReply(status="module away", remedy=remedy), 503)
        if not self._desks.policy.version:
            return json_of(HealthReply(status="no policy", remedy="activate a policy"), 503)
        suspended = tuple(one.what() for one in self._desks.policy.services.current)
        return json_of(HealthReply(status="ready", suspended=suspended))

    async def metrics(self, request: Request) -> Response:
        """Counters and gauges.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return Response(self._accounting.exposition(), media_type="text/plain; version=0.0.4")

    def problem(self, request: Request, error: MfsError) -> Response:
        """The problem document of a refusal in clear.

        Source: RFC 9457, 3
        """
        return problem_of_refusal(self._accounting, request, error)

    async def _body(self, request: Request, cost: float, limit: int = MAX_PLAIN_BYTES) -> bytes:
        now = self._platform.clock.now()
        return await body_of(request, self._accounting, now, cost=cost, limit=limit)

    async def _traced(self, request: Request, command: Command, trace: Trace) -> Response:
        """Carry `command` out and tell the caller which trace it is in."""
        trace.verified()
        recorded = await self._writer.ask(command)
        trace.durable(recorded.outcome.event)
        reply = recorded.outcome.reply
        refused = reply if isinstance(reply, MfsError) else None
        trace.answered(refused.status if refused else 200, refused.code if refused else "")
        response = self._receipt(request, recorded)
        response.headers[HEADER] = write_parent(trace.named())
        return response

    async def _executed(self, request: Request, command: Command) -> Response:
        return self._receipt(request, await self._writer.ask(command))

    def _receipt(self, request: Request, recorded: Recorded) -> Response:
        reply = recorded.outcome.reply
        if isinstance(reply, MfsError):
            raise reply
        if not isinstance(reply, Wire):
            raise Broken("this operation gives no receipt")
        count_answer(self._accounting, request, 200, "")
        return json_of(reply)

    def _accepted(self, request: Request, recorded: Recorded, keys: SessionKeys) -> Response:
        sealed = handshakes.accepted(self._platform, recorded, keys)
        count_answer(self._accounting, request, 200, "")
        return Response(sealed, media_type=SEALED_MEDIA_TYPE)


def _size(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise Malformed(f"`{name}` is the size of a tally", remedy="ask with ?old=M&new=N")
    return int(text)
