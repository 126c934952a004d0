"""Makes the evidence of a build out of the repository and the report of its tests.

Looks at a source tree; a running service does not need it.

Source: ISO/TS 12812-2:2017, 9.1; 7.3.1
"""

import platform
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from tallystick.kernel.errors import Malformed
from tallystick.process.catalogue.coverage import RunResults, attempts, run_results
from tallystick.process.catalogue.scan import tagged_tests
from tallystick.process.conformance.builds import BuildRecord, Tested
from tallystick.process.conformance.sources import source_digest

PACKAGE: Final = Path("src", "tallystick")
"""Where the package is in the repository."""


def build_record(
    root: Path,
    results: Path | Sequence[Path],
    *,
    commit: str,
    version: str,
    changed: bool = False,
) -> BuildRecord:
    """What the JUnit report `results` says of the tagged tests of the repository at `root`.

    Of several reports a test passed that passed in one and failed in none. `changed` says that the
    tree was not as committed. Raises Malformed for a report without the instant of its run,
    Unavailable without a report.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    run = _joined([results] if isinstance(results, Path) else results)
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
        changed=changed,
        source=source_digest(root / PACKAGE) if (root / PACKAGE).is_dir() else "",
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
    )


def _joined(results: Sequence[Path]) -> RunResults:
    runs = [run_results(one) for one in results]
    failed = frozenset[str]().union(*(one.failed for one in runs))
    passed = frozenset[str]().union(*(one.passed for one in runs)) - failed
    return RunResults(
        began=min((one.began for one in runs), default=""), passed=passed, failed=failed
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
