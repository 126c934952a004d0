"""Attack paths of an instance: the weakest first, and the weakest of all under given controls.

A path is rated per factor by its hardest step, and a control lifts factors of the steps on which
it works; two controls on one factor do not add up. A cap on the impact counts as one more factor:
its points are what the smaller impact asks for less. A control that devices carry helps a path of
a device class only if the environment of that class can have it.

Source: ISO/TS 12812-2:2017, A; ISO/IEC 18045, B.4
"""

from collections.abc import Iterable, Mapping
from itertools import islice

from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import Impact
from tallystick.process.risk.model import (
    AttackPath,
    Control,
    Instance,
    Pack,
    ScoringTable,
    Step,
    ThreatRule,
)
from tallystick.process.risk.rating import needed_points
from tallystick.process.risk.reading.rules import steps_of, ways
from tallystick.process.risk.ways import Points, Rate, Way, harder, ways_in_order

IMPACT = "impact"
"""The factor that stands for a cap, beside those of the table."""

Shape = tuple[str, Impact, int, str, bool]
"""Rule, impact, needed points, environment, and whether a cap counts: what decides the points."""


class Scene:
    """One shape of instance made ready for rating; instances of a shape share it.

    `needed` is the sum of points that is enough. `gains` maps the controls that work here to the
    points that each gives per factor, step by step.
    Source: ISO/TS 12812-2:2017, A
    """

    def __init__(
        self,
        rule: ThreatRule,
        table: ScoringTable,
        needed: int,
        caps: Mapping[str, int],
        controls: Mapping[str, Control],
    ) -> None:
        """Take the controls that can work here; `caps` has the points that a cap is worth.

        Source: ISO/TS 12812-2:2017, A
        """
        self.rule, self.table, self.needed = rule, table, needed
        self.factors = (*table.factors, IMPACT)
        self._controls = controls
        self._base: dict[str, Points] = {}
        self._gains: dict[str, tuple[tuple[str, Points], ...]] = {}
        for step in steps_of(rule.tree):
            self._base[step.id] = self._points(step.rating, 0)
            self._gains[step.id] = tuple(
                (use.control, self._points(use.lifts, caps.get(use.control, 0)))
                for use in step.controls
                if use.control in controls
            )
        self.controls = frozenset(name for uses in self._gains.values() for name, _ in uses)
        self._known: dict[frozenset[str], Way] = {}

    def rate(self, chosen: frozenset[str]) -> Rate:
        """How hard each step is under `chosen`.

        Source: ISO/IEC 18045, B.4
        """

        def rated(step: Step) -> Points:
            points = self._base[step.id]
            for control, gain in self._gains[step.id]:
                if control in chosen:
                    points = harder(points, gain)
            return points

        return rated

    def weakest(self, chosen: frozenset[str]) -> Way:
        """The weakest way of the whole tree under `chosen`.

        Source: ISO/TS 12812-2:2017, A
        """
        mine = chosen & self.controls
        if mine not in self._known:
            self._known[mine] = next(ways_in_order(self.rule.tree, self.rate(mine)))
        return self._known[mine]

    def weakest_ways(self, chosen: frozenset[str], most: int) -> tuple[Way, ...]:
        """The `most` weakest ways under `chosen`, the weakest first.

        Source: ISO/TS 12812-2:2017, A
        """
        found = ways_in_order(self.rule.tree, self.rate(chosen & self.controls))
        return tuple(islice(found, most))

    def bare(self, way: Way) -> Points:
        """The points of `way` without controls.

        Source: ISO/IEC 18045, B.4
        """
        points = self._base[way.steps[0].id]
        for step in way.steps[1:]:
            points = harder(points, self._base[step.id])
        return points

    def gains(self, way: Way) -> dict[str, Points]:
        """What each control that helps on `way` makes of its points, factor by factor.

        Source: ISO/IEC 18045, B.4
        """
        bare, found = self.bare(way), dict[str, Points]()
        for step in way.steps:
            for control, gain in self._gains[step.id]:
                found[control] = harder(found.get(control, bare), gain)
        return {control: points for control, points in found.items() if points != bare}

    def words(self, points: Points) -> dict[str, str]:
        """The weakest word of each factor with these points.

        Source: ISO/IEC 18045, B.4
        """
        return {
            factor: next(word for word, value in words.items() if value >= reached)
            for (factor, words), reached in zip(self.table.factors.items(), points, strict=False)
        }

    def caps(self, way: Way, chosen: Iterable[str]) -> dict[str, Impact]:
        """The controls of `chosen` that cap the impact on `way`, with the impact that remains.

        Source: ISO/TS 12812-2:2017, A
        """
        here = {control for step in way.steps for control, _ in self._gains[step.id]}
        found = {name: self._controls[name].caps for name in sorted(here & set(chosen))}
        return {name: impact for name, impact in found.items() if impact is not None}

    def _points(self, words: Mapping[str, str], cap: int) -> Points:
        factors = self.table.factors.items()
        rated = (known[words[factor]] if factor in words else 0 for factor, known in factors)
        return (*rated, cap)


class Scenes:
    """The scenes of a run, one for each shape.

    Source: ISO/TS 12812-2:2017, A
    """

    def __init__(self, programme: Programme, pack: Pack) -> None:
        """Look at the instances of `programme` under the rules of `pack`.

        Source: ISO/TS 12812-2:2017, A
        """
        self._programme, self._pack = programme, pack
        self._scenes: dict[Shape, Scene] = {}

    def shape(self, instance: Instance) -> Shape:
        """What decides the points of `instance`; equal shapes have equal ways.

        Source: ISO/TS 12812-2:2017, A
        """
        table = self._pack.tables[self._pack.rules[instance.rule].table]
        fixed = instance.asset in self._programme.appetite.resistance
        needed = needed_points(table, instance.required)
        environment = self.environment(instance.device)
        return instance.rule, instance.impact, needed, environment, fixed

    def of(self, instance: Instance) -> Scene:
        """The scene of `instance`.

        Source: ISO/TS 12812-2:2017, A
        """
        shape = self.shape(instance)
        if shape not in self._scenes:
            self._scenes[shape] = self._scene(*shape)
        return self._scenes[shape]

    def environment(self, device: str) -> str:
        """Where a device class keeps keys; empty for no device.

        Source: ISO/TS 12812-2:2017, 8.1
        """
        if not device:
            return ""
        return self._programme.secure_envs[self._programme.devices[device].secure_env].kind.value

    def _scene(
        self, name: str, impact: Impact, needed: int, environment: str, fixed: bool
    ) -> Scene:
        rule = self._pack.rules[name]
        table = self._pack.tables[rule.table]
        controls = {
            one.id: one
            for one in self._pack.controls.values()
            if not (environment and one.environments) or environment in one.environments
        }
        caps: dict[str, int] = {}
        for one in controls.values():
            if one.caps is not None and one.caps < impact and not fixed:
                less = needed - needed_points(table, self._pack.required[one.caps])
                caps[one.id] = max(0, less)
        return Scene(rule, table, needed, caps, controls)


def path_id(instance: str, way: Way) -> str:
    """The stable name of a way through the tree of an instance.

    Source: ISO/TS 12812-2:2017, A
    """
    return f"{instance}#{'+'.join(step.id for step in way.steps)}"


def path_of(scene: Scene, instance: Instance, way: Way) -> AttackPath:
    """The way as a path, rated without controls, with what each control would lift it to.

    Source: ISO/TS 12812-2:2017, A; ISO/IEC 18045, B.4
    """
    bare = scene.bare(way)
    lifts: dict[str, dict[str, str]] = {}
    for control, points in sorted(scene.gains(way).items()):
        words = scene.words(points)
        lifts[control] = {
            factor: words[factor]
            for factor, before, after in zip(scene.table.factors, bare, points, strict=False)
            if after > before
        }
    caps = scene.caps(way, scene.controls)
    return AttackPath(
        id=path_id(instance.id, way),
        instance=instance.id,
        table=scene.table.id,
        steps=tuple(step.id for step in way.steps),
        rating=scene.words(bare),
        lifts={control: words for control, words in lifts.items() if words},
        caps={control: impact for control, impact in caps.items() if impact < instance.impact},
    )


def attack_paths(scene: Scene, instance: Instance, most: int) -> tuple[tuple[AttackPath, ...], int]:
    """The `most` weakest paths of an instance without controls, and how many more there are.

    Source: ISO/TS 12812-2:2017, A
    """
    found = scene.weakest_ways(frozenset(), most)
    paths = tuple(path_of(scene, instance, way) for way in found)
    return paths, ways(scene.rule.tree) - len(paths)
