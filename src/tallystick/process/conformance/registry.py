"""Probes that capabilities registered, which of them are due, and a run of them.

A capability hands in a check (what it bears on, for how long its answer counts) and a probe that
makes it. Nothing is imported that is observed.

Source: ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tallystick.kernel.errors import Conflict, MfsError, NotFound
from tallystick.kernel.evidence import Evidence, Probe, Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import Clock
from tallystick.process.conformance.checks import Check, LogPoint, Observation, observed
from tallystick.process.conformance.findings import newest_by_check

Tell = Callable[[int, int], None]
"""Told how many probes of how many are done."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A check and the probe that makes it.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    check: Check
    probe: Probe


class Registry:
    """The probes of one provider, by the id of their check.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Registered] = {}

    def register(self, check: Check, probe: Probe) -> None:
        """Add a probe.

        Raises Conflict for an id that is taken, or a probe of another name or of other rows than
        its check.
        Source: ISO/TS 12812-2:2017, 9.1
        """
        if check.id in self._by_id:
            raise Conflict(f"{check.id} is registered already")
        if (probe.name, probe.requirements) != (check.id, check.requirements):
            raise Conflict(f"{check.id}: the probe and its check do not speak of the same")
        self._by_id[check.id] = Registered(check, probe)

    def checks(self) -> tuple[Check, ...]:
        """Every check, in the order of registration.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        return tuple(one.check for one in self._by_id.values())

    def select(self, only: Iterable[str] = ()) -> tuple[Registered, ...]:
        """The probes whose id, or one of whose rows, is among `only`; all if nothing is.

        Raises NotFound for a name that is neither.
        Source: ISO/TS 12812-2:2017, 9.1
        """
        wanted = set(only)
        if not wanted:
            return tuple(self._by_id.values())
        found = tuple(
            one
            for one in self._by_id.values()
            if one.check.id in wanted or wanted & set(one.check.requirements)
        )
        known = {one.check.id for one in found} | {
            row for one in found for row in one.check.requirements
        }
        missing = sorted(wanted - known)
        if missing:
            raise NotFound(f"no probe is called or bears on {missing[0][:60]!r}")
        return found


def due(
    found: Iterable[Registered], history: Iterable[Observation], now: int
) -> tuple[Registered, ...]:
    """Those of `found` that have no fresh pass, or one of which half of its life is over.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    newest = newest_by_check(history, now)
    return tuple(one for one in found if _is_due(one.check, newest.get(one.check.id), now))


def _is_due(check: Check, last: Observation | None, now: int) -> bool:
    if last is None or last.verdict is not Verdict.PASS:
        return True
    return now >= last.observed_at + check.freshness_ms // 2


def run_probes(
    found: Sequence[Registered],
    clock: Clock,
    *,
    environment: str,
    log: Callable[[], LogPoint | None],
    tell: Tell,
) -> tuple[Observation, ...]:
    """What each probe of `found` saw, in order; a probe that breaks saw nothing.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    seen: list[Observation] = []
    for number, one in enumerate(found, start=1):
        evidence = _evidence(one, clock)
        at = log()
        if at is not None and evidence.records:
            first, last = min(evidence.records), max(evidence.records)
            at = replace(at, first=first, last=last)
        seen.append(observed(one.check, evidence, environment=environment, log=at))
        tell(number, len(found))
    return tuple(seen)


def _evidence(one: Registered, clock: Clock) -> Evidence:
    try:
        return one.probe.observe(clock.now())
    except MfsError as error:
        why = error.detail
    except Exception as error:  # noqa: BLE001 - whatever breaks a probe is no verdict
        why = f"an unexpected {type(error).__name__}"
    return Evidence(
        probe=one.check.id,
        requirements=one.check.requirements,
        verdict=Verdict.UNKNOWN,
        observed_at=clock.now(),
        summary=f"could not be tried: {why}"[:300],
        measured={},
    )
