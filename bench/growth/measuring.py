"""What is measured anew: steps of a payment between homes, the proof of the other log, bytes.

steps     CPU of the ledger and the store in each step, real file, batches of 64
proof_us  CPU of checking that a leaf is in the other home's log of eight thousand million
grown     bytes that a payment and a customer add to a provider's file, served for real
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.growth.model import Message, Order, OrderKind, Word
from bench.growth.partition import Partition
from bench.growth.workload import CURRENCY, START
from bench.payment import drive
from bench.population import Population, populate, sealed_orders
from bench.scale import open_customers
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.ledger.chart import new_account
from tallystick.infrastructure.ledger.model import AccountKind
from tallystick.infrastructure.tally.log import TallyLog
from tallystick.infrastructure.tally.merkle import Frontier, leaf_hash, verify_inclusion
from tallystick.kernel.ids import random_id, timed_id

BATCH, ROUNDS, ACCOUNTS = 64, 60, 2_000
LOG_SIZE = 2**33 - 2 * BATCH
DEVICES, PAYMENTS, CUSTOMERS = 32, 3_000, 1_000


def _open(home: int, folder: Path) -> tuple[Partition, list[str]]:
    partition = Partition(home, 2, CURRENCY, folder)
    names = [
        random_id("acc", sha256(f"{home}/{number}".encode())[:16]) for number in range(ACCOUNTS)
    ]
    accounts = [new_account(name, AccountKind.CUSTOMER, CURRENCY, START) for name in names]
    partition.open_accounts(accounts, [1_000_000] * ACCOUNTS, START)
    return partition, names


def _orders(payers: list[str], payees: list[str], start: int, target: int) -> list[Message]:
    """A batch of orders from the home 0, each between another pair of accounts."""
    batch = []
    for number in range(start, start + BATCH):
        order = Order(
            id=timed_id("ord", START + number, number.to_bytes(10, "big")),
            kind=OrderKind.PAYMENT,
            payer=payers[number * 7 % ACCOUNTS],
            payee=payees[(number * 11 + 3) % ACCOUNTS],
            amount=100,
            fee=1,
            currency=CURRENCY,
            source=0,
            target=target,
        )
        if order.payer != order.payee:
            batch.append(Message(word=Word.ASK, order=order, to=0))
    return batch


def _quiet(step: str) -> None:
    """Nothing crashes here."""


def _timed(act: Callable[[], list[Message]], spent: list[float]) -> list[Message]:
    """What `act` says; its CPU seconds for each order go into `spent`."""
    began = time.process_time()
    said = act()
    spent.append((time.process_time() - began) / len(said))
    return said


def steps() -> dict[str, float]:
    """CPU us an order of ledger, order row, SQL and COMMIT: local, hold, credit, capture."""
    names = ("local", "hold", "credit", "capture")
    spent: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="tallystick-growth-") as place:
        payer, payers = _open(0, Path(place))
        payee, payees = _open(1, Path(place))
        for number in range(ROUNDS):
            start = 2 * number * BATCH
            now = START + 1 + number
            batch = _orders(payers, payers, start, 0)
            _timed(lambda: payer.take(batch, now, _quiet), spent["local"])  # noqa: B023
            said = _orders(payers, payees, start + BATCH, 1)
            for home, name in ((payer, "hold"), (payee, "credit"), (payer, "capture")):
                said = _timed(lambda: home.take(said, now, _quiet), spent[name])  # noqa: B023
            assert all(one.done for one in said)
        payer.die()
        payee.die()
    return {name: round(sorted(found)[ROUNDS // 2] * 1e6, 1) for name, found in spent.items()}


def proof_us() -> float:
    """CPU us of one inclusion proof in a log of about 2^33 leaves."""
    nodes = tuple(sha256(bytes([number])) for number in range(LOG_SIZE.bit_count()))
    log = TallyLog("bench/tally/2", Frontier(size=LOG_SIZE, nodes=nodes))
    leaves = [number.to_bytes(8, "big") * 90 for number in range(BATCH)]
    appended = log.append(leaves)
    began = time.process_time()
    for _ in range(20):
        for number, leaf in enumerate(leaves):
            verify_inclusion(
                index=appended.first_index + number,
                size=appended.size,
                leaf=leaf_hash(leaf),
                proof=appended.proofs[number],
                root=appended.root,
            )
    return round((time.process_time() - began) / 20 / BATCH * 1e6, 1)


def _size(population: Population) -> int:
    """Bytes of a stopped provider's database, its write-ahead log included."""
    file = ProviderFolder(population.folder).database_file
    return sum(one.stat().st_size for one in file.parent.glob(file.name + "*"))


def grown() -> dict[str, float]:
    """Bytes that a payment, and a customer opened at a desk, add to the provider's file."""
    with populate(DEVICES) as population:
        population.stop()
        empty = _size(population)
        population.start()
        orders, _ = sealed_orders(population, PAYMENTS)
        _, _, statuses = drive(population.url, orders, BATCH)
        assert statuses == {200: PAYMENTS}, statuses
        population.stop()
        paid = _size(population)
        open_customers(population, CUSTOMERS)
        opened = _size(population)
        population.start()
    return {
        "payment_bytes": round((paid - empty) / PAYMENTS),
        "customer_bytes": round((opened - paid) / CUSTOMERS),
    }
