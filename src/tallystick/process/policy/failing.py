"""What a failing dependency closes: the rows of the policy's table that deny.

    open            nothing          reduced-limit   nothing here: the cap of a payment is lowered
    closed          its operations   stale           its operations, once its time is over
    not in the table                 everything but operators' acts, so that they can mend it

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tallystick.process.policy.facts import Operation
from tallystick.process.policy.language.model import DependencyRule


class Closed(NamedTuple):
    """What holds an operation back because a dependency fails: its row, and why.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    row: str
    because: str


def closed_by(
    rules: Mapping[str, DependencyRule], operation: str, degraded: Iterable[tuple[str, int]]
) -> Closed | None:
    """What holds `operation` back while `degraded` (names, and for how many ms) fails, or None.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    for name, stale_ms in degraded:
        rule = rules.get(name)
        if rule is None:
            if operation == Operation.OPERATE.value:
                continue
            return Closed("dependency-unknown", "something failed that the policy does not name")
        if operation in rule.operations and (
            rule.on_failure == "closed"
            or (rule.on_failure == "stale" and stale_ms > rule.stale_for_ms)
        ):
            return Closed(f"dependency-{name}", rule.because)
    return None
