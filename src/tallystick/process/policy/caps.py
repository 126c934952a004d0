"""How much a tightening may touch: the caps that officers signed, for one beginning and for a day.

    narrowest(entry, ...)    which cohort comes first: the one that touches the fewest customers
    why_beyond(policy, ...)  which cap a step is beyond, in words; empty for none

Shares of a day are added up. Who is touched by two measures counts twice, so that the sum is never
too small.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, MINUTE_MS
from tallystick.process.policy.explain import in_shares
from tallystick.process.policy.language.model import Caps, Policy, Tightening
from tallystick.process.policy.tightening import Measure
from tallystick.protocol.measures import Touched, touched_counts

LEAST: Final = 100
"""Below so many counted customers a share says nothing: what is capped does not begin."""

FRESH_MS: Final = 15 * MINUTE_MS
"""How old a preview may be when a step begins by it."""


class Preview(Record, frozen=True, kw_only=True):
    """Whom each step of one entry would touch, as counted at `at` (ms), by cohort; empty for all.

    `steps` were in force then under policy `version`.
    Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
    """

    at: int
    version: int
    entry: str
    steps: tuple[str, ...]
    touched: Mapping[str, Touched]


def narrowest(entry: Tightening, failing: Iterable[str], preview: Preview) -> str:
    """The cohort of `entry` that comes first among those `failing`; empty where there is none.

    Of several the one that touches the fewest customers, then the first of the text.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    among = frozenset(failing)
    found = [one.id for one in entry.cohorts if one.id in among and one.id in preview.touched]
    return min(found, key=lambda name: preview.touched[name].customers, default="")


def is_capped(policy: Policy, entry: Tightening) -> bool:
    """Whether officers capped how much `entry` may touch.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return entry.caps is not None or policy.tightening_caps is not None


def why_beyond(
    policy: Policy,
    entry: Tightening,
    touched: Touched | None,
    known: Iterable[Measure],
    at: int,
) -> str:
    """Which cap of `policy` a step of `entry` is beyond that begins at `at`; empty for none.

    `known` are the measures that began before it. Where something is capped and nothing was
    counted, or too few customers were, it is beyond.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    if not is_capped(policy, entry):
        return ""
    if touched is None:
        return "nobody counted whom it touches"
    if touched.of_customers < LEAST:
        return f"only {touched.of_customers} customers can be counted, {LEAST} are needed"
    recent = [one for one in known if at - DAY_MS < one.since <= at]
    own = [one for one in recent if one.entry == entry.id]
    bounds = ((entry.caps, entry.id, own), (policy.tightening_caps, "all tightenings", recent))
    for caps, whose, before in bounds:
        if caps is not None:
            for said in _beyond(caps, touched, before):
                return f"it touches {said} of {whose}"
    return ""


def _beyond(caps: Caps, touched: Touched, before: Iterable[Measure]) -> Iterator[str]:
    customers, value = touched.customers_bp, touched.value_bp
    if customers > caps.customers_bp or value > caps.value_bp:
        most = in_shares(caps.customers_bp, caps.value_bp)
        yield f"{in_shares(customers, value)}; one beginning may touch {most}"
    for one in before:
        counted = touched_by(one)
        if counted is not None:
            customers += counted.customers_bp
            value += counted.value_bp
    if customers > caps.day_customers_bp or value > caps.day_value_bp:
        most = in_shares(caps.day_customers_bp, caps.day_value_bp)
        yield f"{in_shares(customers, value)} within 24 hours; a day may touch {most}"


def touched_by(measure: Measure) -> Touched | None:
    """Whom `measure` was counted to touch, or None where nobody counted.

    Raises Malformed for a text that was changed beyond its form.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    return touched_counts.decode(measure.touched.encode()) if measure.touched else None


def counts_of(touched: Touched) -> dict[str, str | int]:
    """The counts as an event has them; classes of devices as `software=3/40 none=0/12`.

    Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
    """
    return {
        "days": touched.days,
        "customers": touched.customers,
        "of_customers": touched.of_customers,
        "value_minor": touched.value_minor,
        "of_value_minor": touched.of_value_minor,
        "classes": " ".join(
            f"{one.device}={one.customers}/{one.of_customers}" for one in touched.classes
        ),
    }
