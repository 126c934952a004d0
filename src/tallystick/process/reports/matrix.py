"""The risk matrix: how many places are in each cell, and how they move from bare to now.

Source: ISO/TS 12812-2:2017, A
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from tallystick.process.programme.words import Impact
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
from tallystick.process.reports.model import Cell, Move
from tallystick.process.risk.model import Verdict
from tallystick.process.risk.rating import band_of

SHOWN: Final = 4
"""How many arrows of each sort are drawn, those of most places first; the table has all moves."""

_LEFT, _TOP, _WIDE, _HIGH = 92, 20, 96, 66
_NOBODY: Final = (0, 0)
_STATES: Final = ("bare", "as designed", "as observed")


def moves_of(material: Material) -> tuple[Move, ...]:
    """How places move through the matrix, those of most places first.

    Source: ISO/TS 12812-2:2017, A
    """
    counted = Counter(
        (_cell(one.inherent), _cell(one.designed), _cell(one.observed))
        for one in material.analysis.standings
    )
    ordered = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    return tuple(
        Move(inherent=bare, designed=designed, observed=observed, places=places)
        for (bare, designed, observed), places in ordered
    )


def _cell(verdict: Verdict | None) -> tuple[int, int]:
    return _NOBODY if verdict is None else (verdict.likelihood, int(verdict.impact))


def cells_of(moves: Iterable[Move]) -> tuple[Cell, ...]:
    """Every cell, the likeliest first, with how many places are in it in each state.

    Source: ISO/TS 12812-2:2017, A
    """
    counts = [Counter[tuple[int, int]]() for _ in _STATES]
    for one in moves:
        for state, place in enumerate((one.inherent, one.designed, one.observed)):
            counts[state][place] += one.places
    return tuple(
        Cell(
            likelihood=likelihood,
            impact=impact,
            inherent=counts[0][likelihood, impact],
            designed=counts[1][likelihood, impact],
            observed=counts[2][likelihood, impact],
        )
        for likelihood in range(5, 0, -1)
        for impact in range(1, 6)
    )


def matrix_figure(cells: Sequence[Cell], moves: Sequence[Move], basis: str) -> str:
    """The picture, its signs, and the table of all moves.

    Source: ISO/TS 12812-2:2017, A
    """
    legend = (
        '<ul class="legend"><li><span class="sign">○</span> bare</li>'
        '<li><span class="sign">◐</span> with the chosen controls</li>'
        f'<li><span class="sign">●</span> as {basis} now</li>'
        f"<li>solid arrow: from bare to designed; dashed arrow: from designed to now (of each the"
        f" {SHOWN} of most places)</li><li>letter in the corner: the first of low, medium, high,"
        " critical</li></ul>"
    )
    rows: list[tuple[CellText, ...]] = [
        (
            linked(one.places, "matrix"),
            *(_spoken(place) for place in (one.inherent, one.designed, one.observed)),
        )
        for one in moves
    ]
    moved = table(
        "Places that move alike", ("places", "bare", "as designed", f"as {basis}"), rows, "numbers"
    )
    drawn = scrolled("Risk matrix", matrix_picture(cells, moves))
    return f"{legend}{drawn}<details><summary>All moves as a table</summary>{moved}</details>"


def _spoken(place: tuple[int, int]) -> str:
    if place == _NOBODY:
        return "no service"
    likelihood, impact = place
    risk = likelihood * impact
    return f"likelihood {likelihood}, impact {impact}: risk {risk}, {band_of(risk).value}"


def matrix_picture(cells: Sequence[Cell], moves: Sequence[Move]) -> str:
    """The 25 cells with counts, and arrows for the moves of most places.

    Source: ISO/TS 12812-2:2017, A
    """
    parts = [part for one in cells for part in _ground(one)]
    for state, kind in ((0, "down"), (1, "up")):
        parts += [
            _arrow((begin, state), (end, state + 1), kind, places)
            for begin, end, places in legs(moves, state)[:SHOWN]
        ]
    parts += [part for one in cells for part in _counts(one)]
    bottom = _TOP + 5 * _HIGH
    for impact in Impact:
        x = _LEFT + (impact - 0.5) * _WIDE
        parts.append(text(x, bottom + 18, f"{int(impact)} {impact.name.lower()}", "", "middle"))
    parts.append(text(_LEFT + 2.5 * _WIDE, bottom + 38, "impact", "strong", "middle"))
    parts.append(text(8, _TOP + 10, "likelihood", "strong"))
    for level in range(1, 6):
        y = _TOP + (5.5 - level) * _HIGH + 4
        parts.append(text(_LEFT - 12, y, str(level), "", "end"))
    size = (_LEFT + 5 * _WIDE + 8, bottom + 48)
    total = sum(one.inherent for one in cells)
    high = [_above(cells, state) for state in range(3)]
    said = (
        f"Of {total} places {high[0]} are high or critical bare, {high[1]} as designed and"
        f" {high[2]} as seen now."
    )
    return picture("matrix-picture", size, "Risk matrix in three states", said, parts, "wide")


def legs(moves: Iterable[Move], state: int) -> list[tuple[tuple[int, int], tuple[int, int], int]]:
    """How many places go from which cell to which other between `state` and the next one.

    Those of most places first; what stays, and where nobody is served, is left out.
    Source: ISO/TS 12812-2:2017, A
    """
    counted = Counter[tuple[tuple[int, int], tuple[int, int]]]()
    for one in moves:
        states = (one.inherent, one.designed, one.observed)
        begin, end = states[state], states[state + 1]
        if begin != end and _NOBODY not in {begin, end}:
            counted[begin, end] += one.places
    ordered = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    return [(begin, end, places) for (begin, end), places in ordered]


def _above(cells: Iterable[Cell], state: int) -> int:
    return sum(
        (one.inherent, one.designed, one.observed)[state]
        for one in cells
        if one.likelihood * one.impact >= 10
    )


def corner(place: tuple[int, int]) -> tuple[int, int]:
    """The corner at the top left of the cell (likelihood, impact).

    Source: ISO/TS 12812-2:2017, A
    """
    likelihood, impact = place
    return _LEFT + (impact - 1) * _WIDE, _TOP + (5 - likelihood) * _HIGH


def _ground(one: Cell) -> Iterable[str]:
    x, y = corner((one.likelihood, one.impact))
    band = band_of(one.likelihood * one.impact).value
    yield rect(x, y, _WIDE, _HIGH, f"cell {band}")
    yield text(x + _WIDE - 6, y + _HIGH - 6, band[0].upper(), "faint", "end")


def _counts(one: Cell) -> Iterable[str]:
    """The counts of a cell, above the arrows and with a margin around their letters."""
    x, y = corner((one.likelihood, one.impact))
    band = band_of(one.likelihood * one.impact).value
    for state, (sign, count) in enumerate(
        (("○", one.inherent), ("◐", one.designed), ("●", one.observed))
    ):
        if count:
            yield text(x + 6, y + 17 + state * 19, f"{sign} {count}", f"count {band}")


def _arrow(
    begin: tuple[tuple[int, int], int], end: tuple[tuple[int, int], int], kind: str, places: int
) -> str:
    """A bent arrow; the more places move so, the thicker."""
    (x, y), (to_x, to_y) = _anchor(*begin), _anchor(*end)
    width = 1.2 + min(2.0, places / 80)
    bend_x = (x + to_x) / 2 + (to_y - y) / 7
    bend_y = (y + to_y) / 2 - (to_x - x) / 7
    drawn = f"M{spot(x)} {spot(y)}Q{spot(bend_x)} {spot(bend_y)} {spot(to_x)} {spot(to_y)}"
    return path(drawn, f"arrow {kind}", f' stroke-width="{spot(width)}" marker-end="url(#head)"')


def _anchor(place: tuple[int, int], state: int) -> tuple[float, float]:
    """Where an arrow of a cell begins or ends: to the right of the count of its state."""
    x, y = corner(place)
    return x + 54 + 12 * state, y + 13 + 19.0 * state
