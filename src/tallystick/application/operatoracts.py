"""What operators do about an operator: suspend one at once, and together resume or remove one.

Somebody leaves the firm, loses the laptop with the passkey, or is suspected. One person stops them;
two decide what becomes of them.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.application.desk.store import workloads
from tallystick.application.operators import Acted, Operators, Performer, check_two_people
from tallystick.application.operators.model import ACTIVE, REMOVED, SUSPENDED, Operator
from tallystick.application.operators.store import active_roles, made_for
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Conflict
from tallystick.process.policy.facts import OperatorAct
from tallystick.protocol.desk import UNBIND, RemovePasskey, SteerOperator

_RESUMING = 2
_ends = Decoder(RemovePasskey, limit=2048)
_steer = Decoder(SteerOperator, limit=2048)


@dataclass(frozen=True, slots=True)
class OperatorActs:
    """Executes the acts about who may act.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    operators: Operators
    policy: PolicyInForce
    reader: Reader

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {
            "suspend-operator": self._suspend,
            "resume-operator": self._resume,
            "remove-operator": self._remove,
            UNBIND: self._end_passkey,
        }

    def _suspend(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        """Stop an operator; who suspended one suspends no other until two decided about the first.

        One stolen key thus stops one colleague and not the whole desk.
        """
        row, by = self.operators.known(_steer.decode(body).operator), _signer(jws[0])
        if row.status != ACTIVE:
            raise Conflict(
                f"the operator is {row.status} already", remedy="look at the list of operators"
            )
        if by in self.operators.suspended.values() and by != row.id:
            raise Conflict(
                "you suspended somebody else, and nobody decided about them yet",
                remedy="let two people resume or remove them, or let another operator suspend",
            )
        says = f"the operator is suspended: nothing they sign counts{self._left(row.id)}"
        return self._stands(turn, row, SUSPENDED, (by,), f"{says}{self._seen(row.id)}")

    def _resume(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("resume an operator", jws, because="they were suspended for a reason")
        row = self.operators.known(_steer.decode(body).operator)
        if row.status != SUSPENDED:
            raise Conflict(
                f"the operator is {row.status}, not suspended",
                remedy="look at the list of operators",
            )
        says = "the operator may act again; what was signed before counts for nothing"
        return self._stands(turn, row, ACTIVE, map(_signer, jws), says)

    def _remove(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("remove an operator", jws, because="it cannot be taken back")
        row = self.operators.known(_steer.decode(body).operator)
        if row.status == REMOVED:
            raise Conflict(
                "the operator was removed before", remedy="look at the list of operators"
            )
        says = f"the operator is removed for good{self._left(row.id)}{self._seen(row.id)}"
        return self._stands(turn, row, REMOVED, map(_signer, jws), says)

    def _end_passkey(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _ends.decode(body)
        owner = self.operators.get(_signer(jws[0]))
        ended = self.operators.passkeys.end(
            turn, owner.id, asked.credential, other_way=bool(owner.public)
        )
        index = turn.record(
            "operator.passkey-removed",
            policy=self.policy.version,
            public={"operator": owner.id, "model": ended.aaguid},
        )
        return Acted("the passkey signs nothing any more", index)

    def _stands(
        self, turn: Turn, row: Operator, status: str, by: Iterable[str], says: str
    ) -> Acted:
        signers = ",".join(by)
        kind = "operator.resumed" if status == ACTIVE else f"operator.{status}"
        index = turn.record(
            kind,
            policy=self.policy.version,
            public={"operator": row.id, "role": row.role, "by": signers},
        )
        self.operators.stand(turn, row.id, status, signers, index)
        return Acted(says, index, row.id)

    def _left(self, without: str) -> str:
        """A warning where too few remain who may resume somebody."""
        granted = self.policy.compiled.policy.operators.roles
        able = [
            one
            for one, role in active_roles(self.reader).items()
            if one != without and OperatorAct.RESUME_OPERATOR.value in granted.get(role, ())
        ]
        return "" if len(able) >= _RESUMING else "; too few remain to resume anybody"

    def _seen(self, operator: str) -> str:
        """The programs that still may ask and whose secret this operator was shown."""
        made = set(made_for(self.reader, operator, OperatorAct.ISSUE_WORKLOAD.value))
        live = [one for one in workloads(self.reader) if one.id in made and one.status == ACTIVE]
        names = ", ".join(one.id for one in live)
        return f"; revoke the programs whose secret they saw: {names}" if names else ""


def _signer(jws: str) -> str:
    return read_signature(jws).act.operator
