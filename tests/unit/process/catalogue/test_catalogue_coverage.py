"""What counts as proof: tags, passed runs, and attempts for prohibitions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.kernel.errors import Malformed, Unavailable
from tallystick.process.catalogue.coverage import (
    CoverageReport,
    Proof,
    RequirementCoverage,
    clause_summary,
    coverage_report,
    main,
    passed_tests,
    render_markdown,
)

TESTS = {
    "tests/unit/test_plain.py": """
import pytest
@pytest.mark.requirement("MFS-7.3.3-01")
@pytest.mark.parametrize("x", [1, 2])
def test_linking(x):
    assert x

@pytest.mark.requirement("MFS-7.3.4-02")
def test_storage():
    assert True

@pytest.mark.requirement("MFS-7.3.4-01")
@pytest.mark.threat("THR-SMS-01")
def test_failing():
    assert False

@pytest.mark.requirement("MFS-7.3.4-03")
def test_skipped():
    pytest.skip("not here")
""",
    "tests/unit/test_named.py": """
import pytest
@pytest.mark.requirement("MFS-13.3-01")
class TestMint:
    def test_value_cannot_be_minted(self):
        assert True
""",
    "tests/attacks/test_raid.py": """
import pytest
pytestmark = pytest.mark.threat("THR-EMN-02")
@pytest.mark.requirement("MFS-8.1.2-02")
def test_dump():
    assert True
""",
}

CODE = '''"""Says.

Source: ISO/TS 12812-2:2017, 7.3.5; 7.3.3
"""
'''


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name, text in {**TESTS, "src/tallystick/thing.py": CODE}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def results(tree: Path) -> Path:
    """The report of a real run of that tree, with the options of this repository."""
    options = "markers =\n  requirement(id): x\n  threat(id): x\n"
    (tree / "pytest.ini").write_text(f"[pytest]\naddopts = --import-mode=importlib\n{options}")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--junit-xml=results.xml",
        "-p",
        "no:cacheprovider",
    ]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=tree, env=alone, check=False, capture_output=True, timeout=60)
    return tree / "results.xml"


def rows(report: CoverageReport) -> dict[str, RequirementCoverage]:
    return {one.id: one for one in report.requirements}


def test_a_tag_in_the_tree_counts_and_a_prohibition_needs_an_attempt(tree: Path) -> None:
    report = coverage_report(tree)
    found = rows(report)
    assert not report.from_results
    assert found["MFS-7.3.3-01"].proof is Proof.PROVED
    assert found["MFS-7.3.3-01"].tests == ("tests/unit/test_plain.py::test_linking",)
    assert found["MFS-7.3.4-02"].proof is Proof.TAGGED
    assert found["MFS-7.3.4-02"].uncounted == ("tests/unit/test_plain.py::test_storage",)
    named = "tests/unit/test_named.py::TestMint::test_value_cannot_be_minted"
    assert found["MFS-13.3-01"].tests == (named,)
    assert found["MFS-8.1.2-02"].proof is Proof.PROVED
    assert found["MFS-7.3.5-01"].proof is Proof.CITED
    assert found["MFS-7.3.5-01"].code == ("src/tallystick/thing.py",)
    assert found["MFS-6.1-01"].proof is Proof.OPEN
    assert report.count(Proof.PROVED) == 5
    assert report.stopped() == 2


def test_with_a_run_only_what_passed_counts(tree: Path, results: Path) -> None:
    report = coverage_report(tree, results)
    found = rows(report)
    assert report.from_results
    assert found["MFS-7.3.3-01"].proof is Proof.PROVED
    assert found["MFS-13.3-01"].proof is Proof.PROVED
    assert found["MFS-7.3.4-01"].proof is Proof.TAGGED
    assert found["MFS-7.3.4-03"].proof is Proof.TAGGED
    assert report.count(Proof.PROVED) == 3
    assert [one.id for one in report.threats if one.stopped] == ["THR-EMN-02"]


def test_one_failed_case_of_many_fails_its_test(tmp_path: Path) -> None:
    path = tmp_path / "r.xml"
    path.write_text(
        '<testsuites><testsuite><testcase classname="tests.a" name="test_x[1]"/>'
        '<testcase classname="tests.a" name="test_x[2]"><failure/></testcase>'
        '<testcase classname="tests.a" name="test_y"><error/></testcase>'
        '<testcase classname="tests.a" name="test_z[1]"><skipped/></testcase>'
        '<testcase classname="tests.a" name="test_z[2]"/></testsuite></testsuites>'
    )
    assert passed_tests(path) == {"tests.a.test_z"}


def test_a_report_of_another_sort_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.xml"
    with pytest.raises(Unavailable):
        passed_tests(path)
    path.write_text("<testsuites>")
    with pytest.raises(Malformed, match="not XML"):
        passed_tests(path)
    path.write_text("<html/>")
    with pytest.raises(Malformed, match="not a JUnit report"):
        passed_tests(path)


def test_the_page_and_the_summary_have_every_clause(tree: Path) -> None:
    report = coverage_report(tree)
    page = render_markdown(report)
    summary = clause_summary(report)
    assert len(report.clauses) == len(summary) == 61
    for one in report.clauses:
        assert f"| {one.number} | {one.title} | {one.kind} | {one.requirements} |" in page
    assert "7.3.3  Transaction processing requirements: 1 of 12 proved, cited 1 times" in summary
    for row in report.requirements:
        assert f"| {row.id} | {row.modality}" in page
    states = (report.count(proof) for proof in Proof)
    assert "(proved {}, tagged {}, cited {}, open {})".format(*states) in page
    assert report.count(Proof.CITED) == 17
    assert "| E-money load, transfer, redemption |" in page
    assert page == render_markdown(coverage_report(tree))


def test_the_page_is_written_where_it_is_asked_for(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert main([str(tmp_path / "clauses.md")]) == 0
    page = (tmp_path / "clauses.md").read_text(encoding="utf-8")
    assert page == render_markdown(coverage_report(tree))
    assert main([]) == 2
