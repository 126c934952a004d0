"""Attack-path ladders: how hard a path is factor by factor, bare and with the chosen controls.

Shown are the paths of the highest risk bare and those that have the least to spare with the chosen
controls, one for each threat rule.

Source: ISO/TS 12812-2:2017, A; ISO/IEC 18045, B.4
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Final

from tallystick.process.reports.marks import CellText, linked, picture, rect, spot, table, text
from tallystick.process.reports.material import Material
from tallystick.process.reports.model import Ladder, Rung
from tallystick.process.risk.model import Instance
from tallystick.process.risk.paths import Scene, path_id
from tallystick.process.risk.rating import needed_points
from tallystick.process.risk.residual import Standing
from tallystick.process.risk.verdicts import remaining_impact
from tallystick.process.risk.ways import Way, harder

EACH: Final = 4
"""How many of the worst and how many of the tightest are shown."""

WORST: Final = "worst"
TIGHTEST: Final = "tightest"
WIDTH: Final = 340
_LEFT, _BAR, _TOP, _STEP = 10, 30, 22, 62
_LETTERS: Final = {
    "time": "T", "expertise": "E", "knowledge": "K", "window": "W", "equipment": "Q",
    "samples": "S", "open-samples": "O",
}  # fmt: skip


def ladders_of(material: Material) -> tuple[Ladder, ...]:
    """The worst paths, then the tightest.

    Source: ISO/TS 12812-2:2017, A
    """
    instances = {one.id: one for one in material.analysis.instances}
    standings = material.analysis.standings
    served = [one for one in standings if one.designed is not None]
    tight = _first_by_rule(served, instances.__getitem__, _tightness)
    taken = {instances[one.instance].rule for one in tight}
    others = [one for one in standings if instances[one.instance].rule not in taken]
    worst = _first_by_rule(others, instances.__getitem__, _badness)
    return tuple(
        ladder
        for picked, chosen in ((WORST, worst), (TIGHTEST, tight))
        for one in chosen
        for ladder in _ladder(material, picked, one, instances[one.instance])
    )


def _first_by_rule(
    standings: Iterable[Standing],
    instance: Callable[[str], Instance],
    rank: Callable[[Standing], tuple[int, int, str]],
) -> list[Standing]:
    found: dict[str, Standing] = {}
    for one in sorted(standings, key=rank):
        found.setdefault(instance(one.instance).rule, one)
        if len(found) == EACH:
            break
    return list(found.values())


def _badness(one: Standing) -> tuple[int, int, str]:
    return -one.inherent.risk, -one.inherent.gap, one.instance


def _tightness(one: Standing) -> tuple[int, int, str]:
    verdict = one.designed or one.inherent
    return -verdict.gap, -verdict.risk, one.instance


def _ladder(
    material: Material, picked: str, standing: Standing, instance: Instance
) -> Iterable[Ladder]:
    if standing.designed is None:
        return
    scene, chosen = material.scenes.of(instance), material.chosen()
    way = scene.weakest(chosen if picked == TIGHTEST else frozenset())
    rule = material.pack.rules[instance.rule]
    rungs = rungs_of(scene, way, chosen)
    bare = standing.inherent.required_points
    impact = remaining_impact(scene, way, instance, chosen)
    needed = needed_points(scene.table, material.pack.required[impact])
    if instance.asset in material.programme.appetite.resistance:
        needed = bare
    capped = scene.caps(way, chosen).items() if needed < bare else ()
    yield Ladder(
        picked=picked,
        path=path_id(instance.id, way),
        label=rule.label,
        threat=rule.threat,
        table=scene.table.id,
        required=(bare, needed),
        points=(sum(one.bare for one in rungs), sum(one.lifted for one in rungs)),
        rungs=rungs,
        capped=tuple(name for name, remains in capped if remains is impact),
    )


def rungs_of(scene: Scene, way: Way, chosen: frozenset[str]) -> tuple[Rung, ...]:
    """The factors of `way`, bare and under `chosen`, each with the controls that lift it so far.

    Source: ISO/IEC 18045, B.4
    """
    bare = lifted = scene.bare(way)
    gains = {name: points for name, points in scene.gains(way).items() if name in chosen}
    for points in gains.values():
        lifted = harder(lifted, points)
    return tuple(
        Rung(
            factor=factor,
            bare=bare[place],
            lifted=lifted[place],
            by=tuple(
                sorted(
                    name
                    for name, points in gains.items()
                    if bare[place] < lifted[place] == points[place]
                )
            ),
        )
        for place, factor in enumerate(scene.table.factors)
    )


def letter(factor: str) -> str:
    """The sign of a factor in a bar: one letter, after the first letter of its phase if it has one.

    Source: ISO/IEC 18045, B.4
    """
    phase, dash, rest = factor.partition("-")
    if factor in _LETTERS or not dash:
        return _LETTERS.get(factor, factor[:1].upper())
    return phase[:1] + _LETTERS.get(rest, rest[:1].upper())


def ladders_figure(ladders: Sequence[Ladder]) -> str:
    """The cards of all ladders on one scale, with what the letters mean.

    Source: ISO/TS 12812-2:2017, A
    """
    scale = max((max(*one.points, *one.required) for one in ladders), default=1) or 1
    factors = dict.fromkeys(rung.factor for one in ladders for rung in one.rungs)
    legend = "".join(
        f'<li><span class="swatch f{at % 5}">{escape(letter(factor))}</span> {escape(factor)}</li>'
        for at, factor in enumerate(factors)
    )
    tints = {factor: at % 5 for at, factor in enumerate(factors)}
    cards = "".join(_card(at, one, scale, tints) for at, one in enumerate(ladders))
    rows: list[tuple[CellText, ...]] = [
        (
            one.path,
            *(linked(value, "ladders") for pair in (one.points, one.required) for value in pair),
            ", ".join(f"{rung.factor} {rung.bare} to {rung.lifted}" for rung in one.rungs),
        )
        for one in ladders
    ]
    columns = ("path", "points bare", "with controls", "required bare", "with controls", "factors")
    numbers = table("Points of the paths shown", columns, rows)
    return (
        f'<ul class="legend">{legend}</ul><div class="cards">{cards}</div>'
        f"<details><summary>The numbers as a table</summary>{numbers}</details>"
    )


def _card(at: int, one: Ladder, scale: int, tints: dict[str, int]) -> str:
    why = "highest risk bare" if one.picked == WORST else "least to spare"
    lifts = "".join(
        f"<li><b>{escape(rung.factor)}</b> {rung.bare} to {rung.lifted} points by"
        f" {_named(rung.by)}</li>"
        for rung in one.rungs
        if rung.by
    )
    if one.capped:
        lifts += (
            f"<li><b>requirement</b> {one.required[0]} to {one.required[1]} points, since"
            f" {_named(one.capped)} caps what is lost</li>"
        )
    lifts = lifts or "<li>no chosen control lifts it</li>"
    return (
        f'<article class="card"><h3>{escape(one.label)}</h3>'
        f'<p class="soft">{escape(one.threat)}, {why}<br><code>{escape(one.path)}</code></p>'
        f"{ladder_picture(f'ladder-{at}', one, scale, tints)}"
        f'<ul class="lifts">{lifts}</ul></article>'
    )


def _named(controls: Sequence[str]) -> str:
    return " or ".join(f'<a href="#control-{escape(one)}">{escape(one)}</a>' for one in controls)


def ladder_picture(name: str, one: Ladder, scale: int, tints: dict[str, int]) -> str:
    """Two stacked bars, each with the line that it must reach.

    Source: ISO/TS 12812-2:2017, A
    """
    unit = (WIDTH - 2 * _LEFT - 26) / scale
    parts: list[str] = []
    for row, words in enumerate(("bare", "with the chosen controls")):
        top = _TOP + row * _STEP
        points, required = one.points[row], one.required[row]
        enough = "enough" if points >= required else f"{required - points} missing"
        parts.append(text(_LEFT, top - 6, f"{words}: {points} of {required}, {enough}"))
        x = float(_LEFT)
        for rung in one.rungs:
            value = rung.lifted if row else rung.bare
            width = value * unit
            if value:
                parts.append(rect(x, top, width, _BAR, f"seg f{tints[rung.factor]}"))
                sign = f"{letter(rung.factor)}{value}"
                if width >= 8 * len(sign) + 2:
                    middle = x + width / 2
                    parts.append(text(middle, top + _BAR / 2 + 4, sign, "in", "middle"))
            x += width
        line = _LEFT + required * unit
        parts.append(
            f'<path class="need" d="M{spot(line)} {top - 3}v{_BAR + 6}"/>'
            f'<path class="needtip" d="M{spot(line - 4)} {top + _BAR + 8}h8l-4 -5z"/>'
        )
    said = (
        f"Bare {one.points[0]} of {one.required[0]} points that are required, with the chosen"
        f" controls {one.points[1]} of {one.required[1]}. "
        + ", ".join(f"{rung.factor} {rung.bare} to {rung.lifted}" for rung in one.rungs)
    )
    return picture(name, (WIDTH, _TOP + 2 * _STEP - 12), f"{one.label}: points", said, parts, "fit")
