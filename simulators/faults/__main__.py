"""The fault simulator from the command line.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import argparse
import sys
import time

from simulators.faults.bugs import BUGS, planted
from simulators.faults.world import Plan, Report, simulate


def main() -> int:
    """Play one plan; 0 if everything held, 4 if something was found."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.faults",
        description="Plays a provider under faults from one seed and checks what must hold.",
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, another run (1)")
    parser.add_argument("--orders", type=int, default=10_000, help="how many orders (10000)")
    parser.add_argument("--faults", type=int, default=200, help="how many faults (200)")
    parser.add_argument("--engine", choices=("file", "server"), default="server")
    parser.add_argument("--core", action="store_true", help="a hostile core system's book counts")
    parser.add_argument("--bug", choices=[bug.name for bug in BUGS], help="plant this mistake")
    given = parser.parse_args()
    plan = Plan(
        seed=given.seed,
        orders=given.orders,
        faults=given.faults,
        engine=given.engine,
        core=given.core,
    )
    began = time.perf_counter()
    bug = next((one for one in BUGS if one.name == given.bug), None)
    if bug is None:
        report = simulate(plan, _progress)
    else:
        with planted(bug):
            report = simulate(plan, _progress)
    print(file=sys.stderr)
    _say(report, time.perf_counter() - began)
    return 4 if report.findings else 0


def _progress(done: int, of: int) -> None:
    print(f"\r{done:,} of {of:,} orders", end="", file=sys.stderr, flush=True)


def _say(report: Report, seconds: float) -> None:
    plan = report.plan
    again = f"--seed {plan.seed} --orders {plan.orders} --faults {plan.faults}"
    core = " --core" if plan.core else ""
    print(f"{again} --engine {plan.engine}{core}")
    print(
        f"{report.orders:,} orders, {report.transfers:,} transfers, {report.events:,} events,"
        f" {report.commits:,} commits, {report.starts:,} starts,"
        f" {report.simulated_s / 60:,.1f} simulated minutes in {seconds:.1f} s"
    )
    for name, count in sorted((report.faults or {}).items()):
        print(f"  {count:5}  {name}")
    for name, count in sorted((report.network or {}).items()):
        print(f"  {count:5}  messages {name}")
    for finding in report.findings:
        print(f"FOUND: {finding}")
    if not report.findings:
        print(
            "value conserved, each order at most once, nothing acknowledged lost, balances true"
            " when they were read, one log, every outcome known"
        )


if __name__ == "__main__":
    sys.exit(main())
