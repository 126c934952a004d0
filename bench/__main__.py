"""Every figure with its bound, floor and load: `make bench`, or `python -m bench --quick`.

Writes build/bench.json, with `--record` also bench/results/. Exits 0 when every bound is met. A
part that fails counts as missed, and the others are measured all the same.
"""

import argparse
import json
import sys
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import Any

from bench import (
    approval,
    attestation,
    door,
    guessing,
    hashing,
    module,
    overload,
    payment,
    pin,
    pki,
    policy_decision,
    policy_proofs,
    replica,
    revocation,
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
_INDENT = " " * 6


PARTS: dict[str, Callable[[bool], Rows]] = {
    "policy-decision": lambda _: policy_decision.run(),
    "policy-proofs": lambda _: policy_proofs.run(),
    "tally": lambda _: tally_append.run(),
    "tally-verified": lambda _: tally_verified.run(),
    "pki": lambda _: pki.run(),
    "attestation": attestation.run,
    "stores": stores.run,
    "replica": replica.run,
    "payment": payment.run,
    "pin": pin.run,
    "module": module.run,
    "door": door.run,
    "approval": approval.run,
    "overload": overload.run,
    "ussd": ussd.run,
    "guessing": guessing.run,
    "hashing": hashing.run,
    "revocation": revocation.run,
    "scale": scale.run,
}
if find_spec("highspy") is not None:
    PARTS["selection"] = selection.run


def main(arguments: list[str]) -> int:
    """Measure, print, write."""
    asked = _asked(arguments)
    rows: Rows = []
    failed: list[str] = []
    measured_on = machine()
    print(_greeting(measured_on), flush=True)
    for name in asked.only or PARTS:
        print(f"measuring: {name} ...", flush=True)
        told = ""
        try:
            found = PARTS[name](asked.quick)
        except Exception:  # noqa: BLE001 - whatever a part fails with, the others are measured
            traceback.print_exc()
            failed.append(f"{name} (failed, see above)")
            continue
        for row in found:
            rows.append({**row, "part": name})
            print(_lines(row, told), flush=True)
            told = row["load"]
    content: dict[str, Any] = {"machine": measured_on, "figures": rows}
    _write(ROOT / "build" / "bench.json", content)
    if not asked.only:
        content["stages_us"] = _stages(asked.quick)
    _write(ROOT / "build" / "bench.json", content)
    if asked.record:
        recorded = ROOT / "bench" / "results" / "bench.json"
        _write(recorded, _renewed(recorded, content) if asked.only else content)
    missed = [*failed, *(row["name"] for row in rows if not _met(row))]
    bounded = sum(row["bound"] is not None for row in rows)
    print(f"{len(rows)} figures, {bounded} with a bound; ", end="")
    print(f"missed: {', '.join(missed)}" if missed else "every bound is met")
    return 1 if missed else 0


def _greeting(on: dict[str, Any]) -> str:
    """What is measured on, how to read a line, and whether others use the machine."""
    busy = ""
    if on["load"] > on["cores"] / 2:
        busy = "\nThe machine is BUSY: times are not those of a quiet one. Ratios suffer less."
    return (
        f"{on['cpu']}, {on['cores']} cores, load {on['load']}, Python {on['python']}{busy}\n"
        "+ met, x missed, blank without a bound; then the value, its bound, the floor it stands"
        " beside, and below it the load"
    )


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller loads, for a first look")
    parser.add_argument("--record", action="store_true", help="also write bench/results/bench.json")
    parser.add_argument(
        "--only", action="append", choices=list(PARTS), metavar="PART",
        help=f"measure this part alone; may be repeated: {', '.join(PARTS)}",
    )  # fmt: skip
    return parser.parse_args(arguments)


def _stages(quick: bool) -> Rows:
    print("where the CPU of a payment goes (64 clients, one worker, stop-watch included):")
    spent = stages.run(1_000 if quick else 6_000)
    print("\n".join(stages.lines(spent)), flush=True)
    return [{"group": group, "stage": words, "us": round(us, 1)} for group, words, us in spent]


def _renewed(recorded: Path, content: dict[str, Any]) -> dict[str, Any]:
    """What was recorded, with the figures that were measured anew in their old places.

    A figure that its part does not give any more is gone.
    """
    old = json.loads(recorded.read_text(encoding="utf-8"))
    new = {row["name"]: row for row in content["figures"]}
    parts = {row["part"] for row in content["figures"]}
    kept = [row for row in old["figures"] if row["name"] in new or row.get("part") not in parts]
    figures = [new.pop(row["name"], row) for row in kept]
    return {**old, "figures": [*figures, *new.values()]}


def _met(row: dict[str, Any]) -> bool:
    if "met" in row:
        return bool(row["met"])
    return row["bound"] is None or bool(row["value"] <= row["bound"])


def _lines(row: dict[str, Any], told: str = "") -> str:
    """A figure for a reader: value, bound and floor, and below them the load if it is not told."""
    mark, bound = " ", ""
    if row["bound"] is not None:
        mark = "+" if _met(row) else "x"
        least = _met(row) != (row["value"] <= row["bound"])
        bound = f"  bound: {'at least' if least else 'at most'} {row['bound']}"
    floor = f"  floor: {row['floor']}" if row.get("floor") else ""
    text = f"{mark} {row['name']}: {row['value']} {row['unit']}{bound}{floor}"
    if row["load"] == told:
        return text
    return f"{text}\n{fill(row['load'], 100, initial_indent=_INDENT, subsequent_indent=_INDENT)}"


def _write(target: Path, content: dict[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
