"""One strip of time with both: the rounds of the loop, and the tightenings of the service.

A round that changed something is an upright mark, a tightening a bar from its beginning to its end
(to the edge where it is in force), one that was beyond its caps a bar that is not filled, for as
long as it waited for officers. Each entry has a line of its own, and so has each of its cohorts.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3; 9.1
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.process.loop.model import LoopLine
from tallystick.process.reports.marks import CellText, linked, rect, short, table, text
from tallystick.process.reports.model import Stricter
from tallystick.process.reports.scales import Scale

TITLE: Final = "rounds of the loop, and tightenings"
MOST_LINES: Final = 6
"""Entries and cohorts with a line of their own; further ones share the last."""

_ROUNDS, _STEP = 16, 30
_BAR = 9
_LETTERS = 34
_LETTER = 6.9
_COLUMNS: Final = ("when", "tightening", "held to", "until", "customers touched", "value touched",
                   "what ended it")  # fmt: skip


def span_of(
    times: Sequence[int], tightenings: Iterable[Stricter], *, widen: bool = True
) -> tuple[int, int]:
    """The first and the last instant (ms) of an axis for `times`, and for `tightenings` if `widen`.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    found = [*times]
    if widen:
        found += [at for one in tightenings for at in (one.since, one.until) if at]
    first, last = min(found), max(found)
    return first, max(last, first + 1)


def height(tightenings: Sequence[Stricter]) -> int:
    """How high the strip is, its title not included; 0 where there is nothing but rounds.

    Source: W3C SVG
    """
    if not tightenings:
        return 0
    return _ROUNDS + _STEP * min(MOST_LINES, len(_names(tightenings)))


def strip(
    across: Scale, top: int, lines: Iterable[LoopLine], tightenings: Sequence[Stricter], left: int
) -> Iterable[str]:
    """The marks from `top` down, with a title beginning at 8 and bars from `left` on.

    Source: W3C SVG
    """
    if not tightenings:
        return
    yield text(8, top - 12, TITLE, "strong halo")
    yield text(left - 8, top + 10, "rounds", "", "end")
    for line in lines:
        if across.low <= line.at <= across.high:
            kind = "round falls" if line.fallen else "round"
            yield rect(across.at(line.at) - 1, top, 2, _BAR + 2, kind)
    names = _names(tightenings)
    named: set[str] = set()
    for one in tightenings:
        ends = one.until or across.high
        if ends < across.low or one.since > across.high:
            continue
        y = top + _ROUNDS + _STEP * min(names.index(_name(one)), MOST_LINES - 1)
        begin, end = across.at(one.since), across.at(ends)
        kind = "waited" if one.proposed else "held"
        yield rect(begin, y + _STEP - _BAR - 4, max(2.0, end - begin), _BAR, kind)
        if _name(one) not in named:
            named.add(_name(one))
            said = short(_name(one), _LETTERS)
            at = max(float(left), min(begin, across.end - len(said) * _LETTER))
            yield text(at, y + _STEP - _BAR - 8, said, "faint halo")


def _names(tightenings: Iterable[Stricter]) -> list[str]:
    return list(dict.fromkeys(map(_name, tightenings)))


def _name(one: Stricter) -> str:
    return f"{one.entry} for {one.cohort}" if one.cohort else one.entry


def tightenings_table(tightenings: Iterable[Stricter], currency: str) -> str:
    """Every tightening and proposal in numbers.

    Source: W3C WCAG
    """
    return table(
        "Every tightening of the service, and every one that waited for officers",
        _COLUMNS,
        (_row(one, currency) for one in tightenings),
        "numbers",
    )


def _row(one: Stricter, currency: str) -> tuple[CellText, ...]:
    counted = one.of_customers > 0
    kind = " (beyond its caps)" if one.proposed else ""
    return (
        when(one.since),
        f"{one.entry}{kind}",
        one.cohort or "all",
        when(one.until) if one.until else "in force",
        linked(f"{one.customers} of {one.of_customers}", "tightenings") if counted else "",
        linked(Money(one.value_minor, currency), "tightenings") if counted else "",
        one.ended,
    )


def when(at: int) -> str:
    """An instant to the second: the service is quicker than a minute.

    Source: ISO 8601-1
    """
    return f"{iso_utc(at)[:19].replace('T', ' ')} UTC"
