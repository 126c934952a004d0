"""Proof that incentives are sound: monotone, within what officers signed, and total.

    monotone    a higher step never gives a lower limit or a lower commission
    bounded     some payment that the policy lets pass is as large as each step says
    total       each payment of an agent has one step; no evidence is also a finding

That no step gives more than limits and regimes is so by construction, since they all apply; a step
that promises more than any payment can have is refused, for it would be idle.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterator
from itertools import pairwise

from tallystick.kernel.errors import TooLarge
from tallystick.process.policy.facts import FOREVER, Kind, Operation, SubjectClass
from tallystick.process.policy.language.model import (
    Asked,
    Commission,
    Finding,
    Ladder,
    Policy,
    Step,
    Window,
    Words,
)
from tallystick.process.policy.proofs.space import Box, Space, box_of, in_words
from tallystick.process.policy.proofs.table import PASSING, Table
from tallystick.process.yamltext.section import Defects

_PAY = Words(field="operation", words=(Operation.PAY.value,))
_PERIOD = 10_000
"""Shares of a commission repeat after so many minor units."""


def check_incentives(policy: Policy) -> None:
    """Pass if every ladder of `policy` is sound.

    Raises Malformed with every counter-example and its position.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    if not policy.incentives:
        return
    defects = Defects()
    for ladder in policy.incentives:
        for number, (lower, higher) in enumerate(pairwise(ladder.steps)):
            for found in _falls(lower, higher):
                text = f"step {number + 1} of {ladder.id!r} gives less than step {number}: {found}"
                defects.add(higher.at, text)
        _check_findings(ladder, defects)
        try:
            _check_bounds(policy, ladder, defects)
        except TooLarge as error:
            defects.add(ladder.at, f"{ladder.id!r}: {error.detail}")
    _check_apart(policy, defects)
    defects.refuse()


def _falls(lower: Step, higher: Step) -> Iterator[str]:
    """Where `higher` gives less than `lower`."""
    if higher.per_payment_minor < lower.per_payment_minor:
        yield f"{higher.per_payment_minor} in one payment, not {lower.per_payment_minor}"
    before = {one.window_ms: one for one in lower.windows}
    after = {one.window_ms: one for one in higher.windows}
    for length in sorted(before.keys() | after.keys()):
        yield from _window_falls(length, before.get(length), after.get(length))
    amount = lower_commission(lower.commission, higher.commission, lower.per_payment_minor)
    if amount:
        was, now = paid(lower.commission, amount), paid(higher.commission, amount)
        yield f"a commission of {now} on {amount}, not {was}"


def _window_falls(length: int, before: Window | None, after: Window | None) -> Iterator[str]:
    within = f"within {length // 1000} s"
    if before is None or after is None:
        yield f"every step has the same windows, and one lacks that of {length // 1000} s"
        return
    if after.max_amount < before.max_amount:
        yield f"{after.max_amount} {within}, not {_most(before.max_amount)}"
    if after.max_count < before.max_count:
        yield f"{after.max_count} payments {within}, not {_most(before.max_count)}"


def _most(value: int) -> str:
    return "any number" if value >= FOREVER else str(value)


def paid(commission: Commission | None, amount: int) -> int:
    """The commission on `amount`, 0 where there is none.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return 0 if commission is None else commission.on(amount)


def lower_commission(lower: Commission | None, higher: Commission | None, most: int) -> int:
    """An amount up to `most` on which `higher` pays less than `lower`; 0 if there is none.

    Exact: with a share at least as large the difference is least on the smallest amount, with a
    smaller one it is largest within the last period below the amount where `higher` meets the
    ceiling of `lower`; ceilings differ most on the largest amount.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    if lower is None:
        return 0
    if higher is None:
        return _first_paid(lower, most)
    tried = {1, most}
    if higher.basis_points < lower.basis_points:
        end = most
        if higher.basis_points:
            room = (lower.cap_minor - higher.flat_minor) * _PERIOD
            end = min(most, max(1, (room - 1) // higher.basis_points))
        tried.update(_jumps(lower.basis_points, max(1, end - _PERIOD), end))
    fails = [one for one in tried if paid(higher, one) < paid(lower, one)]
    return min(fails, default=0)


def _first_paid(lower: Commission, most: int) -> int:
    """The smallest amount on which `lower` pays anything; 0 if it never does."""
    if lower.flat_minor:
        return 1
    first = -(-_PERIOD // lower.basis_points)
    return first if first <= most else 0


def _jumps(basis_points: int, start: int, end: int) -> Iterator[int]:
    """The amounts from `start` to `end` where a share of `basis_points` grows, and both ends."""
    yield start
    yield end
    share = start * basis_points // _PERIOD
    while True:
        share += 1
        amount = -(-share * _PERIOD // basis_points)
        if amount > end:
            return
        yield amount


def _check_findings(ladder: Ladder, defects: Defects) -> None:
    seen: set[str] = set()
    for finding in ladder.findings:
        if finding.id in seen:
            defects.add(finding.at, f"the finding {finding.id!r} stands twice")
        seen.add(finding.id)
        if finding.on.low <= 0 and finding.on.high >= FOREVER:
            defects.add(finding.at, f"the finding {finding.id!r} always stands")
        for number, step in enumerate(ladder.steps):
            for asked in step.evidence:
                if _both(asked, finding):
                    text = (
                        f"step {number} of {ladder.id!r} is earned with {asked.merit.value} at"
                        f" {max(asked.low, finding.on.low)}, by which {finding.id!r} drops it"
                    )
                    defects.add(finding.at, text)


def _both(asked: Asked, finding: Finding) -> bool:
    on = finding.on
    return asked.merit is on.merit and max(asked.low, on.low) <= min(asked.high, on.high)


def _words(ladder: Ladder, *, paying: bool) -> tuple[Words, ...] | None:
    """What the ladder touches; with `paying` only where its subject's account pays."""
    words = [*ladder.words, _PAY]
    if ladder.subject is SubjectClass.DEVICE_CLASS:
        words.append(Words(field="device_trust", words=(ladder.of,)))
    if paying and ladder.subject is SubjectClass.AGENT:
        kinds = next((one for one in words if one.field == "kind"), None)
        if kinds is None or Kind.CASH_IN.value not in kinds.words:
            return None
        words = [one for one in words if one.field != "kind"]
        words.append(Words(field="kind", words=(Kind.CASH_IN.value,)))
    return tuple(words)


def _check_bounds(policy: Policy, ladder: Ladder, defects: Defects) -> None:
    """Note every step whose limits no payment can use, with the facts that come closest."""
    touched, paying = _words(ladder, paying=False), _words(ladder, paying=True)
    boxes = [
        Box(
            box_of(touched or ()).words,
            {"amount_minor": (one.per_payment_minor, one.per_payment_minor)},
        )
        for one in ladder.steps
    ]
    table = Table(policy, (*boxes, box_of(touched or ()), box_of(paying or ())))
    anything, own = table.more(len(boxes)), table.more(len(boxes) + 1)
    if not _passes(table, anything, 0):
        defects.add(ladder.at, f"{ladder.id!r} touches no payment that the policy lets pass")
        return
    for number, step in enumerate(ladder.steps):
        name = f"step {number} of {ladder.id!r}"
        if not _passes(table, table.more(number), table.caps):
            text = f"{name} lets {step.per_payment_minor} pass in one payment, and the policy none"
            defects.add(step.at, f"{text} as large: {_closest(table, table.more(number))}")
        for window in step.windows if paying else ():
            holding = table.holding(window.window_ms, window.max_amount - 1)
            if window.max_amount < FOREVER and not _passes(table, own, holding):
                text = f"{name} lets {window.max_amount} pass within {window.window_ms // 1000} s"
                defects.add(step.at, f"{text}, and limits of the policy hold every payment lower")


def _passes(table: Table, must: int, takers: int) -> bool:
    """Whether a row lets some facts of `must` pass that are in none of `takers`."""
    return any(
        table.space.find(must | 1 << number, table.before(number) | takers) is not None
        for number, row in enumerate(table.decided)
        if row.outcome in PASSING
    )


def _closest(table: Table, must: int) -> str:
    """The widest limit that refuses what `must` says, with facts; or that no row lets it pass."""
    for place, limit in sorted(
        enumerate(table.policy.limits), key=lambda one: -one[1].per_payment_minor
    ):
        refused = must | 1 << (table.first_cap + place)
        for number, row in enumerate(table.decided):
            if row.outcome in PASSING:
                point = table.space.find(refused | 1 << number, table.before(number))
                if point is not None:
                    return f"{limit.id!r} refuses it, as with {in_words(point)}"
    return "no row lets it pass"


def _check_apart(policy: Policy, defects: Defects) -> None:
    """Note every payment in which one subject would stand on two ladders."""
    ladders = policy.incentives
    boxes = [box_of(_words(one, paying=False) or ()) for one in ladders]
    space = Space(boxes, policy.tiers)
    numbered = list(enumerate(ladders))
    for number, one in numbered:
        for later, other in numbered[number + 1 :]:
            same = (one.subject, one.of) == (other.subject, other.of)
            point = space.find(1 << number | 1 << later, 0) if same else None
            if point is not None:
                text = f"{one.id!r} and {other.id!r} are both of the same payment and subject"
                defects.add(other.at, f"{text}: {in_words(point)}")
