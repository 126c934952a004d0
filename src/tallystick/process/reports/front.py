"""The Pareto front: the sets that are enough and that no other beats in both cost and friction.

Source: ISO/TS 12812-2:2017, 6.1
"""

from collections.abc import Iterable, Sequence

from tallystick.process.reports.marks import (
    CellText,
    linked,
    path,
    picture,
    rect,
    scrolled,
    spot,
    table,
    text,
)
from tallystick.process.reports.material import Material
from tallystick.process.reports.model import Choice
from tallystick.process.reports.scales import Scale, steps

_WIDTH, _HEIGHT = 560, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 30, 34, 58


def front_of(material: Material) -> tuple[Choice, ...]:
    """The points of the front and the choice, cheapest first.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    selection, chosen = material.analysis.selection, material.chosen()
    found = [
        Choice(
            cost=one.cost,
            friction=one.friction,
            controls=len(one.chosen),
            chosen=frozenset(one.chosen) == chosen,
            adds=tuple(sorted(set(one.chosen) - chosen)),
            drops=tuple(sorted(chosen - set(one.chosen))),
            shut_out=one.shut_out,
        )
        for one in material.analysis.front
    ]
    if not any(one.chosen for one in found):
        found.append(
            Choice(
                cost=selection.cost,
                friction=selection.friction,
                controls=len(chosen),
                chosen=True,
                adds=(),
                drops=(),
                shut_out=selection.shut_out,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.cost, one.friction, not one.chosen)))


def front_figure(front: Sequence[Choice], budget: int) -> str:
    """The picture and the table of its points.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows: list[tuple[CellText, ...]] = [
        (
            linked(one.cost, "front"),
            linked(one.friction, "front"),
            linked(one.controls, "front"),
            "chosen" if one.chosen else "",
            ", ".join(one.adds) or "nothing",
            ", ".join(one.drops) or "nothing",
            ", ".join(one.shut_out) or "nobody",
        )
        for one in front
    ]
    columns = ("cost a year", "friction", "controls", "choice", "more", "less", "shuts out")
    legend = (
        '<ul class="legend"><li><span class="sign">★</span> the chosen set</li>'
        '<li><span class="sign">●</span> other sets that are enough and that no set beats</li></ul>'
    )
    few = ""
    if len(front) == 1:
        few = "<p>One set is the best for every weight of cost and friction: there is no trade.</p>"
    drawn = scrolled("Cost against friction", front_picture(front, budget))
    return f"{legend}{drawn}{few}{table('The sets', columns, rows, 'numbers')}"


def front_picture(front: Sequence[Choice], budget: int) -> str:
    """Cost to the right, friction upwards; the best corner is at the bottom left.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    costs = [one.cost for one in front]
    frictions = [one.friction for one in front]
    ticks_x = steps(max(0, min(costs) - 2), max(costs) + 2)
    ticks_y = steps(max(0, min(frictions) - 2), max(*frictions, 1) + 2)
    across = Scale(ticks_x[0], ticks_x[-1], _LEFT, _WIDTH - _RIGHT)
    up = Scale(ticks_y[0], ticks_y[-1], _HEIGHT - _BOTTOM, _TOP)
    parts = [*_axes(ticks_x, ticks_y, across, up)]
    if ticks_y[0] <= budget <= ticks_y[-1]:
        y = up.at(budget)
        parts.append(path(f"M{_LEFT} {spot(y)}H{_WIDTH - _RIGHT}", "tolerance"))
        parts.append(text(_WIDTH - _RIGHT, y - 6, f"budget of friction: {budget}", "strong", "end"))
    line = "M" + "L".join(
        f"{spot(across.at(one.cost))} {spot(up.at(one.friction))}" for one in front
    )
    parts.append(path(line, "curve front"))
    for one in front:
        parts += _point(one, across.at(one.cost), up.at(one.friction))
    said = " ".join(
        f"{'Chosen: cost' if one.chosen else 'Cost'} {one.cost}, friction {one.friction}."
        for one in front
    )
    return picture("front-picture", (_WIDTH, _HEIGHT), "Cost against friction", said, parts, "wide")


def _axes(
    ticks_x: Sequence[int], ticks_y: Sequence[int], across: Scale, up: Scale
) -> Iterable[str]:
    bottom = _HEIGHT - _BOTTOM
    for value in ticks_x:
        x = across.at(value)
        yield path(f"M{spot(x)} {_TOP}V{bottom}", "grid")
        yield text(x, bottom + 18, str(value), "", "middle")
    for value in ticks_y:
        y = up.at(value)
        yield path(f"M{_LEFT} {spot(y)}H{_WIDTH - _RIGHT}", "grid")
        yield text(_LEFT - 8, y + 4, str(value), "", "end")
    yield text(_WIDTH - _RIGHT, bottom + 40, "cost, points a year", "strong", "end")
    yield text(8, 16, "friction, points for the customers", "strong")


def _point(one: Choice, x: float, y: float) -> Iterable[str]:
    words = f"{one.cost} and {one.friction}"
    right = x > _WIDTH * 0.7
    place = x - 12 if right else x + 12
    width = 7.4 * len(words) + 6
    yield rect(place - width + 3 if right else place - 3, y - 24, width, 18, "tag")
    yield text(place, y - 10, words, "strong" if one.chosen else "", "end" if right else "")
    if one.chosen:
        star = "m0 -10l3 7h7.4l-6 4.6l2.3 7.4l-6.7 -4.6l-6.7 4.6l2.3 -7.4l-6 -4.6h7.4z"
        yield path(f"M{spot(x)} {spot(y)}{star}", "star")
    else:
        yield f'<circle class="dot observed" cx="{spot(x)}" cy="{spot(y)}" r="5"/>'
