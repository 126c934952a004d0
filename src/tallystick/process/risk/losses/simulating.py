"""Years of attempts, successes and losses for one actor and one target.

Every draw belongs to a purpose and a year, so that a run without one control meets the same years,
attackers and sizes of loss as the run with it, and the difference is what the control does.

Source: ISO/TS 12812-2:2017, A
"""

from typing import Any

from tallystick.kernel.model import Record
from tallystick.process.programme.model import Actor
from tallystick.process.risk.extras import numpy
from tallystick.process.risk.losses.draws import (
    Draws,
    corners,
    exponential,
    logarithm,
    logistic,
    normal,
    poisson,
    triangular,
)
from tallystick.process.risk.losses.scenarios import Difficulty, Target

MOST_EVENTS = 20
"""Up to so many losses of a target in a year are drawn one by one; more are summed at once."""

_QUANTILES = 1000
_Z95 = 1.6448536269514722
_LOG_LOW, _LOG_HIGH = -1.3862943611198906, 0.6931471805599453
"""Logarithms of a quarter and of two: where one loss in twenty lies below and above its gain."""


class Beliefs(Record, frozen=True, kw_only=True):
    """What is assumed of every attack; each number is an assumption and can be changed.

    `slope` is how many points of difference make success e times as likely, against failure.
    `attempts`, `ability`, `hardness` and `size` move the inputs as a whole, for the tornado:
    factors for attempts and sizes, points for ability and hardness.
    Source: ISO/TS 12812-2:2017, A
    """

    slope: float = 2.0
    ability_spread: float = 3.0
    hardness_spread: float = 2.0
    attempts: float = 1.0
    ability: float = 0.0
    hardness: float = 0.0
    size: float = 1.0


class Years:
    """What is common to all targets of one actor: attempts and ability, year by year.

    Source: ISO/TS 12812-2:2017, A
    """

    def __init__(self, draws: Draws, actor: Actor, count: int, beliefs: Beliefs) -> None:
        """Draw `count` years of `actor`.

        Source: ISO/TS 12812-2:2017, A
        """
        self.draws, self.actor, self.count, self.beliefs = draws, actor, count, beliefs
        common = draws.uniforms((actor.id, "attempts"), count)
        tries = triangular(common, corners(actor.attempts_per_year)) * beliefs.attempts
        self.attempts: Any = numpy().maximum(tries, 0.0)
        width = beliefs.ability_spread
        moods = draws.uniforms((actor.id, "ability"), count)
        self.ability: Any = triangular(moods, (-width, 0.0, width)) + beliefs.ability

    def losses(self, target: Target, difficulty: Difficulty, capability: int, share: float) -> Any:
        """What `target` loses to this actor, an integer of minor units for each year.

        `share` is the part of the attempts that goes to this target.
        Source: ISO/TS 12812-2:2017, A
        """
        np, beliefs = numpy(), self.beliefs
        purpose = (self.actor.id, target.rule)
        width = beliefs.hardness_spread
        drawn = self.draws.uniforms((*purpose, "hardness"), self.count)
        hardness = difficulty.points + beliefs.hardness + triangular(drawn, (-width, 0.0, width))
        success = logistic((capability + self.ability - hardness) / beliefs.slope)
        rates = self.attempts * share * success
        counts = poisson(self.draws.uniforms((*purpose, "count"), self.count), rates)
        if not counts.any():
            return np.zeros(self.count, dtype="int64")
        gain, ceiling = target.gain * beliefs.size, difficulty.ceiling
        few = np.where(counts > MOST_EVENTS, 0, counts)
        total = np.zeros(self.count, dtype="int64")
        for number in range(int(few.max())):
            drawn = self.draws.uniforms((*purpose, "size", str(number)), self.count)
            happens = few > number
            total[happens] += _size(drawn[happens], gain, ceiling)
        many = counts > MOST_EVENTS
        if many.any():
            drawn = self.draws.uniforms((*purpose, "many"), self.count)
            total[many] = _sum_of_many(drawn[many], counts[many], gain, ceiling)
        return total


def success_share(capability: int, points: int, beliefs: Beliefs) -> float:
    """How likely an attempt succeeds at the middle of both spreads.

    Source: ISO/TS 12812-2:2017, A
    """
    return float(logistic(numpy().array([(capability - points) / beliefs.slope]))[0])


def _size(uniforms: Any, gain: float, ceiling: int) -> Any:
    """Lognormal sizes of a loss at these quantiles, at most `ceiling`, in whole minor units."""
    np = numpy()
    middle = logarithm(np.array([gain]))[0] + (_LOG_LOW + _LOG_HIGH) / 2
    width = (_LOG_HIGH - _LOG_LOW) / (2 * _Z95)
    return np.minimum(exponential(middle + width * normal(uniforms)), ceiling).astype("int64")


def _sum_of_many(uniforms: Any, counts: Any, gain: float, ceiling: int) -> Any:
    """The sum of many losses as a normal number with their mean and variance."""
    np = numpy()
    quantiles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    sizes = [int(one) for one in _size(quantiles, gain, ceiling)]
    mean = sum(sizes) / _QUANTILES
    variance = sum(one * one for one in sizes) / _QUANTILES - mean * mean
    spread = np.sqrt(counts * max(0.0, variance))
    return np.maximum(counts * mean + spread * normal(uniforms), 0.0).astype("int64")
