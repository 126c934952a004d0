"""Loss exceedance: how likely a year is to lose at least so much, against what is tolerated.

Source: ISO/TS 12812-2:2017, A
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from tallystick.kernel.money import Money, currency_exponent
from tallystick.process.reports.marks import (
    CellText,
    linked,
    path,
    percent,
    picture,
    scrolled,
    spot,
    table,
    text,
)
from tallystick.process.reports.material import Material
from tallystick.process.reports.model import Curve, Losses
from tallystick.process.reports.scales import Scale, brief, decades, powers
from tallystick.process.risk.model import LossCurve

STATES: Final = ("inherent", "designed", "observed")
NAMES: Final[Mapping[str, str]] = {
    "inherent": "bare",
    "designed": "with the chosen controls",
    "observed": "as seen now",
}
_SIGNS: Final = {"inherent": "○", "designed": "◐", "observed": "●"}
_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 18, 26, 66
_TOLERATED: Final = 0.05
_SAVED: Final = 12


def losses_of(material: Material) -> Losses:
    """The curves of the three states, and the controls that save most.

    Source: ISO/TS 12812-2:2017, A
    """
    report = material.analysis.loss
    saved = sorted(report.saved.items(), key=lambda each: (-each[1].minor, each[0]))
    return Losses(
        years=report.curve.years,
        seed=report.curve.seed,
        tolerated=report.tolerated,
        curves=tuple(_curve(state, material.curves[state]) for state in STATES),
        saved=tuple(saved),
        assumptions=report.assumptions,
    )


def _curve(state: str, curve: LossCurve) -> Curve:
    return Curve(
        state=state, mean=curve.mean, p95=curve.percentiles["p95"], points=curve.exceedance
    )


def losses_figure(losses: Losses) -> str:
    """The picture, the numbers of its curves, and what each control saves.

    Source: ISO/TS 12812-2:2017, A
    """
    rows: list[tuple[CellText, ...]] = [
        ("mean", *(linked(one.mean, "loss") for one in losses.curves))
    ]
    for share, amounts in _by_share(losses.curves):
        words = f"reached in 1 year of {int(1 / share)}"
        rows.append((words, *(linked(one, "loss") for one in amounts)))
    columns = ("loss of a year", *(NAMES[one.state] for one in losses.curves))
    numbers = table("Yearly loss and how often it is reached", columns, rows, "numbers")
    saved = table(
        "What a year would lose more without a control",
        ("control", "saves a year"),
        [(name, linked(amount, "saved")) for name, amount in losses.saved[:_SAVED]],
        "numbers",
    )
    legend = "".join(
        f'<li><span class="sign">{_SIGNS[one.state]}</span> {NAMES[one.state]}</li>'
        for one in losses.curves
    )
    drawn = scrolled("Loss exceedance", losses_picture(losses))
    return (
        f'<ul class="legend">{legend}<li><span class="sign">◆</span> tolerated:'
        f" {losses.tolerated} in one year of twenty</li></ul>{drawn}"
        f"<details><summary>The numbers as tables</summary>{numbers}{saved}</details>"
    )


def _by_share(curves: Sequence[Curve]) -> Iterable[tuple[Decimal, list[Money]]]:
    """Each chance with the amounts of all curves; every curve has the same chances."""
    for points in zip(*(one.points for one in curves), strict=True):
        yield points[0][1], [amount for amount, _ in points]


def losses_picture(losses: Losses) -> str:
    """The curves on logarithmic axes, with the point that is tolerated.

    Source: ISO/TS 12812-2:2017, A
    """
    digits = currency_exponent(losses.tolerated.currency)
    amounts = [amount.minor for one in losses.curves for amount, _ in one.points]
    some = [one for one in (*amounts, losses.tolerated.minor) if one > 0]
    low, high = decades(max(min(some), max(some) // 10**6), max(some)) if some else (1, 10)
    across = Scale(low, high, _LEFT, _WIDTH - _RIGHT, logarithmic=True)
    down = Scale(0.001, 0.5, _HEIGHT - _BOTTOM, _TOP, logarithmic=True)
    parts = [*_axes(losses, across, down, powers(low, high), digits)]
    for one in losses.curves:
        parts += _drawn(one, across, down)
    x, y = across.at(losses.tolerated.minor), down.at(_TOLERATED)
    parts += [
        path(f"M{spot(x)} {_TOP}V{_HEIGHT - _BOTTOM}", "tolerance"),
        path(f"M{spot(x)} {spot(y - 7)}l7 7l-7 7l-7 -7z", "diamond"),
    ]
    anchor = "end" if x > _WIDTH / 2 else "start"
    shift = -10 if anchor == "end" else 10
    parts.append(text(x + shift, _TOP + 10, "tolerated", "strong", anchor))
    said = " ".join(
        f"{NAMES[one.state]}: one year in twenty loses {one.p95} or more." for one in losses.curves
    )
    said += f" Tolerated: {losses.tolerated}."
    return picture("loss-picture", (_WIDTH, _HEIGHT), "Loss exceedance", said, parts, "wide")


def _axes(
    losses: Losses, across: Scale, down: Scale, ticks: Iterable[int], digits: int
) -> Iterable[str]:
    bottom = _HEIGHT - _BOTTOM
    listed = list(ticks)
    every = 1 + len(listed) // 8
    for at, value in enumerate(listed):
        x = across.at(value)
        yield path(f"M{spot(x)} {_TOP}V{bottom}", "grid")
        if at % every == 0:
            yield text(x, bottom + 18, brief(value, digits), "", "middle")
    for share in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001):
        y = down.at(share)
        yield path(f"M{_LEFT} {spot(y)}H{_WIDTH - _RIGHT}", "grid")
        yield text(_LEFT - 8, y + 4, percent(share), "", "end")
    currency = losses.tolerated.currency
    yield text(_WIDTH - _RIGHT, bottom + 40, f"loss of a year, {currency}", "strong", "end")
    yield text(8, 14, "chance that a year loses at least so much", "strong")


def _drawn(one: Curve, across: Scale, down: Scale) -> Iterable[str]:
    places = [(across.at(amount.minor), down.at(float(share))) for amount, share in one.points]
    yield path("M" + "L".join(f"{spot(x)} {spot(y)}" for x, y in places), f"curve {one.state}")
    for x, y in places:
        yield f'<circle class="dot {one.state}" cx="{spot(x)}" cy="{spot(y)}" r="4"/>'


def within(losses: Losses, state: str) -> bool:
    """Whether the year that one of twenty reaches keeps what is tolerated, in `state`.

    Source: ISO/TS 12812-2:2017, A
    """
    return p95_of(losses.curves, state).p95.minor <= losses.tolerated.minor


def p95_of(curves: Sequence[Curve], state: str) -> Curve:
    """The curve of `state`.

    Source: ISO/TS 12812-2:2017, A
    """
    return next(one for one in curves if one.state == state)
