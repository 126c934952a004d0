"""The loss of a year: its curve, what each control saves, and which input matters.

Source: ISO/TS 12812-2:2017, A
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.kernel.model import Record, replace
from tallystick.kernel.money import Money
from tallystick.process.programme.model import Programme
from tallystick.process.risk.extras import numpy
from tallystick.process.risk.losses.draws import Draws
from tallystick.process.risk.losses.scenarios import Target, Terrain, capability, targets_of
from tallystick.process.risk.losses.simulating import Beliefs, Years, success_share
from tallystick.process.risk.model import Instance, LossCurve, Pack
from tallystick.process.risk.paths import Scenes

YEARS = 10_000
PAIRED_YEARS = 2_000
"""How many of the years are run again without each control, and for the tornado."""

_PERCENTILES = (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99))
_EXCEEDED = ("0.5", "0.2", "0.1", "0.05", "0.02", "0.01", "0.005", "0.002", "0.001")

ASSUMPTIONS: Mapping[str, str] = {
    "attempts": "a triangle through the low, likely and high number of the actor, one draw for all"
    " that this actor does in a year; they go to threats in proportion to the chance of success"
    " before any control, so no control moves attackers elsewhere, and the prize attracts nobody",
    "ability": "points of budget, expertise, knowledge and equipment, and the window but one from"
    " the hardest; 3 points of spread, shared by all that an actor does in a year",
    "success": "1 / (1 + exp(-(ability - points) / 2)): points are ordinal, so this link to a"
    " chance is chosen, not measured; calibrate it with incidents",
    "points": "the weakest path of the easiest place where the threat arises; 2 points of spread",
    "size": "lognormal: one loss in twenty is below a quarter of the rule's gain, one above twice",
    "bound": "a payment bounds one loss, ten times the gain one of a threat that scales; a cap"
    " bounds it by its limit where that is known, else by a tenth for each step of impact less",
    "numbers": "Poisson, exact up to a rate of 20 a year, rounded normal above; up to 20 losses a"
    " year are drawn one by one, more are summed as a normal number",
    "outside": "fines, reputation, and threats that yield no money are not in the loss",
}
"""What the loss rests on, in words; the numbers stand in `Beliefs` and beside it."""


class Swing(Record, frozen=True, kw_only=True):
    """The mean yearly loss with one input low and with it high, everything else as it is.

    Source: ISO/TS 12812-2:2017, A
    """

    input: str
    low: Money
    high: Money


class LossReport(Record, frozen=True, kw_only=True):
    """The curve, whether it keeps the appetite, and where it comes from.

    `by_target` is the mean loss of each threat rule; `saved` what a year would lose more
    without each chosen control, by paired draws; `assumptions` what all of it rests on.
    Source: ISO/TS 12812-2:2017, A
    """

    curve: LossCurve
    tolerated: Money
    within: bool
    by_target: Mapping[str, Money]
    saved: Mapping[str, Money]
    tornado: tuple[Swing, ...]
    assumptions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a simulation looks at; `limits` has what a control lets through, where it is known.

    Source: ISO/TS 12812-2:2017, A
    """

    programme: Programme
    pack: Pack
    instances: tuple[Instance, ...]
    scenes: Scenes
    shut_out: frozenset[str]
    limits: Mapping[str, Money]
    seed: str
    years: int = YEARS


def draws_of(inputs: Inputs) -> Draws:
    """The numbers of these inputs: they hang on the seed and on the pack, nothing else.

    Source: ISO/TS 12812-2:2017, A
    """
    return Draws(inputs.seed, inputs.pack.digest)


class Simulation:
    """Years of loss under any set of controls, always the same years.

    Source: ISO/TS 12812-2:2017, A
    """

    def __init__(
        self,
        inputs: Inputs,
        years: int,
        beliefs: Beliefs | None = None,
        draws: Draws | None = None,
    ) -> None:
        """Draw `years` years of every actor; simulations with the same `draws` share the work.

        Source: ISO/TS 12812-2:2017, A
        """
        self.inputs, self.years = inputs, years
        self.beliefs = beliefs or Beliefs()
        self.targets = targets_of(inputs.programme, inputs.pack, inputs.instances)
        self.terrain = Terrain(inputs.scenes, inputs.shut_out, inputs.limits)
        drawn = draws or draws_of(inputs)
        self._actors = {
            one.id: Years(drawn, one, years, self.beliefs)
            for one in inputs.programme.actors.values()
        }
        self._abilities: dict[tuple[str, str], int] = {}
        self._shares = {name: self._shares_of(name) for name in self._actors}

    def losses(self, target: Target, chosen: frozenset[str]) -> dict[str, Any]:
        """What `target` loses under `chosen`, by actor, year by year.

        Source: ISO/TS 12812-2:2017, A
        """
        difficulty = self.terrain.difficulty(target, chosen)
        found: dict[str, Any] = {}
        for name, years in self._actors.items():
            share = self._shares[name].get(target.rule, 0.0)
            if difficulty is not None and share > 0.0:
                able = self._ability(name, target)
                found[name] = years.losses(target, difficulty, able, share)
        return found

    def mean(self, chosen: frozenset[str], targets: Iterable[Target] | None = None) -> int:
        """The mean yearly loss of `targets` (all of them if None), in whole minor units.

        Source: ISO/TS 12812-2:2017, A
        """
        listed = self.targets if targets is None else targets
        total = sum(
            int(losses.sum()) for one in listed for losses in self.losses(one, chosen).values()
        )
        return total // self.years

    def successes(self, chosen: frozenset[str]) -> dict[str, float]:
        """How many attacks of each target a year is likely to see succeed under `chosen`.

        Source: ISO/TS 12812-2:2017, A
        """
        found: dict[str, float] = {}
        for target in self.targets:
            difficulty = self.terrain.difficulty(target, chosen)
            if difficulty is None:
                continue
            found[target.rule] = sum(
                float(actor.attempts_per_year.mode)
                * self._shares[actor.id].get(target.rule, 0.0)
                * success_share(self._ability(actor.id, target), difficulty.points, self.beliefs)
                for actor in self.inputs.programme.actors.values()
            )
        return found

    def _shares_of(self, actor: str) -> dict[str, float]:
        """How the attempts of an actor are spread over the targets: by their chance when bare."""
        weights: dict[str, float] = {}
        for target in self.targets:
            bare = self.terrain.difficulty(target, frozenset())
            if bare is not None:
                able = self._ability(actor, target)
                weights[target.rule] = success_share(able, bare.points, Beliefs())
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()} if total else {}

    def _ability(self, actor: str, target: Target) -> int:
        pack = self.inputs.pack
        table = pack.rules[target.rule].table
        if (actor, table) not in self._abilities:
            able = capability(self.inputs.programme.actors[actor], pack.tables[table])
            self._abilities[actor, table] = able
        return self._abilities[actor, table]


def loss_report(
    inputs: Inputs, chosen: frozenset[str], tell: Callable[[int, int], None] | None = None
) -> LossReport:
    """The loss of a year under `chosen`; `tell` hears how many runs are done of how many.

    Equal inputs, seed and pack give equal bytes.
    Source: ISO/TS 12812-2:2017, A
    """
    currency = inputs.programme.offer.currency
    whole, shared = Simulation(inputs, inputs.years), draws_of(inputs)
    total = numpy().zeros(inputs.years, dtype="int64")
    by_actor = dict.fromkeys(inputs.programme.actors, 0)
    by_target: dict[str, Money] = {}
    for number, target in enumerate(whole.targets):
        found = whole.losses(target, chosen)
        for actor, losses in found.items():
            total += losses
            by_actor[actor] += int(losses.sum())
        mean = sum(int(one.sum()) for one in found.values()) // inputs.years
        by_target[target.rule] = Money(mean, currency)
        if tell:
            tell(number + 1, len(whole.targets))
    curve = _curve(inputs, [int(one) for one in numpy().sort(total)], by_actor)
    tolerated = inputs.programme.appetite.annual_loss_p95
    return LossReport(
        curve=curve,
        tolerated=tolerated,
        within=curve.percentiles["p95"].minor <= tolerated.minor,
        by_target=by_target,
        saved=saved_by_control(inputs, chosen, shared),
        tornado=tornado(inputs, chosen, shared),
        assumptions=ASSUMPTIONS,
    )


def saved_by_control(
    inputs: Inputs, chosen: frozenset[str], draws: Draws | None = None
) -> dict[str, Money]:
    """How much more a year would lose without each control of `chosen`, in the same years.

    Source: ISO/TS 12812-2:2017, A
    """
    paired = Simulation(inputs, min(inputs.years, PAIRED_YEARS), draws=draws)
    currency = inputs.programme.offer.currency
    with_all = {one.rule: paired.mean(chosen, [one]) for one in paired.targets}
    found: dict[str, Money] = {}
    for control in sorted(chosen):
        rest = chosen - {control}
        touched = [one for one in paired.targets if paired.terrain.matters(one, chosen, rest)]
        without = sum(paired.mean(rest, [one]) for one in touched)
        found[control] = Money(without - sum(with_all[one.rule] for one in touched), currency)
    return found


def tornado(
    inputs: Inputs, chosen: frozenset[str], draws: Draws | None = None
) -> tuple[Swing, ...]:
    """How the mean loss moves with each input between low and high, the widest swing first.

    Source: ISO/TS 12812-2:2017, A
    """
    plain = Beliefs()
    moves = {
        "attempts, half to twice": (replace(plain, attempts=0.5), replace(plain, attempts=2.0)),
        "ability, 3 points": (replace(plain, ability=-3.0), replace(plain, ability=3.0)),
        "points of paths, 2 points": (replace(plain, hardness=2.0), replace(plain, hardness=-2.0)),
        "size of losses, half to twice": (replace(plain, size=0.5), replace(plain, size=2.0)),
        "slope, 1 to 4 points": (replace(plain, slope=1.0), replace(plain, slope=4.0)),
    }
    years, drawn = min(inputs.years, PAIRED_YEARS), draws or draws_of(inputs)
    currency = inputs.programme.offer.currency
    found = [
        Swing(
            input=name,
            low=Money(Simulation(inputs, years, low, drawn).mean(chosen), currency),
            high=Money(Simulation(inputs, years, high, drawn).mean(chosen), currency),
        )
        for name, (low, high) in moves.items()
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.high.minor - one.low.minor)))


def _curve(inputs: Inputs, losses: list[int], by_actor: Mapping[str, int]) -> LossCurve:
    currency, years = inputs.programme.offer.currency, len(losses)
    percentiles = {
        name: Money(losses[_place(years, Decimal(share) / 100)], currency)
        for name, share in _PERCENTILES
    }
    worst = losses[_place(years, Decimal("0.99")) :]
    percentiles["es99"] = Money(sum(worst) // len(worst), currency)
    exceedance = tuple(
        (Money(losses[_place(years, 1 - Decimal(share))], currency), Decimal(share))
        for share in _EXCEEDED
    )
    return LossCurve(
        years=years,
        seed=inputs.seed,
        mean=Money(sum(losses) // years, currency),
        percentiles=percentiles,
        exceedance=exceedance,
        by_actor={name: Money(one // years, currency) for name, one in by_actor.items()},
    )


def _place(years: int, share: Decimal) -> int:
    """The place of the quantile `share` among so many sorted years."""
    return min(years - 1, max(0, int(-(-share * years // 1)) - 1))
