"""Who operates, and what becomes of a signed act.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from tallystick.application.operators.acts.signed import (
    Acted,
    Execute,
    InEmergency,
    SignedAct,
    Untrained,
)
from tallystick.application.operators.acts.waiting import Waiting
from tallystick.application.operators.enrolling import (
    INVITATION_LIFE_MS,
    NewcomerPasskey,
    code_hash,
)
from tallystick.application.operators.model import ActRow
from tallystick.application.operators.passkeys import is_copied
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.webauthn import Relying
from tallystick.infrastructure.envelope.acts import KEY_GRADE, ActSignature, read_signature
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    Malformed,
    NotAuthentic,
    NotPermitted,
)
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, MINUTE_MS, Instant
from tallystick.process.policy import Permit, StepUp
from tallystick.protocol.desk import (
    DECLINE,
    OWN_ACTS,
    REHEARSE,
    DeclineAct,
    RehearseAct,
)
from tallystick.protocol.operators import Act, ActReply

__all__ = [
    "INVITATION_LIFE_MS",
    "Acted",
    "Execute",
    "NewcomerPasskey",
    "Operators",
    "SignedAct",
    "code_hash",
]

_MOST_AHEAD_MS = 5 * MINUTE_MS
_LONGEST_MS = DAY_MS
_declines = Decoder(DeclineAct, limit=2048)
_rehearses = Decoder(RehearseAct, limit=256)


class Operators(Waiting):
    """Enrols operators and carries out what they sign.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(
        self,
        module: CryptoModule,
        codes: KeyHandle,
        seals: StoreSeals,
        policy: PolicyInForce,
        reader: Reader,
        *,
        untrained: Untrained | None = None,
        in_emergency: InEmergency | None = None,
        relying: Relying | None = None,
        capacity: int = 1024,
    ) -> None:
        """Hash invitation codes under `codes`, seal names with `seals`.

        `untrained` is asked before somebody approves what another one proposed, `in_emergency`
        before the policy. Passkeys count for `relying` only.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        super().__init__(
            *(module, codes, seals, policy, reader),
            untrained=untrained,
            relying=relying,
            capacity=capacity,
        )
        self._in_emergency = in_emergency

    def verify(self, jws: str, body: bytes, name: str, now: Instant) -> SignedAct:
        """The act in `jws`, if an operator signed it for operation `name` and this body, just now.

        Raises NotAuthentic, Malformed, Expired.
        Source: ISO/TS 12812-2:2017, 6.2.1; RFC 7515, 5.2
        """
        signature = read_signature(jws)
        act = signature.act
        counter = signature.verify(self._public(signature), self.passkeys.relying)
        if act.name != name:
            raise NotAuthentic("the act was signed for another operation")
        if act.body_hash != b64url(sha256(body)):
            raise NotAuthentic("the act was signed for another body")
        if not act.issued_at - _MOST_AHEAD_MS <= now <= act.expires_at:
            raise Expired("the act is past its time", remedy="sign it again")
        if act.expires_at - act.issued_at > _LONGEST_MS:
            raise Malformed("an act is good for one day at most")
        signed = SignedAct(act, body, jws, signature.grade, signature.credential, counter)
        if signed.bound and not act.approves:
            raise Malformed("only an act that approves another is bound to what was shown")
        return signed

    def _public(self, signature: ActSignature) -> bytes:
        act = signature.act
        operator = self._operators.get(act.operator)
        if operator is None or not self.vouches(operator.id, Instant(act.issued_at)):
            raise NotAuthentic("no such operator signed this", remedy="ask a security officer")
        if not signature.credential:
            return operator.public
        passkey = self.passkeys.get(signature.credential)
        if passkey.operator != operator.id:
            raise NotAuthentic("no such operator signed this")
        return passkey.public

    def act(self, turn: Turn, signed: SignedAct, execute: Execute) -> Outcome:
        """Carry out a signed act, or keep it until a second operator signs.

        Raises NotPermitted for the role and for an approver without training, Conflict for an id
        used with another body.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        act = signed.act
        known = self._acts.get(act.id)
        if known is not None:
            if self.opened(known) != signed.body or known.name != act.name:
                raise Conflict("this act id was used for another act", remedy="use a new id")
            return _reply(known)
        self._begin_alone(turn, signed)
        self._count_use(turn, signed)
        if act.name == DECLINE:
            return self._decline(turn, signed)
        if act.name == REHEARSE:
            return self._look(turn, signed)
        signatures: tuple[str, ...] = (signed.jws,)
        first: ActRow | None = None
        if act.approves:
            first = self._first(act, signed.body, turn.now)
            self._refuse_untrained(act.operator, turn.now)
            signatures = (first.jws, signed.jws)
            self._check_shown(turn, signed, signatures)
        verdict = self._decide(act, len(signatures), turn.now)
        emergency = ""
        if self._in_emergency is not None and not isinstance(verdict, Permit):
            emergency = self._in_emergency(act.operator, act.name, turn.now)
        if isinstance(verdict, StepUp) and first is None and not emergency:
            return self._wait(turn, signed)
        if not isinstance(verdict, Permit) and not emergency and act.name not in OWN_ACTS:
            raise verdict.error()
        acted = execute(turn, act.name, signed.body, signatures)
        self._note_signature(turn, signed, emergency)
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

    def _count_use(self, turn: Turn, signed: SignedAct) -> None:
        if signed.credential and not self.passkeys.used(
            turn, signed.credential, signed.counter, self._policy.version
        ):
            raise is_copied()

    def _note_signature(self, turn: Turn, signed: SignedAct, emergency: str) -> None:
        """Record who signed and with what, where that was no key in a file or an emergency."""
        if signed.grade == KEY_GRADE and not emergency:
            return
        public: dict[str, str | int] = {
            "act": signed.act.id,
            "name": signed.act.name,
            "operator": signed.act.operator,
            "grade": signed.grade,
            "signature": b64url(sha256(signed.jws.encode())),
        }
        if emergency:
            public["emergency"] = emergency
        turn.record("operator.signed", policy=self._policy.version, public=public)

    def _decline(self, turn: Turn, signed: SignedAct) -> Outcome:
        """End an act that waits: by whoever may do it, or whoever proposed it."""
        asked = _declines.decode(signed.body)
        row = self.waiting(asked.act)
        if row.state != "waiting":
            raise Conflict(f"the act is {row.state}", remedy="look at what it came to")
        if row.operator != signed.act.operator:
            as_if = replace(signed.act, name=row.name)
            verdict = self._decide(as_if, 2, turn.now)
            if not isinstance(verdict, Permit):
                raise verdict.error()
        event = turn.record(
            "operator.declined",
            policy=self._policy.version,
            public={"act": row.id, "name": row.name, "operator": signed.act.operator},
        )
        says = f"declined: {asked.because}"
        self._acts.put(row.id, replace(row, state="declined", says=says, event=event), turn.changes)
        self._note_signature(turn, signed, "")
        acted = Acted("the act is declined and will not be done", event, row.id)
        done = self._row(turn, signed, state="done", acted=acted)
        self._acts.put(done.id, done, turn.changes)
        return _reply(done)

    def _look(self, turn: Turn, signed: SignedAct) -> Outcome:
        """What waits would come to, to whoever it concerns; recorded like every look."""
        asked, operator = _rehearses.decode(signed.body), signed.act.operator
        told = self._rehearsed(turn, asked.act, operator)
        event = turn.record(
            "operator.rehearsed",
            policy=self._policy.version,
            public={"act": asked.act, "acts": len(told.acts), "operator": operator},
        )
        self._note_signature(turn, signed, "")
        says = encode_canonical(told).decode()
        return Outcome(ActReply(act=signed.act.id, state="done", event=event, says=says), event)

    def _first(self, act: Act, body: bytes, now: Instant) -> ActRow:
        first = self.waiting(act.approves)
        if first.operator == act.operator:
            raise NotPermitted(
                "one person cannot agree with themselves",
                because="two people",
                remedy="let another operator approve it",
            )
        if first.state != "waiting" or first.name != act.name or self.opened(first) != body:
            raise Conflict(
                "the act to approve is another, or was done before",
                remedy="open it from the list of approvals again",
            )
        self._check_proposer(first)
        if now > first.expires_at:
            raise Expired("the act to approve is past its time", remedy="begin again")
        return first

    def _wait(self, turn: Turn, signed: SignedAct) -> Outcome:
        but = self._refuse_impossible(turn, signed)
        event = turn.record(
            "operator.proposed",
            policy=self._policy.version,
            public={"act": signed.act.id, "name": signed.act.name, "operator": signed.act.operator},
        )
        self._note_signature(turn, signed, "")
        acted = Acted(f"a second operator must approve this{but}", event)
        row = self._row(turn, signed, state="waiting", acted=acted)
        self._acts.put(row.id, row, turn.changes)
        return _reply(row)

    def _row(self, turn: Turn, signed: SignedAct, *, state: str, acted: Acted) -> ActRow:
        return ActRow(
            id=signed.act.id,
            name=signed.act.name,
            operator=signed.act.operator,
            body=self._seals.seal(signed.body, b"act"),
            jws=signed.jws,
            state=state,
            says=acted.says,
            reference=acted.reference,
            event=acted.event,
            expires_at=signed.act.expires_at,
        )


def _reply(row: ActRow) -> Outcome:
    reply = ActReply(
        act=row.id, state=row.state, event=row.event, says=row.says, reference=row.reference
    )
    return Outcome(reply, row.event)
