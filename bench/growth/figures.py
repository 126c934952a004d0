"""Measured figures with the file in which each stands; what depends on them says so."""

import json
from typing import Any

from bench.growth.measuring import grown, proof_us, steps
from bench.machine import ROOT
from tallystick.kernel.model import Record

RECORDED = ROOT / "bench" / "results" / "bench.json"
_BEFORE_QUOTE = "quote CPU"
_SEALS_EVIDENCE = "evidence sealed"
_COMMITS_FIELDS = "salted commitments of the fields"
_BRINGS_ROWS = "bring rows into memory"


class Cpu(Record, frozen=True, kw_only=True):
    """CPU us: of a payment's front and quote, and of the writer for each step between homes.

    local    a payment within one home: every stage of the writer in bench.json
    hold     the same, with a hold in the place of a posting
    credit   post, record and store without sealing evidence, and bringing rows into memory
    capture  the same without new commitments: its leaf points to the first one
    proof    checking the other home's proof, at a front, for credit and for capture each
    """

    front: float
    quote: float
    local: float
    hold: float
    credit: float
    capture: float
    proof: float

    def crossing(self) -> float:
        """What the writers of both homes spend on a payment between them."""
        return self.hold + self.credit + self.capture


def measure() -> dict[str, Any]:
    """What is measured now, on this machine."""
    return {"step_us": steps(), "proof_us": proof_us(), **grown()}


def cpu_of(measured: dict[str, Any]) -> Cpu:
    """CPU by step, out of the recorded stages and what was `measured` now."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    groups: dict[str, float] = {}
    stages: dict[str, float] = {}
    for row in recorded["stages_us"]:
        groups[row["group"]] = groups.get(row["group"], 0.0) + row["us"]
        stages[row["stage"]] = row["us"]
    (quote,) = (row["value"] for row in recorded["figures"] if row["name"] == _BEFORE_QUOTE)
    kept = groups["post"] + groups["record"] + groups["store"]
    credit = kept + stages[_BRINGS_ROWS] - stages[_SEALS_EVIDENCE]
    local = kept + groups["decide"]
    taken = measured["step_us"]
    return Cpu(
        front=groups["front"] + groups["loop"],
        quote=quote,
        local=round(local, 1),
        hold=round(local + max(0.0, taken["hold"] - taken["local"]), 1),
        credit=round(credit, 1),
        capture=round(credit - stages[_COMMITS_FIELDS], 1),
        proof=measured["proof_us"],
    )


SOURCES = {
    "front": "bench/results/bench.json, stages_us: groups front and loop",
    "quote": "bench/results/bench.json, figures: quote CPU",
    "local": "bench/results/bench.json, stages_us: groups decide, post, record, store",
    "hold": "local, and the difference of hold and local in step_us (measured by this run)",
    "credit": "groups post, record, store; bring rows into memory; less evidence sealed",
    "capture": "credit, less salted commitments of the fields",
    "proof": "measured by this run: one inclusion proof in a log of 2^33 leaves",
    "step_us": "measured by this run: ledger, order row, SQL and COMMIT only, batches of 64",
    "payment_bytes": "measured by this run: 3,000 payments over HTTP on one SQLite file",
    "customer_bytes": "measured by this run: 1,000 customers opened by signed acts",
}
"""Where each figure comes from."""
