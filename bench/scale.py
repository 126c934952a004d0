"""What growth costs: a payment after 10^4 and 10^6 posted ones, memory at 100,000 customers."""

import random
import sys
from typing import Any

from bench.payment import measure
from bench.population import Population, populate
from tallystick.application.commands import PerformAct
from tallystick.entry.assembly import open_platform
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.model import Leg, Posted, Posting, PostingKind
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import LedgerStore, save
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.ids import timed_id
from tallystick.kernel.money import Money
from tallystick.protocol.operators import OpenCustomer, SignedRequest
from tallystick.protocol.payments import PaymentKind

DEVICES, ORDERS, CLIENTS, ROUNDS = 128, 4_000, 64, 5
BATCH = 1_000
LONG_AGO = 1_600_000_000_000
BOUND_GROWTH, BOUND_MEMORY_MB = 1.10, 150.0
_signed = Decoder(SignedRequest, limit=64 * 1024)


def preload(population: Population, upto: int, start: int) -> None:
    """Post payments number `start` to `upto` between the population's accounts; no server runs."""
    accounts = [person.keystore.identity().accounts[0] for person in population.people]
    dice = random.Random(start)
    database = open_database(ProviderFolder(population.folder).place())
    state, store = LedgerState(), LedgerStore(database)
    store.restore(state)
    store.load_accounts(state, accounts)
    commits = GroupCommit(database)
    for first in range(start, upto, BATCH):
        postings = []
        for number in range(first, min(upto, first + BATCH)):
            debit, credit = dice.sample(accounts, 2)
            leg = Leg(debit=debit, credit=credit, amount=1)
            order = timed_id("ord", LONG_AGO + number, bytes(10))
            postings.append(Posting(id=order, kind=PostingKind.POST, legs=(leg,)))
        results = apply(state, postings, 1)
        assert all(isinstance(one, Posted) for one in results)
        rows = ChangeSet()
        save(state.take_changes(), rows)
        commits.run(rows)
        state.trim(accounts=10 * DEVICES, recent=BATCH)
    database.close()


def open_customers(population: Population, count: int) -> list[str]:
    """Open `count` customers by signed acts, their notices delivered long ago; no server runs."""
    assert population.cast is not None
    desk = population.cast.operators["care-desk"][0]
    platform = open_platform(ProviderFolder(population.folder), population.secret)
    numbers = [f"+2541{index:08d}" for index in range(count)]
    for first in range(0, count, 500):
        commands = []
        for number in numbers[first : first + 500]:
            body = OpenCustomer(name=f"Person {number}", msisdn=number, kind="person", tier=2)
            signed = desk.signed("open-customer", body)
            asked = _signed.decode(signed.body)
            inner = encode_canonical(asked.body)
            act = platform.desks.operators.verify(
                asked.jws, inner, signed.name, platform.clock.now()
            )
            commands.append(PerformAct(act))
        for recorded in platform.writer.run(commands):
            assert not isinstance(recorded.outcome.reply, Exception)
    platform.close()
    with open_database(ProviderFolder(population.folder).place()) as database:
        database.execute("UPDATE notice SET due_at = 0")
    return numbers


def _ratio(population: Population) -> float:
    """Least CPU of some rounds over the least verify: what it costs on an undisturbed machine."""
    found = [measure(population, CLIENTS, ORDERS) for _ in range(ROUNDS)]
    return float(min(one["cpu_us"] for one in found) / min(one["verify_us"] for one in found))


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Growth of a payment's cost, then memory, on one provider."""
    most, customers = (100_000, 20_000) if quick else (1_000_000, 100_000)
    with populate(DEVICES) as population:
        population.stop()
        preload(population, 10_000, 0)
        population.start()
        small = _ratio(population)
        population.stop()
        preload(population, most, 10_000)
        population.start()
        large = _ratio(population)
        population.stop()
        numbers = open_customers(population, customers)
        population.start()
        paid = min(len(numbers), 20_000)
        for index, number in enumerate(numbers[:paid]):
            payer = population.people[index % DEVICES]
            payer.wallet.quote(PaymentKind.P2P, number, Money(100, "KES"))
        measure(population, CLIENTS, ORDERS)
        memory = population.memory_mb()
    growth = large / small
    return [
        {
            "name": "cost after 10^6 against 10^4" if not quick else "cost after 10^5, quick",
            "value": round(growth, 3),
            "unit": "x",
            "bound": BOUND_GROWTH,
            "floor": f"{small:.2f} x P-256 verify at 10,000 posted",
            "load": f"{most} posted; {ORDERS} orders, {CLIENTS} clients, least of {ROUNDS}",
            "met": growth <= BOUND_GROWTH,
        },
        {
            "name": "memory of the server",
            "value": round(memory),
            "unit": "MB",
            "bound": BOUND_MEMORY_MB,
            "floor": "",
            "load": f"{customers} customers, {paid} of them met, {most} payments posted",
            "met": memory <= BOUND_MEMORY_MB,
        },
    ]


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print(row)
