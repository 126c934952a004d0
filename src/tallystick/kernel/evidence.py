"""What a capability hands to whoever must prove that a requirement holds.

Capabilities register probes; conformance runs them and never imports what it observes.

Source: ISO/TS 12812-2:2017, 9
"""

from enum import StrEnum
from typing import Protocol

from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant


class Verdict(StrEnum):
    """Outcome of a probe; a stale or absent result counts as unknown, never as pass.

    Source: ISO/TS 12812-2:2017, 9
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Evidence(Record, frozen=True, kw_only=True):
    """One observation: which probe saw what, when, and which requirements it bears on.

    `records` are the indices of the records in the log that it rests on.
    Source: ISO/TS 12812-2:2017, 9
    """

    probe: str
    requirements: tuple[str, ...]
    verdict: Verdict
    observed_at: int
    summary: str
    measured: dict[str, int | str]
    records: tuple[int, ...] = ()


class Probe(Protocol):
    """Observes the running system and says what it saw.

    Source: ISO/TS 12812-2:2017, 9
    """

    name: str
    requirements: tuple[str, ...]

    def observe(self, now: Instant) -> Evidence:
        """Look once; never raises for a failing control, that is a verdict.

        Source: ISO/TS 12812-2:2017, 9
        """
        ...
