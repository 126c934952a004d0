"""How each line runs: from side to side, between the boxes of the columns that it crosses.

Flows that pass between the same two nodes over the same bearer share a line.

Source: ISO/TS 12812-2:2017, 7.1; 7.2.3
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.programme.drawing.placing import HEIGHT, WIDTH, Box, Placed
from tallystick.process.programme.model import FlowEntry, Programme
from tallystick.process.programme.words import Bearer

LABEL_HEIGHT: Final = 15

_TRACK: Final = 7
_CLEAR: Final = 6
_LETTER: Final = 6
_LOCK: Final = 13
_BULGE: Final = 62
_TRIES: Final = (50, 40, 60, 30, 70, 22, 78, 15, 85, 10, 90)
_SIDES: Final = 8

Point = tuple[int, int]


class Line(Record, frozen=True, kw_only=True):
    """Flows that share a line: between which nodes, over what, who reads, and which way.

    Source: ISO/TS 12812-2:2017, 7.1
    """

    source: str
    target: str
    bearer: Bearer
    end_to_end: bool
    both_ways: bool
    flows: tuple[str, ...]

    def label(self) -> str:
        """The bearer, and how many flows share the line if it is more than one.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        several = f" \u00d7{len(self.flows)}" if len(self.flows) > 1 else ""
        return f"{self.bearer.value}{several}"


class Route(Record, frozen=True, kw_only=True):
    """A line with its way as the data of an SVG path, and the middle of its label.

    Source: ISO/TS 12812-2:2017, 7.1
    """

    line: Line
    path: str
    label: Point


def lines_of(programme: Programme) -> tuple[Line, ...]:
    """The lines that show the flows of `programme`, in the order of the text.

    Source: ISO/TS 12812-2:2017, 7.1
    """
    shared: dict[tuple[str, str, Bearer, bool], dict[str, FlowEntry]] = {}
    ways: dict[tuple[str, str, Bearer, bool], set[tuple[str, str]]] = {}
    for flow in programme.flows.values():
        way = flow.nodes()
        for one, other in pairwise(way):
            low, high = sorted((one, other))
            same = (low, high, flow.bearer, flow.end_to_end)
            shared.setdefault(same, {})[flow.id] = flow
            ways.setdefault(same, set()).add((one, other))
    found: list[Line] = []
    for same, flows in shared.items():
        source, target = min(ways[same])
        found.append(
            Line(
                source=source,
                target=target,
                bearer=same[2],
                end_to_end=same[3],
                both_ways=len(ways[same]) > 1,
                flows=tuple(flows),
            )
        )
    return tuple(found)


def route(placed: Placed, lines: Iterable[Line]) -> tuple[Route, ...]:
    """The way of each line, longest last, and a place for each label where there is room.

    Source: ISO/TS 12812-2:2017, 7.1
    """
    ordered = sorted(
        lines, key=lambda one: (_span(placed, one), one.source, one.target, one.bearer)
    )
    ports = _ports(placed, ordered)
    tracks: dict[int, set[int]] = {}
    taken = [
        (box.x - 2, box.y - 2, box.x + WIDTH + 2, box.y + HEIGHT + 2)
        for box in placed.boxes.values()
    ]
    routes: list[Route] = []
    for number, line in enumerate(ordered):
        curves = _curves(placed, line, ports[number], tracks)
        path = f"M{curves[0][0][0]} {curves[0][0][1]}" + "".join(
            f"C{b[0]} {b[1]} {c[0]} {c[1]} {d[0]} {d[1]}" for _, b, c, d in curves
        )
        middle = _label_place(curves, line, taken)
        half = label_width(line) // 2
        taken.append((middle[0] - half, middle[1] - _SIDES, middle[0] + half, middle[1] + _SIDES))
        routes.append(Route(line=line, path=path, label=middle))
    return tuple(routes)


def label_width(line: Line) -> int:
    """How wide the label of `line` is, with its padlock.

    Source: ISO/TS 12812-2:2017, 7.1
    """
    return len(line.label()) * _LETTER + 10 + (_LOCK if line.end_to_end else 0)


Curve = tuple[Point, Point, Point, Point]


def _span(placed: Placed, line: Line) -> int:
    return abs(placed.boxes[line.source].column - placed.boxes[line.target].column)


def _ports(placed: Placed, lines: list[Line]) -> list[tuple[int, int]]:
    """For each line the heights at which it leaves its source and reaches its target."""
    sides: dict[tuple[str, bool], list[tuple[int, int, bool]]] = {}
    for number, line in enumerate(lines):
        one, other = placed.boxes[line.source], placed.boxes[line.target]
        for at_source, own, far in ((True, one, other), (False, other, one)):
            right = far.column >= own.column
            sides.setdefault((own.node, right), []).append((far.middle(), number, at_source))
    heights: dict[tuple[int, bool], int] = {}
    for (node, _), ends in sides.items():
        for rank, (_, number, at_source) in enumerate(sorted(ends), 1):
            box = placed.boxes[node]
            heights[number, at_source] = box.y + HEIGHT * rank // (len(ends) + 1)
    return [(heights[number, True], heights[number, False]) for number in range(len(lines))]


def _curves(
    placed: Placed, line: Line, port: tuple[int, int], tracks: dict[int, set[int]]
) -> list[Curve]:
    one, other = placed.boxes[line.source], placed.boxes[line.target]
    (start, end), backwards = port, other.column < one.column
    if one.column == other.column:
        x = one.x + WIDTH
        bulge = x + _BULGE + abs(end - start) // 12
        return [((x, start), (bulge, start), (bulge, end), (x, end))]
    if backwards:
        one, other, start, end = other, one, end, start
    points: list[Point] = [(one.x + WIDTH, start)]
    steps = other.column - one.column
    for step in range(1, steps):
        column = one.column + step
        wanted = start + (end - start) * step // steps
        x, y = one.x + (other.x - one.x) * step // steps, _track(placed, column, wanted, tracks)
        points += [(x - _SIDES, y), (x + WIDTH + _SIDES, y)]
    points.append((other.x, end))
    curves = [_bent(a, b) for a, b in pairwise(points)]
    if backwards:
        return [(d, c, b, a) for a, b, c, d in reversed(curves)]
    return curves


def _bent(one: Point, other: Point) -> Curve:
    """A curve that leaves and arrives level."""
    half = (other[0] - one[0]) // 2
    return (one, (one[0] + half, one[1]), (other[0] - half, other[1]), other)


def _track(placed: Placed, column: int, wanted: int, tracks: dict[int, set[int]]) -> int:
    """A free height near `wanted` at which a line may cross `column` between its boxes."""
    used = tracks.setdefault(column, set())
    boxes = [box for box in placed.boxes.values() if box.column == column]
    nearest = wanted // _TRACK * _TRACK
    for y in _outwards(nearest):
        if y not in used and not any(_hides(box, y) for box in boxes):
            used.add(y)
            return y
    return nearest


def _outwards(y: int) -> Iterator[int]:
    yield y
    for step in range(1, 400):
        yield y + step * _TRACK
        yield y - step * _TRACK


def _hides(box: Box, y: int) -> bool:
    return box.y - _CLEAR < y < box.y + HEIGHT + _CLEAR


def _label_place(curves: list[Curve], line: Line, taken: list[tuple[int, int, int, int]]) -> Point:
    """The first place along the way where the label covers nothing; the middle if there is none."""
    half = label_width(line) // 2
    for percent in _TRIES:
        x, y = _along(curves, percent)
        area = (x - half, y - _SIDES, x + half, y + _SIDES)
        if not any(_meet(area, other) for other in taken):
            return x, y
    return _along(curves, 50)


def _along(curves: list[Curve], percent: int) -> Point:
    whole = len(curves) * percent
    number = min(whole // 100, len(curves) - 1)
    t = whole - number * 100
    u = 100 - t
    a, b, c, d = curves[number]
    x, y = (
        (u**3 * a[i] + 3 * u * u * t * b[i] + 3 * u * t * t * c[i] + t**3 * d[i]) // 1_000_000
        for i in (0, 1)
    )
    return x, y


def _meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return not (one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1])
