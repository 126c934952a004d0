"""What a synchronous replica costs: `python -m bench.replica`.

Full batches with events in three cases, in turn and round after round: a primary
alone; a primary whose replica streams, but is not waited for; the same primary when a commit waits
until the replica has it on disk (`ANY 1`). All run on this machine, so what the replica replays
takes the processor from the writer, which a replica of its own would not.
"""

import contextlib
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from simulators.database_server import DatabaseServer, Replica, programs

from bench.population import _cpu_s
from bench.stores import BATCH, Book, _schema
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.errors import Unavailable

ROUNDS, BATCHES, LONE = 7, 8, 150
MOST_COST = 0.20
SETTINGS = ("shared_buffers=256MB", "max_wal_size=4GB")
Rows = list[dict[str, Any]]


def _wait(server: DatabaseServer, question: str) -> None:
    """Until `question` has the answer true."""
    limit = time.monotonic() + 30
    with psycopg.connect(server.address.url, autocommit=True) as connection:
        while connection.execute(question.encode()).fetchone() != (True,):
            if time.monotonic() > limit:
                raise Unavailable("the replica does not follow")
            time.sleep(0.02)


def _wait_for_commits(server: DatabaseServer, names: str) -> None:
    """Let commits wait for `names` from now on (nobody if empty), and the replica catch up."""
    with psycopg.connect(server.address.url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'".encode())
        connection.execute("SELECT pg_reload_conf()")
    state = "quorum" if names else "async"
    _wait(
        server,
        "SELECT count(*) = 1 FROM pg_stat_replication"
        f" WHERE sync_state = '{state}' AND replay_lsn = pg_current_wal_lsn()",
    )


def _round(book: Book, server: DatabaseServer) -> dict[str, float]:
    """Transfers a second and ms a commit in full batches, ms of a lone transfer, server CPU."""
    batches = [book.postings(BATCH) for _ in range(BATCHES)]
    commits, cpu = [], sum(map(_cpu_s, server.pids()))
    began = time.perf_counter()
    for postings in batches:
        rows = book.with_events(postings)
        book.commits.begin()
        book.commits.write(rows)
        at = time.perf_counter()
        book.commits.commit()
        commits.append((time.perf_counter() - at) * 1000)
    rate = BATCH * BATCHES / (time.perf_counter() - began)
    lone = []
    for _ in range(LONE):
        rows = book.with_events(book.postings(1))
        at = time.perf_counter()
        book.commits.run(rows)
        lone.append((time.perf_counter() - at) * 1000)
    return {
        "rate": rate,
        "commit_ms": statistics.median(commits),
        "lone_ms": statistics.median(lone),
        "lone_p99_ms": sorted(lone)[int(LONE * 0.99)],
        "cpu_s": sum(map(_cpu_s, server.pids())) - cpu,
    }


@contextlib.contextmanager
def _servers() -> Iterator[tuple[DatabaseServer, DatabaseServer]]:
    """A primary alone, and one with a replica."""
    with contextlib.ExitStack() as stack:
        alone, primary = DatabaseServer(*SETTINGS), DatabaseServer(*SETTINGS)
        for server in (alone, primary):
            stack.callback(server.stop)
            server.start()
        replica = Replica(primary, "second", *SETTINGS)
        stack.callback(replica.stop)
        replica.start()
        yield alone, primary


def measure(rounds: int) -> dict[str, list[dict[str, float]]]:
    """Rounds in turn, by case."""
    found: dict[str, list[dict[str, float]]] = {"alone": [], "streaming": [], "waiting": []}
    with (
        _servers() as (alone, primary),
        open_database(_schema(alone)) as first,
        open_database(_schema(primary)) as second,
    ):
        single, followed = Book(first), Book(second)
        for book, server in ((single, alone), (followed, primary)):
            _round(book, server)
        for _ in range(rounds):
            found["alone"].append(_round(single, alone))
            _wait_for_commits(primary, "")
            found["streaming"].append(_round(followed, primary))
            _wait_for_commits(primary, "ANY 1 (second)")
            found["waiting"].append(_round(followed, primary))
        _wait_for_commits(primary, "")
    return found


def run(quick: bool = False) -> Rows:
    """The cost of waiting for the replica, and of having one at all on the same two cores."""
    if programs() is None:
        return []
    rounds = 3 if quick else ROUNDS
    found = measure(rounds)

    def mid(case: str, name: str) -> float:
        return statistics.median(one[name] for one in found[case])

    def cost(case: str, against: str) -> float:
        pairs = zip(found[case], found[against], strict=True)
        return statistics.median(1 - one["rate"] / other["rate"] for one, other in pairs)

    waited = cost("waiting", "streaming")
    load = (
        f"{rounds} rounds in turn of {BATCHES} batches of {BATCH} with events, ANY 1;"
        f" {mid('waiting', 'rate'):,.0f} against {mid('streaming', 'rate'):,.0f}/s;"
        f" COMMIT of a batch {mid('waiting', 'commit_ms'):.1f} against"
        f" {mid('streaming', 'commit_ms'):.1f} ms"
    )
    lone = (
        f"one transfer a commit: {mid('waiting', 'lone_ms'):.2f}, p99"
        f" {mid('waiting', 'lone_p99_ms'):.1f}; streaming {mid('streaming', 'lone_ms'):.2f},"
        f" alone {mid('alone', 'lone_ms'):.2f} ms"
    )
    return [
        _row("synchronous replica: cost", waited, "of the rate", MOST_COST, load),
        _row(
            "replica on the same machine: cost",
            cost("waiting", "alone"),
            "of the rate",
            None,
            f"against a primary alone, {mid('alone', 'rate'):,.0f}/s: replay and both disks here",
        ),
        _row(
            "synchronous replica: a lone commit",
            mid("waiting", "lone_ms") - mid("streaming", "lone_ms"),
            "ms more",
            None,
            lone,
        ),
    ]


def _row(name: str, value: float, unit: str, bound: float | None, load: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "bound": bound,
        "floor": "",
        "load": load,
        "met": bound is None or value <= bound,
    }


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "|", row["load"])
