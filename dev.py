"""The developer's commands: check, test, system, coverage, docs, trestle, new-capability.

Standard library only, so that it runs before anything is installed. `make` calls it; called by
hand it takes the interpreter of .venv for whatever needs the project's packages.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
BIN = ROOT / ".venv" / "bin"
PYTHON = BIN / "python"

CHECK_BOUND_S = 60.0
FLOOR_OVERALL = 95.0
FULL_COVERAGE = (
    "infrastructure/keys",
    "infrastructure/pin",
    "infrastructure/ledger",
    "infrastructure/tally",
    "process/policy",
)


# --- check ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One tool of `check`: its name and its command line."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """A step that ran: its exit code, what it printed and how long it took."""

    step: Step
    code: int
    output: str
    seconds: float


def check_steps() -> tuple[Step, ...]:
    """Every step of `check`, the longest first so that two cores are busy to the end."""
    python_files = [
        name for name in ("src", "tests", "bench", "simulators", "docs", "dev.py") if _has(name)
    ]
    typed = [name for name in ("src", "bench", "simulators", "dev.py") if _has(name)]
    quick = [f"tests/{name}" for name in ("architecture", "unit") if _has(f"tests/{name}")]
    return (
        Step("pytest unit+architecture", (str(PYTHON), "-m", "pytest", "-q", "-n", "2", *quick)),
        Step("basedpyright", (str(BIN / "basedpyright"),)),
        Step("mypy", (str(BIN / "mypy"), *typed)),
        Step("ruff check", (str(BIN / "ruff"), "check", *python_files)),
        Step("ruff format", (str(BIN / "ruff"), "format", "--check", *python_files)),
        Step("lint-imports", (str(BIN / "lint-imports"),)),
    )


def _has(name: str) -> bool:
    path = ROOT / name
    return path.is_file() or next(path.rglob("*.py"), None) is not None


def run_step(step: Step) -> Finished:
    """Run one step to its end; a step that hangs is stopped after five minutes."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            step.command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        code, output = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        code, output = 124, "stopped after 300 s"
    return Finished(step, code, output.strip(), time.monotonic() - started)


def check() -> int:
    """Run every step, two at a time; print each with its seconds, and the output of the failed."""
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=2) as pool:
        finished = list(pool.map(_run_and_say, check_steps()))
    failed = [one for one in finished if one.code != 0]
    for one in failed:
        print(f"\n--- {one.step.name}: {' '.join(one.step.command)}\n{one.output}")
    total = time.monotonic() - started
    late = f"; more than the {CHECK_BOUND_S:.0f} s it may take" if total > CHECK_BOUND_S else ""
    names = ", ".join(one.step.name for one in failed)
    print(f"check: {'failed: ' + names if failed else 'clean'} in {total:.1f} s{late}")
    return 1 if failed else 0


def _run_and_say(step: Step) -> Finished:
    finished = run_step(step)
    print(f"{'ok  ' if finished.code == 0 else 'FAIL'} {finished.seconds:6.1f} s  {step.name}")
    return finished


# --- system -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SystemPackage:
    """A package of the operating system: asked for only where the tests that use it exist."""

    debian: str
    programs: tuple[str, ...]
    tests: str
    without: str

    def wanted(self) -> bool:
        """Whether the tests that use it are in this tree."""
        return (ROOT / self.tests).exists()

    def present(self) -> bool:
        """Whether one of its programs is on the path, or where Debian puts versions of it."""
        return any(
            shutil.which(program) or any(Path("/usr/lib").glob(program))
            for program in self.programs
        )


SYSTEM_PACKAGES = (
    SystemPackage(
        "chromium",
        ("chromium", "chromium-browser", "google-chrome"),
        "tests/browser",
        "the browser tests are skipped",
    ),
    SystemPackage(
        "postgresql",
        ("initdb", "postgresql/*/bin/initdb"),
        "tests/support/postgres.py",
        "the tests of the PostgreSQL store are skipped",
    ),
    SystemPackage(
        "softhsm2",
        ("softhsm2-util",),
        "tests/support/softhsm.py",
        "the tests of keys in a device are skipped",
    ),
    SystemPackage(
        "opensc",
        ("pkcs11-tool",),
        "tests/support/softhsm.py",
        "the tests of keys in a device beside pkcs11-tool are skipped",
    ),
    SystemPackage(
        "kotlin",
        ("kotlinc",),
        "tests/vectors/test_kotlin_snippets.py",
        "the Kotlin pieces of the pages are not compiled",
    ),
)


TRESTLE = "compliance-trestle==5.2.0"


def trestle(*, call: Callable[[Sequence[str]], int] = subprocess.call) -> int:
    """Install compliance-trestle into an environment of its own; no code of ours imports it."""
    place = BUILD / "venv-trestle"
    made = call([sys.executable, "-m", "venv", str(place)])
    return made or call([str(place / "bin" / "pip"), "install", "--quiet", TRESTLE])


APT = ("apt-get", "-qq", "-o", "Acquire::Retries=3")


def system(*, environ: Mapping[str, str] = os.environ, root: bool | None = None) -> int:
    """Install the missing system packages as root in CI; elsewhere name them and what is skipped.

    Returns 1 only when an installation was tried and failed.
    """
    missing = [package for package in SYSTEM_PACKAGES if package.wanted() and not package.present()]
    if not missing:
        return 0
    names = [package.debian for package in missing]
    may_install = os.geteuid() == 0 if root is None else root
    if may_install and environ.get("CI", "").lower() in {"1", "true"}:
        return _apt_install(names)
    for package in missing:
        print(f"missing: {package.debian} (apt-get install {package.debian}); {package.without}")
    return 0


def _apt_install(names: Sequence[str]) -> int:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        [*APT, "update"],
        [*APT, "install", "-y", "--no-install-recommends", *names],
    ):
        done = subprocess.run(
            command, env=quiet, capture_output=True, text=True, check=False, timeout=1200
        )
        if done.returncode != 0:
            print(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            return 1
    print(f"installed: {', '.join(names)}")
    return 0


TYPESCRIPT = ROOT / "clients" / "typescript"


def typescript(
    *, folder: Path = TYPESCRIPT, call: Callable[..., int] = subprocess.call, npm: str | None = None
) -> None:
    """Install what builds the TypeScript client, once, where npm is; else say what is skipped."""
    program = npm or shutil.which("npm")
    if not (folder / "package-lock.json").exists() or (folder / "node_modules").exists():
        return
    if program is None:
        print("missing: node 20 and npm; the tests of the TypeScript client are skipped")
    elif call([program, "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder) != 0:
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        print("npm ci failed in clients/typescript; the tests of the TypeScript client are skipped")


# --- test -------------------------------------------------------------------------------------


def test(arguments: Sequence[str]) -> int:
    """Run pytest with a JUnit report; nothing it started may outlive it. The last line is its own.

    Returns pytest's exit code, or 1 when a passing run left a process behind.
    """
    if system() != 0:
        return 1
    typescript()
    BUILD.mkdir(exist_ok=True)
    if arguments:
        return _pytest(REPORTS[0], arguments)
    for report in REPORTS:
        (BUILD / report).unlink(missing_ok=True)
    tree = tree_state()
    code = _pytest(REPORTS[0], ())
    if not code:
        print("\nonce more with every provider's record on PostgreSQL")
        os.environ["TALLYSTICK_TEST_STORE"] = "postgres"
        code = _pytest(REPORTS[1], tests_of_the_service())
    note_build(tree)
    return code


REPORTS = ("junit.xml", "junit-postgres.xml")
TESTED = ("src", "tests", "bench", "simulators", "clients", "docs", "dev.py", "pyproject.toml")
"""What the record of a build speaks of; a change of anything else changes no test."""


@dataclass(frozen=True)
class Tree:
    """The commit of a tree, and whether it has changes that the commit has not."""

    commit: str
    changed: bool


def tree_state(root: Path = ROOT) -> Tree | None:
    """What version control says of `root`; None where it is not under any."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(root, "status", "--porcelain", "--", *TESTED)
    return Tree(commit.strip(), changes is None or bool(changes.strip()))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def note_build(tree: Tree | None, *, environ: Mapping[str, str] = os.environ) -> int:
    """Write build/build.json out of the reports of this run; says nothing unless it fails.

    It is signed where TALLYSTICK_BUILD_KEY names a key file. The last line stays pytest's own.
    """
    record = BUILD / "build.json"
    record.unlink(missing_ok=True)
    reports = [BUILD / one for one in REPORTS if (BUILD / one).exists()]
    if tree is None or not reports:
        print("no record of the build: no commit, or no report of its tests", file=sys.stderr)
        return 1
    command = [str(PYTHON), "-m", "tallystick.entry.cli", "bundle", "build-record", str(ROOT)]
    for report in reports:
        command += ["--results", str(report)]
    command += ["--commit", tree.commit, "--out", str(record)]
    command += ["--changed"] if tree.changed else []
    named = environ.get("TALLYSTICK_BUILD_KEY", "")
    command += ["--key-file", named] if named else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"no record of the build: {done.stderr.strip()[-500:]}", file=sys.stderr)
    return done.returncode


def _pytest(report: str, arguments: Sequence[str]) -> int:
    side_by_side = ["-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadfile"]
    command = [str(PYTHON), "-m", "pytest", f"--junitxml={BUILD / report}", "-m", "not soak"]
    sys.stdout.flush()
    return run_in_group([*command, *side_by_side, *arguments])


def tests_of_the_service() -> list[str]:
    """The files whose tests serve a provider, on whatever engine they are told to."""
    own_engine = ("fresh_schema", "DatabaseServer", "simulators.cluster", "populate(")
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        serves = "support.served" in text or "new_store(" in text
        if serves and not any(word in text for word in own_engine):
            found.append(str(path.relative_to(ROOT)))
    return found


def run_in_group(command: Sequence[str]) -> int:
    """Run `command` in a process group of its own and end what it leaves there.

    Returns its exit code, or 1 when it succeeded but left a process behind.
    """
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as running:
        try:
            code = running.wait()
        except KeyboardInterrupt:
            os.killpg(running.pid, signal.SIGINT)
            code = running.wait()
    left = _left_in(running.pid)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, sign)
        if not left or not _left_in(running.pid):
            break
    if left:
        print(f"ended {len(left)} processes that outlived the run", file=sys.stderr)
        return code or 1
    return code


def _left_in(group: int, *, grace_s: float = 2.0) -> list[int]:
    """The processes of `group` that still run after a grace (found in /proc; zombies are not)."""
    until = time.monotonic() + grace_s
    while True:
        left = [pid for pid in _processes() if _runs_in(pid, group)]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)


def _processes() -> list[int]:
    proc = Path("/proc")
    return [int(one.name) for one in proc.iterdir() if one.name.isdigit()] if proc.exists() else []


def _runs_in(process: int, group: int) -> bool:
    try:
        fields = (
            Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        )
    except OSError:
        return False
    return fields[0] not in {"Z", "X"} and int(fields[2]) == group


# --- coverage ---------------------------------------------------------------------------------


def coverage(arguments: Sequence[str]) -> int:
    """Run the tests under branch coverage and hold the floors; print every file that is below."""
    BUILD.mkdir(exist_ok=True)
    tool = [str(PYTHON), "-m", "coverage"]
    subprocess.run([*tool, "erase"], cwd=ROOT, check=False)
    code = run_in_group([*tool, "run", "-m", "pytest", "-q", "-m", "not soak", *arguments])
    report = BUILD / "coverage.json"
    for step in (["combine", "--quiet"], ["json", "--quiet", "-o", str(report)]):
        subprocess.run([*tool, *step], cwd=ROOT, check=True)
    below = below_floor(json.loads(report.read_text(encoding="utf-8")))
    for line in below:
        print(line)
    print(f"coverage: {'below its floor' if below else 'every floor holds'}")
    return code or (1 if below else 0)


def below_floor(report: Mapping[str, Any]) -> list[str]:
    """What is below its floor in a coverage.py JSON report: the total, and packages with files."""
    files: Mapping[str, Any] = report["files"]
    lines: list[str] = []
    overall = _percent(one["summary"] for one in files.values())
    if overall < FLOOR_OVERALL:
        lines.append(f"overall: {overall:.1f} % of {FLOOR_OVERALL:.0f} %")
    for package in FULL_COVERAGE:
        inside = {
            name: one["summary"] for name, one in files.items() if f"tallystick/{package}/" in name
        }
        if _percent(inside.values()) < 100.0:
            lines.append(f"{package}: {_percent(inside.values()):.1f} % of 100 %")
            short = {name: one for name, one in inside.items() if _percent([one]) < 100.0}
            lines.extend(
                f"  {name}: {_percent([one]):.1f} %" for name, one in sorted(short.items())
            )
    return lines


def _percent(summaries: Iterable[Mapping[str, int]]) -> float:
    covered = wanted = 0
    for one in summaries:
        covered += one["covered_lines"] + one.get("covered_branches", 0)
        wanted += one["num_statements"] + one.get("num_branches", 0)
    return 100.0 * covered / wanted if wanted else 100.0


# --- new-capability ---------------------------------------------------------------------------

SHELVES = ("application", "process", "infrastructure")

_ROOMS = """next, each only when it is needed (six files at most):
  model.py    its data: frozen Records
  rules.py    its decisions: pure functions, no I/O
  service.py  its verbs and the boundary of a database transaction
  store.py    its SQL
  probes.py   what conformance may observe of it
tests: tests/unit/{shelf}/{name}/ first; then property, protocol, fault and attacks
"""


def new_capability(name: str, *, shelf: str, clause: str, story: str, root: Path = ROOT) -> int:
    """Make the folder of a capability with its story, and say what belongs in which file.

    Returns 2, having written nothing, when the name, clause or story will not do.
    """
    folder = root / "src" / "tallystick" / shelf / name
    wrong = _wrong_capability(name, clause, story, folder)
    if wrong:
        print(wrong, file=sys.stderr)
        return 2
    folder.mkdir(parents=True)
    text = (
        f'"""{story.rstrip(".")}.\n\nSource: ISO/TS 12812-2:2017, {clause}\n"""\n\n'
        "__all__: tuple[str, ...] = ()\n"
    )
    (folder / "__init__.py").write_text(text, encoding="utf-8")
    print(f"made: {folder.relative_to(root)}/__init__.py")
    print(_ROOMS.format(shelf=shelf, name=name), end="")
    return 0


def _wrong_capability(name: str, clause: str, story: str, folder: Path) -> str:
    if not re.fullmatch(r"[a-z][a-z_]{2,30}", name):
        return "a capability is named in lower case, 3 to 31 letters: payments, key_blocks"
    if name in {"utils", "helpers", "common", "base", "manager", "misc"}:
        return f"{name} says nothing about what is inside; name it by the standard's words"
    if not re.fullmatch(r"(?:[A-D]|[0-9]{1,2}(?:\.[0-9]){0,3})", clause):
        return "--clause is a clause of the standard: 7.3.3 or A"
    if not story.strip() or len(story) > 96:
        return "--story is one sentence of at most 96 characters"
    return f"{folder} exists already" if folder.exists() else ""


# --- the command line -------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py", description="The developer's commands.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("check", help="format, lint, types, contracts, unit and architecture tests")
    for name, text in (
        ("test", "every test but soak, with build/junit.xml; more arguments go to pytest"),
        ("coverage", "branch coverage with a floor for each package; more arguments go to pytest"),
    ):
        commands.add_parser(name, help=text).add_argument("rest", nargs=argparse.REMAINDER)
    commands.add_parser("system", help="install (root and CI=1) or name missing system packages")
    commands.add_parser("docs", help="write the generated pages of docs/reference")
    commands.add_parser("trestle", help="install compliance-trestle for the tests that use it")
    new = commands.add_parser("new-capability", help="make the folder of a new capability")
    new.add_argument("name", help="its name: a plural noun in lower case")
    new.add_argument("--shelf", choices=SHELVES, default="application", help="where it belongs")
    new.add_argument("--clause", required=True, help="the clause it serves, such as 7.3.3")
    new.add_argument("--story", required=True, help="what it does, in one sentence")
    return parser


def _needs_environment() -> None:
    if not PYTHON.exists():
        sys.exit("the environment is missing: make setup")
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (else the command line) names; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.command in {"check", "test", "coverage", "docs"}:
        _needs_environment()
    run: dict[str, Callable[[], int]] = {
        "check": check,
        "test": lambda: test(options.rest),
        "coverage": lambda: coverage(options.rest),
        "system": system,
        "docs": lambda: subprocess.call([str(PYTHON), "docs/generate.py"], cwd=ROOT),
        "trestle": trestle,
        "new-capability": lambda: new_capability(
            options.name, shelf=options.shelf, clause=options.clause, story=options.story
        ),
    }
    return run[options.command]()


if __name__ == "__main__":
    sys.exit(main())
