"""Who attacks what: how hard it is under which controls, what it yields, and what bounds the loss.

Source: ISO/TS 12812-2:2017, 3.3; A
"""

from collections.abc import Iterable, Mapping

from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.process.programme.model import Actor, Programme
from tallystick.process.risk.model import Instance, Pack, ScoringTable
from tallystick.process.risk.paths import Scene, Scenes
from tallystick.process.risk.verdicts import remaining_impact
from tallystick.process.yamltext.section import duration_ms

STEP_OF_IMPACT = 10
"""How many times smaller a loss is for each step of impact that a cap takes away."""

SCALING_BOUND = 10
"""A loss of a threat that scales is at most so many times its gain."""


class Target(Record, frozen=True, kw_only=True):
    """A threat, with every place where it arises and what it yields, in minor units.

    One success takes the gain of the rule once, however many assets it reaches. `ceiling` is what
    one loss can be at most where nothing caps it.
    Source: ISO/TS 12812-2:2017, A
    """

    rule: str
    instances: tuple[Instance, ...]
    gain: int
    ceiling: int


class Difficulty(Record, frozen=True, kw_only=True):
    """How many points the easiest place asks for, and what one loss can be at most there.

    Source: ISO/TS 12812-2:2017, A
    """

    points: int
    ceiling: int


def targets_of(programme: Programme, pack: Pack, instances: Iterable[Instance]) -> list[Target]:
    """The threats that yield money, in order of their rules.

    Source: ISO/TS 12812-2:2017, A
    """
    grouped: dict[str, list[Instance]] = {}
    for one in instances:
        if pack.rules[one.rule].gain_share > 0:
            grouped.setdefault(one.rule, []).append(one)
    largest = programme.offer.largest_payment.minor
    found: list[Target] = []
    for name, group in sorted(grouped.items()):
        rule = pack.rules[name]
        gain = max(1, int(rule.gain_share * largest))
        many = SCALING_BOUND * gain
        alone = max(largest, gain)
        found.append(
            Target(
                rule=name,
                instances=tuple(group),
                gain=gain,
                ceiling=many if rule.scales else alone,
            )
        )
    return found


class Terrain:
    """How difficult each target is under a set of controls.

    Source: ISO/TS 12812-2:2017, A
    """

    def __init__(
        self, scenes: Scenes, shut_out: Iterable[str], limits: Mapping[str, Money]
    ) -> None:
        """`limits` has what a control lets through for one payment, where that is known.

        Source: ISO/TS 12812-2:2017, A
        """
        self._scenes, self._shut, self._limits = scenes, frozenset(shut_out), limits
        self._places: dict[str, tuple[tuple[Scene, Instance], ...]] = {}
        self._known: dict[tuple[str, frozenset[str]], Difficulty | None] = {}

    def difficulty(self, target: Target, chosen: frozenset[str]) -> Difficulty | None:
        """The easiest place of `target` under `chosen`; None where only the shut out have it.

        Source: ISO/TS 12812-2:2017, A
        """
        places = self._places_of(target)
        mine = chosen & frozenset[str]().union(*(scene.controls for scene, _ in places))
        if (target.rule, mine) not in self._known:
            found = [
                Difficulty(
                    points=sum(scene.weakest(mine).points[:-1]),
                    ceiling=self._ceiling(target, scene, instance, mine),
                )
                for scene, instance in places
            ]
            easiest = min(found, key=lambda one: (one.points, -one.ceiling)) if found else None
            self._known[target.rule, mine] = easiest
        return self._known[target.rule, mine]

    def _places_of(self, target: Target) -> tuple[tuple[Scene, Instance], ...]:
        """One instance of each shape that is served."""
        if target.rule not in self._places:
            served = [one for one in target.instances if one.device not in self._shut]
            shapes = {self._scenes.shape(one): one for one in reversed(served)}
            self._places[target.rule] = tuple(
                (self._scenes.of(one), one) for one in shapes.values()
            )
        return self._places[target.rule]

    def matters(self, target: Target, one: frozenset[str], other: frozenset[str]) -> bool:
        """Whether `target` is not as difficult under one set of controls as under the other.

        Source: ISO/TS 12812-2:2017, A
        """
        return self.difficulty(target, one) != self.difficulty(target, other)

    def _ceiling(
        self, target: Target, scene: Scene, instance: Instance, chosen: frozenset[str]
    ) -> int:
        way = scene.weakest(chosen)
        caps = scene.caps(way, chosen)
        known = [self._limits[name].minor for name in caps if name in self._limits]
        steps = instance.impact - remaining_impact(scene, way, instance, chosen)
        bounded = target.ceiling if steps <= 0 else target.gain // STEP_OF_IMPACT**steps
        return max(1, min([*known, target.ceiling] if known else [bounded, target.ceiling]))


def capability(actor: Actor, table: ScoringTable) -> int:
    """The points of what `actor` has, in `table`: budget, expertise, knowledge, equipment.

    The window is none of these: every actor is taken to reach the last word but one of it.
    Source: ISO/TS 12812-2:2017, 3.3; ISO/IEC 18045, B.4
    """
    total = 0
    for factor, words in table.factors.items():
        if factor.endswith("time"):
            total += _affordable(words, actor.budget_ms)
        elif factor.endswith("window"):
            total += sorted(words.values())[-2:][0]
        else:
            for name, word in _held(actor).items():
                if factor.endswith(name):
                    total += words.get(word, 0)
    return total


def _held(actor: Actor) -> dict[str, str]:
    return {
        "expertise": actor.expertise.value,
        "knowledge": actor.knowledge.value,
        "equipment": actor.equipment.value,
    }


def _affordable(words: Mapping[str, int], budget_ms: int) -> int:
    """The points of the longest time that the budget pays; a word without length is out of it."""
    lengths = ((duration_ms(word), points) for word, points in words.items())
    return max((points for length, points in lengths if length and length <= budget_ms), default=0)
