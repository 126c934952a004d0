"""What each engine carries: batches, a hot account, events, waiting clients, checks, bytes on disk.

`python -m bench.stores`. Each rate stands beside a bare insert of the same rows in the same run.
"""

import contextlib
import hmac
import itertools
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from simulators.database_server import DatabaseServer, programs

from bench.payment import drive
from bench.population import Population, _cpu_s, populate, sealed_orders
from tallystick.entry.auditing import audit_provider
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.chart import new_account
from tallystick.infrastructure.ledger.model import (
    NO_FLOOR,
    AccountKind,
    Leg,
    Posted,
    Posting,
    PostingKind,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import MIGRATION as LEDGER
from tallystick.infrastructure.ledger.store import LedgerStore, save
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.copying import row_counts
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database, open_reader
from tallystick.infrastructure.tally.archive import Archive
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.leaf import Commitments, encode_leaf
from tallystick.infrastructure.tally.store import MIGRATION as TALLY
from tallystick.kernel.ids import timed_id
from tallystick.kernel.time import Instant
from tallystick.protocol.receipt import EventLeaf

ACCOUNTS, BATCH, BATCHES, START = 10_000, 1_000, 20, 1_767_225_600_000
BOUNDS = {"SQLite": 20_000, "PostgreSQL": 15_000}
ORIGIN = "bench/tally/1"
_numbers = itertools.count(1)
Rows = list[dict[str, Any]]


class Book:
    """A ledger and a log on one engine, without a service before them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        migrate(database, [TALLY, LEDGER], Instant(START))
        self.commits = GroupCommit(database)
        self.reader = database.reader()
        self.state = LedgerState()
        self.store = LedgerStore(self.reader)
        self.store.restore(self.state)
        key = Ed25519SigningKey.generate()
        self.tally_key = key.public()
        self.archive = Archive(self.reader, NoteSigner.of(ORIGIN, key), ORIGIN)
        self.accounts = [f"acc{number:06d}" for number in range(ACCOUNTS)]
        for name in self.accounts:
            account = new_account(name, AccountKind.CUSTOMER, "KES", START)
            account.floor = NO_FLOOR
            self.state.open_account(account)
        changes = ChangeSet()
        save(self.state.take_changes(), changes)
        self.commits.run(changes)
        self.dice = random.Random(7)

    def postings(self, count: int, *, hot: str = "") -> list[Posting]:
        """Payments between two of many, or all to one."""
        made = []
        for _ in range(count):
            debit, credit = self.dice.sample(self.accounts, 2)
            leg = Leg(debit=debit, credit=hot or credit, amount=7)
            if leg.debit == leg.credit:
                leg = Leg(debit=credit, credit=hot, amount=7)
            order = timed_id("ord", START + next(_numbers), self.dice.randbytes(10))
            made.append(Posting(id=order, kind=PostingKind.POST, legs=(leg,)))
        return made

    def changes(self, postings: list[Posting]) -> ChangeSet:
        """The rows of `postings`, applied."""
        results = apply(self.state, postings, START)
        assert all(isinstance(one, Posted) for one in results)
        rows = ChangeSet()
        save(self.state.take_changes(), rows)
        self.state.trim(accounts=10 * ACCOUNTS, recent=BATCH)
        return rows

    def with_events(self, postings: list[Posting]) -> ChangeSet:
        """The same, with an event of salted commitments for each, and the log's rows."""
        rows, leaves, ids = self.changes(postings), [], []
        for posting in postings:
            leg = posting.legs[0]
            commitments = Commitments(posting.id)
            commitments.commit(
                _mac, {"payer": leg.debit, "payee": leg.credit, "amount": leg.amount}
            )
            leaf = EventLeaf(
                id=posting.id,
                at=START,
                kind="payment",
                stage="settled",
                provider="bench",
                policy=1,
                p={"grade": "device-signed", "row": "payer-signed"},
                c=commitments.texts(),
            )
            leaves.append(encode_leaf(leaf))
            ids.append(posting.id)
        appended = self.archive.append(rows, leaves, ids)
        self.archive.sign(appended)
        return rows


def _mac(message: bytes) -> bytes:
    return hmac.digest(b"k" * 32, message, "sha256")


@contextlib.contextmanager
def engines() -> Iterator[dict[str, Callable[[], Place]]]:
    """A place for one more store, on each engine that is here."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-stores-"))
    made: dict[str, Callable[[], Place]] = {
        "SQLite": lambda: folder / f"{next(_numbers)}" / "book.db"
    }
    server = None
    try:
        if programs() is not None:
            server = DatabaseServer("shared_buffers=256MB", "max_wal_size=4GB")
            server.start()
            made["PostgreSQL"] = lambda: _schema(server)
        yield made
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _schema(server: DatabaseServer) -> Place:
    name = f"b{next(_numbers)}"
    with psycopg.connect(server.address.url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return server.address.with_schema(name)


def _rate(book: Book, made: Callable[[list[Posting]], ChangeSet], *, hot: str = "") -> float:
    """Transfers a second over some batches; making the postings is not counted."""
    batches = [book.postings(BATCH, hot=hot) for _ in range(BATCHES)]
    started = time.perf_counter()
    for postings in batches:
        book.commits.run(made(postings))
    return BATCH * BATCHES / (time.perf_counter() - started)


def _bare(book: Book, changes: Callable[[list[Posting]], ChangeSet]) -> float:
    """The rate of a bare set-based insert of the same rows: only BEGIN, INSERT, COMMIT."""
    ready = [changes(book.postings(BATCH)) for _ in range(BATCHES)]
    started = time.perf_counter()
    for rows in ready:
        book.database.begin()
        rows.flush(book.database)
        book.database.commit()
    return BATCH * BATCHES / (time.perf_counter() - started)


def batches(name: str, place: Callable[[], Place]) -> Rows:
    """Rates of full batches: transfers, one hot account, with events; and bytes on disk."""
    load = f"{BATCHES} batches of {BATCH} over {ACCOUNTS} accounts, one connection, durable"
    with open_database(place()) as database:
        book = Book(database)
        _rate(book, book.changes)
        before, size = row_counts(database)["transfer"], database.size()
        plain = _rate(book, book.changes)
        each = (database.size() - size) / (row_counts(database)["transfer"] - before)
        hot = _rate(book, book.changes, hot=book.accounts[0])
        bare = _bare(book, book.changes)
        evented = _rate(book, book.with_events)
        bare_events = _bare(book, book.with_events)
        whole = _verified(book)
    bound = min(8_000, 0.7 * bare_events)
    floor, floor_events = f"{bare:,.0f}/s bare insert", f"{bare_events:,.0f}/s bare insert"
    return [
        _row(f"{name}: batch of {BATCH}", plain, "transfers/s", BOUNDS[name], floor, load),
        _row(f"{name}: one hot account", hot / plain, "x the normal rate", 0.9, "", load),
        _row(f"{name}: with event", evented, "transfers/s", bound, floor_events, load),
        _row(f"{name}: journal checked", whole, "transfers/s", 100_000, "", "SQL over the journal"),
        _row(f"{name}: a transfer on disk", each, "bytes", 250, "", "journal and index", most=True),
    ]


def _verified(book: Book) -> float:
    """How fast every balance is compared with the journal."""
    started = time.perf_counter()
    assert book.store.differing_accounts() == ()
    count = row_counts(book.database)["transfer"]
    return count / (time.perf_counter() - started)


def waiting(name: str, place: Callable[[], Place], clients: int = 64) -> Rows:
    """Clients that each wait for their own commit, against bare inserts of the same sizes."""
    with open_database(place()) as database:
        book = Book(database)
        latencies, sizes, seconds = _queue(book, clients, 12_000)
        ready = [book.changes(book.postings(size)) for size in sizes]
        started = time.perf_counter()
        for rows in ready:
            book.database.begin()
            rows.flush(book.database)
            book.database.commit()
        bare = sum(sizes) / (time.perf_counter() - started)
    rate = len(latencies) / seconds
    latencies.sort()
    p50, p99 = statistics.median(latencies), latencies[int(len(latencies) * 0.99)]
    load = (
        f"{len(latencies)} transfers, {clients} clients that wait, p50 {p50:.1f}, p99 {p99:.1f} ms"
    )
    return [
        _row(
            f"{name}: {clients} waiting", rate / bare, "x bare store", 0.7, f"{bare:,.0f}/s", load
        ),
        _row(f"{name}: p99 over p50", p99 / p50, "x", 6.0, "", load, most=True),
    ]


def _queue(book: Book, clients: int, count: int) -> tuple[list[float], list[int], float]:
    """A closed loop of clients before one writer: what arrives meanwhile is the next batch."""
    postings = book.postings(count)
    upkeep = book.database.upkeep()
    stop = threading.Event()

    def keep_up() -> None:
        while not stop.wait(1.0):
            with contextlib.suppress(Exception):
                upkeep.run()

    helper = threading.Thread(target=keep_up)
    helper.start()
    latencies: list[float] = []
    sizes: list[int] = []
    asked = [time.perf_counter()] * clients
    began, done = time.perf_counter(), 0
    while done < count:
        size = min(clients, count - done)
        book.commits.run(book.changes(postings[done : done + size]))
        now = time.perf_counter()
        latencies += [(now - at) * 1_000 for at in asked[:size]]
        asked = [now] * clients
        sizes.append(size)
        done += size
    seconds = time.perf_counter() - began
    stop.set()
    helper.join()
    upkeep.close()
    return latencies, sizes, seconds


def over_http(quick: bool = False) -> Rows:
    """A secured payment's CPU on PostgreSQL, its processes included, over that on SQLite."""
    if programs() is None:
        return []
    devices, count = (64, 2_000) if quick else (128, 6_000)
    server = DatabaseServer("shared_buffers=256MB", "max_wal_size=4GB")
    server.start()
    try:
        with (
            populate(devices) as on_file,
            populate(devices, store=str(server.address)) as on_server,
        ):
            rounds = []
            for _ in range(3):
                file_us, _ = _cpu(on_file, count, [])
                server_us, said = _cpu(on_server, count, server.pids())
                rounds.append((server_us / file_us, file_us, server_us, said))
            ratio, file_us, server_us, said = sorted(rounds)[1]
            parts = _bytes(on_file)
    finally:
        server.stop()
    load = (
        f"{count} orders, 64 clients, one worker; {server_us:.0f} against {file_us:.0f} us; {said}"
    )
    return [
        _row("payment on PostgreSQL", ratio, "x CPU on SQLite", 1.3, "", load, most=True),
        *parts,
    ]


def _cpu(population: Population, count: int, database: list[int]) -> tuple[float, str]:
    orders, _ = sealed_orders(population, count)
    before = population.server_cpu_s() + _cpu_of(database)
    seconds, latencies, statuses = drive(population.url, orders, 64)
    spent = population.server_cpu_s() + _cpu_of(database) - before
    assert statuses == {200: count}, statuses
    latencies.sort()
    p50, p99 = statistics.median(latencies), latencies[int(len(latencies) * 0.99)]
    return spent / count * 1e6, f"{count / seconds:.0f}/s, p50 {p50:.1f}, p99 {p99:.1f} ms"


def _cpu_of(pids: list[int]) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += _cpu_s(pid)
    return total


def _bytes(population: Population) -> Rows:
    """What a payment takes on disk, by part, and how fast the whole record is audited."""
    population.stop()
    folder = ProviderFolder(population.folder)
    with open_reader(folder.stored()) as reader:
        rows: dict[str, int] = dict(
            reader.rows(
                "SELECT name, sum(pgsize) FROM dbstat WHERE name IN ('payment_order', 'event',"
                " 'transfer', 'checkpoint', 'tile', 'notice', 'transfer_posting_once',"
                " 'sqlite_autoindex_payment_order_1') GROUP BY name"
            )
        )
        ((orders,),) = reader.rows("SELECT count(*) FROM payment_order")
    started = time.perf_counter()
    assert not audit_provider(folder).findings
    rate = orders / (time.perf_counter() - started)
    said = ", ".join(f"{name} {size / orders:.0f}" for name, size in sorted(rows.items()))
    return [
        _row("a payment on disk", sum(rows.values()) / orders, "bytes", None, "", said),
        _row("record audited", rate, "payments/s", None, "", f"{orders} orders, every proof"),
    ]


def _row(
    name: str,
    value: float,
    unit: str,
    bound: float | None,
    floor: str,
    load: str,
    *,
    most: bool = False,
) -> dict[str, Any]:
    shown = round(value, 2) if value < 100 else round(value)
    met = bound is None or (value <= bound if most else value >= bound)
    return {
        "name": name,
        "value": shown,
        "unit": unit,
        "bound": None if bound is None else round(bound, 2),
        "floor": floor,
        "load": load,
        "met": met,
    }


def run(quick: bool = False) -> Rows:
    """Every figure of the stores."""
    rows: Rows = []
    with engines() as places:
        for name, place in places.items():
            rows += batches(name, place)
            rows += waiting(name, place)
    return rows + over_http(quick)


if __name__ == "__main__":
    for row in run():
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "bound",
              row["bound"], "|", row["floor"], "|", row["load"])  # fmt: skip
