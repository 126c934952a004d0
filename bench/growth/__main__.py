"""The growth plan in figures: `python -m bench.growth [--quick] [--record]`.

Simulates payments between homes under faults and checks every book; then scales measured costs to
the target. Writes build/growth.json, with `--record` also bench/results/growth.json. Exits 0 when
the checker found nothing.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.growth import cost, tables
from bench.growth.assumptions import ASSUMED, DECLARED_ON
from bench.growth.figures import SOURCES, cpu_of, measure
from bench.growth.network import Faults
from bench.growth.simulation import Simulation
from bench.growth.workload import Plan, recorded_shape
from bench.machine import ROOT, machine
from tallystick.kernel.codec import encode

SEEDS, QUICK_SEEDS = 24, 4
PLAN = Plan(homes=6, customers=120, merchants=20, agents=6, orders=1_500, seconds=3_600, moves=8)
HARD = Faults(lost=0.05, doubled=0.10, late=0.04, crash=0.004, outages=3)


def main(arguments: list[str]) -> int:
    """Simulate, measure, scale, print, write."""
    shape = recorded_shape()
    runs = []
    for seed in range(1, 1 + (QUICK_SEEDS if "--quick" in arguments else SEEDS)):
        with tempfile.TemporaryDirectory(prefix="tallystick-growth-") as folder:
            ended = Simulation(PLAN, HARD, shape, seed, Path(folder)).run()
        runs.append(_plain(ended))
        print(tables.run_line(runs[-1]), flush=True)
    print("measuring ...", flush=True)
    measured = measure()
    cpu = cpu_of(measured)
    table = cost.partition_table(cpu, measured)
    content: dict[str, Any] = {
        "machine": machine(),
        "declared_on": DECLARED_ON,
        "assumptions": {name: _plain(one) for name, one in ASSUMED.items()},
        "sources": SOURCES,
        "measured": measured,
        "cpu_us": {**_plain(cpu), "crossing": round(cpu.crossing(), 1)},
        "shape": {"source": shape.source, "shares": shape.shares},
        "plan": _plain(PLAN),
        "faults": _plain(HARD),
        "simulated": tables.summed(runs),
        "partitions": table,
        "large": cost.large_deployment(cost.chosen(table)),
        "small": cost.small_deployment(cpu, measured),
        "hot": cost.hot_merchants(cpu, shape.shares["merchant"]),
    }
    print("\n".join(tables.lines(content)))
    _write(ROOT / "build" / "growth.json", content)
    if "--record" in arguments:
        _write(ROOT / "bench" / "results" / "growth.json", content)
    return 1 if content["simulated"]["findings"] else 0


def _plain(record: object) -> Any:
    return json.loads(encode(record))


def _write(target: Path, content: dict[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
