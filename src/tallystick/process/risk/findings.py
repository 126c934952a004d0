"""What is open, in few lines: one finding for a threat to an asset, with its path and what lacks.

Source: ISO/TS 12812-2:2017, A
"""

from collections.abc import Mapping
from enum import StrEnum

from tallystick.kernel.model import Record
from tallystick.process.risk.model import Instance, Pack, Verdict
from tallystick.process.risk.paths import Scene, Scenes
from tallystick.process.risk.rating import Band, band_of
from tallystick.process.risk.residual import Observation, Standing, in_effect
from tallystick.process.risk.ways import Way


class Open(StrEnum):
    """Why something is open: a chosen control is not there, or no choice closes it.

    Source: ISO/TS 12812-2:2017, A
    """

    NOT_THERE = "not-there"
    BY_DESIGN = "by-design"


class Finding(Record, frozen=True, kw_only=True):
    """A threat to an asset that is not enough resisted, at its worst place.

    `path` is the weakest path there, `cheap` the factor that makes it cheap, `missing` the controls
    of the design that work on this path and are not there; `places` counts what is alike.
    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    threat: str
    label: str
    why: Open
    path: str
    gap: int
    risk: int
    band: Band
    cheap: str
    missing: tuple[str, ...]
    places: int


def findings_of(
    pack: Pack,
    scenes: Scenes,
    instances: Mapping[str, Instance],
    standings: tuple[Standing, ...],
    chosen: frozenset[str],
    observation: Observation,
) -> tuple[Finding, ...]:
    """One finding for each rule and asset that is open, the highest risk first.

    Source: ISO/TS 12812-2:2017, A
    """
    grouped: dict[str, list[tuple[Standing, Verdict]]] = {}
    for one in standings:
        verdict = one.observed
        if verdict is not None and verdict.gap > 0:
            instance = instances[one.instance]
            grouped.setdefault(f"{instance.rule}@{instance.asset}", []).append((one, verdict))
    found: list[Finding] = []
    for name, group in grouped.items():
        standing, verdict = min(group, key=lambda each: _rank(each[0], each[1]))
        instance = instances[standing.instance]
        scene = scenes.of(instance)
        there, _ = in_effect(observation, instance.device, scene.controls)
        way = scene.weakest(there)
        missing = tuple(sorted(set(scene.gains(way)) & (chosen - there)))
        by_design = standing.designed is not None and standing.designed.gap > 0
        rule = pack.rules[instance.rule]
        found.append(
            Finding(
                id=name,
                threat=rule.threat,
                label=rule.label,
                why=Open.BY_DESIGN if by_design else Open.NOT_THERE,
                path=verdict.path,
                gap=verdict.gap,
                risk=verdict.risk,
                band=band_of(verdict.risk),
                cheap=cheap_factor(scene, way, frozenset(missing)),
                missing=missing,
                places=len(group),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.risk, -one.gap, one.id)))


def cheap_factor(scene: Scene, way: Way, missing: frozenset[str]) -> str:
    """The factor that the missing controls would lift most, else the one that is lowest.

    Lowest means in parts of what the table's last word counts.
    Source: ISO/IEC 18045, B.4
    """
    gains = scene.gains(way)
    lifted: dict[str, int] = {}
    lowest: dict[str, float] = {}
    for place, (factor, words) in enumerate(scene.table.factors.items()):
        best = max((gains[one][place] for one in missing if one in gains), default=0)
        lifted[factor] = best - way.points[place]
        lowest[factor] = way.points[place] / max(1, *words.values())
    best_factor = max(lifted, key=lambda one: lifted[one])
    return best_factor if lifted[best_factor] > 0 else min(lowest, key=lambda one: lowest[one])


def _rank(standing: Standing, verdict: Verdict) -> tuple[int, int, str]:
    return -verdict.risk, -verdict.gap, standing.instance
