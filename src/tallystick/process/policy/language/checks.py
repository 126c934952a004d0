"""What no single line of a policy shows: rows never reached, limits that are missing or idle.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterable

from tallystick.process.policy.facts import Operation, Outcome
from tallystick.process.policy.language.boxes import Box, box_of, common, example, remaining
from tallystick.process.policy.language.model import Limit, Policy, Row, Window, Words
from tallystick.process.yamltext.section import Defects

_PAYING = Words(field="operation", words=(Operation.PAY.value, Operation.QUOTE.value))
_PASSING = frozenset({Outcome.ALLOW, Outcome.DELAY})


def check_policy(policy: Policy) -> None:
    """Pass if every row can be reached, every payment it lets pass has a limit, every limit binds.

    Raises Malformed with every defect and its position.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    defects = Defects()
    tiers = tuple(policy.tiers)
    limits = [box_of(limit.words, (), tiers) for limit in policy.limits]
    paying = box_of((_PAYING,), (), tiers)
    earlier: list[Box] = []
    for row in policy.decisions:
        box = box_of(row.words, row.bounds, tiers)
        _check_row(defects, row, box, earlier, paying, limits)
        earlier.append(box)
    _check_limits(defects, policy.limits, limits)
    defects.refuse()


def _check_row(
    defects: Defects, row: Row, box: Box, earlier: list[Box], paying: Box, limits: list[Box]
) -> None:
    left = remaining(box, earlier)
    if left == []:
        defects.add(row.at, f"the row {row.id!r} is never reached: rows before it take all it says")
        return
    if row.outcome not in _PASSING:
        return
    for piece in [box] if left is None else left:
        payments = common(piece, paying)
        uncovered = remaining(payments, limits) if payments else []
        if uncovered is None:
            text = f"the row {row.id!r} is too entangled with the limits to be checked; split it"
            defects.add(row.at, text)
            return
        if uncovered:
            text = f"the row {row.id!r} lets a payment pass that no limit caps"
            defects.add(row.at, f"{text}: {example(uncovered[0])}")
            return


def _check_limits(defects: Defects, limits: tuple[Limit, ...], boxes: list[Box]) -> None:
    for limit, box in zip(limits, boxes, strict=True):
        for other, wider in zip(limits, boxes, strict=True):
            if other is limit or not _inside(box, wider) or not _idle(limit, other):
                continue
            if _inside(wider, box) and _idle(other, limit) and other.at > limit.at:
                continue
            text = f"the limit {limit.id!r} never binds: {other.id!r} is as strict and as wide"
            defects.add(limit.at, text)
            break


def _inside(box: Box, wider: Box) -> bool:
    return all(a <= b for a, b in zip(box.words, wider.words, strict=True))


def _idle(limit: Limit, other: Limit) -> bool:
    """Whether `other` caps everything that `limit` caps, at least as low.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return other.per_payment_minor <= limit.per_payment_minor and all(
        _capped(window, other.windows) for window in limit.windows
    )


def _capped(window: Window, others: Iterable[Window]) -> bool:
    return any(
        other.window_ms >= window.window_ms
        and other.max_amount <= window.max_amount
        and other.max_count <= window.max_count
        for other in others
    )
