"""The customers whom a provider keeps to try itself: no money, and numbers that nobody can have.

Source: ISO/TS 12812-2:2017, 7.4.1; 9.1
"""

from typing import Final

from tallystick.entry.assembly import Platform
from tallystick.entry.proving.site import Site
from tallystick.kernel.time import Instant
from tallystick.process.policy.facts import Channel
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind, QuoteReply, QuoteRequest

NAMES: Final = ("Probe Zzyzxworth", "Payee Zzyzxworth")
"""Names that nobody has, so that they can be looked for where they should not stand."""

_LATE_MS: Final = 1_000


def probe_customer(site: Site, platform: Platform, which: int) -> OpenCustomer:
    """Probe customer `which` (1 pays, 2 is paid), of the highest tier for persons.

    A low tier would stop orders before the rows that are to be tried do.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    tiers = sorted(platform.desks.policy.compiled.policy.tiers)
    return OpenCustomer(
        name=NAMES[which - 1],
        msisdn=site.number(which),
        kind="person",
        tier=tiers[-2] if len(tiers) > 1 else tiers[0],
    )


def ended_terms(site: Site, platform: Platform) -> QuoteReply:
    """Genuine terms for a small payment between the probe customers, whose time is over.

    Before anything is served: the record is read with the writer's own connection.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    life_ms = platform.desks.policy.compiled.policy.quote_life_ms
    payer = platform.desks.customers.by_alias(site.number(1))
    request = QuoteRequest(
        kind=PaymentKind.P2P,
        payee=site.number(2),
        amount_minor=100,
        currency=site.settings.currency,
    )
    return platform.quoting.quote(
        payer, request, Instant(site.clock.now() - life_ms - _LATE_MS), Channel.OPERATOR.value
    )
