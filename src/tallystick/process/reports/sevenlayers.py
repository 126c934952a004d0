"""What protects each flow on which of the seven layers, as a picture and a table.

A filled square is a protection; an empty one, nothing of the programme's own; a hatched one, one
half of the layers (5 to 7, or 2 to 4) on which nothing protects a flow at all.

Source: ISO/TS 12812-2:2017, 6.2.3; ISO/IEC 7498-1, 6
"""

from collections.abc import Iterator, Sequence

from tallystick.process.programme.layers import LAYERS, LayerRow, layer_rows
from tallystick.process.programme.model import Programme
from tallystick.process.reports.marks import (
    CellText,
    linked,
    picture,
    rect,
    scrolled,
    short,
    table,
    text,
    written,
)
from tallystick.process.reports.model import FlowProtection

_LEFT, _TOP, _WIDE, _HIGH = 196, 58, 60, 22
_GAP_WIDTH = 330
_HALVES = ((5, 6, 7), (2, 3, 4))


def protection_of(programme: Programme) -> tuple[FlowProtection, ...]:
    """A row for each flow of `programme`.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return tuple(_row(one) for one in layer_rows(programme))


def _row(one: LayerRow) -> FlowProtection:
    return FlowProtection(
        flow=one.flow,
        carries=one.carries,
        bearer=one.bearer,
        layers={str(number): words for number, words in one.layers.items()},
        gap=one.gap,
    )


def protection_figure(rows: Sequence[FlowProtection]) -> str:
    """The legend with its counts, the picture and the table.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    total = len(rows)
    asked = sum(bool(one.gap) for one in rows)
    counts = ", ".join(f"{_counted(rows, n)} on {n} {name}" for n, name in LAYERS.items())
    legend = (
        '<ul class="legend"><li><span class="patch served"></span> protected there</li>'
        '<li><span class="patch"></span> nothing of the programme\'s own</li>'
        '<li><span class="patch out"></span> nothing on any layer of this half</li></ul>'
        f"<p>Flows with a protection: {counts}. To be asked about:"
        f" {written(linked(f'{asked} of {total}', 'protection'))} flows.</p>"
    )
    columns = ("flow", "carries", "bearer", *(f"{n} {name}" for n, name in LAYERS.items()), "ask")
    cells: list[tuple[CellText, ...]] = [
        (
            one.flow,
            ", ".join(one.carries),
            one.bearer,
            *(one.layers.get(str(n), "-") for n in LAYERS),
            one.gap or "nothing",
        )
        for one in rows
    ]
    drawn = scrolled("Protection on the seven layers", protection_picture(rows))
    inside = table("Protection of each flow", columns, cells)
    return f"{legend}{drawn}<details><summary>Every flow as a table</summary>{inside}</details>"


def _counted(rows: Sequence[FlowProtection], number: int) -> str:
    there = sum(str(number) in one.layers for one in rows)
    return written(linked(f"{there} of {len(rows)}", "protection"))


def protection_picture(rows: Sequence[FlowProtection]) -> str:
    """A line of seven squares for each flow, the application layer on the left.

    Source: ISO/IEC 7498-1, 6
    """
    parts = [*_head(), *(mark for at, one in enumerate(rows) for mark in _line(at, one))]
    said = " ".join(f"{one.flow}: {one.gap or 'nothing to ask about'}." for one in rows)
    size = (_LEFT + 7 * _WIDE + _GAP_WIDTH, _TOP + len(rows) * _HIGH + 8)
    return picture(
        "protection-picture", size, "Protection of each flow on the seven layers", said, parts,
        "wide",
    )  # fmt: skip


def _head() -> Iterator[str]:
    yield text(2, 16, "flow", "strong")
    for place, (number, name) in enumerate(LAYERS.items()):
        x = _LEFT + place * _WIDE + _WIDE / 2
        yield text(x, 16, str(number), "strong", "middle")
        yield text(x, 16 + (18 if place % 2 else 32), name, "in faint", "middle")
    yield text(_LEFT + 7 * _WIDE + 12, 16, "to be asked about", "strong")


def _line(at: int, one: FlowProtection) -> Iterator[str]:
    y = _TOP + at * _HIGH
    yield text(2, y + 14, short(one.flow, 28))
    bare = {n for half in _HALVES if not any(str(n) in one.layers for n in half) for n in half}
    for place, number in enumerate(LAYERS):
        kind = "bar empty"
        if str(number) in one.layers:
            kind = "bar served"
        elif number in bare:
            kind = "bar out"
        yield rect(_LEFT + place * _WIDE + 6, y + 1, _WIDE - 12, _HIGH - 5, kind)
    if one.gap:
        yield text(_LEFT + 7 * _WIDE + 12, y + 14, short(one.gap, 52), "in")
