"""Kinds of checks, what one of them saw, and where in the log that stands.

    check        what is looked at, how, for which requirements, and how long the answer counts
    observation  what one run of it saw: verdict, instant, numbers, and the records it rests on

An observation is fresh from the instant it was made up to `fresh_until`, which is not included.

Source: ISO/TS 12812-2:2017, 9.1
"""

from enum import StrEnum
from typing import Final

from tallystick.kernel.errors import Malformed
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant


class CheckKind(StrEnum):
    """How a check comes to its verdict.

    A negative probe attempts what is forbidden and passes if that was refused.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    POSITIVE = "positive-probe"
    NEGATIVE = "negative-probe"
    TELEMETRY = "telemetry"
    STATIC = "static"
    BUILD = "build"
    ATTESTED = "attested"


FRESHNESS_MS: Final = {
    CheckKind.POSITIVE: DAY_MS,
    CheckKind.NEGATIVE: DAY_MS,
    CheckKind.TELEMETRY: 7 * DAY_MS,
    CheckKind.STATIC: DAY_MS,
    CheckKind.BUILD: 90 * DAY_MS,
    CheckKind.ATTESTED: 365 * DAY_MS,
}
"""How long an observation of each kind counts, unless its check or its document says less."""


class Check(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is looked at: `attempts` is true if the forbidden act itself is tried.

    `part` are those of its requirements of which it shows less than they ask for.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    id: str
    kind: CheckKind
    requirements: tuple[str, ...]
    says: str
    freshness_ms: int
    attempts: bool
    part: tuple[str, ...] = ()


class LogPoint(Record, frozen=True, kw_only=True):
    """Where the log stood: its name, its size, the root over it (hex), and a range of its records.

    `first` and `last` are the indices of the records that an observation rests on, both included;
    `last` below `first` means that it rests on none.
    Source: RFC 9162, 2.1; ISO/TS 12812-2:2017, 7.3.3
    """

    origin: str
    size: int
    root: str
    first: int
    last: int


class Observation(Record, frozen=True, kw_only=True):
    """What one run of a check saw.

    `records` are the indices of the log records it rests on, each provable against `log`.
    `environment` names what was looked at, so that a rehearsal is never taken for the service.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    check: str
    kind: CheckKind
    attempts: bool
    requirements: tuple[str, ...]
    verdict: Verdict
    observed_at: int
    fresh_until: int
    summary: str
    measured: dict[str, int | str]
    environment: str
    log: LogPoint | None = None
    records: tuple[int, ...] = ()

    def is_fresh(self, now: int) -> bool:
        """Whether it counts at `now`; what is observed later than `now` does not.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        return self.observed_at <= now < self.fresh_until


def check_of(
    identifier: str,
    kind: CheckKind,
    requirements: tuple[str, ...],
    says: str,
    *,
    freshness_ms: int = 0,
    attempts: bool = False,
    part: tuple[str, ...] = (),
) -> Check:
    """A check with the freshness of its kind unless another one is given.

    Raises Malformed for a check that bears on nothing, or whose answers never count.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    fresh = freshness_ms or FRESHNESS_MS[kind]
    if not requirements or fresh <= 0:
        raise Malformed(f"check {identifier[:60]!r} bears on nothing, or its answers never count")
    return Check(
        id=identifier,
        kind=kind,
        requirements=requirements,
        says=says,
        freshness_ms=fresh,
        attempts=attempts or kind is CheckKind.NEGATIVE,
        part=part,
    )


def observed(
    check: Check,
    evidence: Evidence,
    *,
    environment: str,
    log: LogPoint | None = None,
) -> Observation:
    """What `evidence` says under `check`.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return Observation(
        check=check.id,
        kind=check.kind,
        attempts=check.attempts,
        requirements=check.requirements,
        verdict=evidence.verdict,
        observed_at=evidence.observed_at,
        fresh_until=Instant(evidence.observed_at + check.freshness_ms),
        summary=evidence.summary,
        measured=dict(evidence.measured),
        environment=environment,
        log=log,
        records=evidence.records,
    )
