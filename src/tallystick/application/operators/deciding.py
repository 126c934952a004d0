"""Whether somebody may do an act: what the policy says of the role, and the register of training.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from tallystick.application.operators.enrolling import Register
from tallystick.application.operators.signed import SignedAct, Untrained
from tallystick.application.policing import PolicyInForce
from tallystick.infrastructure.crypto.webauthn import Relying
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import NotAuthentic, NotPermitted
from tallystick.kernel.time import Instant
from tallystick.process.policy import Decided, Facts, Permit
from tallystick.process.policy.facts import Channel, Factor, Operation
from tallystick.protocol.operators import Act


class Deciding(Register):
    """Operators, and what each of them may do.

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

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        super().__init__(module, codes, seals, policy, reader, relying=relying, capacity=capacity)
        self._untrained = untrained

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
