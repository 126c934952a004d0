"""Rounds of choosing: solve, look through whole trees for what still falls below, add it, again.

Trees have more paths than an integer programme should hold. It starts with the weakest ones, and
every answer is held against the whole tree of every unit; what falls below comes in. When nothing
does, the answer is the optimum over all paths, though most of them were never written down.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterable, Mapping, Sequence

from tallystick.kernel.model import Record
from tallystick.process.risk.paths import Scene
from tallystick.process.risk.selection.problem import Answer, Row, Rules, Unit, row_of
from tallystick.process.risk.selection.solving import ROUGH, TIME_LIMIT_S, Solver

Units = Mapping[str, tuple[Unit, Scene]]

_AT_ONCE = 4
"""How many of the weakest ways of a unit come in at once."""


class Chosen(Record, frozen=True, kw_only=True):
    """The answer with the rows that were needed to prove it and the rounds that it took.

    `missing` has the open units with the points that they miss, by their whole trees.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    answer: Answer
    rows: tuple[Row, ...]
    rounds: int
    missing: Mapping[str, int]


def choose(rules: Rules, units: Units, limit_s: float = TIME_LIMIT_S) -> Chosen:
    """The cheapest set that is enough on every path of every unit, or the least gap.

    `limit_s` seconds of solving are for all rounds together; if they end early, `optimal` is false
    and `bound` says how much cheaper a set could be.
    Raises Conflict where the rules contradict themselves.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    solver = Solver(rules, limit_s)
    rows: dict[str, Row] = {}
    _add(rows, _below(units, frozenset(rules.chosen), frozenset()))
    exact, rounds = False, 0
    while True:
        rounds += 1
        found = solver.solve(tuple(rows.values()), gap=0.0 if exact else ROUGH)
        if _add(rows, _below(units, found.chosen, found.shut_out)):
            continue
        if not exact:
            exact = True
            continue
        settled = solver.canonical(tuple(rows.values()), found) if found.optimal else found
        if not _add(rows, _below(units, settled.chosen, settled.shut_out)):
            break
    missing = open_units(units, settled.chosen, settled.shut_out)
    return Chosen(answer=settled, rows=tuple(rows.values()), rounds=rounds, missing=missing)


def open_units(units: Units, chosen: frozenset[str], shut_out: Iterable[str]) -> dict[str, int]:
    """The units whose weakest way misses points under `chosen`, with how many.

    Source: ISO/TS 12812-2:2017, A
    """
    shut = frozenset(shut_out)
    found: dict[str, int] = {}
    for name, (unit, scene) in units.items():
        gap = scene.needed - scene.weakest(chosen).total
        if gap > 0 and unit.device not in shut:
            found[name] = gap
    return found


def _below(units: Units, chosen: frozenset[str], shut_out: frozenset[str]) -> Iterable[Row]:
    """The weakest ways that fall below under `chosen`, a few of each unit."""
    for unit, scene in units.values():
        if unit.device in shut_out or scene.weakest(chosen).total >= scene.needed:
            continue
        for way in scene.weakest_ways(chosen, _AT_ONCE):
            if way.total < scene.needed:
                yield row_of(unit, scene, way)


def _add(rows: dict[str, Row], found: Iterable[Row]) -> bool:
    """Put rows that are new to their place; whether there were any."""
    new: Sequence[Row] = [row for row in found if row.id not in rows]
    rows.update({row.id: row for row in new})
    return bool(new)
