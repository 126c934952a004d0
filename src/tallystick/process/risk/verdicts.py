"""Where an instance stands under a set of controls: the verdict on the weakest way through it.

Source: ISO/TS 12812-2:2017, A
"""

from tallystick.process.programme.words import Impact
from tallystick.process.risk.model import Instance, Pack, Verdict
from tallystick.process.risk.paths import Scene, path_id
from tallystick.process.risk.rating import (
    Likelihood,
    attack_cost,
    likelihood_of,
    needed_points,
    strength_of,
)
from tallystick.process.risk.ways import Way


def judge(
    pack: Pack, scene: Scene, instance: Instance, chosen: frozenset[str], *, fixed: bool
) -> Verdict:
    """The verdict on the weakest way through `instance` under `chosen`.

    `fixed` says that the appetite sets what the asset resists, so that no cap lowers it.
    Source: ISO/TS 12812-2:2017, A
    """
    way = scene.weakest(chosen)
    points = sum(way.points[:-1])
    impact = remaining_impact(scene, way, instance, chosen)
    needed = scene.needed if fixed else needed_points(scene.table, pack.required[impact])
    likelihood = likelihood_on(scene, way)
    return Verdict(
        path=path_id(instance.id, way),
        points=points,
        strength=strength_of(scene.table, points),
        impact=impact,
        required_points=needed,
        gap=needed - points,
        likelihood=likelihood.level,
        risk=likelihood.level * impact,
    )


def likelihood_on(scene: Scene, way: Way) -> Likelihood:
    """The likelihood of `way` as hard as it is, with why each correction was made.

    Source: ISO/TS 12812-2:2017, 3.3; A
    """
    points = sum(way.points[:-1])
    return likelihood_of(
        strength_of(scene.table, points),
        scales=scene.rule.scales,
        gain=scene.rule.gain_share,
        cost=attack_cost(scene.words(way.points)),
    )


def remaining_impact(scene: Scene, way: Way, instance: Instance, chosen: frozenset[str]) -> Impact:
    """The impact of `way` under the caps among `chosen`.

    Source: ISO/TS 12812-2:2017, A
    """
    return min([instance.impact, *scene.caps(way, chosen).values()])
