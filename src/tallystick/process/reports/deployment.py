"""Figure 1 and Table 1 as HTML: layers below each other, clauses as tiles, device classes as bars.

A state is told by a sign and a word; hatching marks what is stale, a dotted frame a kind that is
inferred.

Source: ISO/TS 12812-2:2017, 5; 6.2; 8.1.1
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from tallystick.process.conformance.findings import State
from tallystick.process.reports.marks import (
    CellText,
    linked,
    percent,
    picture,
    rect,
    table,
    text,
    written,
)
from tallystick.process.reports.model import ClauseStanding, DeviceStanding, LayerStanding
from tallystick.process.reports.standing import WORST

SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    State.SATISFIED.value: ("✓", "satisfied"),
    State.NOT_SATISFIED.value: ("✕", "not satisfied"),
    State.STALE.value: ("?", "stale or never seen"),
    State.EXCEPTED.value: ("E", "excepted"),
    State.NOT_APPLICABLE.value: ("-", "not applicable"),
}
"""The sign and the words of each state."""

_WIDTH, _ROW = 420, 56
_LONGEST: Final = 330.0


def states_legend(states: Mapping[str, int], rows: int, source: str) -> str:
    """The states with their signs and counts, each of how many.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    parts = "".join(
        f'<li><span class="mark {state}" aria-hidden="true">{SIGNS[state][0]}</span>'
        f" {SIGNS[state][1]}: {written(linked(f'{states[state]} of {rows}', source))}</li>"
        for state in WORST
    )
    return f'<ul class="legend">{parts}</ul>'


def state_bar(states: Mapping[str, int], rows: int) -> str:
    """A bar of the states side by side, in the order from good to none; for eyes only.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    if not rows:
        return ""
    parts = "".join(
        f'<span class="{state}" style="flex-grow:{states[state]}"></span>'
        for state in reversed(WORST)
        if states[state]
    )
    return f'<span class="statebar" aria-hidden="true">{parts}</span>'


def layers_figure(layers: Sequence[LayerStanding], basis: str) -> str:
    """The three layers with what is on each, and their numbers.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    return f'<div class="layers">{"".join(_layer(one, basis) for one in layers)}</div>'


def _layer(one: LayerStanding, basis: str) -> str:
    parts = "".join(
        f"<dt>{escape(part.sort)}</dt><dd>{_chips(part.names)}</dd>" for part in one.parts
    )
    states = ", ".join(
        f"{written(linked(one.states[state], 'states'))} {SIGNS[state][1]}"
        for state in reversed(WORST)
        if one.states[state]
    )
    risk = " → ".join(
        written(linked(value, "levels")) for value in (one.inherent, one.designed, one.observed)
    )
    return (
        f'<article class="layer"><h3>{escape(one.layer)} layer</h3><dl>{parts}</dl>'
        f"<p>Highest risk bare → designed → {escape(basis)} now: {risk} of 25. Controls:"
        f" {written(linked(f'{one.seen} of {one.chosen}', 'selection'))} chosen ones count now."
        f" Rows: {states or 'none'}, of {written(linked(one.rows, 'states'))}.</p>"
        f"{state_bar(one.states, one.rows)}</article>"
    )


def _chips(names: Iterable[str]) -> str:
    return "".join(f'<span class="chip">{escape(one)}</span> ' for one in names)


def clauses_figure(clauses: Sequence[ClauseStanding], states: Mapping[str, int], rows: int) -> str:
    """Every clause as a tile: its state, its number, its title, and how many rows are satisfied.

    Source: ISO/TS 12812-2:2017, 5
    """
    tiles = "".join(_tile(one) for one in clauses)
    counted = {state: sum(one.state == state for one in clauses) for state in WORST}
    inferred = sum(one.inferred for one in clauses)
    said = ", ".join(
        f"{written(linked(counted[state], 'clauses'))} {SIGNS[state][1]}"
        for state in reversed(WORST)
        if counted[state]
    )
    return (
        f"<p>Rows of the catalogue that apply here:</p>{states_legend(states, rows, 'states')}"
        f"<p>Clauses, each by the worst state of its rows: {said}, of"
        f" {written(linked(len(clauses), 'clauses'))}; the kind of"
        f" {written(linked(inferred, 'clauses'))} is inferred (dotted frame).</p>"
        f'<ol class="tiles">{tiles}</ol>'
    )


def _tile(one: ClauseStanding) -> str:
    sign, words = SIGNS[one.state]
    kind = f"{one.kind}{', inferred' if one.inferred else ''}"
    good = one.states[State.SATISFIED.value]
    counts = f"{good} of {one.rows} satisfied" if one.rows else f"0 of {one.of} rows apply"
    frame = "tile inferred" if one.inferred else "tile"
    return (
        f'<li class="{frame}" id="clause-{escape(one.number)}">'
        f'<span class="mark {one.state}" aria-hidden="true">{sign}</span>'
        f"<span><b>{escape(one.number)}</b> {escape(one.title)}"
        f'<span class="soft small">{words}; {counts}; {escape(kind)}</span></span></li>'
    )


def population_figure(population: Sequence[DeviceStanding], basis: str) -> str:
    """The device classes as bars of customers, and what their weakest path resists.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    rows: list[tuple[CellText, ...]] = [
        (
            one.id,
            one.environment,
            linked(percent(one.share), "population"),
            linked(one.customers, "population"),
            *(linked("none" if value < 0 else value, "population") for value in one.points),
            one.strength or "none",
            _served(one),
        )
        for one in population
    ]
    columns = (
        "class", "keys in", "share", "customers", "points bare", "as designed", f"as {basis}",
        "then resists", "service",
    )  # fmt: skip
    legend = (
        '<ul class="legend"><li><span class="patch served"></span> served</li>'
        '<li><span class="patch out"></span> shut out by the choice</li></ul>'
    )
    drawn = population_picture(population)
    return f"{legend}{drawn}{table('Device classes', columns, rows, 'numbers')}"


def _served(one: DeviceStanding) -> str:
    if one.shut_out:
        return "shut out by the choice"
    return "gets no service now" if one.refused else "served"


def population_picture(population: Sequence[DeviceStanding]) -> str:
    """One bar for each class, as long as its share of the customers.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    parts: list[str] = []
    most = max((one.share for one in population), default=None)
    for at, one in enumerate(population):
        y = 8 + at * _ROW
        width = max(2.0, float(one.share / most) * _LONGEST) if most else 2.0
        said = f"{percent(one.share)}{', shut out' if one.shut_out else ''}"
        parts += [
            text(2, y + 10, f"{one.id} ({one.os}, keys in {one.environment})"),
            rect(2, y + 17, width, 24, "bar out" if one.shut_out else "bar served"),
            text(width + 10, y + 34, said, "strong"),
        ]
    said = " ".join(
        f"{one.id}: {percent(one.share)} of the customers, {_served(one)}." for one in population
    )
    size = (_WIDTH, 8 + len(population) * _ROW)
    return picture("population-picture", size, "Customers by device class", said, parts)
