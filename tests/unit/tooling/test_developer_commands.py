"""dev.py: what it installs, what it leaves behind, which coverage it holds, what it makes."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dev
import pytest


def summary(covered: int, wanted: int) -> dict[str, Any]:
    return {
        "summary": {
            "covered_lines": covered,
            "num_statements": wanted,
            "covered_branches": 0,
            "num_branches": 0,
        }
    }


@pytest.fixture
def missing_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dev.SystemPackage:
    (tmp_path / "tests" / "browser").mkdir(parents=True)
    package = dev.SystemPackage("no-such-browser", ("no-such-program",), "tests/browser", "skipped")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "SYSTEM_PACKAGES", (package,))
    return package


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(dev, "_apt_install", lambda names: calls.append(list(names)) or 0)
    return calls


@pytest.mark.parametrize(
    ("environ", "root"), [({}, True), ({"CI": "0"}, True), ({"CI": "1"}, False), ({"CI": ""}, True)]
)
@pytest.mark.usefixtures("missing_browser")
def test_nothing_is_installed_unless_root_in_ci(environ, root, installed, capsys) -> None:
    assert dev.system(environ=environ, root=root) == 0
    assert installed == []
    assert "missing: no-such-browser" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["1", "true", "True"])
@pytest.mark.usefixtures("missing_browser")
def test_root_in_ci_installs_what_is_missing(value: str, installed) -> None:
    assert dev.system(environ={"CI": value}, root=True) == 0
    assert installed == [["no-such-browser"]]


def test_a_package_is_asked_for_only_if_its_tests_exist(missing_browser, tmp_path, capsys) -> None:
    (tmp_path / "tests" / "browser").rmdir()
    assert not missing_browser.wanted()
    assert dev.system(environ={}, root=False) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("code", [0, 1, 5])
def test_a_run_that_leaves_nothing_has_its_own_exit_code(code: int) -> None:
    assert dev.run_in_group([sys.executable, "-c", f"raise SystemExit({code})"]) == code


def test_a_process_that_outlives_the_run_is_ended_and_reported(
    tmp_path, capsys, monkeypatch
) -> None:
    note = tmp_path / "pid"
    original = dev._left_in
    monkeypatch.setattr(dev, "_left_in", lambda group: original(group, grace_s=0.2))
    assert dev.run_in_group(["sh", "-c", f"sleep 30 & echo $! > {note}"]) == 1
    process = int(note.read_text())
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout.strip()
    assert state in {"", "Z"}
    assert "outlived the run" in capsys.readouterr().err


def test_coverage_below_a_floor_is_named() -> None:
    files = {
        "src/tallystick/kernel/ids.py": summary(90, 100),
        "src/tallystick/infrastructure/ledger/rules.py": summary(99, 100),
        "src/tallystick/infrastructure/tally/merkle.py": summary(100, 100),
    }
    assert dev.below_floor({"files": files}) == [
        "infrastructure/ledger: 99.0 % of 100 %",
        "  src/tallystick/infrastructure/ledger/rules.py: 99.0 %",
    ]
    files["src/tallystick/kernel/ids.py"] = summary(50, 100)
    assert dev.below_floor({"files": files})[0] == "overall: 83.0 % of 95 %"


def test_a_missing_branch_counts_against_the_floor() -> None:
    one = summary(10, 10)
    one["summary"] |= {"covered_branches": 1, "num_branches": 2}
    lines = dev.below_floor({"files": {"src/tallystick/process/policy/decision.py": one}})
    assert "process/policy: 91.7 % of 100 %" in lines


def test_a_new_capability_has_its_story_and_clause(tmp_path: Path, capsys) -> None:
    code = dev.new_capability(
        "refunds",
        shelf="application",
        clause="7.3.3",
        story="What a payer gets back.",
        root=tmp_path,
    )
    assert code == 0
    made = tmp_path / "src" / "tallystick" / "application" / "refunds" / "__init__.py"
    text = ast.get_docstring(ast.parse(made.read_text()))
    assert text == "What a payer gets back.\n\nSource: ISO/TS 12812-2:2017, 7.3.3"
    assert "tests/unit/application/refunds/" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "clause", "story"),
    [
        ("Refunds", "7.3.3", "A story"),
        ("re-funds", "7.3.3", "A story"),
        ("utils", "7.3.3", "A story"),
        ("refunds", "seven", "A story"),
        ("refunds", "7.3.3", " "),
        ("refunds", "7.3.3", "x" * 97),
        ("taken", "7.3.3", "A story"),
    ],
)
def test_a_capability_that_will_not_do_writes_nothing(
    tmp_path, name, clause, story, capsys
) -> None:
    taken = tmp_path / "src" / "tallystick" / "application" / "taken"
    taken.mkdir(parents=True)
    assert (
        dev.new_capability(name, shelf="application", clause=clause, story=story, root=tmp_path)
        == 2
    )
    assert list(taken.parent.rglob("*.py")) == []
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["check", "test", "coverage", "system", "docs", "new-capability"]
)
def test_every_command_explains_itself(command: str, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        dev.main([command, "--help"])
    assert caught.value.code == 0
    assert command in capsys.readouterr().out


def test_a_mistyped_command_is_refused_with_the_list(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        dev.main(["chekc"])
    assert caught.value.code == 2
    assert "new-capability" in capsys.readouterr().err


def test_a_failing_step_is_told_from_a_passing_one() -> None:
    good = dev.run_step(dev.Step("good", (sys.executable, "-c", "print('fine')")))
    bad = dev.run_step(dev.Step("bad", (sys.executable, "-c", "raise SystemExit('wrong')")))
    assert (good.code, good.output) == (0, "fine")
    assert (bad.code, bad.output) == (1, "wrong")


def test_check_runs_every_tool_that_the_rules_name() -> None:
    names = [step.name for step in dev.check_steps()]
    assert len(names) == len(set(names)) == 6
    for step in dev.check_steps():
        assert os.access(step.command[0], os.X_OK)


def test_the_auditors_tool_gets_an_environment_of_its_own_in_the_pinned_version() -> None:
    calls: list[list[str]] = []
    assert dev.trestle(call=lambda command: calls.append(list(command)) or 0) == 0
    assert calls[0][1:3] == ["-m", "venv"]
    assert calls[1] == [calls[0][3] + "/bin/pip", "install", "--quiet", dev.TRESTLE]
    assert dev.trestle(call=lambda _: 3) == 3


def _committed(root: Path) -> str:
    def git(*arguments: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("")
    git("init", "--quiet")
    git("add", "src")
    git("commit", "--quiet", "-m", "one")
    return git("rev-parse", "HEAD")


def test_a_tree_is_as_committed_or_changed_or_under_no_control(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    commit = _committed(root)
    assert dev.tree_state(root) == dev.Tree(commit, changed=False)
    (root / "notes.txt").write_text("no test reads it")
    assert dev.tree_state(root) == dev.Tree(commit, changed=False)
    (root / "src" / "b.py").write_text("x = 1")
    assert dev.tree_state(root) == dev.Tree(commit, changed=True)
    bare = tmp_path / "bare"
    bare.mkdir()
    assert dev.tree_state(bare) is None


def test_the_record_of_a_build_is_made_from_the_reports_of_the_run(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(dev, "BUILD", tmp_path)
    assert dev.note_build(None) == 1
    assert "no record of the build" in capsys.readouterr().err
    (tmp_path / "junit.xml").write_text(
        '<testsuite timestamp="2026-01-02T03:04:05+00:00"><testcase'
        ' classname="tests.architecture.test_classification"'
        ' name="test_every_field_of_the_protocol_has_one_classification"/></testsuite>'
    )
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    tree = dev.Tree("0" * 40, changed=True)
    assert dev.note_build(tree, environ={}) == 0
    assert capsys.readouterr().out == ""
    record = json.loads((tmp_path / "build.json").read_bytes())
    assert record["changed"]
    assert record["commit"] == "0" * 40
    rows = {one["requirement"]: one for one in record["requirements"]}
    assert rows["MFS-7.3.4-01"]["passed"] == 1
    assert dev.note_build(tree, environ={"TALLYSTICK_BUILD_KEY": str(tmp_path / "no.key")}) != 0
    assert not (tmp_path / "build.json").exists()
