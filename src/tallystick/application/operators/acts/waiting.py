"""Who may do what, acts that wait for a second person, and what these would come to.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from tallystick.application.operators.acts.rehearsing import (
    ALONE,
    Rehearse,
    in_place_of,
    is_passing,
    refused,
    seconding,
)
from tallystick.application.operators.acts.signed import SignedAct, Untrained
from tallystick.application.operators.enrolling import Register
from tallystick.application.operators.model import ActRow
from tallystick.application.operators.store import ACT, waiting_heads
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.webauthn import Relying
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.model import ABSENT, replace
from tallystick.kernel.time import Instant
from tallystick.process.policy import Decided, Facts, Permit
from tallystick.process.policy.facts import Channel, Factor, Operation
from tallystick.protocol.desk import RehearsedAct, RehearsedActs
from tallystick.protocol.operators import Act

_MOST_READ, _MOST_WAITING = 1000, 100


class Waiting(Register):
    """Knows what each operator may do, keeps acts, and rehearses those that wait.

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
        untrained: Untrained | None,
        relying: Relying | None,
        capacity: int,
    ) -> None:
        """Ask `untrained` before somebody approves what another one proposed.

        Nothing is rehearsed until `rehearse` is set.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        super().__init__(module, codes, seals, policy, reader, relying=relying, capacity=capacity)
        self._untrained = untrained
        self._acts = RowCache(ACT, ActRow, reader, capacity=capacity)
        self.rehearse: Rehearse | None = None

    def check(self, signed: SignedAct, now: Instant) -> None:
        """Pass if the policy lets this operator do alone what was signed.

        For what reads and is not recorded; raises NotPermitted and StepUpRequired.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        verdict = self._decide(signed.act, 1, now)
        if not isinstance(verdict, Permit):
            raise verdict.error()

    def check_second(self, act: Act, now: Instant) -> None:
        """Pass if whoever `act` names may second it now.

        Raises NotPermitted, and what the policy asks for.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._refuse_untrained(act.operator, now)
        verdict = self._decide(act, 2, now)
        if not isinstance(verdict, Permit):
            raise verdict.error()

    def _refuse_untrained(self, operator: str, now: Instant) -> None:
        why = self._untrained(operator, now) if self._untrained else ""
        if why:
            raise NotPermitted(
                "an operator without training in force does not approve",
                because=why,
                remedy="train, and enter it in the register of people",
            )

    def _decide(self, act: Act, approvals: int, now: Instant) -> Decided:
        operator = self.get(act.operator)
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

    def waiting(self, act: str) -> ActRow:
        """The act that waits for a second signature under this id.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        row = self._acts.get(act)
        if row is None:
            raise NotFound("no such act", remedy="look at the list of approvals")
        return row

    def opened(self, row: ActRow) -> bytes:
        """The canonical body of an act.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._seals.open(row.body, b"act")

    def seal_act_anew(self, turn: Turn, act: str) -> None:
        """Seal the body of an act under the newest store key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self._acts.get(act)
        if row is not None and row.body:
            body = self._seals.seal(self.opened(row), b"act")
            self._acts.put(act, replace(row, body=body), turn.changes)

    def rehearsed(self, turn: Turn, act: str, operator: str) -> RehearsedAct:
        """What the act of this id would come to if `operator` seconded it now.

        Raises NotFound, NotPermitted for whoever may neither do nor withdraw it, Conflict and
        Expired for one that waits no longer.
        Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
        """
        row = self.waiting(act)
        first = read_signature(row.jws.partition("\n")[0]).act
        if not self._concerns(row, operator):
            raise NotPermitted(
                "your role does not decide on this", remedy="ask whoever may do this act"
            )
        if row.state != "waiting":
            raise Conflict(f"the act is {row.state}", remedy="look at what it came to")
        if turn.now > row.expires_at:
            raise Expired("the act is past its time", remedy="begin again")
        if self.rehearse is None:
            raise NotPermitted("nothing is rehearsed here", remedy="ask the service itself")
        try:
            self._check_proposer(row)
        except NotPermitted as ended:
            return refused(ended).of(row)
        second = None if operator == row.operator else seconding(first, operator)
        both = row.jws, row.jws if second is None else in_place_of(first, operator)
        return self.rehearse(turn, row.name, self.opened(row), both, second).of(row)

    def _rehearsed(self, turn: Turn, act: str, operator: str) -> RehearsedActs:
        """The act of this id rehearsed, or, for an empty one, the newest that concerns `operator`
        and the ids of the others: a look rehearses once.
        """
        names = [act] if act else self._waiting_for(operator, turn.now)
        told = tuple(self.rehearsed(turn, name, operator) for name in names[:1])
        return RehearsedActs(acts=told, more=tuple(names[1:]))

    def _waiting_for(self, operator: str, now: Instant) -> list[str]:
        """The ids of what waits and concerns `operator`, newest first."""
        granted = self._granted(operator)
        waits = waiting_heads(self._reader, now, _MOST_READ)
        ids = [one.id for one in waits if one.operator == operator or one.name in granted]
        found = [self.waiting(one) for one in ids[:_MOST_WAITING]]
        return [row.id for row in found if row.state == "waiting"]

    def _granted(self, operator: str) -> tuple[str, ...]:
        roles = self._policy.compiled.policy.operators.roles
        return tuple(roles.get(self.get(operator).role, ()))

    def _concerns(self, row: ActRow, operator: str) -> bool:
        return row.operator == operator or row.name in self._granted(operator)

    def _check_proposer(self, first: ActRow) -> None:
        """Pass if whoever proposed `first` still vouches for what they signed then."""
        proposed = read_signature(first.jws.partition("\n")[0]).act
        if not self.vouches(first.operator, Instant(proposed.issued_at)):
            raise NotPermitted(
                "who proposed this was suspended since",
                because="a stolen key may have signed it",
                remedy="decline it, and begin again",
            )

    def _refuse_impossible(self, turn: Turn, signed: SignedAct) -> str:
        """Raise the refusal that a second person would meet; gives what is to be said of one that
        may pass by itself.
        """
        if self.rehearse is None:
            return ""
        name, both = signed.act.name, (signed.jws, signed.jws)
        found = self.rehearse(turn, name, signed.body, both, None)
        if found.error is None:
            return ""
        if not is_passing(name, found.error):
            raise found.error
        return f"; it could not be done now: {found.says}"

    def _begin_alone(self, turn: Turn, signed: SignedAct) -> None:
        """Have an act that is bound to what was shown in a batch of its own: what came before it is
        durable by then, so that a rehearsal reads it. The writer tries again what this refuses.
        """
        if signed.bound and (turn.leaves or not turn.changes.is_empty()):
            raise Unavailable(ALONE, retry_after_s=1)

    def _check_shown(self, turn: Turn, signed: SignedAct, both: tuple[str, ...]) -> None:
        """Refuse what would come to something else than whoever seconds it was shown."""
        shown = signed.act.shown
        if shown is ABSENT:
            return
        if self.rehearse is None:
            raise NotPermitted("nothing is rehearsed here", remedy="ask the service itself")
        found = self.rehearse(turn, signed.act.name, signed.body, both, signed.act)
        found.check_shown(shown)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        super().trim()
        self._acts.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        super().reset()
        self._acts.reset()
