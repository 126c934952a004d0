"""A policy that decides beside the one in force: its differences are counted, nothing else follows.

Source: ISO/TS 12812-2:2017, 6.1
"""

from collections.abc import Callable
from typing import NamedTuple

from tallystick.process.policy import CompiledPolicy, Decision


class Difference(NamedTuple):
    """What was decided, and what the policy in shadow would have: outcomes and rows, no facts.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    was: str
    would_be: str
    row: str
    shadow_row: str


class Shadow:
    """Compares decisions; `decisions` and `differences` count since the policy was put in shadow.

    `tell` is called once for each kind of difference.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    def __init__(self) -> None:
        self.policy: CompiledPolicy | None = None
        self.decisions = 0
        self.differences = 0
        self.tell: Callable[[Difference], None] | None = None
        self._told: set[Difference] = set()

    def put(self, policy: CompiledPolicy | None) -> None:
        """Compare with `policy` from now on, counting anew; None compares nothing.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.policy = policy
        self.decisions = self.differences = 0
        self._told.clear()

    @property
    def version(self) -> int:
        """The version in shadow, 0 where there is none.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return 0 if self.policy is None else self.policy.version

    def compare(self, decision: Decision) -> None:
        """Decide the facts of `decision` as well, and count a difference in what follows from it.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        if self.policy is None:
            return
        beside = self.policy.decide(decision.facts)
        self.decisions += 1
        if (beside.outcome, beside.required_grade, beside.required_factors) == (
            decision.outcome,
            decision.required_grade,
            decision.required_factors,
        ):
            return
        self.differences += 1
        found = Difference(decision.outcome.value, beside.outcome.value, decision.row, beside.row)
        if found not in self._told:
            self._told.add(found)
            if self.tell is not None:
                self.tell(found)
