"""How fast encoded events are hashed and join the tree: `python -m bench.tally_append`."""

import time
from typing import Any

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.tally.log import TallyLog

EVENTS, BATCH, LEAF_BYTES = 200_000, 64, 700
BOUND_PER_S = 100_000


def run() -> list[dict[str, Any]]:
    """Events a CPU second: leaf hash, frontier, root and every inclusion proof of the batch."""
    leaves = [number.to_bytes(8, "big") * (LEAF_BYTES // 8) for number in range(BATCH)]
    log = TallyLog("bench/tally/1")
    started = time.process_time()
    for _ in range(EVENTS // BATCH):
        log.append(leaves)
    rate = EVENTS / (time.process_time() - started)
    started = time.process_time()
    for number in range(EVENTS):
        sha256(leaves[number % BATCH])
    floor = EVENTS / (time.process_time() - started)
    return [
        {
            "name": "tally append",
            "value": round(rate),
            "unit": "events/s",
            "bound": BOUND_PER_S,
            "floor": f"{floor:.0f}/s, one SHA-256 of the leaf",
            "load": f"{EVENTS} events of {LEAF_BYTES} bytes in batches of {BATCH}",
            "met": rate >= BOUND_PER_S,
        }
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
