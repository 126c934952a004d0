"""Requirement to code to test, generated from the tree and, where given, from a test run.

A requirement is proved when a test that carries its tag counts. With a JUnit report only tests that
passed count. A prohibition is proved only by a test that attempts what is forbidden: one that
stands in tests/attacks or tests/fault, or whose name or module's name has one of the words refuse,
never, cannot, reject, attempt. `python -m tallystick.process.catalogue.coverage PAGE [REPORT]`,
run in the root of the repository, writes the page.

Source: ISO/TS 12812-2:2017, 7.3.1; 7.5
"""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

from tallystick.kernel.errors import Malformed, Unavailable
from tallystick.kernel.model import Record
from tallystick.process.catalogue.load import catalogue
from tallystick.process.catalogue.matrix import Need, security_matrix
from tallystick.process.catalogue.model import (
    Channel,
    Kind,
    Modality,
    Requirement,
    Threat,
    VerificationDepth,
)
from tallystick.process.catalogue.scan import TaggedTest, code_objects, tagged_tests

_ATTEMPT = re.compile(r"refuse|never|cannot|reject|attempt")
_ATTACKING = ("tests/attacks/", "tests/fault/")


class Proof(StrEnum):
    """How far a requirement has come: a counting test, a tag that does not count, code, nothing.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    PROVED = "proved"
    TAGGED = "tagged"
    CITED = "cited"
    OPEN = "open"


class RequirementCoverage(Record, frozen=True, kw_only=True):
    """One requirement: its proof, the modules that cite its clause, the tests that count or do not.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    id: str
    clause: str
    modality: Modality
    prohibition: bool
    depth: VerificationDepth
    text: str
    proof: Proof
    code: tuple[str, ...]
    tests: tuple[str, ...]
    uncounted: tuple[str, ...]


class ThreatCoverage(Record, frozen=True, kw_only=True):
    """One threat: whether a counting test shows that it is stopped, and which.

    Source: ISO/TS 12812-2:2017, D
    """

    id: str
    channel: Channel
    text: str
    stopped: bool
    tests: tuple[str, ...]
    uncounted: tuple[str, ...]


class ClauseCoverage(Record, frozen=True, kw_only=True):
    """One clause: how many requirements it has, how many are proved, what in the code cites it.

    Source: ISO/TS 12812-2:2017, 5
    """

    number: str
    title: str
    kind: Kind
    requirements: int
    proved: int
    code: int


class CoverageReport(Record, frozen=True, kw_only=True):
    """The whole picture; `from_results` says whether only tests that passed were counted.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    from_results: bool
    clauses: tuple[ClauseCoverage, ...]
    requirements: tuple[RequirementCoverage, ...]
    threats: tuple[ThreatCoverage, ...]

    def count(self, proof: Proof) -> int:
        """How many requirements have come exactly so far.

        Source: ISO/TS 12812-2:2017, 7.3.1
        """
        return sum(one.proof is proof for one in self.requirements)

    def stopped(self) -> int:
        """How many threats a counting test shows to be stopped.

        Source: ISO/TS 12812-2:2017, D
        """
        return sum(one.stopped for one in self.threats)


def attempts(test: TaggedTest) -> bool:
    """Whether `test` attempts what is forbidden: by its folder, its name or its module's name.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    module = test.path.rpartition("/")[2]
    named = _ATTEMPT.search(test.name.lower()) or _ATTEMPT.search(module.lower())
    return test.path.startswith(_ATTACKING) or named is not None


class RunResults(Record, frozen=True, kw_only=True):
    """A JUnit report: when the run began as it says (empty if it does not), and the tests by name.

    `passed` are those of which one case passed and none failed.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    began: str
    passed: frozenset[str]
    failed: frozenset[str]


def run_results(results: Path) -> RunResults:
    """What a JUnit report says, by dotted name of the test without its parameters.

    Raises Unavailable when it cannot be read, Malformed when it is not such a report.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    try:
        root = ET.fromstring(results.read_bytes())  # noqa: S314 - written by our own run
    except OSError as error:
        raise Unavailable("the test report cannot be read", remedy="check its path") from error
    except ET.ParseError as error:
        raise Malformed("the test report is not XML") from error
    if root.tag not in {"testsuites", "testsuite"}:
        raise Malformed("the test report is not a JUnit report")
    passed: set[str] = set()
    failed: set[str] = set()
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '').partition('[')[0]}"
        children = {child.tag for child in case}
        if children & {"failure", "error"}:
            failed.add(name)
        elif "skipped" not in children:
            passed.add(name)
    began = min((one.get("timestamp", "") for one in root.iter("testsuite")), default="")
    return RunResults(began=began, passed=frozenset(passed - failed), failed=frozenset(failed))


def passed_tests(results: Path) -> frozenset[str]:
    """The tests of a JUnit report of which one case passed and none failed, by dotted name.

    Raises Unavailable when it cannot be read, Malformed when it is not such a report.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    return run_results(results).passed


def coverage_report(root: Path, results: Path | None = None) -> CoverageReport:
    """What the tree at `root` cites and proves; with `results` only tests that passed count.

    Raises NotFound when `root` has no src and tests, and as `passed_tests` does.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    rows = catalogue()
    passed = passed_tests(results) if results is not None else None
    tests = tagged_tests(root)
    code: dict[str, list[str]] = {}
    for one in code_objects(root):
        for number in set(one.clauses()):
            code.setdefault(number, []).append(one.path)
    found = tuple(
        _requirement(one, code.get(one.clause, []), tests, passed)
        for one in rows.requirements.values()
    )
    return CoverageReport(
        from_results=passed is not None,
        clauses=tuple(
            ClauseCoverage(
                number=clause.number,
                title=clause.title,
                kind=clause.kind,
                requirements=sum(one.clause == clause.number for one in found),
                proved=sum(
                    one.clause == clause.number and one.proof is Proof.PROVED for one in found
                ),
                code=len(code.get(clause.number, [])),
            )
            for clause in rows.clauses.values()
        ),
        requirements=found,
        threats=tuple(_threat(one, tests, passed) for one in rows.threats.values()),
    )


def _requirement(
    row: Requirement,
    code: Sequence[str],
    tests: Iterable[TaggedTest],
    passed: frozenset[str] | None,
) -> RequirementCoverage:
    tagged = [one for one in tests if row.id in one.tagged("requirement")]
    counted = [
        one for one in tagged if _passed(one, passed) and (not row.prohibition or attempts(one))
    ]
    if counted:
        proof = Proof.PROVED
    elif tagged:
        proof = Proof.TAGGED
    else:
        proof = Proof.CITED if code else Proof.OPEN
    return RequirementCoverage(
        id=row.id,
        clause=row.clause,
        modality=row.modality,
        prohibition=row.prohibition,
        depth=row.depth,
        text=row.text,
        proof=proof,
        code=tuple(sorted(set(code))),
        tests=_names(counted),
        uncounted=_names(one for one in tagged if one not in counted),
    )


def _threat(
    row: Threat, tests: Iterable[TaggedTest], passed: frozenset[str] | None
) -> ThreatCoverage:
    tagged = [one for one in tests if row.id in one.tagged("threat")]
    counted = [one for one in tagged if _passed(one, passed)]
    return ThreatCoverage(
        id=row.id,
        channel=row.channel,
        text=row.text,
        stopped=bool(counted),
        tests=_names(counted),
        uncounted=_names(one for one in tagged if one not in counted),
    )


def _passed(test: TaggedTest, passed: frozenset[str] | None) -> bool:
    return passed is None or test.report_name() in passed


def _names(tests: Iterable[TaggedTest]) -> tuple[str, ...]:
    return tuple(sorted(f"{one.path}::{one.name.replace('.', '::')}" for one in tests))


def clause_summary(report: CoverageReport) -> list[str]:
    """One line for each clause: what of it is proved and how much code cites it.

    Source: ISO/TS 12812-2:2017, 5
    """
    return [
        f"{one.number:<6} {one.title}: {one.proved} of {one.requirements} proved,"
        f" cited {one.code} times"
        for one in report.clauses
    ]


def render_markdown(report: CoverageReport) -> str:
    """The reference page: totals, the 61 clauses, the operations, every requirement and threat.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    return "\n".join([*_head(report), *_operations(report), *_rows(report), *_threats(report), ""])


def _head(report: CoverageReport) -> Iterator[str]:
    yield _HEAD
    if report.from_results:
        yield "Counted: tests that passed in the run that was handed in."
    else:
        yield "Counted: tests that stand in the tree; no test run was consulted."
    total = len(report.requirements)
    states = ", ".join(f"{proof} {report.count(proof)}" for proof in Proof)
    yield f"\nRequirements: {total} ({states}). Threats: {len(report.threats)}"
    yield f"(stopped by a counting test {report.stopped()}).\n"
    yield "## Clauses\n"
    yield "| clause | title | kind | requirements | proved | cited in code |"
    yield "|---|---|---|---|---|---|"
    for one in report.clauses:
        cells = (one.number, one.title, one.kind, one.requirements, one.proved, one.code)
        yield _row(*cells)


def _operations(report: CoverageReport) -> Iterator[str]:
    proved = {one.id for one in report.requirements if one.proof is Proof.PROVED}
    yield "\n## Operations and the security services that they need\n"
    yield "| operation | mandatory | by risk | proved |"
    yield "|---|---|---|---|"
    for one in security_matrix().values():
        needs = (
            ", ".join(service for service, said in one.needs.items() if said is need)
            for need in (Need.MANDATORY, Need.BY_RISK)
        )
        done = sum(identifier in proved for identifier in one.requirements)
        yield _row(one.name, *needs, f"{done} of {len(one.requirements)}")


def _rows(report: CoverageReport) -> Iterator[str]:
    yield "\n## Requirements\n"
    yield "| id | | state | seen by | requirement | tests |"
    yield "|---|---|---|---|---|---|"
    for one in report.requirements:
        modality = f"{one.modality} (forbids)" if one.prohibition else one.modality
        yield _row(one.id, modality, one.proof, one.depth, one.text, _cited(one.tests))


def _threats(report: CoverageReport) -> Iterator[str]:
    yield "\n## Threats\n"
    yield "| id | channel | threat | stopped in |"
    yield "|---|---|---|---|"
    for one in report.threats:
        yield _row(one.id, one.channel, one.text, _cited(one.tests))


def _cited(tests: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in sorted({one.partition("::")[0] for one in tests}))


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


_HEAD = """# Clauses, requirements and what proves them

<!-- Generated from the catalogue, the code and the tests; change those. -->

Aligned with ISO/TS 12812-2:2017. The rows are reconstructed in our own words; the licensed text
was not consulted, and kinds of clauses are inferred. How a holder of the standard corrects them:
[confirm against the standard](../how-to/confirm-against-the-standard.md).

*proved*: a counting test carries the tag; *tagged*: a test carries it and does not count; *cited*:
code cites the clause, no test carries the tag; *open*: neither. A requirement that forbids counts
only with a test that attempts the forbidden act (tests/attacks, tests/fault, or refuse, never,
cannot, reject or attempt in its name). *Seen by* says what the verification really sees:
behaviour, telemetry, only a record, or only another party's word.
"""


def main(arguments: Sequence[str]) -> int:
    """Write the page named first, counting with the JUnit report named second; 2 if misused.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    if not 1 <= len(arguments) <= 2:
        return 2
    results = Path(arguments[1]) if len(arguments) == 2 else None
    report = coverage_report(Path.cwd(), results)
    Path(arguments[0]).write_text(render_markdown(report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
