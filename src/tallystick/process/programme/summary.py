"""A programme in a few lines.

Source: ISO/TS 12812-2:2017, 6.1
"""

from collections import Counter
from collections.abc import Iterable

from tallystick.kernel.time import DAY_MS
from tallystick.process.programme.entries import spelt
from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import Impact


def summarise(programme: Programme) -> tuple[tuple[str, str], ...]:
    """What `programme` has, as pairs of a word and what there is of it.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return (*_around(programme), *_within(programme), *_against(programme))


def _around(programme: Programme) -> tuple[tuple[str, str], ...]:
    """The service, and who takes part."""
    offer = programme.offer
    return (
        ("service", f"{offer.id} of {offer.owner}: {_listed(one for one in programme.services)}"),
        (
            "volume",
            (
                f"{offer.customers:,} customers, {offer.payments_per_year:,} payments a year,"
                f" {offer.average_payment} on average, {offer.largest_payment} at most"
            ),
        ),
        ("packs", _listed(programme.uses)),
        (
            "jurisdictions",
            _listed(
                f"{one.country} ({_listed(one.regimes)})"
                for one in programme.jurisdictions.values()
            ),
        ),
        (
            "parties",
            _listed(f"{one.id} ({one.role.value})" for one in programme.parties.values()),
        ),
        (
            "posts",
            _listed(f"{one.id} to {one.reports_to}" for one in programme.organisation.values()),
        ),
    )


def _within(programme: Programme) -> tuple[tuple[str, str], ...]:
    """What is run, and what is of value in it."""
    sealed = sum(1 for one in programme.flows.values() if one.end_to_end)
    bearers = Counter(one.bearer.value for one in programme.flows.values())
    impacts = Counter(one.impact() for one in programme.assets.values())
    return (
        (
            "devices",
            _listed(
                f"{one.share * 100:.0f} % {one.id}"
                f" ({programme.secure_envs[one.secure_env].kind.value})"
                for one in programme.devices.values()
            ),
        ),
        (
            "zones",
            _listed(
                f"{one.id} {one.trust}"
                for one in sorted(programme.zones.values(), key=lambda one: (one.trust, one.id))
            ),
        ),
        ("nodes", _counted(Counter(one.kind.value for one in programme.nodes.values()))),
        ("flows", f"{len(programme.flows)}, {sealed} end-to-end: {_counted(bearers)}"),
        (
            "assets",
            _listed(f"{impacts[one]} {spelt(one)}" for one in reversed(Impact) if impacts[one]),
        ),
    )


def _against(programme: Programme) -> tuple[tuple[str, str], ...]:
    """Who attacks, and how much of it is taken."""
    appetite = programme.appetite
    return (
        (
            "actors",
            _listed(
                f"{one.id} ({one.expertise.value}, {one.budget_ms // DAY_MS} d,"
                f" {one.attempts_per_year.mode} a year)"
                for one in programme.actors.values()
            ),
        ),
        (
            "appetite",
            (
                f"{appetite.annual_loss_p95} in the worst of twenty years;"
                f" reputation {spelt(appetite.reputational)}, law {spelt(appetite.legal)}"
            ),
        ),
        (
            "controls",
            (
                f"{len(programme.controls.in_place)} in place,"
                f" {len(programme.controls.not_available)} not available"
            ),
        ),
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def _counted(words: Counter[str]) -> str:
    return _listed(f"{count} {word}" for word, count in sorted(words.items()))
