"""The management summary: five sentences that follow from the numbers.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections import Counter
from typing import Final

from tallystick.kernel.money import Money
from tallystick.process.conformance.findings import State
from tallystick.process.reports.exceedance import p95_of
from tallystick.process.reports.marks import percent, plural, spoken
from tallystick.process.reports.material import Material
from tallystick.process.reports.model import Losses

SOURCES: Final = ("counts", "selection", "loss", "states", "saved")
"""Where the numbers of each sentence come from, in their order."""


def summary_of(material: Material, losses: Losses) -> tuple[str, ...]:
    """What is run and how exposed it is, the choice, the loss, the rows, and what to do first.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    return (
        _exposure(material),
        _choice(material),
        _loss(losses),
        _rows(material),
        _next(material, losses),
    )


def _exposure(material: Material) -> str:
    analysis, offer = material.analysis, material.programme.offer
    counts = analysis.counts
    return (
        f"{offer.owner} serves {offer.customers:,} customers; {counts['threats_matched']} of"
        f" {counts['threats']} threats arise at {counts['instances']:,} places, of which"
        f" {counts['open_inherent']:,} are open without controls, {counts['open_designed']:,} with"
        f" the chosen ones, and {counts['open_observed']:,} as {analysis.basis} now."
    )


def _choice(material: Material) -> str:
    found = material.analysis.selection
    seen = len(material.chosen() & material.there())
    proof = "no cheaper set exists" if found.optimal else f"no set costs less than {found.bound}"
    who = "shut out nobody"
    if found.shut_out:
        who = f"shut out {', '.join(found.shut_out)}, {percent(found.shut_out_share)} of customers"
    enough = "are enough" if not found.open_paths else "leave the least open"
    return (
        f"{plural(len(found.chosen), 'control')} at {plural(found.cost, 'point')} a year and"
        f" {plural(found.friction, 'point')} of friction {enough} ({proof}) and {who};"
        f" {seen} of them count as {material.analysis.basis} now."
    )


def _loss(losses: Losses) -> str:
    bare, designed, observed = (
        p95_of(losses.curves, state).p95 for state in ("inherent", "designed", "observed")
    )
    return (
        f"One year in twenty loses {spoken(bare)} or more without controls, {spoken(designed)} with"
        f" the chosen ones ({_kept(designed, losses)}) and {spoken(observed)} as things stand"
        f" ({_kept(observed, losses)}); tolerated is {spoken(losses.tolerated)}."
    )


def _kept(amount: Money, losses: Losses) -> str:
    return "within the appetite" if amount <= losses.tolerated else "above the appetite"


def _rows(material: Material) -> str:
    counted = Counter(one.state for one in material.findings)
    total = len(material.findings)
    return (
        f"Of {total} rows of the catalogue that apply, {counted[State.SATISFIED]} are satisfied by"
        f" fresh evidence, {counted[State.NOT_SATISFIED]} are not satisfied,"
        f" {counted[State.EXCEPTED]} excepted, {counted[State.NOT_APPLICABLE]} decided not to"
        f" apply, and of {counted[State.STALE]} nothing fresh is known."
    )


def _next(material: Material, losses: Losses) -> str:
    """What to do first: a failure, else the absent control that saves most, else nothing."""
    failed = [one for one in material.findings if one.state is State.NOT_SATISFIED]
    there = material.there()
    absent = [
        (name, amount) for name, amount in losses.saved if name not in there and amount.minor > 0
    ]
    mend = ""
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        mend = f"mend {failed[0].requirement}{more}, which checks saw failing; "
    if absent:
        name, amount = absent[0]
        done = f"bring {name} to where it can be seen at work, which saves {spoken(amount)} a year"
    elif material.chosen() - there:
        done = f"bring {min(material.chosen() - there)} to where it can be seen at work"
    else:
        done = "keep the evidence fresh: every chosen control is seen at work"
    return f"Next: {mend}{done}."
