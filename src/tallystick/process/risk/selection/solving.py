"""One choice of controls as an integer programme, solved by HiGHS to the proven optimum.

A binary says whether a control is chosen; another whether a device class is shut out. Per path and
factor a chain of levels adds up to what the best chosen control gives, never to more: a level is
reached if any control that gives as much is chosen. Levels that the same controls reach are one
variable, whatever the path, and no path counts more than it misses; both keep the programme small
and its relaxation tight.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.errors import Conflict
from tallystick.process.risk.extras import highspy, numpy, silent_solver
from tallystick.process.risk.selection.problem import Answer, Row, Rules, points_given

TIME_LIMIT_S = 10.0
ROUGH = 0.02
"""How near to the optimum a round need be whose answer is only looked through for more paths."""

_LEAST_S = 0.5
_NEARLY_ONE = 0.99
_TINY = 1e-6
_HALF = 0.5
"""Room for rounding in a row whose sums are whole numbers."""


@dataclass(slots=True)
class _Programme:
    """A linear programme as it grows, column by column and row by row."""

    cost: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[float, float, dict[int, float]]] = field(default_factory=list)

    def column(
        self, *, cost: float = 0.0, lower: float = 0.0, upper: float = 1.0, whole: bool = False
    ) -> int:
        """A new variable; gives its place."""
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def row(self, least: float, most: float, terms: Mapping[int, float]) -> None:
        """A new row: `least` <= the sum of `terms` <= `most`."""
        self.rows.append((least, most, dict(terms)))


@dataclass(frozen=True, slots=True)
class _Solved:
    """What the solver came to: feasible or not, the values, the proven bound, the time spent."""

    feasible: bool
    values: Sequence[float]
    bound: float
    optimal: bool
    seconds: float


class Solver:
    """Solves choices one after another within one limit of time.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    def __init__(self, rules: Rules, limit_s: float = TIME_LIMIT_S) -> None:
        """Take what binds every choice; `limit_s` seconds are for all solutions together.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.rules = rules
        self.left_s = limit_s

    def solve(self, rows: Sequence[Row], *, gap: float = 0.0) -> Answer:
        """The cheapest set under which every path of `rows` is enough.

        Where there is none, the set that leaves the least weighted gap, and among those the
        cheapest; `missing` then says what stays open. `gap` is how far from the optimum, as a part
        of it, is near enough. Raises Conflict where the rules contradict themselves.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        built = _Choice(self.rules, rows)
        solved = self._run(built.programme, gap)
        if solved.feasible:
            return built.answer(solved)
        return self._least_gap(rows, gap)

    def canonical(self, rows: Sequence[Row], answer: Answer) -> Answer:
        """Of all sets as good as `answer` the one with the least sum of weights.

        The weight of a control comes from the hash of its id, so that two machines that prove the
        same optimum name the same set.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        built = _Choice(self.rules, rows, elastic=bool(answer.missing))
        built.bound_objective(answer)
        built.weigh()
        solved = self._run(built.programme, 0.0, built.start(answer))
        if not (solved.feasible and solved.optimal):
            return answer
        settled = built.answer(solved)
        return Answer(
            chosen=settled.chosen,
            shut_out=settled.shut_out,
            objective=settled.objective,
            bound=answer.bound,
            optimal=answer.optimal,
            missing=settled.missing,
        )

    def _least_gap(self, rows: Sequence[Row], gap: float) -> Answer:
        first = _Choice(self.rules, rows, elastic=True)
        first.aim_at_gaps()
        solved = self._run(first.programme, gap)
        if not solved.feasible:
            raise Conflict(
                "no set of controls keeps the rules: what is in place or mandatory excludes or"
                " lacks something",
                remedy="look at needs and excludes of the controls in place",
            )
        open_ = first.answer(solved)
        second = _Choice(self.rules, rows, elastic=True)
        second.bound_gaps(open_.missing)
        again = self._run(second.programme, gap)
        if not again.feasible:
            return open_
        found = second.answer(again)
        optimal = found.optimal and solved.optimal
        return Answer(
            chosen=found.chosen,
            shut_out=found.shut_out,
            objective=found.objective,
            bound=found.bound if solved.optimal else 0,
            optimal=optimal,
            missing=found.missing,
        )

    def _run(
        self, programme: _Programme, gap: float, start: Mapping[int, float] | None = None
    ) -> _Solved:
        solver = highspy()
        highs = silent_solver(solver)
        for option, value in (
            ("output_flag", False), ("threads", 1), ("random_seed", 0), ("mip_rel_gap", gap),
            ("mip_abs_gap", _NEARLY_ONE), ("time_limit", max(_LEAST_S, self.left_s)),
        ):  # fmt: skip
            highs.setOptionValue(option, value)
        highs.passModel(_model(solver, programme))
        if start:
            arrays = numpy()
            places = arrays.array(list(start), dtype=arrays.int32)
            highs.setSolution(len(start), places, arrays.array(list(start.values())))
        highs.run()
        status, info = highs.getModelStatus(), highs.getInfo()
        spent = float(highs.getRunTime())
        self.left_s -= spent
        known = info.primal_solution_status == 2
        values = list(highs.getSolution().col_value) if known else []
        if not known and status == solver.HighsModelStatus.kTimeLimit:
            raise Conflict(
                "no set of controls was found in the time allowed", remedy="allow more time"
            )
        return _Solved(
            feasible=known,
            values=values,
            bound=float(info.mip_dual_bound),
            optimal=status == solver.HighsModelStatus.kOptimal,
            seconds=spent,
        )


class _Choice:
    """The integer programme of one choice."""

    def __init__(self, rules: Rules, rows: Sequence[Row], *, elastic: bool = False) -> None:
        self.rules, self.rows = rules, rows
        self.programme = _Programme()
        self._shared: dict[frozenset[str], int] = {}
        self._open: dict[str, int] = {}
        taken = rules.chosen
        self._control = {
            name: self.programme.column(
                cost=cost,
                lower=float(name in taken),
                upper=float(name not in rules.excluded),
                whole=True,
            )
            for name, cost in sorted(rules.cost.items())
        }
        self._device = {
            name: self.programme.column(cost=cost, whole=True)
            for name, cost in sorted(rules.shut_out.items())
        }
        if elastic:
            worst: dict[str, int] = {}
            for row in rows:
                worst[row.unit] = max(worst.get(row.unit, 0), row.deficit)
            self._open = {
                unit: self.programme.column(upper=float(most), whole=True)
                for unit, most in sorted(worst.items())
            }
        self._bind()
        for row in rows:
            self._path(row)

    def _bind(self) -> None:
        """Needs, exclusions, and the budget of friction."""
        rules, programme = self.rules, self.programme
        for one, other in rules.within:
            programme.row(-math.inf, 0.0, {self._control[one]: 1.0, self._control[other]: -1.0})
        for one, other in rules.apart:
            programme.row(-math.inf, 1.0, {self._control[one]: 1.0, self._control[other]: 1.0})
        if rules.budget > 0:
            most = max(rules.budget, sum(rules.friction[name] for name in rules.chosen))
            terms = {self._control[name]: float(points) for name, points in rules.friction.items()}
            programme.row(-math.inf, float(most), terms)

    def _path(self, row: Row) -> None:
        if row.deficit <= 0:
            return
        terms: dict[int, float] = {}
        for factor in row.gains:
            before = 0
            for level in sorted({min(points, row.deficit) for _, points in factor}):
                reached = frozenset(control for control, points in factor if points >= level)
                place = self._level(reached)
                terms[place] = terms.get(place, 0.0) + level - before
                before = level
        terms = {place: min(value, float(row.deficit)) for place, value in terms.items()}
        if row.device:
            terms[self._device[row.device]] = float(row.deficit)
        if row.unit in self._open:
            terms[self._open[row.unit]] = 1.0
        self.programme.row(float(row.deficit), math.inf, terms)

    def _level(self, reached: frozenset[str]) -> int:
        """The variable that is 1 at most if any control of `reached` is chosen."""
        if len(reached) == 1:
            return self._control[next(iter(reached))]
        if reached not in self._shared:
            place = self.programme.column()
            terms = {self._control[name]: -1.0 for name in reached}
            self.programme.row(-math.inf, 0.0, terms | {place: 1.0})
            self._shared[reached] = place
        return self._shared[reached]

    def aim_at_gaps(self) -> None:
        """Make the weighted sum of what stays open the objective."""
        self.programme.cost = [0.0] * len(self.programme.cost)
        for unit, place in self._open.items():
            self.programme.cost[place] = float(self._weight(unit))

    def bound_gaps(self, missing: Mapping[str, int]) -> None:
        """Let no more stay open, in the weighted sum, than in `missing`."""
        most = sum(points * self._weight(unit) for unit, points in missing.items())
        terms = {place: float(self._weight(unit)) for unit, place in self._open.items()}
        self.programme.row(-math.inf, most + _HALF, terms)

    def bound_objective(self, answer: Answer) -> None:
        """Let nothing be dearer than `answer`, nor leave more open."""
        terms = {self._control[name]: float(cost) for name, cost in self.rules.cost.items()}
        terms |= {self._device[name]: float(cost) for name, cost in self.rules.shut_out.items()}
        self.programme.row(-math.inf, answer.objective + _HALF, terms)
        if answer.missing:
            self.bound_gaps(answer.missing)

    def weigh(self) -> None:
        """Make the sum of the canonical weights the objective."""
        self.programme.cost = [0.0] * len(self.programme.cost)
        for name, place in (*self._control.items(), *self._device.items()):
            self.programme.cost[place] = float(_canonical_weight(name))

    def start(self, answer: Answer) -> dict[int, float]:
        """The binaries of a known answer, for the solver to begin with."""
        found = {place: float(name in answer.chosen) for name, place in self._control.items()}
        return found | {
            place: float(name in answer.shut_out) for name, place in self._device.items()
        }

    def answer(self, solved: _Solved) -> Answer:
        """The values of the programme as sets and integers, counted again without the solver."""
        chosen = frozenset(_taken(self._control, solved.values))
        shut = frozenset(_taken(self._device, solved.values))
        objective = sum(self.rules.cost[name] for name in chosen)
        objective += sum(self.rules.shut_out[name] for name in shut)
        bound = math.ceil(solved.bound - _TINY) if math.isfinite(solved.bound) else 0
        return Answer(
            chosen=chosen,
            shut_out=shut,
            objective=objective,
            bound=objective if solved.optimal else max(0, min(bound, objective)),
            optimal=solved.optimal,
            missing=missing_points(self.rows, chosen, shut),
        )

    def _weight(self, unit: str) -> int:
        return next(row.weight for row in self.rows if row.unit == unit)


def missing_points(
    rows: Iterable[Row], chosen: frozenset[str], shut_out: frozenset[str]
) -> dict[str, int]:
    """The open units of `rows` with the points that the worst of their paths misses.

    Source: ISO/TS 12812-2:2017, A
    """
    found: dict[str, int] = {}
    for row in rows:
        gap = row.deficit - points_given(row, chosen)
        if gap > 0 and row.device not in shut_out:
            found[row.unit] = max(gap, found.get(row.unit, 0))
    return dict(sorted(found.items()))


def _taken(places: Mapping[str, int], values: Sequence[float]) -> Iterable[str]:
    return (name for name, place in places.items() if values[place] > 0.5)


def _canonical_weight(name: str) -> int:
    """A weight from 1 to 997 from the hash of a name."""
    return int.from_bytes(sha256(name.encode())[:3], "big") % 997 + 1


def _model(solver: Any, programme: _Programme) -> Any:
    """`programme` as the solver takes it."""
    arrays, lp = numpy(), solver.HighsLp()
    lp.num_col_, lp.num_row_ = len(programme.cost), len(programme.rows)
    lp.col_cost_ = arrays.array(programme.cost)
    lp.col_lower_ = arrays.array(programme.lower)
    lp.col_upper_ = arrays.array(programme.upper)
    infinite = solver.kHighsInf
    lp.row_lower_ = arrays.array([max(least, -infinite) for least, _, _ in programme.rows])
    lp.row_upper_ = arrays.array([min(most, infinite) for _, most, _ in programme.rows])
    starts, places, values = [0], list[int](), list[float]()
    for _, _, terms in programme.rows:
        places += terms.keys()
        values += terms.values()
        starts.append(len(places))
    lp.a_matrix_.format_ = solver.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = lp.num_col_, lp.num_row_
    lp.a_matrix_.start_ = arrays.array(starts, dtype=arrays.int32)
    lp.a_matrix_.index_ = arrays.array(places, dtype=arrays.int32)
    lp.a_matrix_.value_ = arrays.array(values, dtype=arrays.float64)
    kinds = solver.HighsVarType
    lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in programme.whole]
    return lp
