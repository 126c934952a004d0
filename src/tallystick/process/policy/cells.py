"""Cells of the index: what one combination of words leaves to compare, and which limits it meets.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Final, NamedTuple

from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.facts import ENUMERATED, FOREVER, Facts, Operation, Word
from tallystick.process.policy.incentives import touched
from tallystick.process.policy.language.lives import RecoveryRule
from tallystick.process.policy.language.model import (
    Bounds,
    Ladder,
    Limit,
    LimitRule,
    Policy,
    Row,
    Words,
)
from tallystick.process.policy.regimes import DAY, MONTH, PER_PAYMENT, Baseline, Bound

PRICED: Final = frozenset({Operation.PAY.value, Operation.QUOTE.value})
"""Operations with an amount, a currency and limits."""

_MEASURES: Final = {DAY_MS: DAY, 30 * DAY_MS: MONTH}
Test = tuple[Callable[[Facts], int], int, int]
"""How to read a measured field, and the bounds that it lies between."""


class Cap(NamedTuple):
    """The most that one payment may move, and what says so.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    minor: int
    by: str
    because: str


NO_CAP: Final = Cap(FOREVER, "", "")
_amount: Final = attrgetter("minor")


class Cell(NamedTuple):
    """What one combination of words leads to: rows with bounds left to compare, the first row
    without, the cap of one payment, the rolling limits, the regimes' pauses after a change of SIM,
    the incentives that touch it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    bounded: tuple[tuple[tuple[Test, ...], Row], ...]
    otherwise: Row
    cap: Cap
    limits: tuple[LimitRule, ...]
    pauses: tuple[Bound, ...]
    ladders: tuple[Ladder, ...] = ()


class Cells:
    """Makes the cells of a policy that is held to a baseline.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    __slots__ = ("_baseline", "_policy")

    def __init__(self, policy: Policy, baseline: Baseline) -> None:
        self._policy = policy
        self._baseline = baseline

    def make(self, words: tuple[Word, ...]) -> Cell:
        """The cell of `words`, in the order of `ENUMERATED`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        facts = dict(zip(ENUMERATED, words, strict=True))
        bounded: list[tuple[tuple[Test, ...], Row]] = []
        otherwise = self._policy.default
        for row in self._policy.decisions:
            if _matches(row.words, facts):
                if not row.bounds:
                    otherwise = row
                    break
                bounded.append((tuple(map(_test, row.bounds)), row))
        pauses = tuple(
            one.bound
            for one in self._baseline.pauses
            if facts["operation"] in one.operations and facts["channel"] in one.channels
        )
        if facts["operation"] not in PRICED:
            return Cell(tuple(bounded), otherwise, NO_CAP, (), pauses)
        limits = [limit for limit in self._policy.limits if _matches(limit.words, facts)]
        caps = [self._capped(limit, facts) for limit in limits]
        rules = tuple(rule for limit in limits for rule in self._rolling(limit, facts))
        cap = min(caps, default=NO_CAP, key=_amount)
        ladders = touched(self._policy.incentives, facts)
        return Cell(tuple(bounded), otherwise, cap, rules, pauses, ladders)

    def _capped(self, limit: Limit, facts: dict[str, Word]) -> Cap:
        origin = self._origin(PER_PAYMENT, limit.per_payment_minor, facts)
        return Cap(limit.per_payment_minor, limit.id, with_origin(limit.because, origin))

    def _rolling(self, limit: Limit, facts: dict[str, Word]) -> Iterator[LimitRule]:
        for rule in _rules(limit):
            measure = _MEASURES.get(rule.window_ms, "")
            origin = self._origin(measure, rule.max_amount, facts)
            yield rule if not origin else replace(rule, because=with_origin(rule.because, origin))

    def _origin(self, measure: str, value: int, facts: dict[str, Word]) -> str:
        """The regime whose cap `value` is, in words; empty where it is the policy's own."""
        for cap in self._baseline.amounts:
            if (
                (cap.measure, cap.bound.value) == (measure, value)
                and facts["tier"] in cap.tiers
                and facts["kind"] in cap.kinds
            ):
                return cap.bound.origin
        return ""


def _matches(conditions: Iterable[Words], facts: dict[str, Word]) -> bool:
    return all(facts[condition.field] in condition.words for condition in conditions)


def _rules(limit: Limit) -> tuple[LimitRule, ...]:
    """The rolling limits of `limit`, one for each window, named `id/seconds`."""
    return tuple(
        LimitRule(
            id=f"{limit.id}/{window.window_ms // 1000}",
            window_ms=window.window_ms,
            max_amount=window.max_amount,
            max_count=window.max_count,
            because=limit.because,
        )
        for window in limit.windows
    )


def with_origin(because: str, origin: str) -> str:
    """`because` with the regime that says so, if one does.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return f"{because} ({origin})" if origin else because


RECOVERING: Final = "recovering"
"""The name of the limits that a recovery lowers."""


def lowered_limits(rule: RecoveryRule) -> tuple[LimitRule, ...]:
    """The rolling limit that holds while an account is recovered and after; none without a cap.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    if rule.day_minor == FOREVER and rule.day_count == FOREVER:
        return ()
    return (
        LimitRule(
            id=f"{RECOVERING}/{DAY_MS // 1000}",
            window_ms=DAY_MS,
            max_amount=rule.day_minor,
            max_count=rule.day_count,
            because=rule.because,
        ),
    )


def _test(bounds: Bounds) -> Test:
    return attrgetter(bounds.field), bounds.low, bounds.high


def first_match(cell: Cell, facts: Facts) -> Row:
    """The row of `cell` that decides `facts`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    for tests, row in cell.bounded:
        for measure, low, high in tests:
            if not low <= measure(facts) <= high:
                break
        else:
            return row
    return cell.otherwise
