"""Every figure with its bound, floor and load: `make bench`, or `python -m bench --quick`.

Writes build/bench.json, with `--record` also bench/results/. Exits 0 when every bound is met.
"""

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import (
    overload,
    payment,
    policy_decision,
    policy_proofs,
    replica,
    scale,
    selection,
    stages,
    stores,
    tally_append,
    tally_verified,
    ussd,
)
from bench.machine import ROOT, machine

Rows = list[dict[str, Any]]


def main(arguments: list[str]) -> int:
    """Measure, print, write."""
    quick = "--quick" in arguments
    parts: dict[str, Callable[[], Rows]] = {
        "policy decision": policy_decision.run,
        "policy proofs": policy_proofs.run,
        "tally": tally_append.run,
        "tally verified": tally_verified.run,
        "stores": lambda: stores.run(quick),
        "replica": lambda: replica.run(quick),
        "payment": lambda: payment.run(quick),
        "dialled step": lambda: ussd.run(quick),
        "overload": lambda: overload.run(quick),
        "scale": lambda: scale.run(quick),
    }
    if find_spec("highspy") is not None:
        parts["selection"] = lambda: selection.run(quick)
    rows: Rows = []
    for name, measure in parts.items():
        print(f"measuring: {name} ...", flush=True)
        for row in measure():
            rows.append(row)
            print(_line(row), flush=True)
    print("where the CPU of a payment goes (64 clients, one worker, stop-watch included):")
    spent = stages.run(1_000 if quick else 6_000)
    print("\n".join(stages.lines(spent)), flush=True)
    content = {
        "machine": machine(),
        "figures": rows,
        "stages_us": [
            {"group": group, "stage": words, "us": round(us, 1)} for group, words, us in spent
        ],
    }
    _write(ROOT / "build" / "bench.json", content)
    if "--record" in arguments:
        _write(ROOT / "bench" / "results" / "bench.json", content)
    missed = [row["name"] for row in rows if not _met(row)]
    print(f"missed: {', '.join(missed)}" if missed else "every bound is met")
    return 1 if missed else 0


def _met(row: dict[str, Any]) -> bool:
    if "met" in row:
        return bool(row["met"])
    return row["bound"] is None or bool(row["value"] <= row["bound"])


def _line(row: dict[str, Any]) -> str:
    bound = "" if row["bound"] is None else f"bound {row['bound']}"
    mark = " " if row["bound"] is None else ("+" if _met(row) else "x")
    text = f"{mark} {row['name']:32} {row['value']:>9} {row['unit']:28} {bound:12}"
    floor = f"  floor {row['floor']};" if row.get("floor") else " "
    return f"{text}{floor} {row['load']}"


def _write(target: Path, content: dict[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
