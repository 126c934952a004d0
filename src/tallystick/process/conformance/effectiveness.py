"""For how much of a period a requirement was satisfied, from the whole history of evidence.

Findings change only where an observation is made or becomes stale, and where a decision or an
exception begins or ends. Between two such instants one look is enough, so the result is exact.

Source: ISO/TS 12812-2:2017, 9.1; 6.2.1
"""

from collections.abc import Iterator
from itertools import pairwise

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record, replace
from tallystick.process.conformance.findings import Ground, Need, State, findings


class Effectiveness(Record, frozen=True, kw_only=True):
    """How long (ms) a requirement was in each state in a period; the five add up to its length.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    requirement: str
    start: int
    end: int
    ms: dict[str, int]

    def share(self) -> tuple[int, int]:
        """Satisfied ms, and the ms in which it applied: numerator and denominator.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        applied = self.end - self.start - self.ms[State.NOT_APPLICABLE.value]
        return self.ms[State.SATISFIED.value], applied

    def says(self) -> str:
        """The share in words: whole hours, and thousandths.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        satisfied, applied = self.share()
        if not applied:
            return "did not apply"
        thousandths = satisfied * 1000 // applied
        hours = f"{satisfied // 3_600_000} of {applied // 3_600_000} h"
        return f"{hours} ({thousandths // 10}.{thousandths % 10} %)"


def effectiveness(ground: Ground, start: int, end: int) -> tuple[Effectiveness, ...]:
    """For each need how long it was in which state from `start` to `end` (ms, not included).

    Raises Malformed for a period without length.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    if end <= start:
        raise Malformed("a period ends after it begins")
    return tuple(_of(ground, need, start, end) for need in ground.needs)


def _of(ground: Ground, need: Need, start: int, end: int) -> Effectiveness:
    asked = {one.id for one in need.checks}
    own = replace(
        ground,
        needs=(need,),
        history=tuple(one for one in ground.history if one.check in asked),
        decisions=tuple(o for o in ground.decisions if o.requirement == need.requirement),
        exceptions=tuple(o for o in ground.exceptions if o.requirement == need.requirement),
    )
    edges = sorted({start, end, *(at for at in _instants(own) if start < at < end)})
    ms = {state.value: 0 for state in State}
    for at, until in pairwise(edges):
        ms[findings(own, at)[0].state.value] += until - at
    return Effectiveness(requirement=need.requirement, start=start, end=end, ms=ms)


def _instants(ground: Ground) -> Iterator[int]:
    for one in ground.history:
        yield one.observed_at
        yield one.fresh_until
    for decision in ground.decisions:
        yield decision.since
        yield decision.until
    for exempted in ground.exceptions:
        yield exempted.since
        yield exempted.until
