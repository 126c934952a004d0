"""The residual over time, one point for each observation, with the versions of the policy.

    FOLDER/risk-history.jsonl    one line for each observation, canonical JSON, the oldest first

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.money import currency_exponent
from tallystick.kernel.time import DAY_MS
from tallystick.process.conformance.findings import State
from tallystick.process.loop.model import LoopLine
from tallystick.process.reports.marks import (
    CellText,
    linked,
    moment,
    path,
    picture,
    scrolled,
    spot,
    table,
    text,
)
from tallystick.process.reports.model import HistoryPoint, Report, Stricter
from tallystick.process.reports.scales import Scale, brief, decades, powers, steps
from tallystick.process.reports.strip import height, strip

HISTORY_FILE: Final = "risk-history.jsonl"
_WIDTH, _LEFT, _RIGHT, _TOP = 640, 66, 24, 30
_PANEL, _GAP = 120, 44
_points: Final = Decoder(HistoryPoint)


def read_history(octets: bytes) -> tuple[HistoryPoint, ...]:
    """The points of a history; raises Malformed naming the line that is none, or is out of order.

    Source: RFC 8785
    """
    found: list[HistoryPoint] = []
    for place, line in enumerate(octets.splitlines(), start=1):
        try:
            point = _points.decode_canonical(line)
        except Malformed as error:
            raise Malformed(f"the history's line {place}: {error.detail}") from error
        if found and point.at < found[-1].at:
            raise Malformed(f"the history's line {place} is older than the line before it")
        found.append(point)
    return tuple(found)


def history_line(point: HistoryPoint) -> bytes:
    """`point` as a line of the history.

    Source: RFC 8785
    """
    return encode_canonical(point) + b"\n"


def is_news(history: Sequence[HistoryPoint], point: HistoryPoint) -> bool:
    """Whether `point` says something new: another number, or a day has passed.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    if not history:
        return True
    last = history[-1]
    return point.at - last.at >= DAY_MS or replace(point, at=last.at) != last


def course_figure(
    history: Sequence[HistoryPoint],
    basis: str,
    lines: Sequence[LoopLine] = (),
    tightenings: Sequence[Stricter] = (),
) -> str:
    """The picture where there is a course, what is known where there is one point.

    `lines` of the loop and `tightenings` stand below it on the same axis.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows: list[tuple[CellText, ...]] = [
        (
            moment(one.at),
            linked(one.policy_version, "history"),
            *(linked(one.open[state], "history") for state in range(3)),
            *(linked(one.p95[state], "history") for state in (1, 2)),
            linked(f"{one.states.get(State.SATISFIED.value, 0)} of {one.rows}", "history"),
            one.basis,
        )
        for one in history
    ]
    columns = (
        "when", "policy", "open bare", "open as designed", "open now", "p95 as designed",
        "p95 now", "rows satisfied", "basis",
    )  # fmt: skip
    numbers = table("Every observation", columns, rows, "numbers")
    if len(history) < 2:
        when = f" of {moment(history[0].at)}" if history else ""
        return (
            f"<p><b>There is one observation{when}; a course needs two.</b> Each report of a"
            f" provider adds a line to its history when something changed.</p>{numbers}"
        )
    drawn = scrolled("Residual over time", course_picture(history, basis, lines, tightenings))
    below = "; below, the rounds of the loop and bars for tightenings in force"
    legend = (
        '<ul class="legend"><li><span class="sign">◐</span> with the chosen controls</li>'
        '<li><span class="sign">●</span> as seen now</li>'
        "<li>dashed: what is tolerated, on a logarithmic axis; upright lines: another version of"
        f" the policy{below if tightenings else ''}</li></ul>"
    )
    return f"{legend}{drawn}<details><summary>The numbers as a table</summary>{numbers}</details>"


def course_picture(
    history: Sequence[HistoryPoint],
    basis: str,
    lines: Sequence[LoopLine] = (),
    tightenings: Sequence[Stricter] = (),
) -> str:
    """Two panels one below the other: places that are open, and the loss of one year in twenty.

    Below them is the strip of rounds and tightenings, so far as it falls into the same time.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    across = Scale(history[0].at, max(history[-1].at, history[0].at + 1), _LEFT, _WIDTH - _RIGHT)
    digits = currency_exponent(history[-1].tolerated.currency)
    second = _TOP + _PANEL + _GAP
    bottom = second + _PANEL
    most_open = max(max(one.open[1:]) for one in history)
    losses = [amount.minor for one in history for amount in one.p95[1:]]
    ticks = steps(0, max(most_open, 1), 5)
    some = [one for one in (*losses, history[-1].tolerated.minor) if one > 0] or [1]
    low, high = decades(min(some), max(some))
    money = list(powers(low, high))
    first_scale = Scale(ticks[0], ticks[-1], _TOP + _PANEL, _TOP)
    second_scale = Scale(low, high, bottom, second, logarithmic=True)
    currency = history[-1].tolerated.currency
    every = 1 + len(money) // 5
    parts = [
        *_versions(history, across, bottom),
        *_panel(_TOP, "places that are open", ((str(one), first_scale.at(one)) for one in ticks)),
        *_panel(
            second,
            f"loss of one year in twenty, {currency}",
            ((brief(one, digits), second_scale.at(one)) for one in money[::every]),
        ),
    ]
    y = second_scale.at(history[-1].tolerated.minor)
    parts.append(path(f"M{_LEFT} {spot(y)}H{_WIDTH - _RIGHT}", "tolerance"))
    for state, kind in ((1, "designed"), (2, "observed")):
        for scale, values in (
            (first_scale, [one.open[state] for one in history]),
            (second_scale, [one.p95[state].minor for one in history]),
        ):
            places = [
                (across.at(one.at), scale.at(value))
                for one, value in zip(history, values, strict=True)
            ]
            parts += _line(places, kind)
    for at, anchor in ((history[0].at, "start"), (history[-1].at, "end")):
        parts.append(text(across.at(at), bottom + 20, moment(at), "", anchor))
    below = bottom + 20 + _GAP
    parts += strip(across, below, lines, tightenings, _LEFT)
    end = below + height(tightenings) if tightenings else bottom + 32
    last = history[-1]
    said = (
        f"{len(history)} observations. Now {last.open[2]} of {last.places} places are open as"
        f" {basis}, {last.open[1]} as designed; one year in twenty loses {last.p95[2]} or more."
    )
    return picture("course-picture", (_WIDTH, end), "Residual over time", said, parts, "wide")


def _panel(top: int, title: str, ticks: Iterable[tuple[str, float]]) -> Iterable[str]:
    yield text(8, top - 12, title, "strong halo")
    for words, y in ticks:
        yield path(f"M{_LEFT} {spot(y)}H{_WIDTH - _RIGHT}", "grid")
        yield text(_LEFT - 8, y + 4, words, "", "end")


def _versions(history: Sequence[HistoryPoint], across: Scale, bottom: int) -> Iterable[str]:
    for before, after in pairwise(history):
        if before.policy_version != after.policy_version:
            x = across.at(after.at)
            yield path(f"M{spot(x)} {_TOP - 4}V{bottom}", "version")
            late = x > _WIDTH - 120
            words = f"policy {after.policy_version}"
            yield text(x - 5 if late else x + 5, _TOP + 8, words, "faint", "end" if late else "")


def _line(places: Sequence[tuple[float, float]], kind: str) -> Iterable[str]:
    yield path("M" + "L".join(f"{spot(x)} {spot(y)}" for x, y in places), f"curve {kind}")
    for x, y in places:
        yield f'<circle class="dot {kind}" cx="{spot(x)}" cy="{spot(y)}" r="4"/>'


def point_of(report: Report) -> HistoryPoint:
    """What `report` leaves in the history.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    counts, versions = report.counts, report.versions
    levels = [(one.inherent, one.designed, one.observed) for one in report.layers]
    by_state = {one.state: one.p95 for one in report.losses.curves}
    return HistoryPoint(
        at=versions.made_at,
        programme_digest=versions.programme_digest,
        pack_digest=versions.pack_digest,
        policy_version=versions.policy_version,
        basis=versions.basis,
        places=counts["instances"],
        open=(counts["open_inherent"], counts["open_designed"], counts["open_observed"]),
        risk=(
            max(one[0] for one in levels),
            max(one[1] for one in levels),
            max(one[2] for one in levels),
        ),
        p95=(by_state["inherent"], by_state["designed"], by_state["observed"]),
        tolerated=report.losses.tolerated,
        controls=len(report.trace.chains),
        seen=sum(one.seen for one in report.layers),
        rows=report.rows,
        states=report.states,
    )
