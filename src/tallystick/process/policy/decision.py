"""The decision: the only place that makes permits.

    decide(policy, facts, subject=order id)  ->  Permit | Denied | StepUp | Delayed

A closed sum: whoever executes takes a `Permit`, so that executing after anything else does not
type-check.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from typing import assert_never

from tallystick.kernel.errors import (
    LimitExceeded,
    MfsError,
    NotPermitted,
    OutOfReach,
    StepUpRequired,
)
from tallystick.kernel.model import Record
from tallystick.process.policy._permit import MINT as _MINT
from tallystick.process.policy._permit import Permit
from tallystick.process.policy.compile import CompiledPolicy, Decision
from tallystick.process.policy.facts import Facts, Outcome

__all__ = [
    "RETRY_AFTER_S",
    "Decided",
    "Decision",
    "Delayed",
    "Denied",
    "Permit",
    "StepUp",
    "decide",
    "held_back",
]

RETRY_AFTER_S = 5
"""When whoever was held back by a failing dependency may ask again."""


class Denied(Record, frozen=True, kw_only=True):
    """The policy says no, or a cap of its limits would be passed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    subject: str
    decision: Decision

    def error(self) -> MfsError:
        """The refusal to raise or answer, by what denied it.

        LimitExceeded for a cap, OutOfReach for a failing dependency, else NotPermitted.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self.decision.closed:
            return held_back(self.decision.row, self.decision.because)
        cls = LimitExceeded if self.decision.cap_passed else NotPermitted
        detail = (
            "a limit would be passed"
            if self.decision.cap_passed
            else "the policy does not allow it"
        )
        return cls(detail, remedy=self.decision.remedy, because=self.decision.reason)


class StepUp(Record, frozen=True, kw_only=True):
    """Allowed once a stronger consent grade or more factors are given.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    subject: str
    decision: Decision

    def error(self) -> MfsError:
        """The refusal to raise or answer; its remedy names the grade or the factors.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return StepUpRequired(
            "a stronger authentication is required",
            remedy=self.decision.remedy,
            because=self.decision.reason,
            suffices=self.decision.suffices,
        )


class Delayed(Record, frozen=True, kw_only=True):
    """Not before a time has passed; then it is decided again, on the facts of that moment.

    Source: ISO/TS 12812-2:2017, 12.3
    """

    subject: str
    decision: Decision

    @property
    def delay_ms(self) -> int:
        """How long to wait, in ms.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        return self.decision.delay_ms

    def error(self) -> MfsError:
        """The refusal to answer where the asker cannot wait; it says when to come back.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        return NotPermitted(
            "not yet",
            remedy=self.decision.remedy,
            because=self.decision.reason,
            retry_after_s=-(-self.decision.delay_ms // 1000),
        )


def held_back(row: str, because: str) -> OutOfReach:
    """The refusal of what the policy holds back by `row` while a dependency fails.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return OutOfReach(
        "something that this leans on does not answer",
        remedy="try again later with the same id",
        because=f"{row}: {because}",
        retry_after_s=RETRY_AFTER_S,
    )


Decided = Permit | Denied | StepUp | Delayed


def decide(policy: CompiledPolicy, facts: Facts, *, subject: str) -> Decided:
    """What `policy` says to `facts` about the order or act `subject`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    decision = policy.decide(facts)
    match decision.outcome:
        case Outcome.ALLOW:
            return Permit(_MINT, subject, decision)
        case Outcome.DENY:
            return Denied(subject=subject, decision=decision)
        case Outcome.STEP_UP:
            return StepUp(subject=subject, decision=decision)
        case Outcome.DELAY:
            return Delayed(subject=subject, decision=decision)
        case _:
            assert_never(decision.outcome)
