"""The choice of controls as numbers, and its answer.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tallystick.kernel.model import Record
from tallystick.process.programme.model import Programme
from tallystick.process.risk.model import Control, Instance, Pack
from tallystick.process.risk.paths import Scene, Scenes
from tallystick.process.risk.ways import Way


class Row(Record, frozen=True, kw_only=True):
    """One path: the points that it misses without controls, and what each control gives.

    `gains` has for each factor the controls that lift it, each with its points; of one factor the
    largest counts, the factors add up. `device` is the class behind it, empty for none. `unit`
    names the instances that it stands for, `weight` how bad it is to leave a point open.
    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    unit: str
    device: str
    deficit: int
    gains: tuple[tuple[tuple[str, int], ...], ...]
    weight: int


class Rules(Record, frozen=True, kw_only=True):
    """What binds a choice apart from the paths; `cost` and `shut_out` are the objective's points.

    `within` pairs a control with one that it needs, `apart` two that exclude each other. `budget`
    bounds the sum of `friction`, where it is not 0.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    cost: Mapping[str, int]
    friction: Mapping[str, int]
    shut_out: Mapping[str, int]
    chosen: frozenset[str]
    excluded: frozenset[str]
    within: tuple[tuple[str, str], ...]
    apart: tuple[tuple[str, str], ...]
    budget: int


class Answer(Record, frozen=True, kw_only=True):
    """A set of controls with the device classes that it shuts out.

    `bound` is a proven lower bound of `objective`. `missing` has the open units with their points;
    where it has any, no set is enough and the weighted sum of them is the least possible.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    chosen: frozenset[str]
    shut_out: frozenset[str]
    objective: int
    bound: int
    optimal: bool
    missing: Mapping[str, int]


class Unit(Record, frozen=True, kw_only=True):
    """Instances that have the same shape and the same device class, so the same ways and points.

    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    device: str
    weight: int
    instances: tuple[str, ...]


def rules_of(programme: Programme, pack: Pack, friction_weight: int = 1) -> Rules:
    """What `programme` and `pack` say of the choice, one point of friction as `friction_weight`.

    Controls in place are chosen, also mandatory ones where some device class can have them; one
    that is not to be had is left out, though it be mandatory.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    environments = {
        programme.secure_envs[one.secure_env].kind.value for one in programme.devices.values()
    }
    wanted = programme.controls
    out = {name for name in wanted.not_available if name in pack.controls}
    out |= {one.id for one in pack.controls.values() if not _possible(one, environments)}
    mandatory = {one.id for one in pack.controls.values() if one.mandatory}
    chosen = {*mandatory, *(name for name in wanted.in_place if name in pack.controls)} - out
    weights = {
        one.id: wanted.costs.get(one.id, one.cost) + friction_weight * one.friction
        for one in pack.controls.values()
    }
    return Rules(
        cost=weights,
        friction={one.id: one.friction for one in pack.controls.values()},
        shut_out={one.id: _inclusion(programme, one.share) for one in programme.devices.values()},
        chosen=frozenset(chosen),
        excluded=frozenset(out),
        within=tuple((one.id, other) for one in pack.controls.values() for other in one.needs),
        apart=tuple((one.id, other) for one in pack.controls.values() for other in one.excludes),
        budget=programme.appetite.friction_budget,
    )


def units_of(instances: Iterable[Instance], scenes: Scenes) -> dict[str, tuple[Unit, Scene]]:
    """The units among `instances` that need anything, by the id of their first instance.

    Source: ISO/TS 12812-2:2017, A
    """
    grouped: dict[tuple[object, str], list[Instance]] = {}
    for one in instances:
        grouped.setdefault((scenes.shape(one), one.device), []).append(one)
    found: dict[str, tuple[Unit, Scene]] = {}
    for group in grouped.values():
        scene = scenes.of(group[0])
        if scene.needed > 0:
            unit = Unit(
                id=group[0].id,
                device=group[0].device,
                weight=int(group[0].impact),
                instances=tuple(one.id for one in group),
            )
            found[unit.id] = (unit, scene)
    return found


def row_of(unit: Unit, scene: Scene, way: Way) -> Row:
    """The row of one way through the tree of a unit.

    Source: ISO/TS 12812-2:2017, A
    """
    bare = scene.bare(way)
    gains: list[list[tuple[str, int]]] = [[] for _ in scene.factors]
    for control, points in sorted(scene.gains(way).items()):
        for factor, (before, after) in enumerate(zip(bare, points, strict=True)):
            if after > before:
                gains[factor].append((control, after - before))
    return Row(
        id=f"{unit.id}#{'+'.join(step.id for step in way.steps)}",
        unit=unit.id,
        device=unit.device,
        deficit=scene.needed - sum(bare),
        gains=tuple(tuple(one) for one in gains if one),
        weight=unit.weight,
    )


def points_given(row: Row, chosen: frozenset[str]) -> int:
    """The points that `chosen` give on the path of `row`.

    Source: ISO/IEC 18045, B.4
    """
    return sum(
        max((points for control, points in factor if control in chosen), default=0)
        for factor in row.gains
    )


def _possible(control: Control, environments: set[str]) -> bool:
    return not control.environments or bool(environments & set(control.environments))


def _inclusion(programme: Programme, share: Decimal) -> int:
    """What it costs to shut out a share of the customers, rounded up to whole points."""
    exact = share * 100 * programme.appetite.inclusion_weight
    return int(-(-exact // 1))
