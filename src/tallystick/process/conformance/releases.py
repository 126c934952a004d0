"""Makes the evidence of a build out of the repository and the report of its tests.

Looks at a source tree; a running service does not need it.

Source: ISO/TS 12812-2:2017, 9.1; 7.3.1
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from tallystick.kernel.errors import Malformed
from tallystick.process.catalogue.coverage import attempts, run_results
from tallystick.process.catalogue.scan import tagged_tests
from tallystick.process.conformance.builds import BuildRecord, Tested


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
