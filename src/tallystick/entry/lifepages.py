"""The page and the picture of the life of devices, out of the table that the writer runs.

Source: ISO/TS 12812-2:2017, 7.4.5
"""

from itertools import groupby

from tallystick.application.devicelife.rules import LIFE, Act, Step
from tallystick.application.devices import DeviceStatus

_HEAD = """# The life of devices: who may do what

<!-- Written by `python dev.py docs` from application/devicelife/rules.py. -->

One row is one act in one state. What is not here does not happen: the writer refuses it, in every
channel. Why, and what a customer sees, is told in
[the life of devices](../explanation/device-life.md).

| state | act | by whom, on which proof | then it is | message | event | in the same turn |
|---|---|---|---|---|---|---|
"""

_TAIL = """
Enrolling is the step before the table: a code to the customer's number and two new keys make an
`active` device. The first one is told of by the message that brings the code, each further one by a
message of its own (`device-added`). Messages go to the number, which is another channel than any
device; whoever dialled sees the last page besides.
"""

_STATES = {
    DeviceStatus.ACTIVE: (40, 200),
    DeviceStatus.SUSPENDED: (300, 60),
    DeviceStatus.LOST: (300, 150),
    DeviceStatus.DORMANT: (300, 250),
    DeviceStatus.LEAVING: (300, 340),
    DeviceStatus.STOLEN: (560, 105),
    DeviceStatus.REMOVED: (560, 295),
    DeviceStatus.DELETED: (790, 200),
}
_W, _H = 110, 36

_STYLE = """<style>
  .life { --ink: #1d2733; --line: #6b7a8c; --in: #d2ead5; --held: #f2e7ae; --out: #f3cfcf; }
  @media (prefers-color-scheme: dark) { .life { --ink: #e6edf3; --line: #8b98a8;
    --in: #1f4a2c; --held: #4f4718; --out: #5a2323; } }
  text { fill: var(--ink); font: 14px system-ui, sans-serif; text-anchor: middle; }
  rect { stroke: var(--line); } path { stroke: var(--line); stroke-width: 1.4; fill: none; }
  marker path { fill: var(--line); } .in { fill: var(--in); } .held { fill: var(--held); }
  .out { fill: var(--out); }
</style>"""

_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"'
    ' markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)


def device_life_page() -> str:
    """The reference page of the table, as Markdown.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    rows = [_row(status, act, step) for status, ways in LIFE.items() for act, step in ways.items()]
    return _HEAD + "".join(rows) + _TAIL


def _row(status: DeviceStatus, act: Act, step: Step) -> str:
    who = "; ".join(f"{by.value}: {proof.value}" for by, proof in step.who.items())
    follows = "; ".join(sorted(one.value for one in step.follows))
    return (
        f"| {status.value} | {act.value} | {who} | {step.to.value} | `{step.tells.value}`"
        f" | `{step.event}` | {follows} |\n"
    )


def device_life_picture() -> str:
    """The states and the ways between them, as a picture (SVG).

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    pairs = sorted(
        {
            (status, step.to)
            for status, ways in LIFE.items()
            for step in ways.values()
            if step.to is not status
        }
    )
    to = {key: [two for _, two in group] for key, group in groupby(pairs, lambda pair: pair[0])}
    told = "; ".join(
        f"{status.value} to {', '.join(one.value for one in ends)}" for status, ends in to.items()
    )
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" class="life" viewBox="0 0 940 420" role="img">',
        f"<title>The states of a device</title><desc>{told}.</desc>",
        _STYLE,
        _TIP,
        *(_way(*pair) for pair in pairs),
        *(_state(status) for status in _STATES),
        "</svg>\n",
    ]
    return "\n".join(lines)


def _state(status: DeviceStatus) -> str:
    x, y = _STATES[status]
    ends = {step.to for step in LIFE[status].values()}
    if status is DeviceStatus.ACTIVE:
        looks = "in"
    else:
        looks = "held" if DeviceStatus.ACTIVE in ends else "out"
    return (
        f'<rect class="{looks}" x="{x}" y="{y}" width="{_W}" height="{_H}" rx="6"/>'
        f'<text x="{x + _W // 2}" y="{y + 23}">{status.value}</text>'
    )


def _way(begin: DeviceStatus, end: DeviceStatus) -> str:
    """An arrow; a way back is drawn a little lower than the way there."""
    (x1, y1), (x2, y2) = _STATES[begin], _STATES[end]
    if x1 == x2:
        bow = x1 - 24
        low = y1 < y2
        y1, y2 = (y1 + _H, y2) if low else (y1, y2 + _H)
        d = f"M{x1 + 20} {y1}C{bow} {(y1 + y2) // 2} {bow} {(y1 + y2) // 2} {x2 + 20} {y2}"
        return f'<path d="{d}" marker-end="url(#tip)"/>'
    there = x1 < x2
    shift = -5 if there else 7
    a, b = (x1 + _W, x2) if there else (x1, x2 + _W)
    mid = (a + b) // 2
    y1, y2 = y1 + _H // 2 + shift, y2 + _H // 2 + shift
    d = f"M{a} {y1}C{mid} {y1} {mid} {y2} {b} {y2}"
    return f'<path d="{d}" marker-end="url(#tip)"/>'
