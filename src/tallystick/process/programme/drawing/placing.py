"""Where each node stands: a column for each zone, a band for each layer, little crossing.

Lengths are pixels; equal programmes give equal places.

Source: ISO/TS 12812-2:2017, 6.2
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.catalogue import Layer
from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import NodeKind

WIDTH: Final = 164
HEIGHT: Final = 44
COLUMN: Final = 304
LEFT: Final = 96
TOP: Final = 116
BANDS: Final = (Layer.PROCESS, Layer.APPLICATION, Layer.INFRASTRUCTURE)

_GAP: Final = 40
_PADDING: Final = 34
_SWEEPS: Final = 6
_LAYERS: Final[Mapping[NodeKind, Layer]] = {
    NodeKind.PARTNER: Layer.PROCESS,
    NodeKind.SCREENING: Layer.PROCESS,
    NodeKind.CONSOLE: Layer.PROCESS,
    NodeKind.PERSON_INTERFACE: Layer.APPLICATION,
    NodeKind.MOBILE_APP: Layer.APPLICATION,
    NodeKind.BROWSER: Layer.APPLICATION,
    NodeKind.AGENT_APP: Layer.APPLICATION,
    NodeKind.MERCHANT_TERMINAL: Layer.APPLICATION,
    NodeKind.MERCHANT_CODE: Layer.APPLICATION,
    NodeKind.APP_STORE: Layer.APPLICATION,
    NodeKind.PLATFORM: Layer.APPLICATION,
    NodeKind.CORE: Layer.APPLICATION,
}


class Box(Record, frozen=True, kw_only=True):
    """A node in the picture: its column and band, and the corner at the top left.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    node: str
    column: int
    band: int
    x: int
    y: int

    def middle(self) -> int:
        """The height of its middle.

        Source: ISO/TS 12812-2:2017, 6.2
        """
        return self.y + HEIGHT // 2


class Placed(Record, frozen=True, kw_only=True):
    """Every node placed: `zones` by column, `bands` from top to bottom with their heights.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    boxes: Mapping[str, Box]
    zones: tuple[str, ...]
    bands: tuple[tuple[Layer, int, int], ...]
    width: int
    height: int


def layer_of(kind: NodeKind) -> Layer:
    """The layer of the three-layer model on which a node of `kind` is drawn.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    return _LAYERS.get(kind, Layer.INFRASTRUCTURE)


def place(programme: Programme) -> Placed:
    """Columns by trust, bands by layer; within a cell, neighbours of one height come together.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    filled = {one.zone for one in programme.nodes.values()}
    zones = sorted(
        (one for one in programme.zones.values() if one.id in filled),
        key=lambda one: (one.trust, one.id),
    )
    columns = {zone.id: number for number, zone in enumerate(zones)}
    cells: dict[tuple[int, int], list[str]] = {}
    for node in programme.nodes.values():
        cell = (columns[node.zone], BANDS.index(layer_of(node.kind)))
        cells.setdefault(cell, []).append(node.id)
    used = [band for band in range(len(BANDS)) if any(cell[1] == band for cell in cells)]
    rooms = {
        band: max(len(nodes) for cell, nodes in cells.items() if cell[1] == band) for band in used
    }
    tops: dict[int, int] = {}
    bands: list[tuple[Layer, int, int]] = []
    y = TOP
    for band in used:
        height = rooms[band] * (HEIGHT + _GAP) + 2 * _PADDING - _GAP
        tops[band] = y
        bands.append((BANDS[band], y, height))
        y += height
    neighbours = _neighbours(programme)
    boxes = _boxes(cells, tops, rooms)
    for _ in range(_SWEEPS):
        for cell in sorted(cells):
            cells[cell] = sorted(
                cells[cell], key=lambda node: (_mean(neighbours[node], boxes, node), node)
            )
        boxes = _boxes(cells, tops, rooms)
    return Placed(
        boxes=boxes,
        zones=tuple(zone.id for zone in zones),
        bands=tuple(bands),
        width=LEFT + COLUMN * len(zones) - (COLUMN - WIDTH) + LEFT // 2,
        height=y,
    )


def _neighbours(programme: Programme) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {node: [] for node in programme.nodes}
    for flow in programme.flows.values():
        way = flow.nodes()
        for one, other in pairwise(way):
            found[one].append(other)
            found[other].append(one)
    return found


def _mean(nodes: Iterable[str], boxes: Mapping[str, Box], own: str) -> float:
    heights = [boxes[node].middle() for node in nodes]
    return sum(heights) / len(heights) if heights else boxes[own].middle()


def _boxes(
    cells: Mapping[tuple[int, int], list[str]],
    tops: Mapping[int, int],
    rooms: Mapping[int, int],
) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for (column, band), nodes in sorted(cells.items()):
        room = rooms[band] * (HEIGHT + _GAP) - _GAP
        taken = len(nodes) * (HEIGHT + _GAP) - _GAP
        y = tops[band] + _PADDING + (room - taken) // 2
        for number, node in enumerate(nodes):
            boxes[node] = Box(
                node=node,
                column=column,
                band=band,
                x=LEFT + column * COLUMN,
                y=y + number * (HEIGHT + _GAP),
            )
    return boxes
