"""How fast a stored tally is verified: `python -m bench.tally_verified`.

Every leaf is hashed again, the root is computed at each checkpoint and held against the signed
one, every tile is compared, every signature verified. Orders and balances are not read; that is the
row `record audited` of the stores.
"""

import statistics
import time
from typing import Any

from bench.stores import BATCH, ORIGIN, Book, engines
from tallystick.infrastructure.store.opening import open_database
from tallystick.infrastructure.tally.audit import audit
from tallystick.infrastructure.tally.findings import FindingKind
from tallystick.infrastructure.tally.store import TallyStore

BATCHES, ROUNDS, BOUND_PER_S = 40, 5, 100_000


def run() -> list[dict[str, Any]]:
    """Events a CPU second of one core, on each engine that is here."""
    rows = []
    with engines() as places:
        for name, place in places.items():
            with open_database(place()) as database:
                rows.append(_row(name, Book(database)))
    return rows


def _row(name: str, book: Book) -> dict[str, Any]:
    for _ in range(BATCHES):
        book.commits.run(book.with_events(book.postings(BATCH)))
    rates, walls = zip(*(_rates(book) for _ in range(ROUNDS)), strict=True)
    rate = statistics.median(rates)
    apart = "" if name == "SQLite" else ", the server's part not counted"
    return {
        "name": f"{name}: tally verified",
        "value": round(rate),
        "unit": "events/CPU s",
        "bound": BOUND_PER_S,
        "floor": "",
        "load": (
            f"root from rows: {BATCH * BATCHES} events, {BATCHES - 1} checkpoints, one process"
            f"{apart}; {statistics.median(walls):,.0f}/s by the clock; median of {ROUNDS}"
        ),
        "met": rate >= BOUND_PER_S,
    }


def _rates(book: Book) -> tuple[float, float]:
    """Events a second, of the processor and by the clock.

    The last batch is signed with the next one, so that it is read but not counted.
    """
    cpu, clock = time.process_time(), time.perf_counter()
    report = audit(TallyStore(book.reader), (book.tally_key,), origin=ORIGIN)
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    assert {one.kind for one in report.findings} == {FindingKind.CHECKPOINT_MISSING}
    assert report.vouched == BATCH * (BATCHES - 1) == report.rows - BATCH
    return report.vouched / cpu, report.vouched / clock


if __name__ == "__main__":
    for row in run():
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "|", row["load"])
