"""Control, residual, policy and finding on one axis of time, as the loop saw them.

Three panels one below the other share the axis: controls in effect, places that are open, rows that
are satisfied. Upright lines are versions of the policy, diamonds policies that were proposed. Below
them is the strip with the rounds and what the service tightened by itself.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from tallystick.process.loop.model import LoopLine
from tallystick.process.reports.marks import (
    CellText,
    linked,
    path,
    picture,
    plural,
    scrolled,
    short,
    spot,
    table,
    text,
)
from tallystick.process.reports.model import Stricter
from tallystick.process.reports.scales import Scale, steps
from tallystick.process.reports.strip import height, span_of, strip, tightenings_table, when

MOST: Final = 200
"""How many of the newest lines are drawn."""

_WIDTH, _LEFT, _RIGHT, _TOP = 640, 66, 24, 52
_PANEL, _GAP = 84, 40
_LETTERS = 20
_LETTER = 6.9
"""About how wide a letter is."""


def loop_figure(
    lines: Sequence[LoopLine], tightenings: Sequence[Stricter] = (), currency: str = ""
) -> str:
    """The picture and its numbers, or what to do where the loop never ran.

    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    stricter = tightenings_table(tightenings, currency) if tightenings else ""
    if not lines:
        return (
            "<p><b>The loop has not run.</b> <code>tallystick loop run FOLDER</code> adds a line"
            f" whenever a control, a risk, the policy or a finding changed.</p>{stricter}"
        )
    drawn = list(lines[-MOST:])
    numbers = table("Every round that changed something", _COLUMNS, map(_row, drawn), "numbers")
    numbers += stricter
    if len(drawn) < 2 and not tightenings:
        return f"<p><b>Nothing changed since {when(drawn[0].at)}.</b></p>{numbers}"
    bars = (
        "<li>bar: a tightening in force; bar without filling: one beyond its caps, while it waited"
        " for officers</li>"
        if tightenings
        else ""
    )
    legend = (
        '<ul class="legend"><li>upright line: another version of the policy</li>'
        '<li><span class="sign">◆</span> a stronger policy is proposed</li>'
        f"<li>words: the control that fell, the asset whose risk rose</li>{bars}</ul>"
    )
    shown = scrolled("The loop over time", loop_picture(drawn, tightenings))
    return f"{legend}{shown}<details><summary>The numbers as a table</summary>{numbers}</details>"


_COLUMNS: Final = (
    "when", "round", "controls in effect", "changed", "places open", "risk rose or fell", "policy",
    "proposed", "rows satisfied", "findings that flipped",
)  # fmt: skip


def _row(line: LoopLine) -> tuple[CellText, ...]:
    return (
        when(line.at),
        linked(line.round, "loop"),
        linked(f"{line.in_effect} of {line.controls}", "loop"),
        _few(f"{one.control} {one.now}" for one in line.turned),
        linked(_open(line), "loop"),
        _few(
            f"{name} {moved.before.risk} to {moved.after.risk}"
            f" ({moved.before.open} to {moved.after.open} open)"
            for name, moved in line.residual.items()
            if moved.before != moved.after
        ),
        linked(line.policy_version, "loop"),
        line.proposal,
        linked(f"{line.satisfied} of {line.rows}", "loop"),
        _few(f"{one.requirement} {one.now}" for one in line.findings),
    )


def loop_picture(lines: Sequence[LoopLine], tightenings: Sequence[Stricter] = ()) -> str:
    """The three panels of `lines`, and the strip with `tightenings` on the same axis.

    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    first, last_at = span_of([one.at for one in lines], tightenings)
    across = Scale(first, last_at, _LEFT, _WIDTH - _RIGHT)
    panels = (
        ("controls in effect", [one.in_effect for one in lines], _fell(lines)),
        ("places that are open", [_open(one) for one in lines], _rose(lines)),
        ("rows satisfied", [one.satisfied for one in lines], _flipped(lines)),
    )
    below = _TOP + len(panels) * (_PANEL + _GAP)
    bottom = below + height(tightenings) if tightenings else below - _GAP
    parts = list(_policies(lines, across, bottom))
    parts += strip(across, below, lines, tightenings, _LEFT)
    for number, (title, values, words) in enumerate(panels):
        parts += _panel(_TOP + number * (_PANEL + _GAP), title, across, lines, values, words)
    for at, anchor in ((first, "start"), (last_at, "end")):
        parts.append(text(across.at(at), bottom + 20, when(at), "", anchor))
    last = lines[-1]
    said = (
        f"{plural(len(lines), 'round')} that changed something. Now {last.in_effect} of"
        f" {last.controls} controls are in effect, {plural(_open(last), 'place')} open,"
        f" {last.satisfied} of {last.rows} rows satisfied, policy {last.policy_version} in force"
        f"{', a stronger one proposed' if last.proposal else ''}."
        f"{_stricter(tightenings)}"
    )
    size = (_WIDTH, bottom + 32)
    return picture("loop-picture", size, "The loop over time", said, parts, "wide")


def _stricter(tightenings: Sequence[Stricter]) -> str:
    """What somebody hears of the strip."""
    if not tightenings:
        return ""
    waited = sum(one.proposed for one in tightenings)
    now = sum(not one.until and not one.proposed for one in tightenings)
    began = plural(len(tightenings) - waited, "tightening")
    return f" {began} of the service, {now} in force; {waited} beyond their caps."


def _panel(
    top: int,
    title: str,
    across: Scale,
    lines: Sequence[LoopLine],
    values: Sequence[int],
    words: Sequence[str],
) -> Iterable[str]:
    ticks = steps(min(values), max(values), 4)
    scale = Scale(ticks[0], ticks[-1], top + _PANEL, top)
    yield text(8, top - 12, title, "strong halo")
    for tick in ticks:
        y = scale.at(tick)
        yield path(f"M{_LEFT} {spot(y)}H{_WIDTH - _RIGHT}", "grid")
        yield text(_LEFT - 8, y + 4, str(tick), "", "end")
    yield path(_stairs(lines, values, across, scale), "curve observed")
    free = float(_LEFT)
    for line, value, said in zip(lines, values, words, strict=True):
        x, y = across.at(line.at), scale.at(value)
        yield f'<circle class="dot observed" cx="{spot(x)}" cy="{spot(y)}" r="3.5"/>'
        long = len(said) * _LETTER
        late = x + 6 + long > _WIDTH
        begins = x - 6 - long if late else x + 6
        if said and begins >= free:
            below = 16 if y < top + _PANEL / 2 else -8
            placed = x - 6 if late else x + 6
            yield text(placed, y + below, said, "faint halo", "end" if late else "")
            free = begins + long + 6


def _stairs(lines: Sequence[LoopLine], values: Sequence[int], across: Scale, scale: Scale) -> str:
    """A value holds until the next round that changed something."""
    drawn = [f"M{spot(across.at(lines[0].at))} {spot(scale.at(values[0]))}"]
    for line, value in zip(lines[1:], values[1:], strict=True):
        drawn.append(f"H{spot(across.at(line.at))}V{spot(scale.at(value))}")
    if across.high > lines[-1].at:
        drawn.append(f"H{spot(across.end)}")
    return "".join(drawn)


def _policies(lines: Sequence[LoopLine], across: Scale, bottom: int) -> Iterable[str]:
    yield text(across.at(lines[0].at), 14, f"policy {lines[0].policy_version}", "faint")
    for before, after in pairwise(lines):
        x = across.at(after.at)
        late = x > _WIDTH - 120
        if before.policy_version != after.policy_version:
            yield path(f"M{spot(x)} 4V{bottom}", "version")
            words = f"policy {after.policy_version}"
            yield text(x - 5 if late else x + 5, 14, words, "faint halo", "end" if late else "")
        if after.proposal and after.proposal != before.proposal:
            yield path(f"M{spot(x)} 20l6 6l-6 6l-6 -6z", "diamond")


def _fell(lines: Sequence[LoopLine]) -> list[str]:
    """For each line the chosen word: the first control that fell in it, and how many more."""
    found: list[str] = [""]
    for before, after in pairwise(lines):
        new = [one for one in after.fallen if one not in before.fallen]
        back = [one for one in before.fallen if one not in after.fallen]
        found.append(_first(new) or _first([f"{one} back" for one in back]))
    return found


def _rose(lines: Sequence[LoopLine]) -> list[str]:
    found: list[str] = []
    for line in lines:
        risen = [
            (one.after.risk - one.before.risk, one.after.open - one.before.open, name)
            for name, one in line.residual.items()
            if one.after.above(one.before)
        ]
        found.append(_first([name for _, _, name in sorted(risen, reverse=True)]))
    return found


def _flipped(lines: Sequence[LoopLine]) -> list[str]:
    return [_first([one.requirement for one in line.findings]) for line in lines]


def _first(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return f"{short(names[0], _LETTERS - len(more))}{more}"


def _few(words: Iterable[str]) -> str:
    listed = list(words)
    more = f" and {len(listed) - 4} more" if len(listed) > 4 else ""
    return "; ".join(listed[:4]) + more


def _open(line: LoopLine) -> int:
    return sum(one.after.open for one in line.residual.values())
