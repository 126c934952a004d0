"""The devices of a provider in numbers: sorts, trust, who has less for it, and the trend.

    stored devices -> classes (form, where keys are, system), trust, reasons, months of enrolment

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 8.1.1
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from tallystick.application.deviceproofs.store import reported_signals
from tallystick.application.devices.store import FleetRow, fleet_rows
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.attestation.environments import Environment
from tallystick.process.attestation.model import Appraised, read_appraisals
from tallystick.process.attestation.rules import VERDICT
from tallystick.process.attestation.signals import standing
from tallystick.process.policy.facts import DeviceTrust

_KEPT = b"["
_ESTABLISHED_MS = 30 * DAY_MS
_told = Decoder(dict[str, int], limit=1024)
_FULL = DeviceTrust.ATTESTED_HARDWARE.value


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


class Told(Record, frozen=True, kw_only=True):
    """A signal that apps reported within a day: by how many devices, of which `established`.

    Established are those that are trusted and were enrolled more than 30 days ago: devices that
    somebody made up to flood the count are not.
    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """

    signal: str
    devices: int
    established: int


class Fleet(Record, frozen=True, kw_only=True):
    """Active devices in numbers. `shut_out` is the share (per mille) that has less than full trust.

    `rules` counts devices by each rule that did not hold for them.
    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
    """

    devices: int
    by_status: dict[str, int]
    by_trust: dict[str, int]
    shut_out_per_mille: int
    classes: tuple[DeviceClass, ...]
    rules: dict[str, int]
    signals: tuple["Told", ...]
    months: tuple[Month, ...]


def fleet_of(reader: Reader, now: Instant) -> Fleet:
    """The fleet in the store behind `reader`, signals as they count at `now`.

    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
    """
    rows = fleet_rows(reader)
    active = [one for one in rows if one.status == "active"]
    read = [(one, _appraised(one)) for one in active]
    trusted = sum(one.trust == _FULL for one in active)
    rules = Counter(rule for row, kept in read for rule in _rules(row, kept))
    return Fleet(
        devices=len(active),
        by_status=dict(sorted(Counter(one.status for one in rows).items())),
        by_trust=dict(sorted(Counter(one.trust for one in active).items())),
        shut_out_per_mille=1000 * (len(active) - trusted) // len(active) if active else 0,
        classes=_classes(read),
        rules=dict(rules.most_common()),
        signals=_signals(active, reported_signals(reader), now),
        months=_months(active),
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


def _signals(
    active: Iterable[FleetRow], reported: dict[str, bytes], now: Instant
) -> tuple[Told, ...]:
    count: Counter[str] = Counter()
    established: Counter[str] = Counter()
    for row in active:
        for one in standing(_told.decode(reported.get(row.id, b"{}")), now):
            count[one.value] += 1
            old = now - row.enrolled_at > _ESTABLISHED_MS
            established[one.value] += old and row.trust == _FULL
    return tuple(
        Told(signal=name, devices=many, established=established[name])
        for name, many in sorted(count.items())
    )


def _months(active: Iterable[FleetRow]) -> tuple[Month, ...]:
    count: Counter[str] = Counter()
    trusted: Counter[str] = Counter()
    for row in active:
        month = iso_utc(Instant(row.enrolled_at))[:7]
        count[month] += 1
        trusted[month] += row.trust == _FULL
    return tuple(
        Month(month=month, devices=many, trusted=trusted[month])
        for month, many in sorted(count.items())
    )
