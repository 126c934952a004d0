"""Whom a stricter policy would have touched: recorded payments decided again, by both policies.

A payment is touched if it comes out otherwise, or if it would not have fitted into a window that is
smaller now. Of each customer every payment is looked at in its order; a customer counts once.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3; 14.2.2
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.policy.compile import CompiledPolicy, Decision
from tallystick.process.policy.facts import Facts, Outcome
from tallystick.process.policy.language.model import LimitRule
from tallystick.protocol.measures import Touched, TouchedClass

DAYS: Final = 30
"""Payments of how many days are looked at."""

_PASSES = frozenset({Outcome.ALLOW, Outcome.DELAY})


class Paid(Record, frozen=True, kw_only=True):
    """One recorded payment: when (ms), and the facts that are known of it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    at: int
    facts: Facts


class Payer(Record, frozen=True, kw_only=True):
    """A customer without a name: the class of the device that was used last, the payments in order.

    Source: ISO/TS 12812-2:2017, 7.3.5; 14.2.2
    """

    device: str
    paid: tuple[Paid, ...]


def touched(
    was: CompiledPolicy, now: CompiledPolicy, payers: Sequence[Payer], days: int
) -> Touched:
    """How many of `payers`, and how much of what they paid in `days`, `now` would have touched.

    `was` is what decides without it.
    Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
    """
    value = 0
    classes: dict[str, list[int]] = {}
    for one in payers:
        sums = sum(paid.facts.amount_minor for paid in _touched(was, now, one.paid))
        value += sums
        counts = classes.setdefault(one.device, [0, 0])
        counts[0] += sums > 0
        counts[1] += 1
    return Touched(
        days=days,
        customers=sum(touched for touched, _ in classes.values()),
        of_customers=len(payers),
        value_minor=value,
        of_value_minor=sum(paid.facts.amount_minor for one in payers for paid in one.paid),
        classes=tuple(
            TouchedClass(device=name, customers=count, of_customers=of)
            for name, (count, of) in sorted(classes.items())
        ),
    )


def _touched(was: CompiledPolicy, now: CompiledPolicy, paid: Iterable[Paid]) -> Iterable[Paid]:
    """Those of one customer's payments that come out otherwise, or do not fit any more."""
    used: dict[str, list[Paid]] = {}
    for one in paid:
        before, after = was.decide(one.facts), now.decide(one.facts)
        if _meant(before) != _meant(after):
            yield one
            continue
        if after.outcome not in _PASSES or before.limits == after.limits:
            continue
        known = {rule.id: rule for rule in before.limits}
        smaller = [rule for rule in after.limits if known.get(rule.id) != rule]
        if any(_is_full(rule, used.get(rule.id, ()), one) for rule in smaller):
            yield one
            continue
        for rule in smaller:
            used.setdefault(rule.id, []).append(one)


def _is_full(rule: LimitRule, earlier: Iterable[Paid], one: Paid) -> bool:
    """Whether `one` does not fit into the window of `rule` after what went before."""
    within = [paid for paid in earlier if paid.at > one.at - rule.window_ms]
    amount = sum(paid.facts.amount_minor for paid in within) + one.facts.amount_minor
    return amount > rule.max_amount or len(within) + 1 > rule.max_count


def _meant(decision: Decision) -> tuple[object, ...]:
    return (
        decision.outcome,
        decision.required_grade,
        decision.required_factors,
        decision.delay_ms,
    )
