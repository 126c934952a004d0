"""Proof that a policy is not below what its regimes ask; a refusal names the article.

Source: ISO/TS 12812-2:2017, 6.1; B
"""

from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.facts import FOREVER, Operation, Outcome, Word
from tallystick.process.policy.language.model import Policy
from tallystick.process.policy.proofs.space import Box, in_words
from tallystick.process.policy.proofs.table import PASSING, Table
from tallystick.process.policy.regimes import (
    BALANCE,
    DAY,
    MONTH,
    NO_BASELINE,
    PER_PAYMENT,
    AmountCap,
    Baseline,
    Waiting,
    baseline_of,
    regime,
)
from tallystick.process.yamltext.section import Defects

_LENGTHS = {DAY: DAY_MS, MONTH: 30 * DAY_MS}
_PAY: frozenset[Word] = frozenset({Operation.PAY.value})


def baseline_for(policy: Policy) -> Baseline:
    """What the regimes that `policy` names ask of it on the day it takes effect.

    Raises Malformed with the position of the names where their amounts are in another currency.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    if not policy.regimes:
        return NO_BASELINE
    header = policy.header
    try:
        return baseline_of(
            map(regime, policy.regimes),
            at=header.effective_at,
            currency=header.currency,
            tiers=policy.tiers,
        )
    except Malformed as error:
        raise Malformed(f"{policy.regimes_at}: {error.detail}", remedy=error.remedy) from error


def regions(baseline: Baseline) -> list[Box]:
    """The facts that each cap and each pause is about: caps first, both in their order.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return [*map(_paid, baseline.amounts), *map(_paused, baseline.pauses)]


def _paid(cap: AmountCap) -> Box:
    words: dict[str, frozenset[Word]] = {
        "operation": _PAY,
        "tier": frozenset(cap.tiers),
        "kind": frozenset(cap.kinds),
    }
    above = {"amount_minor": (cap.bound.value + 1, FOREVER)} if cap.measure == PER_PAYMENT else {}
    return Box(words, above)


def _paused(pause: Waiting) -> Box:
    words: dict[str, frozenset[Word]] = {
        "operation": frozenset(pause.operations),
        "channel": frozenset(pause.channels),
    }
    return Box(words, {"sim_age_ms": (0, pause.bound.value - 1)})


def check_floor(table: Table, baseline: Baseline, first: int, defects: Defects) -> None:
    """Note everything in which the policy is below `baseline`; its regions begin at box `first`.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    _check_parameters(table.policy, baseline, defects)
    try:
        for number, cap in enumerate(baseline.amounts, first):
            if cap.measure == BALANCE:
                _check_balance(table.policy, cap, defects)
            else:
                _check_cap(table, cap, table.more(number), defects)
        for number, pause in enumerate(baseline.pauses, first + len(baseline.amounts)):
            _check_pause(table, pause, table.more(number), defects)
    except TooLarge as error:
        defects.add(table.policy.regimes_at, f"{error.detail}; {error.remedy}")


def _check_parameters(policy: Policy, baseline: Baseline, defects: Defects) -> None:
    for operation, floor in baseline.factors.items():
        rule = policy.factors.get(operation)
        if rule is None or rule.categories < floor.value:
            text = f"{operation} takes at least {floor.value} categories of factors"
            defects.add(policy.regimes_at, f"{text} ({floor.origin})")
    idle = baseline.idle
    for channel, session in policy.sessions.items():
        if idle is not None and session.idle_ms > idle.value:
            text = f"sessions on {channel} end after {idle.value // 1000} s without a request"
            defects.add(policy.regimes_at, f"{text} ({idle.origin})")
    most = baseline.attempts
    if most is not None and policy.attempts.limit > most.value:
        text = f"at most {most.value} failures in a row ({most.origin})"
        defects.add(policy.regimes_at, text)


def _check_balance(policy: Policy, cap: AmountCap, defects: Defects) -> None:
    for tier in cap.tiers:
        if policy.tiers[tier].max_balance_minor > cap.bound.value:
            text = f"an account of tier {tier} keeps at most {cap.bound.value} minor units"
            defects.add(policy.regimes_at, f"{text} ({cap.bound.origin})")


def _check_cap(table: Table, cap: AmountCap, region: int, defects: Defects) -> None:
    """Note the first row that lets more pass than `cap` lets."""
    bound = cap.bound
    takers = table.caps
    if cap.measure != PER_PAYMENT:
        takers = table.holding(_LENGTHS[cap.measure], bound.value)
    for number, row in enumerate(table.policy.decisions):
        if row.outcome not in PASSING:
            continue
        found = table.space.find(1 << number | region, table.before(number) | takers)
        if found is not None:
            more = f"the row {row.id!r} lets more than {bound.value} minor units pass {cap.measure}"
            defects.add(row.at, f"{more} ({bound.origin}): {in_words(found)}")
            return


def _check_pause(table: Table, pause: Waiting, region: int, defects: Defects) -> None:
    bound = pause.bound
    for number, row in enumerate(table.policy.decisions):
        if row.outcome is not Outcome.ALLOW:
            continue
        found = table.space.find(1 << number | region, table.before(number))
        if found is not None:
            text = f"the row {row.id!r} allows within {bound.value // 1000} s of a change of SIM"
            defects.add(row.at, f"{text} ({bound.origin}): {in_words(found)}")
