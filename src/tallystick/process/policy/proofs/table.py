"""A policy's rows, caps and limits as the boxes of one space.

Bits, from the lowest: the rows in their order and the default, so that the lowest bit decides; for
each limit the amounts that it refuses, and payments of nothing, which are always refused; for each
limit the payments that it counts.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Sequence

from tallystick.process.policy.facts import FOREVER, Operation, Outcome
from tallystick.process.policy.language.model import Limit, Policy, Row, Words
from tallystick.process.policy.proofs.space import EVERYTHING, Box, Space, box_of

PASSING = frozenset({Outcome.ALLOW, Outcome.DELAY})
_PAYING = frozenset({Operation.PAY.value, Operation.QUOTE.value})
PAYING = Box({"operation": _PAYING}, {})
_NOTHING = Box({"operation": _PAYING}, {"amount_minor": (0, 0)})


class Table:
    """The space of `policy` with `more` boxes at its end, and which bits mean what.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, policy: Policy, more: Sequence[Box] = ()) -> None:
        self.policy = policy
        self.decided: tuple[Row, ...] = (*policy.decisions, policy.default)
        rows = [box_of(row.words, row.bounds) for row in policy.decisions]
        capped = [*map(_refused, policy.limits), _NOTHING]
        counted = [_counted(limit) for limit in policy.limits]
        self.boxes: tuple[Box, ...] = (*rows, EVERYTHING, *capped, *counted)
        self.space = Space([*self.boxes, *more], policy.tiers)
        self.first_cap = len(self.decided)
        self.first_limit = self.first_cap + len(capped)
        self.first_more = self.first_limit + len(counted)
        self.nothing = 1 << (self.first_limit - 1)
        self.rows = (1 << self.first_cap) - 1
        self.caps = (1 << self.first_limit) - 1 - self.rows
        self.limits = (1 << self.first_more) - 1 - self.rows - self.caps
        allowed = [n for n, row in enumerate(self.decided) if row.outcome is Outcome.ALLOW]
        self.allowing = sum(1 << number for number in allowed)

    def before(self, number: int) -> int:
        """The rows before row `number`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return (1 << number) - 1

    def more(self, number: int) -> int:
        """The bit of an additional box.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return 1 << (self.first_more + number)

    def limit_bits(self, mask: int) -> list[Limit]:
        """The limits whose bits are in `mask`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return _numbered(self.policy.limits, (mask & self.limits) >> self.first_limit)

    def cap_bits(self, mask: int) -> list[Limit]:
        """The limits whose caps are in `mask`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return _numbered(self.policy.limits, (mask & self.caps) >> self.first_cap)

    def holding(self, length: int, most: int) -> int:
        """The limits that let at most `most` pass within `length` (ms).

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return sum(
            1 << (self.first_limit + number)
            for number, limit in enumerate(self.policy.limits)
            if any(w.window_ms >= length and w.max_amount <= most for w in limit.windows)
        )

    def row(self, mask: int) -> Row:
        """The first row in `mask`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.decided[(mask & -mask).bit_length() - 1]


def _numbered(limits: tuple[Limit, ...], mask: int) -> list[Limit]:
    return [limit for number, limit in enumerate(limits) if mask >> number & 1]


def _counted(limit: Limit) -> Box:
    return box_of((*limit.words, Words(field="operation", words=tuple(sorted(_PAYING)))))


def _refused(limit: Limit) -> Box:
    return Box(_counted(limit).words, {"amount_minor": (limit.per_payment_minor + 1, FOREVER)})
