"""Evidence of a build: what the tagged tests of one commit said, kept in a file beside the release.

A provider's machine has no tests. Whoever builds writes the file once; the provider reads it and
counts it like any other observation, with the commit and the instant of the run.

Source: ISO/TS 12812-2:2017, 9.1; 7.3.1
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.model import Natural, Record, pattern
from tallystick.process.catalogue.coverage import attempts, run_results
from tallystick.process.catalogue.scan import tagged_tests
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


def build_record(root: Path, results: Path, *, commit: str, version: str) -> BuildRecord:
    """What the JUnit report `results` says of the tagged tests of the repository at `root`.

    Raises Malformed for a report without the instant of its run, Unavailable without a report.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    run = run_results(results)
    by_requirement: dict[str, list[tuple[str, bool]]] = {}
    for test in tagged_tests(root):
        for identifier in test.tagged("requirement"):
            by_requirement.setdefault(identifier, []).append((test.report_name(), attempts(test)))
    return BuildRecord(
        v=1,
        version=version,
        commit=commit,
        at=_instant(run.began),
        passed=len(run.passed),
        failed=len(run.failed),
        requirements=tuple(
            _tested(identifier, tests, run.passed, run.failed)
            for identifier, tests in sorted(by_requirement.items())
        ),
    )


def _tested(
    identifier: str,
    tests: Iterable[tuple[str, bool]],
    passed: frozenset[str],
    failed: frozenset[str],
) -> Tested:
    named = list(tests)
    return Tested(
        requirement=identifier,
        passed=sum(name in passed for name, _ in named),
        failed=sum(name in failed for name, _ in named),
        not_run=sum(name not in passed and name not in failed for name, _ in named),
        attempting=sum(name in passed for name, attempting in named if attempting),
    )


def _instant(began: str) -> int:
    try:
        moment = datetime.fromisoformat(began)
    except ValueError as error:
        raise Malformed("the test report does not say when its run began") from error
    if moment.tzinfo is None:
        raise Malformed("the test report's instant has no time zone")
    return int(moment.timestamp() * 1000)


def read_build_record(octets: bytes) -> BuildRecord:
    """The record in a file that `build_record` was written to.

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
