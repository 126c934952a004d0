"""Cost against friction: the sets that are enough and that no other beats in both.

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.kernel.model import Record, replace
from tallystick.process.programme.model import Programme
from tallystick.process.risk.model import Pack
from tallystick.process.risk.selection.choosing import Units, choose
from tallystick.process.risk.selection.explain import sums
from tallystick.process.risk.selection.problem import rules_of
from tallystick.process.risk.selection.solving import TIME_LIMIT_S

WEIGHTS = ((1, 0), (4, 1), (2, 1), (1, 1), (1, 2), (1, 4), (1, 8))
"""Weights of a point of cost and a point of friction, from all for cost to nearly all for ease."""


class Point(Record, frozen=True, kw_only=True):
    """One set with its yearly cost and its friction, and for which weights it is the best.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    weights: tuple[int, int]
    cost: int
    friction: int
    shut_out: tuple[str, ...]
    chosen: tuple[str, ...]


def front(
    programme: Programme, pack: Pack, units: Units, limit_s: float = TIME_LIMIT_S
) -> tuple[Point, ...]:
    """The best set for each of `WEIGHTS` that no other beats in cost and friction, cheapest first.

    The budget of friction does not bind here: the front shows what it costs.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    found: dict[tuple[int, int], Point] = {}
    for dear, hard in WEIGHTS:
        costs = {
            one.id: dear * programme.controls.costs.get(one.id, one.cost)
            for one in pack.controls.values()
        }
        wanted = replace(programme.controls, costs=costs)
        weighted = replace(programme, controls=wanted)
        rules = rules_of(weighted, pack, hard)
        shut = {name: dear * points for name, points in rules.shut_out.items()}
        answer = choose(replace(rules, budget=0, shut_out=shut), units, limit_s).answer
        cost, friction = sums(programme, pack, answer.chosen)
        point = Point(
            weights=(dear, hard),
            cost=cost,
            friction=friction,
            shut_out=tuple(sorted(answer.shut_out)),
            chosen=tuple(sorted(answer.chosen)),
        )
        found.setdefault((cost, friction), point)
    return tuple(
        point
        for point in sorted(found.values(), key=lambda one: (one.cost, one.friction))
        if not any(_beats(other, point) for other in found.values())
    )


def _beats(one: Point, other: Point) -> bool:
    """Whether `one` shuts out nobody more, and is better in one of both and worse in none."""
    if not set(one.shut_out) <= set(other.shut_out):
        return False
    both = (one.cost <= other.cost, one.friction <= other.friction)
    return all(both) and (one.cost, one.friction) != (other.cost, other.friction)
