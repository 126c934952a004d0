"""Who operates, and what becomes of a signed act.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.operators.model import ActRow, Invitation, Operator
from tallystick.application.operators.store import ACT, INVITATION, OPERATOR
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, MINUTE_MS, Instant
from tallystick.process.policy import Decided, Facts, Permit, StepUp
from tallystick.process.policy.facts import Channel, Factor, Operation
from tallystick.protocol.operators import (
    ENROLMENT_LABEL,
    Act,
    ActReply,
    EnrolOperator,
    OperatorEnrolled,
    act_header,
)

INVITATION_LIFE_MS = 7 * DAY_MS
_MOST_AHEAD_MS = 5 * MINUTE_MS
_LONGEST_MS = DAY_MS
_NONCE = 12
_acts = Decoder(Act, limit=4096)


@dataclass(frozen=True, slots=True)
class SignedAct:
    """An act whose signature verified, and the canonical body that it names.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: Act
    body: bytes
    jws: str


@dataclass(frozen=True, slots=True)
class Acted:
    """What an act did: in words, the event that records it, and what it made.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    says: str
    event: int
    reference: str = ""


Untrained = Callable[[str, Instant], str]
"""Why the operator of this id may not approve now; empty if nothing stands against it."""

Execute = Callable[[Turn, str, bytes, tuple[str, ...]], Acted]
"""Does an act: its name, its body, the signatures behind it."""


class Operators:
    """Enrols operators and carries out what they sign.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(
        self,
        module: CryptoModule,
        codes: KeyHandle,
        store_key: KeyHandle,
        policy: PolicyInForce,
        reader: Reader,
        *,
        untrained: Untrained | None = None,
        capacity: int = 1024,
    ) -> None:
        """Hash invitation codes under `codes`, seal names under `store_key`.

        `untrained` is asked before somebody approves what another one proposed.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._module = module
        self._codes = codes
        self._store_key = store_key
        self._policy = policy
        self._untrained = untrained
        self._operators = RowCache(OPERATOR, Operator, reader, capacity=capacity)
        self._invitations = RowCache(INVITATION, Invitation, reader, capacity=capacity)
        self._acts = RowCache(ACT, ActRow, reader, capacity=capacity)

    def invite(self, turn: Turn, code_hash: str, role: str, issued_by: str) -> None:
        """Let whoever has the code with this SHA-256 (base64url) enrol once, within a week.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        invitation = Invitation(
            code_mac=self._code_mac(code_hash),
            role=role,
            expires_at=turn.now + INVITATION_LIFE_MS,
            used_at=0,
            issued_by=issued_by,
        )
        self._invitations.put(invitation.code_mac, invitation, turn.changes)

    def enrol(self, turn: Turn, request: EnrolOperator) -> Outcome:
        """Enrol an operator whose code is right and whose key is there.

        Raises NotAuthentic alike for a wrong, used or expired code and a wrong proof.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        public = Es256VerifyKey(b64url_decode(request.public))
        message = ENROLMENT_LABEL + sha256(request.code.encode()) + public.octets()
        public.verify(b64url_decode(request.proof), message)
        known = self._invitations.get(self._code_mac(code_hash(request.code)))
        if known is None or known.used_at or turn.now > known.expires_at:
            raise NotAuthentic("the enrolment code is not valid", remedy="ask for a new invitation")
        used = replace(known, used_at=turn.now)
        self._invitations.put(known.code_mac, used, turn.changes)
        nonce = turn.entropy(12)
        name = nonce + self._module.seal(self._store_key, nonce, request.name.encode(), b"operator")
        operator = Operator(
            id=turn.new_id("opr"),
            role=known.role,
            status="active",
            public=public.octets(),
            name=name,
            enrolled_at=turn.now,
        )
        self._operators.put(operator.id, operator, turn.changes)
        index = turn.record(
            "operator.enrolled",
            policy=self._policy.version,
            public={"operator": operator.id, "role": operator.role},
        )
        return Outcome(OperatorEnrolled(operator=operator.id, role=operator.role), index)

    def verify(self, jws: str, body: bytes, name: str, now: Instant) -> SignedAct:
        """The act in `jws`, if an operator signed it for operation `name` and this body, just now.

        Raises NotAuthentic, Malformed, Expired.
        Source: ISO/TS 12812-2:2017, 6.2.1; RFC 7515, 5.2
        """
        header, payload, signature, signing_input = split_compact(jws)
        act = _acts.decode_canonical(payload)
        operator = self._operators.get(act.operator)
        if operator is None or header != act_header(act.operator):
            raise NotAuthentic("no such operator signed this")
        Es256VerifyKey(operator.public).verify(signature, signing_input)
        if act.name != name:
            raise NotAuthentic("the act was signed for another operation")
        if act.body_hash != b64url(sha256(body)):
            raise NotAuthentic("the act was signed for another body")
        if not act.issued_at - _MOST_AHEAD_MS <= now <= act.expires_at:
            raise Expired("the act is past its time", remedy="sign it again")
        if act.expires_at - act.issued_at > _LONGEST_MS:
            raise Malformed("an act is good for one day at most")
        return SignedAct(act, body, jws)

    def act(self, turn: Turn, signed: SignedAct, execute: Execute) -> Outcome:
        """Carry out a signed act, or keep it until a second operator signs.

        Raises NotPermitted for the role and for an approver without training, Conflict for an id
        used with another body.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        act = signed.act
        known = self._acts.get(act.id)
        if known is not None:
            if self._opened(known) != signed.body or known.name != act.name:
                raise Conflict("this act id was used for another act", remedy="use a new id")
            return _reply(known)
        signatures: tuple[str, ...] = (signed.jws,)
        first: ActRow | None = None
        if act.approves:
            first = self._first(act, signed.body, turn.now)
            self._refuse_untrained(act.operator, turn.now)
            signatures = (first.jws, signed.jws)
        verdict = self._decide(act, len(signatures), turn.now)
        if isinstance(verdict, StepUp) and first is None:
            return self._wait(turn, signed)
        if not isinstance(verdict, Permit):
            raise verdict.error()
        acted = execute(turn, act.name, signed.body, signatures)
        if first is not None:
            done = replace(
                first,
                jws="\n".join(signatures),
                state="done",
                says=acted.says,
                reference=acted.reference,
                event=acted.event,
            )
            self._acts.put(first.id, done, turn.changes)
        row = self._row(turn, signed, state="done", acted=acted)
        self._acts.put(row.id, row, turn.changes)
        return _reply(row)

    def waiting(self, act: str) -> ActRow:
        """The act that waits for a second signature under this id.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        row = self._acts.get(act)
        if row is None:
            raise NotFound("no such act")
        return row

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for cache in (self._operators, self._invitations, self._acts):
            cache.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for cache in (self._operators, self._invitations, self._acts):
            cache.reset()

    def _first(self, act: Act, body: bytes, now: Instant) -> ActRow:
        first = self.waiting(act.approves)
        if first.operator == act.operator:
            raise NotPermitted("one person cannot agree with themselves", because="two people")
        if first.state != "waiting" or first.name != act.name or self._opened(first) != body:
            raise Conflict("the act to approve is another, or was done before")
        if now > first.expires_at:
            raise Expired("the act to approve is past its time", remedy="begin again")
        return first

    def _refuse_untrained(self, operator: str, now: Instant) -> None:
        why = self._untrained(operator, now) if self._untrained else ""
        if why:
            raise NotPermitted(
                "an operator without training in force does not approve",
                because=why,
                remedy="train, and enter it in the register of people",
            )

    def check(self, signed: SignedAct, now: Instant) -> None:
        """Pass if the policy lets this operator do alone what was signed.

        For what reads and is not recorded; raises NotPermitted and StepUpRequired.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        verdict = self._decide(signed.act, 1, now)
        if not isinstance(verdict, Permit):
            raise verdict.error()

    def _decide(self, act: Act, approvals: int, now: Instant) -> Decided:
        operator = self._operators.get(act.operator)
        if operator is None:
            raise NotAuthentic("no such operator signed this")
        facts = Facts(
            operation=Operation.OPERATE.value,
            channel=Channel.OPERATOR.value,
            tier=0,
            device_trust="unknown",
            account_status=operator.status,
            factors=(Factor.POSSESSION.value, Factor.KNOWLEDGE.value),
            operator_role=operator.role,
            act=act.name,
            approvals=approvals,
            minute_of_day=self._policy.compiled.minute_of_day(now),
            degraded=self._policy.degraded_since(now),
        )
        return self._policy.decide(facts, subject=act.id)

    def _wait(self, turn: Turn, signed: SignedAct) -> Outcome:
        event = turn.record(
            "operator.proposed",
            policy=self._policy.version,
            public={"act": signed.act.id, "name": signed.act.name, "operator": signed.act.operator},
        )
        acted = Acted("a second operator must approve this", event)
        row = self._row(turn, signed, state="waiting", acted=acted)
        self._acts.put(row.id, row, turn.changes)
        return _reply(row)

    def _row(self, turn: Turn, signed: SignedAct, *, state: str, acted: Acted) -> ActRow:
        nonce = turn.entropy(_NONCE)
        return ActRow(
            id=signed.act.id,
            name=signed.act.name,
            operator=signed.act.operator,
            body=nonce + self._module.seal(self._store_key, nonce, signed.body, b"act"),
            jws=signed.jws,
            state=state,
            says=acted.says,
            reference=acted.reference,
            event=acted.event,
            expires_at=signed.act.expires_at,
        )

    def _opened(self, row: ActRow) -> bytes:
        nonce, sealed = row.body[:_NONCE], row.body[_NONCE:]
        return self._module.open(self._store_key, nonce, sealed, b"act")

    def _code_mac(self, code_hash: str) -> str:
        return b64url(self._module.mac(self._codes, b"operator\x00" + code_hash.encode()))


def code_hash(code: str) -> str:
    """What the provider is told of an invitation code: its SHA-256, base64url.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return b64url(sha256(b"tallystick invitation v1\x00" + code.encode()))


def _reply(row: ActRow) -> Outcome:
    reply = ActReply(
        act=row.id, state=row.state, event=row.event, says=row.says, reference=row.reference
    )
    return Outcome(reply, row.event)
