"""Evidence of a build: what the tagged tests of one commit said, kept in a file beside the release.

A provider's machine has no tests. Whoever builds writes the file once (`releases`); the provider
reads it and counts it like any other observation, with the commit and the instant of the run.

Source: ISO/TS 12812-2:2017, 9.1; 7.3.1
"""

from typing import Annotated, Final

from tallystick.kernel.codec import Decoder
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.model import Natural, Record, pattern
from tallystick.process.conformance.checks import (
    Check,
    CheckKind,
    Observation,
    check_of,
    observed,
)

BUILD: Final = "build"
_LIMIT: Final = 4 * 1024 * 1024

Commit = Annotated[str, pattern("^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


class Tested(Record, frozen=True, kw_only=True):
    """The tagged tests of one requirement: how many passed, failed, did not run, and attack.

    `attempting` counts those that passed and attempt the forbidden act.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    requirement: str
    passed: Natural
    failed: Natural
    not_run: Natural
    attempting: Natural


class BuildRecord(Record, frozen=True, kw_only=True):
    """One run of the tests: version, commit, when (ms), totals, and each tagged requirement.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    v: int
    version: str
    commit: Commit
    at: Natural
    passed: Natural
    failed: Natural
    requirements: tuple[Tested, ...]


_records: Final = Decoder(BuildRecord, limit=_LIMIT)


def read_build_record(octets: bytes) -> BuildRecord:
    """The record in a file that `releases.build_record` gave.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    return _records.decode(octets.strip())


def build_check(requirement: str, *, attempting: bool = False) -> Check:
    """The check that tagged tests of `requirement` pass in the build that runs.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return check_of(
        f"{BUILD}/{requirement}",
        CheckKind.BUILD,
        (requirement,),
        "the tests that carry its tag passed in the build",
        attempts=attempting,
    )


def build_observations(
    record: BuildRecord, *, environment: str, version: str
) -> tuple[Observation, ...]:
    """What `record` says of each requirement; of another version than the running one: unknown.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return tuple(_observation(record, one, environment, version) for one in record.requirements)


def _observation(
    record: BuildRecord, tested: Tested, environment: str, version: str
) -> Observation:
    verdict = Verdict.PASS if tested.passed else Verdict.UNKNOWN
    if tested.failed:
        verdict = Verdict.FAIL
    summary = f"{tested.passed} passed, {tested.failed} failed, {tested.not_run} did not run"
    if record.version != version:
        verdict = Verdict.UNKNOWN
        summary = f"the build is of version {record.version}, {version} is running"
    evidence = Evidence(
        probe=f"{BUILD}/{tested.requirement}",
        requirements=(tested.requirement,),
        verdict=verdict,
        observed_at=record.at,
        summary=summary,
        measured={
            "passed": tested.passed,
            "failed": tested.failed,
            "not_run": tested.not_run,
            "attempting": tested.attempting,
            "commit": record.commit,
            "version": record.version,
        },
    )
    check = build_check(tested.requirement, attempting=tested.attempting > 0)
    return observed(check, evidence, environment=environment)
