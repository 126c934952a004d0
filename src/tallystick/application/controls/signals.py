"""From what is stored and watched to one `Seen` for each entry of the policy's tightenings.

What nothing was observed of has no `Seen`: then nothing begins, and nothing ends.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

from collections.abc import Iterable, Mapping

from tallystick.application.certification.store import CertificateRow, every_certificate
from tallystick.application.controls.store import LEAST, Established, established
from tallystick.application.policing import DependencyWatch
from tallystick.application.proving.store import recorded_runs
from tallystick.infrastructure.store.database import Connection
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.conformance.basis import Run
from tallystick.process.policy.facts import DeviceTrust, Signal
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import Seen

RUNS_MS = 30 * DAY_MS
"""How far back recorded runs are looked at."""

_ATTESTED = DeviceTrust.ATTESTED_HARDWARE.value
_SHARES = frozenset({Signal.ATTESTED_SHARE, Signal.FRAUD_SHARE})


class Stored(Record, frozen=True, kw_only=True):
    """What the store says at one moment; `population` is None where no entry asks for a share.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    runs: tuple[Run, ...]
    certificates: tuple[CertificateRow, ...]
    population: Established | None


def read_controls(
    reader: Connection,
    entries: Iterable[Tightening],
    now: int,
    population: Established | None = None,
) -> Stored:
    """What the store says about the signals of `entries`; `population` spares counting again.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    asked = {one.on for one in entries}
    if population is None and asked & _SHARES:
        population = established(reader, now)
    return Stored(
        runs=recorded_runs(reader, now - RUNS_MS) if Signal.PROBE in asked else (),
        certificates=tuple(every_certificate(reader)) if Signal.CERTIFICATE in asked else (),
        population=population,
    )


class Signals:
    """Remembers since when dependencies and shares are as they are; the rest says so itself.

    After a start a dependency counts as well since then, and a share as what it is since it was
    first counted: a measure begins later for that, and stays longer.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, watch: DependencyWatch) -> None:
        self._watch = watch
        self._since: dict[tuple[str, str, int], tuple[bool, int]] = {}

    def seen(
        self, entries: Iterable[Tightening], stored: Stored, now: Instant
    ) -> Mapping[str, Seen]:
        """What is seen of each entry at `now`, by its id.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        found = {one.id: (one, self._one(one, stored, now)) for one in entries}
        return {
            name: replace(seen, cohorts=_failing_in(entry, stored.population))
            if seen.failing
            else seen
            for name, (entry, seen) in found.items()
            if seen is not None
        }

    def _one(self, entry: Tightening, stored: Stored, now: Instant) -> Seen | None:
        match entry.on:
            case Signal.PROBE:
                return _probe(entry.of, stored.runs)
            case Signal.CERTIFICATE:
                return _certificate(entry.of, stored.certificates, now)
            case Signal.DEPENDENCY:
                return self._dependency(entry, now)
            case Signal.ATTESTED_SHARE | Signal.FRAUD_SHARE:
                return self._share(entry, stored.population, now)

    def _dependency(self, entry: Tightening, now: Instant) -> Seen:
        failing = dict(self._watch.degraded(now)).get(entry.of)
        began = now if failing is None else now - failing
        since = self._held(entry, now=began, failing=failing is not None)
        says = "answers" if failing is None else "does not answer"
        return Seen(
            failing=failing is not None, since=since, evidence=f"dependency {entry.of} {says}"
        )

    def _share(
        self, entry: Tightening, population: Established | None, now: Instant
    ) -> Seen | None:
        if population is None or population.devices < LEAST:
            return None
        attested = entry.on is Signal.ATTESTED_SHARE
        part = population.attested if attested else population.reversed
        failing = _fails(entry, part, population.devices)
        what = "have attested keys" if attested else "paid what was reversed"
        return Seen(
            failing=failing,
            since=self._held(entry, now=now, failing=failing),
            evidence=f"{part} of {population.devices} established devices {what}",
        )

    def _held(self, entry: Tightening, *, now: int, failing: bool) -> int:
        place = (entry.on.value, entry.of, entry.permille)
        known = self._since.get(place)
        if known is None or known[0] is not failing:
            known = self._since[place] = (failing, now)
        return known[1]


def _fails(entry: Tightening, part: int, devices: int) -> bool:
    bound = entry.permille * devices
    return part * 1000 < bound if entry.on is Signal.ATTESTED_SHARE else part * 1000 > bound


def _failing_in(entry: Tightening, population: Established | None) -> tuple[str, ...]:
    """The cohorts in which the signal fails: all of them, or those whose own share does.

    A share of fewer than so many established devices says nothing of a cohort either.
    """
    if entry.on not in _SHARES:
        return tuple(one.id for one in entry.cohorts)
    found: list[str] = []
    for cohort in entry.cohorts:
        groups = [
            one
            for one in (() if population is None else population.groups)
            if all(getattr(one, words.field) in words.words for words in cohort.words)
        ]
        devices = sum(one.devices for one in groups)
        part = sum(
            one.reversed
            if entry.on is Signal.FRAUD_SHARE
            else one.devices * (one.device_trust == _ATTESTED)
            for one in groups
        )
        if devices >= LEAST and _fails(entry, part, devices):
            found.append(cohort.id)
    return tuple(found)


def _probe(check: str, runs: Iterable[Run]) -> Seen | None:
    """The last verdict of a probe, since it became that; runs are in order."""
    found: Seen | None = None
    for run in runs:
        for one in run.observations:
            if one.check != check or one.verdict not in {Verdict.PASS, Verdict.FAIL}:
                continue
            failing = one.verdict is Verdict.FAIL
            if found is None or found.failing is not failing:
                found = Seen(
                    failing=failing,
                    since=one.observed_at,
                    evidence=f"probe {check}: {one.verdict} in run {run.id} (event {run.event})",
                )
    return found


def _certificate(name: str, rows: Iterable[CertificateRow], now: int) -> Seen | None:
    """Whether the certificate `name` counts; one that nobody added says nothing."""
    for row in rows:
        if row.id != name:
            continue
        certificate = row.certificate()
        if row.withdrawn_at:
            text = f"certificate {name} was withdrawn (event {row.withdrawn_event})"
            return Seen(failing=True, since=row.withdrawn_at, evidence=text)
        if now >= certificate.valid_to:
            text = f"certificate {name} ended"
            return Seen(failing=True, since=certificate.valid_to, evidence=text)
        text = f"certificate {name} counts"
        return Seen(failing=False, since=certificate.valid_from, evidence=text)
    return None
