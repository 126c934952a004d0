"""The search through an attack tree: its ways in order of points, the weakest first.

A rating becomes a vector of points, one for each factor; a way is as hard per factor as its hardest
step, and its points are the sum over the factors. The order is found best first: a way that is half
chosen is put back with a bound that no end of it can fall below, so the first that comes out whole
is the weakest of the tree, without looking at all of them.

Source: ISO/TS 12812-2:2017, A; ISO/IEC 18045, B.4
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from tallystick.process.risk.model import Gate, Step, Tree

Points = tuple[int, ...]
Rate = Callable[[Step], Points]
"""How hard a step is per factor, under the controls that are thought of."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way through a tree: its steps in order, its points per factor, and their sum.

    Source: ISO/TS 12812-2:2017, A
    """

    steps: tuple[Step, ...]
    points: Points

    @property
    def total(self) -> int:
        """The sum over the factors.

        Source: ISO/IEC 18045, B.4
        """
        return sum(self.points)


@dataclass(frozen=True, slots=True)
class _Part:
    """A tree with the points below which no way through it can fall, factor by factor."""

    step: Step | None
    gate: Gate
    below: tuple["_Part", ...]
    least: Points
    order: int


def ways_in_order(tree: Tree, rate: Rate) -> Iterator[Way]:
    """Every minimal way through `tree`, by points, equal ones always in the same order.

    Source: ISO/TS 12812-2:2017, A
    """
    counter = iter(range(1 << 30))
    root = _part(tree, rate, counter)
    nothing = tuple(0 for _ in root.least)
    ticket = iter(range(1 << 62))
    waiting: list[tuple[int, tuple[int, ...], int, Points, tuple[_Part, ...], tuple[_Part, ...]]]
    waiting = [(sum(root.least), (), next(ticket), nothing, (), (root,))]
    while waiting:
        _, order, _, points, chosen, ahead = heappop(waiting)
        while ahead and (ahead[0].step is not None or ahead[0].gate is Gate.ALL):
            part, ahead = ahead[0], ahead[1:]
            if part.step is None:
                ahead = (*part.below, *ahead)
            else:
                points = harder(points, part.least)
                chosen, order = (*chosen, part), (*order, part.order)
        if not ahead:
            yield Way(tuple(part.step for part in chosen if part.step), points)
            continue
        for one in ahead[0].below:
            rest = (one, *ahead[1:])
            bound = points
            for part in rest:
                bound = harder(bound, part.least)
            entry = (sum(bound), (*order, one.order), next(ticket), points, chosen, rest)
            heappush(waiting, entry)


def harder(one: Points, other: Points) -> Points:
    """The larger of both, factor by factor.

    Source: ISO/IEC 18045, B.4
    """
    return tuple(map(max, one, other))


def _part(tree: Tree, rate: Rate, counter: Iterator[int]) -> _Part:
    order = next(counter)
    leaves = [_Part(step, Gate.ALL, (), rate(step), next(counter)) for step in tree.steps]
    below = (*leaves, *(_part(one, rate, counter) for one in tree.trees))
    pick = max if tree.gate is Gate.ALL else min
    least = tuple(pick(column) for column in zip(*(one.least for one in below), strict=True))
    return _Part(None, tree.gate, below, least, order)
