"""Pictures of the desk, drawn by the server: shapes alone, with every word beside them in HTML.

Words stay as large as the reader has them on a screen of any width, since only shapes are scaled. A
picture says in its name what it shows, and the numbers stand in a table as well.

Source: W3C SVG 2; WCAG 2.2, 1.1.1; 1.4.1; 1.4.10; 1.4.11
"""

from collections.abc import Sequence
from itertools import pairwise

from tallystick.entry.http.console.markup import Markup, h

_WIDTH, _HEIGHT, _GAP = 600, 160, 3


def stacked_bar(parts: Sequence[tuple[str, str, int]], says: str) -> Markup:
    """One bar of `parts` (word, class of the shape, count), each as wide as its share; a legend.

    A part of nothing is in the legend only.
    Source: W3C SVG 2; WCAG 2.2, 1.4.1
    """
    whole = sum(count for _, _, count in parts)
    shapes: list[Markup] = []
    left = 0.0
    for _, kind, count in parts:
        wide = _WIDTH * count / whole if whole else 0.0
        if count:
            shapes.append(
                h("rect", x=_spot(left), y=0, width=_spot(max(2.0, wide - _GAP)), height=36,
                  class_=kind)
            )  # fmt: skip
        left += wide
    items = [
        h("li", h("span", class_=f"patch {kind}"), f"{word}: {count:,} {_share(count, whole)}")
        for word, kind, count in parts
    ]
    return h("div", _picture(36, says, shapes), h("ul", *items, class_="legend"), class_="chart")


def course(
    rows: Sequence[tuple[str, Sequence[int]]], kinds: Sequence[tuple[str, str]], says: str
) -> Markup:
    """Shares over time, one on the other to 100 %: `rows` (when, counts), `kinds` (word, class).

    One row alone is drawn as a band of one width.
    Source: W3C SVG 2; WCAG 2.2, 1.1.1
    """
    listed = list(rows) if len(rows) > 1 else [*rows, *rows]
    across = _WIDTH / max(1, len(listed) - 1)
    edges = [_edges(counts) for _, counts in listed]
    shapes: list[Markup] = []
    for place, (_, kind) in enumerate(kinds):
        top = [(at * across, _HEIGHT * (1 - one[place + 1])) for at, one in enumerate(edges)]
        low = [(at * across, _HEIGHT * (1 - one[place])) for at, one in enumerate(edges)]
        points = " ".join(f"{_spot(x)},{_spot(y)}" for x, y in (*top, *reversed(low)))
        shapes.append(h("polygon", points=points, class_=kind))
    for place in range(1, len(kinds)):
        line = [(at * across, _HEIGHT * (1 - one[place])) for at, one in enumerate(edges)]
        shapes += [
            h("line", x1=_spot(a), y1=_spot(b), x2=_spot(c), y2=_spot(d), class_="edge")
            for (a, b), (c, d) in pairwise(line)
        ]
    ends = h("div", h("span", listed[0][0]), h("span", listed[-1][0]), class_="ends")
    legend = [h("li", h("span", class_=f"patch {kind}"), word) for word, kind in kinds]
    return h(
        "div", _picture(_HEIGHT, says, shapes), ends, h("ul", *legend, class_="legend"),
        class_="chart",
    )  # fmt: skip


def _edges(counts: Sequence[int]) -> list[float]:
    """Where each part begins and the last one ends, from 0 to 1."""
    whole, reached, found = sum(counts) or 1, 0, [0.0]
    for one in counts:
        reached += one
        found.append(reached / whole)
    return found


def _picture(height: int, says: str, shapes: Sequence[Markup]) -> Markup:
    return h(
        "svg", *shapes, viewbox=f"0 0 {_WIDTH} {height}", preserveaspectratio="none", role="img",
        aria_label=says, height=height, focusable="false",
    )  # fmt: skip


def _share(count: int, whole: int) -> str:
    return f"({1000 * count // whole / 10:.1f} %)" if whole else "(none)"


def _spot(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
