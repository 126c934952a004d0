"""The devices of a provider in numbers: sorts, trust, who may pay less for it and why, the trend.

    stored devices -> trust, sorts (form, where keys are, system), rules that did not hold
    + policy       -> who may pay less than with a proven device, and by which row or limit
    + days counted -> the trend; months of enrolment where no day was counted yet

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 8.1.1
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from tallystick.application.devices.store import FleetRow, fleet_rows
from tallystick.application.fleet.store import (
    DAY,
    FleetDay,
    Told,
    enrolled_by_day,
    established,
    fleet_days,
    people_by_trust,
    status_counts,
    told_by_devices,
)
from tallystick.application.proving.service import PROVING
from tallystick.entry.reaching import people_for
from tallystick.infrastructure.store.database import Connection, has_table
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.attestation.environments import Environment
from tallystick.process.attestation.model import Appraised, read_appraisals
from tallystick.process.attestation.rules import VERDICT
from tallystick.process.attestation.signals import standing
from tallystick.process.policy.compile import CompiledPolicy
from tallystick.process.policy.facts import DeviceTrust
from tallystick.process.policy.reach import People, Reach, reach_of

ESTABLISHED_MS: Final = 30 * DAY_MS
"""Since when a trusted device is enrolled of which signals count for the whole."""

ALL: Final = 10_000_000
LOOKED_AT: Final = 5_000
"""How many of the newest devices are opened for their sort, where somebody waits for it."""

_DAYS: Final = 90
_KEPT: Final = b"["
_told: Final = Decoder(dict[str, int], limit=1024)
_FULL: Final = DeviceTrust.ATTESTED_HARDWARE.value


class DeviceClass(Record, frozen=True, kw_only=True):
    """Devices alike: how they attest, where their keys are, which system; and how many are trusted.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """

    attested: str
    kept_in: str
    system: str
    devices: int
    trusted: int


class Month(Record, frozen=True, kw_only=True):
    """The devices that were enrolled in a month (`YYYY-MM`), and how many of them are trusted now.

    Source: ISO/TS 12812-2:2017, 7.2.6
    """

    month: str
    devices: int
    trusted: int


class Day(Record, frozen=True, kw_only=True):
    """What was counted on a day (`YYYY-MM-DD`): devices by trust, and signals of `watched` ones.

    `event` is its place in the tally.
    Source: ISO/TS 12812-2:2017, 7.2.6; 8.1.3
    """

    day: str
    attested: int
    software: int
    unproven: int
    watched: int
    signals: dict[str, int]
    event: int


class Signalled(Record, frozen=True, kw_only=True):
    """A signal that apps reported within a day: by how many devices, of which `established`.

    Established are those that are trusted and were enrolled more than 30 days ago: devices that
    somebody made up to flood the count are not.
    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """

    signal: str
    devices: int
    established: int


class ShutOut(Record, frozen=True, kw_only=True):
    """People who may pay less than with a proven device, in one kind of payment, and why.

    `full` is what a proven device of the tier may; nothing at all is 0.
    Source: ISO/TS 12812-2:2017, 7.3.3; 8.1.1
    """

    people: People
    reach: Reach
    full_minor: int


class Fleet(Record, frozen=True, kw_only=True):
    """Active devices in numbers. `shut_out` is the share (per mille) that has less than full trust.

    `classes` and `rules` (devices by each rule of appraisal that did not hold) are of the newest
    `looked_at` devices; everything else is of all. `people` are empty where no policy is known.
    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
    """

    at: int
    devices: int
    by_status: dict[str, int]
    by_trust: dict[str, int]
    shut_out_per_mille: int
    looked_at: int
    classes: tuple[DeviceClass, ...]
    rules: dict[str, int]
    watched: int
    signals: tuple[Signalled, ...]
    months: tuple[Month, ...]
    days: tuple[Day, ...]
    people: tuple[People, ...]
    shut_out: tuple[ShutOut, ...]


def fleet_of(
    reader: Connection, now: Instant, policy: CompiledPolicy | None = None, *, most: int = ALL
) -> Fleet:
    """The fleet in the store behind `reader` at `now`, under `policy` where one is known.

    At most `most` devices are opened for their sort. Customers of the probes do not count.
    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
    """
    people = tuple(people_by_trust(reader, PROVING))
    trust: Counter[str] = Counter()
    for one in people:
        trust[one.trust] += one.devices
    devices, trusted = trust.total(), trust[_FULL]
    read = [(one, _appraised(one)) for one in fleet_rows(reader, most, PROVING)]
    rules = Counter(rule for row, kept in read for rule in _rules(row, kept))
    return Fleet(
        at=now,
        devices=devices,
        by_status=status_counts(reader),
        by_trust={name: many for name, many in sorted(trust.items()) if many},
        shut_out_per_mille=1000 * (devices - trusted) // devices if devices else 0,
        looked_at=len(read),
        classes=_classes(read),
        rules=dict(rules.most_common()),
        watched=established(reader, _FULL, now - ESTABLISHED_MS, PROVING),
        signals=signalled(told_by_devices(reader, PROVING), now),
        months=_months(enrolled_by_day(reader, PROVING)),
        days=tuple(map(_day, _kept_days(reader))),
        people=people,
        shut_out=() if policy is None else tuple(_shut_out(policy, people_for(reader, policy))),
    )


def signalled(reported: Iterable[Told], now: Instant) -> tuple[Signalled, ...]:
    """What was `reported` and counts at `now`, by signal.

    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """
    count: Counter[str] = Counter()
    old: Counter[str] = Counter()
    for one in reported:
        long_known = one.trust == _FULL and now - one.enrolled_at > ESTABLISHED_MS
        for signal in standing(_told.decode(one.signals), now):
            count[signal.value] += 1
            old[signal.value] += long_known
    return tuple(
        Signalled(signal=name, devices=many, established=old[name])
        for name, many in sorted(count.items())
    )


def _appraised(row: FleetRow) -> tuple[Appraised, ...]:
    if not row.attestation.startswith(_KEPT):
        return ()
    try:
        return read_appraisals(row.attestation)
    except Malformed:
        return ()


def _rules(row: FleetRow, kept: Iterable[Appraised]) -> set[str]:
    """The rules that a device broke; where each piece was accepted, a verdict was lacking."""
    every = tuple(kept)
    found = {reason.rule for one in every for reason in one.verdict.reasons}
    lacking = every and not found and row.trust == DeviceTrust.UNKNOWN
    return {VERDICT} if lacking else found


def _sort(row: FleetRow, kept: tuple[Appraised, ...]) -> tuple[str, str, str]:
    claims: Mapping[str, str] = kept[0].verdict.claims if kept else {}
    system, patch = claims.get("os", ""), claims.get("patch", "")
    said = " ".join(one for one in (system[:-4], f"patch {patch[:6]}" if patch else "") if one)
    return row.attested, claims.get("kept-in", Environment.SOFTWARE.value), said


def _classes(
    read: Iterable[tuple[FleetRow, tuple[Appraised, ...]]],
) -> tuple[DeviceClass, ...]:
    count: Counter[tuple[str, str, str]] = Counter()
    trusted: Counter[tuple[str, str, str]] = Counter()
    for row, kept in read:
        sort = _sort(row, kept)
        count[sort] += 1
        trusted[sort] += row.trust == _FULL
    return tuple(
        DeviceClass(
            attested=sort[0], kept_in=sort[1], system=sort[2], devices=many, trusted=trusted[sort]
        )
        for sort, many in sorted(count.items(), key=lambda one: (-one[1], one[0]))
    )


def _months(enrolled: Iterable[tuple[int, str, int]]) -> tuple[Month, ...]:
    count: Counter[str] = Counter()
    trusted: Counter[str] = Counter()
    for day, trust, many in enrolled:
        month = iso_utc(Instant(day * DAY_MS))[:7]
        count[month] += many
        trusted[month] += many * (trust == _FULL)
    return tuple(
        Month(month=month, devices=many, trusted=trusted[month])
        for month, many in sorted(count.items())
    )


def _kept_days(reader: Connection) -> list[FleetDay]:
    """The days that were counted; none in a store from before there were any."""
    known = has_table(reader, DAY.name)
    return fleet_days(reader, _DAYS) if known else []


def _day(one: FleetDay) -> Day:
    return Day(
        day=one.day,
        attested=one.attested,
        software=one.software,
        unproven=one.unproven,
        watched=one.watched,
        signals=_told.decode(one.signals),
        event=one.event,
    )


def _shut_out(policy: CompiledPolicy, people: Iterable[People]) -> Iterable[ShutOut]:
    for one in people:
        if (one.trust == _FULL and not one.factors) or one.tier not in policy.policy.tiers:
            continue
        pairs = zip(
            reach_of(policy, one.trust, one.tier, one.factors),
            reach_of(policy, _FULL, one.tier),
            strict=True,
        )
        for reach, full in pairs:
            if reach.most_minor < full.most_minor:
                yield ShutOut(people=one, reach=reach, full_minor=full.most_minor)
