"""An operator's side: enrol with a one-time code, sign acts, approve what another one signed.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tallystick.client.session import JSON_MEDIA_TYPE, Transport, refusal
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.kernel.codec import Decoder, b64url, encode, encode_canonical
from tallystick.kernel.errors import Conflict, Expired
from tallystick.kernel.ids import timed_id
from tallystick.kernel.model import ABSENT, Wire
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import MINUTE_MS, Clock
from tallystick.protocol.desk import REHEARSE, RehearseAct, RehearsedAct, RehearsedActs
from tallystick.protocol.operators import (
    ENROLMENT_LABEL,
    Act,
    ActReply,
    EnrolOperator,
    OperatorEnrolled,
    act_header,
)

ACT_LIFE_MS = 10 * MINUTE_MS
_enrolled = Decoder(OperatorEnrolled)
_replies = Decoder(ActReply)
_rehearsed = Decoder(RehearsedActs, limit=1024 * 1024)


def enrol_operator(
    transport: Transport, code: Secret[str], name: str, signer: SigningKey
) -> OperatorEnrolled:
    """Enrol the key of `signer` with a one-time code.

    Raises what the provider refuses with.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    public = signer.public().octets()
    message = ENROLMENT_LABEL + sha256(code.reveal().encode()) + public
    request = EnrolOperator(
        code=code.reveal(),
        name=name,
        public=b64url(public),
        proof=b64url(signer.sign(message)),
    )
    reply = transport.post("/v1/operators", encode(request), JSON_MEDIA_TYPE)
    if reply.status != 200:
        raise refusal(reply)
    return _enrolled.decode(reply.body)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed act as a request: its id, its name, and the octets to send.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    name: str
    body: bytes


class OperatorDesk:
    """Signs and sends the acts of one operator.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(
        self,
        transport: Transport,
        operator: str,
        signer: SigningKey,
        clock: Clock,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._transport = transport
        self._operator = operator
        self._signer = signer
        self._clock = clock
        self._entropy = entropy

    def act(self, name: str, body: Wire, *, approves: str = "", shown: str = "") -> ActReply:
        """Sign `body` as the act `name` and send it; `approves` names the act that this seconds.

        With `shown`, the digest of a rehearsal, it is done only if it still comes to that.
        Raises what the provider refuses with.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        request = self.signed(name, body, approves=approves, shown=shown).body
        reply = self._transport.post(f"/v1/acts/{name}", request, JSON_MEDIA_TYPE)
        if reply.status != 200:
            raise refusal(reply)
        return _replies.decode(reply.body)

    def rehearsed(self, act: str = "") -> tuple[RehearsedAct, ...]:
        """What the act of this id would come to now, or each that waits for this operator.

        Nothing of it is done; that somebody looked is recorded. What was answered by others while
        this asked is left out. Raises what the provider refuses with.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self._rehearsed(act)
        told = list(found.acts)
        for one in found.more:
            with suppress(Conflict, Expired):
                told += self._rehearsed(one).acts
        return tuple(told)

    def _rehearsed(self, act: str) -> RehearsedActs:
        reply = self.act(REHEARSE, RehearseAct(act=act))
        return _rehearsed.decode(reply.says.encode())

    def signed(self, name: str, body: Wire, *, approves: str = "", shown: str = "") -> Signed:
        """`body` signed as the act `name`, to be sent.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        inner = encode_canonical(body)
        act, jws = self._sign(name, inner, approves, shown)
        return Signed(act, name, b'{"jws":"' + jws.encode() + b'","body":' + inner + b"}")

    def signature(self, name: str, octets: bytes) -> str:
        """A compact JWS of the act `name` over `octets`, for a door that takes it as a header.

        Source: ISO/TS 12812-2:2017, 6.2.1; RFC 6750, 2.1
        """
        return self._sign(name, octets, "", "")[1]

    def _sign(self, name: str, octets: bytes, approves: str, shown: str) -> tuple[str, str]:
        now = self._clock.now()
        act = Act(
            id=timed_id("act", now, self._entropy(10)),
            name=name,
            operator=self._operator,
            body_hash=b64url(sha256(octets)),
            approves=approves,
            shown=shown or ABSENT,
            issued_at=now,
            expires_at=now + ACT_LIFE_MS,
        )
        header = act_header(self._operator)
        return act.id, sign_compact(self._signer, header, encode_canonical(act))
