"""Evidence out of the register of applications.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8; 9.1
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tallystick.kernel.evidence import Evidence, Probe, Verdict
from tallystick.kernel.time import Instant
from tallystick.process.apps.manifest import Platform
from tallystick.process.apps.rules import AppRegister

_SHOWN = 400


@dataclass(frozen=True, slots=True)
class AppState:
    """The register, and how many devices were last seen with each version.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    register: AppRegister
    seen: Mapping[tuple[str, str, int], int]


Look = Callable[[], AppState]
"""Reads the present state; called at each observation."""


def app_probes(look: Look) -> tuple[Probe, ...]:
    """One for releases and what runs of them, one for old versions.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return (ReleaseProbe(look), VersionProbe(look))


class ReleaseProbe:
    """Looks whether whatever devices run is a release of the register.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    name = "apps.releases"
    requirements: tuple[str, ...] = ("MFS-7.4.4-01", "MFS-7.4.4-02")

    def __init__(self, look: Look) -> None:
        self._look = look

    def observe(self, now: Instant) -> Evidence:
        """Pass if no device runs what is not released; unknown while nothing is.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        state = self._look()
        register = state.register
        phones = [one for one in register.releases if one[0] != Platform.SERVER.value]
        platforms = {one[0] for one in phones}
        foreign = {
            place: count
            for place, count in state.seen.items()
            if place[0] in platforms and place not in register.releases
        }
        verdict = Verdict.FAIL if foreign else Verdict.PASS
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=verdict if phones else Verdict.UNKNOWN,
            observed_at=now,
            summary="; ".join(f"{one[1]} {one[2]} is not released" for one in foreign)[:_SHOWN]
            or f"{len(phones)} releases for phones",
            measured={
                "releases": len(phones),
                "withdrawn": len(register.withdrawn),
                "denied": len(register.denied),
                "devices": sum(state.seen.values()),
                "devices_not_released": sum(foreign.values()),
            },
        )


class VersionProbe:
    """Looks whether a least version is set, and how many devices are below it.

    Source: ISO/TS 12812-2:2017, 7.2.8
    """

    name = "apps.versions"
    requirements: tuple[str, ...] = ("MFS-7.2.8-02",)

    def __init__(self, look: Look) -> None:
        self._look = look

    def observe(self, now: Instant) -> Evidence:
        """Pass if every package has a roll-out that ends old versions; unknown while none has.

        Source: ISO/TS 12812-2:2017, 7.2.8
        """
        state = self._look()
        rules = state.register.rolled_out
        packages = {one[:2] for one in state.register.releases if one[0] != Platform.SERVER.value}
        without = sorted(
            package
            for platform, package in packages
            if (platform, package) not in rules or not rules[platform, package].least
        )
        old = sum(
            count
            for place, count in state.seen.items()
            if place[:2] in rules and place[2] < rules[place[:2]].least
        )
        known = sum(count for place, count in state.seen.items() if place[:2] in packages)
        verdict = Verdict.FAIL if without else Verdict.PASS
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=verdict if packages else Verdict.UNKNOWN,
            observed_at=now,
            summary="; ".join(f"{one} has no least version" for one in without)[:_SHOWN]
            or f"{known - old} of {known} devices run a supported version",
            measured={"devices": known, "devices_below_least": old, "without_rule": len(without)},
        )
