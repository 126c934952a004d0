"""Probes of the registers of the management of security, of certificates, of keys in use.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
"""

from functools import cache

from tallystick.entry.proving.site import Site
from tallystick.entry.registering import state_of
from tallystick.kernel.time import DAY_MS
from tallystick.process.conformance.checks import CheckKind, check_of
from tallystick.process.conformance.registry import Registry
from tallystick.process.isms.probes import register_probes


class RegisterProbes:
    """Looks at the registers of one provider.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe; the registers are read once for all of them, at the first.

        What people attested counts for a day, since clocks run.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        for one in register_probes(cache(lambda: state_of(self._site.folder))):
            says = f"{one.name.removeprefix('registers.')}: in time, complete, nothing overdue"
            check = check_of(
                one.name, CheckKind.ATTESTED, one.requirements, says, freshness_ms=DAY_MS
            )
            registry.register(check, one)
