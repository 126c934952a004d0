"""The picture of a programme as SVG 1.1, written from nothing; equal programmes, equal octets.

Line style and label say the bearer, a padlock says end-to-end; no meaning hangs on colour alone.
Light or dark follows the reader's preference.

Source: ISO/TS 12812-2:2017, 6.2; 7.1; W3C SVG
"""

from collections.abc import Iterator, Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from tallystick.process.programme.drawing.placing import (
    COLUMN,
    HEIGHT,
    LEFT,
    WIDTH,
    Box,
    Placed,
    layer_of,
    place,
)
from tallystick.process.programme.drawing.routing import (
    LABEL_HEIGHT,
    Line,
    Route,
    label_width,
    lines_of,
    route,
)
from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import Bearer

_DASHES: Final[Mapping[Bearer, str]] = {
    Bearer.INTERNET: "none",
    Bearer.CELLULAR: "9 3",
    Bearer.USSD: "2 4",
    Bearer.SMS: "8 3 2 3",
    Bearer.STK: "8 3 2 3 2 3",
    Bearer.OTA: "14 5",
    Bearer.NFC: "1 5",
    Bearer.BLUETOOTH: "5 5",
    Bearer.CODE: "3 7",
    Bearer.LAN: "none",
    Bearer.IN_DEVICE: "3 2",
    Bearer.VOICE: "14 4 2 4",
}
_THICK: Final = frozenset({Bearer.LAN, Bearer.IN_DEVICE})
_FAMILIES: Final[Mapping[Bearer, str]] = {
    Bearer.INTERNET: "net",
    Bearer.NFC: "near",
    Bearer.BLUETOOTH: "near",
    Bearer.CODE: "near",
    Bearer.LAN: "inside",
    Bearer.IN_DEVICE: "inside",
}
_STYLE: Final = """
  svg { --paper: #ffffff; --ink: #1b1f24; --faint: #6a737d; --zone: #f4f6f8; --edge: #8c96a0;
    --box: #ffffff; --net: #0b5cad; --air: #b04a00; --near: #1f7a3d; --inside: #555f69; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #14181d; --ink: #e6e9ec; --faint: #9aa4ae; --zone: #1c2228; --edge: #66717c;
      --box: #262d35; --net: #6db3ff; --air: #ffab66; --near: #6fd08c; --inside: #b3bcc5; } }
  text { font-family: system-ui, sans-serif; font-size: 11px; fill: var(--ink); }
  .paper { fill: var(--paper); }
  .zone { fill: var(--zone); stroke: var(--edge); stroke-dasharray: 6 4; }
  .band { stroke: var(--edge); stroke-width: 0.6; }
  .box { fill: var(--box); stroke: var(--ink); stroke-width: 1.2; }
  .head { font-size: 19px; font-weight: 600; }
  .name { font-weight: 600; font-size: 12px; }
  .small { fill: var(--faint); font-size: 10px; }
  .line { fill: none; stroke-width: 1.3; }
  .thick { stroke-width: 2.6; }
  .tag { fill: var(--paper); opacity: 0.92; }
  .net { stroke: var(--net); } .air { stroke: var(--air); } .near { stroke: var(--near); }
  .inside { stroke: var(--inside); }
  .lock { fill: none; stroke: var(--ink); stroke-width: 1.2; }
  .bolt { fill: var(--ink); }
  .tip { fill: var(--ink); }
"""
_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="9"'
    ' markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
    '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>'
)
_LEGEND: Final = 92
_SWATCH: Final = 46


def draw(programme: Programme) -> str:
    """The data-flow diagram of `programme` as the text of an SVG file.

    Source: ISO/TS 12812-2:2017, 6.2; 7.1
    """
    placed = place(programme)
    routes = route(placed, lines_of(programme))
    width, height = placed.width, placed.height + _LEGEND
    parts = [
        _opening(width, height),
        f'<title id="title">{escape(_title(programme))}</title>',
        f'<desc id="desc">{escape(_description(programme))}</desc>',
        f"<style>{_STYLE}</style>",
        _TIP,
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="head" x="{LEFT}" y="34">{escape(_title(programme))}</text>',
        *_zones(programme, placed),
        *(_line(one, programme) for one in routes),
        *(_box(box, programme) for box in placed.boxes.values()),
        *(_label(one) for one in routes),
        *_legend(programme, placed),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _opening(width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img" aria-labelledby="title desc">'
    )


def _title(programme: Programme) -> str:
    return f"{programme.offer.owner}: data flows of {programme.offer.id}"


def _description(programme: Programme) -> str:
    """What somebody hears who does not see the picture."""
    sealed = sum(1 for one in programme.flows.values() if one.end_to_end)
    return (
        f"{len(programme.nodes)} nodes in {len(programme.zones)} zones of trust, joined by"
        f" {len(programme.flows)} flows, {sealed} of them end-to-end. "
        + " ".join(
            f"{one.id}: {' to '.join(one.nodes())} by {one.bearer.value}."
            for one in programme.flows.values()
        )
    )


def _zones(programme: Programme, placed: Placed) -> Iterator[str]:
    top, bottom = placed.bands[0][1], placed.bands[-1][1] + placed.bands[-1][2]
    for column, zone in enumerate(placed.zones):
        x = LEFT + column * COLUMN - 20
        trust = programme.zones[zone].trust
        yield (
            f'<rect class="zone" x="{x}" y="{top}" width="{WIDTH + 40}" height="{bottom - top}"'
            ' rx="10"/>'
        )
        yield f'<text class="name" x="{x + 4}" y="{top - 24}">{escape(zone)}</text>'
        yield f'<text class="small" x="{x + 4}" y="{top - 9}">trust {trust} of 100</text>'
    for layer, y, height in placed.bands:
        if y != top:
            yield f'<path class="band" d="M16 {y}H{placed.width - 16}"/>'
        middle = y + height // 2
        yield (
            f'<text class="small" x="34" y="{middle}" text-anchor="middle"'
            f' transform="rotate(-90 34 {middle})">{layer.value}</text>'
        )


def _line(one: Route, programme: Programme) -> str:
    line = one.line
    back = ' marker-start="url(#tip)"' if line.both_ways else ""
    told = "; ".join(
        f"{flow} carries {', '.join(programme.flows[flow].carries) or 'nothing of value'}"
        for flow in line.flows
    )
    return (
        f'<path class="line {_look(line.bearer)}"{_dash(line.bearer)} d="{one.path}"'
        f' marker-end="url(#tip)"{back}>'
        f"<title>{escape(_named(line))}: {escape(told)}</title></path>"
    )


def _named(line: Line) -> str:
    arrow = "and" if line.both_ways else "to"
    return f"{line.source} {arrow} {line.target} by {line.bearer.value}"


def _look(bearer: Bearer) -> str:
    family = _FAMILIES.get(bearer, "air")
    return f"{family} thick" if bearer in _THICK else family


def _dash(bearer: Bearer) -> str:
    dashes = _DASHES[bearer]
    return "" if dashes == "none" else f" stroke-dasharray={quoteattr(dashes)}"


def _box(box: Box, programme: Programme) -> str:
    node = programme.nodes[box.node]
    run = f", run by {node.party}" if node.party else ""
    said = f"{node.id}: {node.kind.value} in {node.zone}{run} ({layer_of(node.kind).value} layer)"
    x = box.x + WIDTH // 2
    who = f"{node.kind.value} · {node.party}" if node.party else node.kind.value
    return (
        f'<g><title>{escape(said)}</title><rect class="box" x="{box.x}" y="{box.y}"'
        f' width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text class="name" x="{x}" y="{box.y + 19}" text-anchor="middle">'
        f"{escape(_short(node.id, 21))}</text>"
        f'<text class="small" x="{x}" y="{box.y + 34}" text-anchor="middle">'
        f"{escape(_short(who, 27))}</text></g>"
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _label(one: Route) -> str:
    (x, y), width = one.label, label_width(one.line)
    left = x - width // 2
    lock = _padlock(left + 5, y - 5) if one.line.end_to_end else ""
    start = left + (18 if one.line.end_to_end else 5)
    return (
        f'<g aria-hidden="true"><rect class="tag" x="{left}" y="{y - LABEL_HEIGHT // 2}"'
        f' width="{width}" height="{LABEL_HEIGHT}" rx="3"/>{lock}'
        f'<text x="{start}" y="{y + 4}">{escape(one.line.label())}</text></g>'
    )


def _padlock(x: int, y: int) -> str:
    return (
        f'<path class="lock" d="M{x + 2} {y + 4}v-2a2.5 2.5 0 0 1 5 0v2"/>'
        f'<rect class="bolt" x="{x}" y="{y + 4}" width="9" height="6" rx="1"/>'
    )


def _legend(programme: Programme, placed: Placed) -> Iterator[str]:
    """Which line is which bearer, and what the padlock means."""
    used = {flow.bearer for flow in programme.flows.values()}
    x, y = LEFT, placed.height + 40
    for bearer in Bearer:
        if bearer not in used:
            continue
        yield (
            f'<path class="line {_look(bearer)}"{_dash(bearer)} d="M{x} {y}h{_SWATCH}"/>'
            f'<text x="{x + _SWATCH + 6}" y="{y + 4}">{bearer.value}</text>'
        )
        x += _SWATCH + 76
    yield _padlock(LEFT, y + 22)
    yield (
        f'<text x="{LEFT + 16}" y="{y + 32}">end-to-end: read by its ends only.'
        "  \u00d7n: so many flows share the line.  Dashed frames: zones, least trusted on the left."
        "</text>"
    )
