"""Whom a tightening is held to first, and how much it may touch: cohorts and caps.

    cohorts: [{id: unproven, when: {device_trust: unknown, tier: [0, 1]}}]
    caps: {per_action: {customers_bp: 1_000, value_bp: 1_500}, per_day: {...}}

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Collection, Iterable

from tallystick.kernel.model import replace
from tallystick.process.policy.language.model import Caps, Cohort, Limit, Row, Words
from tallystick.process.policy.language.rows import SLUG, read_words
from tallystick.process.yamltext.section import Section

COUNTED = ("device_trust", "tier")
"""Fields of which it is known, for every customer, which word is hers."""

MOST_COHORTS = 8
_COHORT = ("id", "when")
_CAPS = ("per_action", "per_day")
_SHARES = ("customers_bp", "value_bp")
_WHOLE = 10_000


def read_caps(section: Section) -> Caps:
    """The caps in `section`, in basis points from 1 to 10,000.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    action, day = (section.section(word, _SHARES) for word in _CAPS)
    found = Caps(
        customers_bp=action.integer("customers_bp", 1, _WHOLE),
        value_bp=action.integer("value_bp", 1, _WHOLE),
        day_customers_bp=day.integer("customers_bp", 1, _WHOLE),
        day_value_bp=day.integer("value_bp", 1, _WHOLE),
    )
    for word, once, often in (
        ("customers_bp", found.customers_bp, found.day_customers_bp),
        ("value_bp", found.value_bp, found.day_value_bp),
    ):
        if often < once and word in day and word in action:
            text = f"per_day {word} is below the {once} of per_action, which could not be used"
            section.defects.add(day.position(word), text)
    return found


def refuse_idle_caps(section: Section, own: Caps, together: Caps) -> None:
    """Note each cap of an entry, read from `section`, that the caps of all entries pass first.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    pairs = (
        ("per_action", "customers_bp", own.customers_bp, together.customers_bp),
        ("per_action", "value_bp", own.value_bp, together.value_bp),
        ("per_day", "customers_bp", own.day_customers_bp, together.day_customers_bp),
        ("per_day", "value_bp", own.day_value_bp, together.day_value_bp),
    )
    for word, share, mine, most in pairs:
        if mine > most:
            text = f"{word} {share} is above the {most} of tightening_caps, which comes first"
            section.defects.add(section.position(word), text)


def read_cohorts(
    section: Section, tiers: Collection[int], touches: Row | Limit | None
) -> tuple[Cohort, ...]:
    """The cohorts of an entry that `touches` the payments of a row or limit.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    found: dict[str, Cohort] = {}
    for one in section.sections("cohorts", _COHORT):
        cohort = _cohort(one, tiers)
        if cohort.id in found:
            one.defects.add(one.at, f"the cohort {cohort.id!r} stands twice")
        elif touches is not None and cohort.words:
            _refuse_empty_or_whole(one, cohort, touches)
        found[cohort.id] = cohort
    if len(found) > MOST_COHORTS:
        section.defects.add(section.position("cohorts"), f"more than {MOST_COHORTS} cohorts")
    return tuple(found.values())


def _cohort(section: Section, tiers: Collection[int]) -> Cohort:
    when = section.section("when", COUNTED)
    words = tuple(
        read_words(when, name, node, tiers) for name, node in when.values() if name in COUNTED
    )
    if not words and "when" in section:
        section.defects.add(when.at, f"a cohort names {' or '.join(COUNTED)}")
    return Cohort(
        id=section.text("id", SLUG, "a slug such as unproven"), words=words, at=section.at
    )


def _refuse_empty_or_whole(section: Section, cohort: Cohort, touches: Row | Limit) -> None:
    narrowed = narrow(touches.words, cohort.words)
    if narrowed is None:
        text = f"the cohort {cohort.id!r} has none of the payments that the entry touches"
        section.defects.add(section.position("when"), text)
    elif {one.field: frozenset(one.words) for one in narrowed} == {
        one.field: frozenset(one.words) for one in touches.words
    }:
        text = f"the cohort {cohort.id!r} is not narrower than the entry"
        section.defects.add(section.position("when"), text)


def narrow(words: Iterable[Words], cohort: Iterable[Words]) -> tuple[Words, ...] | None:
    """The conditions that hold where both do; None where both never hold.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    found = {one.field: one for one in words}
    for one in cohort:
        there = found.get(one.field)
        if there is None:
            found[one.field] = one
            continue
        both = tuple(word for word in there.words if word in one.words)
        if not both:
            return None
        found[one.field] = replace(there, words=both)
    return tuple(found.values())
