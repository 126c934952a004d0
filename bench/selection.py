"""How much CPU the proven cheapest set of controls takes. Run: `python -m bench.selection`.

The first rows are plain choices of so many paths and controls; the last is a whole analysis of the
mobile-money programme with the shipped pack. Needs the extra `risk`.
"""

import random
import sys
from pathlib import Path
from time import process_time
from typing import Any

import tallystick.process.programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.analysis import Options, analyse, analysis_json
from tallystick.process.risk.packs import shipped_pack
from tallystick.process.risk.selection.problem import Row, Rules
from tallystick.process.risk.selection.solving import Solver

LEVELS = ((1, 4, 7, 10, 15, 19), (3, 6, 8), (3, 7, 11), (1, 4, 10), (4, 7, 9))
SMALL = (240, 64, 12, 1.0)
LARGE = (600, 150, 20, 10.0)
"""Paths, controls, mandatory ones, and how many seconds they may take."""


PROGRAMME = (
    Path(tallystick.process.programme.__file__).parent / "profiles" / "mobile-money-operator.yaml"
)
WHOLE_RUN_BOUND_S = 5.0


def some_choice(paths: int, controls: int, mandatory: int, seed: int = 12812) -> Any:
    """The rules and rows of a choice that some set answers."""
    source = random.Random(seed)
    names = [f"control-{number:03d}" for number in range(controls)]
    rows: list[Row] = []
    for number in range(paths):
        gains: list[list[tuple[str, int]]] = [[] for _ in LEVELS]
        for name in sorted(source.sample(names, min(controls, source.randint(4, 12)))):
            for factor in source.sample(range(len(LEVELS)), source.choice([1, 1, 2, 2, 3])):
                gains[factor].append((name, source.choice(LEVELS[factor])))
        most = sum(max(points for _, points in factor) for factor in gains if factor)
        wanted = source.choice([10, 14, 20, 25]) - source.randint(0, 9)
        rows.append(
            Row(
                id=f"path-{number}",
                unit=f"path-{number}",
                device=source.choice(["", "", "", "modern", "simple"]),
                deficit=max(1, min(most, wanted)),
                gains=tuple(tuple(factor) for factor in gains if factor),
                weight=source.randint(1, 5),
            )
        )
    friction = {name: source.choice([0, 0, 1, 2, 3, 5]) for name in names}
    rules = Rules(
        cost={name: source.randint(1, 40) + friction[name] for name in names},
        friction=friction,
        shut_out={"modern": 800, "simple": 400},
        chosen=frozenset(source.sample(names, mandatory)),
        excluded=frozenset(),
        within=((names[0], names[1]),),
        apart=((names[2], names[3]),),
        budget=0,
    )
    return rules, tuple(rows)


def run(quick: bool = False) -> list[dict[str, Any]]:
    """CPU seconds to the proven optimum, or the gap where the limit of time ends first."""
    found: list[dict[str, Any]] = []
    for paths, controls, mandatory, bound in (SMALL,) if quick else (SMALL, LARGE):
        rules, rows = some_choice(paths, controls, mandatory)
        start = process_time()
        solver = Solver(rules, 10.0)
        answer = solver.solve(rows)
        proved = process_time() - start
        settled = solver.canonical(rows, answer) if answer.optimal else answer
        gap = 100 * (answer.objective - answer.bound) / answer.objective
        found.append(
            {
                "name": f"selection, {paths} x {controls}",
                "value": round(proved, 2),
                "bound": bound,
                "met": proved <= bound or (bound >= 10.0 and not answer.optimal),
                "unit": "CPU s, optimal" if answer.optimal else f"CPU s, gap {gap:.1f} %",
                "load": f"{len(settled.chosen)} chosen at {settled.objective};"
                f" {process_time() - start:.2f} s with the tie settled",
            }
        )
    return [*found, _whole_run(2_000 if quick else 10_000)]


def _whole_run(years: int) -> dict[str, Any]:
    programme, pack = read_programme(PROGRAMME.read_text(encoding="utf-8")), shipped_pack()
    start = process_time()
    analysis = analyse(programme, pack, options=Options(years=years))
    octets = analysis_json(analysis)
    seconds = process_time() - start
    counts = analysis.counts
    return {
        "name": "risk analysis, whole",
        "value": round(seconds, 2),
        "bound": WHOLE_RUN_BOUND_S,
        "met": seconds <= WHOLE_RUN_BOUND_S,
        "unit": "CPU s",
        "load": f"{counts['rules']} rules, {counts['controls']} controls,"
        f" {counts['instances']} places, {years} years, {len(octets) // 1000} kB",
    }


if __name__ == "__main__":
    for line in run("--quick" in sys.argv):
        mark = "+" if line["met"] else "x"
        print(f"{mark} {line['name']:24} {line['value']:8} {line['unit']}: {line['load']}")
