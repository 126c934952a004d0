"""What an application may do, by the register: a pure decision over what a device says it runs.

    denied? -> a release of ours, by package and signer? -> withdrawn? -> old enough to end?

A provider that registered nothing for a platform asks nothing there.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5; 7.2.8
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.apps.manifest import (
    ALL,
    AppDenial,
    AppRelease,
    AppWithdrawal,
    RollOut,
)

_LABEL: Final = b"tallystick roll-out v1\x00"
Place = tuple[str, str, int]
"""A release: its platform, package and version."""


class May(StrEnum):
    """What a device may do with the application that it runs, the most first.

    `warn` everything, but it is told; `limit` looks, and orders nothing; `refuse` nothing.
    Source: ISO/TS 12812-2:2017, 7.2.8
    """

    RUN = "run"
    WARN = "warn"
    LIMIT = "limit"
    REFUSE = "refuse"


class AppIdentity(Record, frozen=True, kw_only=True):
    """Which application a device runs; `attested` where the platform says so, else its own word.

    `signers` and `digest` (of the package) are empty where they are not known, `version` is 0.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    platform: str
    package: str
    version: int = 0
    signers: tuple[str, ...] = ()
    digest: str = ""
    attested: bool = False


class Standing(Record, frozen=True, kw_only=True):
    """What the application of a device may do, because of which rule, in words for its holder.

    `at` is when that becomes less (ms, 0: no time is set), `offered` the version that this device
    is offered, 0 for none.
    Source: ISO/TS 12812-2:2017, 7.2.8; 7.3.4
    """

    may: May
    because: str = ""
    says: str = ""
    at: int = 0
    offered: int = 0


@dataclass(frozen=True, slots=True)
class AppRegister:
    """All that officers signed about applications; releases by platform, package and version.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    releases: Mapping[Place, AppRelease] = field(default_factory=dict[Place, AppRelease])
    withdrawn: Mapping[Place, AppWithdrawal] = field(default_factory=dict[Place, AppWithdrawal])
    denied: Mapping[str, AppDenial] = field(default_factory=dict[str, AppDenial])
    rolled_out: Mapping[tuple[str, str], RollOut] = field(
        default_factory=dict[tuple[str, str], RollOut]
    )

    def of(self, platform: str, package: str = "") -> tuple[AppRelease, ...]:
        """The releases for `platform`, of one `package` if it is named; oldest first.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        found = (
            one
            for one in self.releases.values()
            if one.platform == platform and package in {"", one.package}
        )
        return tuple(sorted(found, key=lambda one: (one.package, one.version)))

    def digests(self) -> frozenset[str]:
        """The digests of releases that were not withdrawn.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        return frozenset(
            one.digest for place, one in self.releases.items() if place not in self.withdrawn
        )


def judge(register: AppRegister, app: AppIdentity | None, device: str, now: Instant) -> Standing:
    """What `device` may do with `app` at `now`; None where it says nothing about what it runs.

    Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5; 7.2.8
    """
    if app is None:
        return _unsaid(register)
    rule = register.rolled_out.get((app.platform, app.package))
    against = _against(register, app, rule, now)
    if against is not None:
        return against
    return Standing(may=May.RUN) if rule is None else _by_age(rule, app.version, device, now)


def _against(
    register: AppRegister, app: AppIdentity, rule: RollOut | None, now: Instant
) -> Standing | None:
    """Why `app` may not run however new it is; None where nothing speaks against it."""
    denied = _denied(register, (*app.signers, app.digest))
    if denied is not None:
        return _refused("app/denied", f"this application is not genuine: {denied.because}")
    place = (app.platform, app.package, app.version)
    release, gone = _release(register, app), register.withdrawn.get(place)
    if register.of(app.platform) and (release is None or _altered(release, app)):
        return _refused("app/not-ours", "this application is not a release of the provider")
    if rule is not None and rule.attested and not app.attested:
        return _refused("app/not-attested", "the phone does not prove which application it runs")
    if gone is not None and gone.at <= now:
        return _refused("app/withdrawn", f"this version was withdrawn: {gone.because}")
    return None


def _release(register: AppRegister, app: AppIdentity) -> AppRelease | None:
    """The release that `app` is; the newest of its package where a platform proves no version.

    Such an application is then judged as older than every version.
    """
    if app.version or not app.attested:
        return register.releases.get((app.platform, app.package, app.version))
    signed = (one for one in register.of(app.platform, app.package) if app.package)
    return next((one for one in reversed(tuple(signed)) if not _altered(one, app)), None)


def _unsaid(register: AppRegister) -> Standing:
    """A device that says nothing may run unless some package must be proved."""
    if any(one.attested for one in register.rolled_out.values()):
        return _refused("app/not-attested", "the phone does not prove which application it runs")
    return Standing(may=May.RUN)


def _denied(register: AppRegister, subjects: Iterable[str]) -> AppDenial | None:
    return next((register.denied[one] for one in subjects if one in register.denied), None)


def _altered(release: AppRelease, app: AppIdentity) -> bool:
    """Whether what is known of the application is not what was released.

    Where the platform said who signed, that counts; else only the very package does.
    """
    if app.signers:
        return set(app.signers) != set(release.signers) or app.digest not in {"", release.digest}
    return app.digest != release.digest


def _by_age(rule: RollOut, version: int, device: str, now: Instant) -> Standing:
    offered = rule.version if in_share(rule, device) and rule.version > version else 0
    if version >= rule.least:
        return Standing(may=May.RUN, offered=offered)
    steps = (
        (rule.refuse_from, May.REFUSE, 0),
        (rule.limit_from, May.LIMIT, rule.refuse_from),
        (rule.warn_from, May.WARN, rule.limit_from or rule.refuse_from),
    )
    for begins, may, following in steps:
        if begins and now >= begins:
            until = f" by {iso_utc(following)[:10]}" if following else ""
            return Standing(
                may=may,
                because="app/outdated",
                says=f"{rule.says}{until}",
                at=following,
                offered=rule.version,
            )
    return Standing(may=May.RUN, offered=offered)


def in_share(rule: RollOut, device: str) -> bool:
    """Whether `device` belongs to the share that is offered the version; the same at any time.

    A device that belongs to a share belongs to every larger one of that version.
    Source: ISO/TS 12812-2:2017, 7.2.8
    """
    named = f"{rule.platform.value} {rule.package} {rule.version}\x00{device}"
    drawn = int.from_bytes(sha256(_LABEL + named.encode())[:8], "big") * ALL >> 64
    return drawn < rule.share


def _refused(because: str, says: str) -> Standing:
    return Standing(may=May.REFUSE, because=because, says=says)
