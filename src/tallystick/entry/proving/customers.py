"""The customers whom a provider keeps to try itself: no money, and numbers that nobody can have.

Source: ISO/TS 12812-2:2017, 7.4.1; 9.1
"""

from typing import Final

from tallystick.entry.assembly import Platform
from tallystick.entry.proving.site import Site
from tallystick.protocol.operators import OpenCustomer

NAMES: Final = ("Probe Zzyzxworth", "Payee Zzyzxworth")
"""Names that nobody has, so that they can be looked for where they should not stand."""


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
