"""Why a control is in the set, and why another is not.

Source: ISO/TS 12812-2:2017, 6.1
"""

from collections.abc import Iterable

from tallystick.process.programme.model import Programme
from tallystick.process.risk.model import Choice, Pack, Rejection
from tallystick.process.risk.paths import path_id
from tallystick.process.risk.selection.choosing import Chosen, Units
from tallystick.process.risk.selection.problem import Rules


def explain_chosen(
    pack: Pack, chosen: Chosen, units: Units, robust: frozenset[str]
) -> tuple[Choice, ...]:
    """For each chosen control the requirements that make it mandatory, and what falls without it.

    What falls is the weakest way of each unit that is enough with the control and not without.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    answer = chosen.answer
    return tuple(
        Choice(
            control=name,
            mandatory=pack.controls[name].mandatory,
            paths=tuple(sorted(_falling(units, chosen, name))),
            robust=name in robust,
        )
        for name in sorted(answer.chosen)
    )


def explain_rejected(rules: Rules, chosen: Chosen, units: Units) -> tuple[Rejection, ...]:
    """For each control left out what would go if it came, and how much dearer the set would be.

    The set with the control is made by taking out, the dearest first, whatever is then no longer
    needed; it is one such set, so the difference is at most `dearer_by`. Where the control excludes
    a chosen one that nothing replaces, that one is the substitute. A control that cannot be had, or
    that helps nowhere, has no substitutes and costs what it costs.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    return tuple(
        _rejection(rules, chosen, units, name)
        for name in sorted(rules.cost)
        if name not in chosen.answer.chosen
    )


def _falling(units: Units, chosen: Chosen, without: str) -> Iterable[str]:
    answer = chosen.answer
    rest = answer.chosen - {without}
    for name, (unit, scene) in units.items():
        if without not in scene.controls or unit.device in answer.shut_out:
            continue
        way = scene.weakest(rest)
        if way.total < scene.needed and way.total < scene.weakest(answer.chosen).total:
            yield path_id(name, way)


def _rejection(rules: Rules, chosen: Chosen, units: Units, name: str) -> Rejection:
    closure = _with_needs(rules, name)
    answer = chosen.answer
    added = sum(rules.cost[one] for one in closure - answer.chosen)
    touched = any(closure & scene.controls for _, scene in units.values())
    if name in rules.excluded or not touched:
        return Rejection(control=name, substitutes=(), dearer_by=added)
    apart = _apart(rules, closure) & answer.chosen
    held = (answer.chosen | closure) - apart
    if apart and not all(_enough(units, one, held, chosen) for one in apart):
        return Rejection(control=name, substitutes=tuple(sorted(apart)), dearer_by=added)
    dropped = set(apart)
    free = answer.chosen - rules.chosen - closure - apart
    for one in sorted(free, key=lambda each: (-rules.cost[each], each)):
        rest = held - {one}
        if _enough(units, one, rest, chosen) and _needed_by_none(rules, one, rest):
            held = rest
            dropped.add(one)
    saved = sum(rules.cost[one] for one in dropped)
    return Rejection(control=name, substitutes=tuple(sorted(dropped)), dearer_by=added - saved)


def _apart(rules: Rules, names: frozenset[str]) -> frozenset[str]:
    """Everything that one of `names` excludes, or that excludes one of them."""
    pairs = {(one, other) for one, other in rules.apart} | {(b, a) for a, b in rules.apart}
    return frozenset(other for one, other in pairs if one in names)


def _with_needs(rules: Rules, name: str) -> frozenset[str]:
    """`name` with everything that it needs, also through others."""
    found, waiting = {name}, [name]
    while waiting:
        one = waiting.pop()
        for owner, other in rules.within:
            if owner == one and other not in found:
                found.add(other)
                waiting.append(other)
    return frozenset(found)


def _needed_by_none(rules: Rules, name: str, rest: frozenset[str]) -> bool:
    return not any(other == name and owner in rest for owner, other in rules.within)


def _enough(units: Units, out: str, rest: frozenset[str], chosen: Chosen) -> bool:
    """Whether no unit that `out` helps stands worse than under the answer."""
    return all(
        scene.weakest(rest).total >= min(scene.needed, scene.weakest(chosen.answer.chosen).total)
        for unit, scene in units.values()
        if out in scene.controls and unit.device not in chosen.answer.shut_out
    )


def sums(programme: Programme, pack: Pack, names: Iterable[str]) -> tuple[int, int]:
    """The yearly cost and the friction of a set, at the provider's own costs where it has them.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    own = programme.controls.costs
    listed = [pack.controls[name] for name in names]
    return (
        sum(own.get(one.id, one.cost) for one in listed),
        sum(one.friction for one in listed),
    )
