"""Probes of the registers of the management of security, of certificates, of keys in use.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
"""

from functools import cache

from tallystick.entry.apps import kept_apps
from tallystick.entry.proving.site import Site
from tallystick.entry.registering import state_of
from tallystick.kernel.time import DAY_MS
from tallystick.process.apps.probes import AppState, app_probes
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
        for one in app_probes(cache(lambda: _apps(self._site))):
            says = f"{one.name.removeprefix('apps.')} of applications: as the register says"
            check = check_of(
                one.name, CheckKind.ATTESTED, one.requirements, says, freshness_ms=DAY_MS
            )
            registry.register(check, one)


def _apps(site: Site) -> AppState:
    kept = kept_apps(site.folder)
    return AppState(kept.register, kept.seen)
