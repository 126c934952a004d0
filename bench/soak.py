"""The long forms of the tests, for `make soak`: a thousand kills, whole recordings, long fuzzing.

Writes build/soak.json with each test, its seconds, its outcome and the figures that it noted; with
`--record` also bench/results/. `--only FILE` runs the long tests of one file, and records them
beside what was recorded before. Exits as pytest does.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from bench.machine import ROOT, machine

FUZZ_EXAMPLES = 1_000
RUNS: dict[str, tuple[str, ...]] = {
    "long": ("-m", "soak"),
    "fuzz": ("-m", "not soak", "tests/attacks/test_api_fuzz.py", "tests/property/protocol"),
}


def main(arguments: list[str]) -> int:
    """Run, write, and tell how it ended."""
    worst, found = 0, []
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    runs = {"only": ("-m", "soak", only)} if only else RUNS
    for name, options in runs.items():
        report = ROOT / "build" / f"soak-{name}.xml"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "--durations=5",
                f"--junitxml={report}",
                "-o",
                "junit_family=legacy",
                *options,
            ],
            cwd=ROOT,
            env={**os.environ, "TALLYSTICK_FUZZ_EXAMPLES": str(FUZZ_EXAMPLES)},
            check=False,
        )
        worst = max(worst, done.returncode)
        found += outcomes(report)
    recorded = ROOT / "bench" / "results" / "soak.json"
    if only:
        new = {one["test"] for one in found}
        before = json.loads(recorded.read_text(encoding="utf-8"))["tests"]
        found = [one for one in before if one["test"] not in new] + found
    content = {"machine": machine(), "fuzz_examples": FUZZ_EXAMPLES, "tests": found}
    targets = [ROOT / "build" / "soak.json"]
    if "--record" in arguments:
        targets.append(recorded)
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return worst


def outcomes(report: Path) -> list[dict[str, Any]]:
    """Each test of a JUnit report: name, seconds, outcome."""
    found = []
    for case in ET.parse(report).getroot().iter("testcase"):
        bad = [one.tag for one in case if one.tag in {"failure", "error", "skipped"}]
        found.append(
            {
                "test": f"{case.get('classname')}::{case.get('name')}",
                "seconds": round(float(case.get("time", "0")), 1),
                "outcome": bad[0] if bad else "passed",
                **{one.get("name", ""): one.get("value") for one in case.iter("property")},
            }
        )
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
