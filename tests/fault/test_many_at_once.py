"""Many at once: copies of one order post once, and no race spends what is not there."""

import threading
from collections import Counter

import pytest
from bench.payment import drive
from bench.population import Population, populate
from tests.support.served import served

from tallystick.client.wallet import Refusal
from tallystick.entry.auditing import audit_provider
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.envelope.cose import seal_request
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import InsufficientFunds, LimitExceeded, MfsError
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

CLIENTS = 64


@pytest.mark.requirement("MFS-11.2.3-02")
@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.threat("THR-BE-02")
def test_a_hundred_thousand_copies_of_one_order_never_post_twice():
    with populate(2) as population:
        payer, payee = population.people
        quoted = payer.wallet.quote(PaymentKind.P2P, payee.number, Money(100, "KES"))
        order = payer.wallet.consent(quoted)
        live = payer.session._live
        copies = []
        for _ in range(100_000):
            live.sequence += 1
            copies.append(seal_request(live.keys, "payment.order", live.sequence, order.body))
        _, _, statuses = drive(population.url, copies, CLIENTS)
        # A connection that the machine holds up may fall out of the replay window: 409, no posting.
        assert statuses.keys() <= {200, 409}
        assert statuses[200] > 99_000
        assert sum(statuses.values()) == 100_000
        transfers, orders = counted(population, order.quote.order)
    assert (transfers, orders) == (1, 1)


def counted(population: Population, order: str) -> tuple[int, int]:
    with open_reader(ProviderFolder(population.folder).stored()) as reader:
        ((transfers,),) = reader.rows(
            "SELECT count(*) FROM transfer WHERE posting_id = ?", (order,)
        )
        ((orders,),) = reader.rows("SELECT count(*) FROM payment_order")
    return transfers, orders


def outcomes(payer, orders) -> Counter[str]:
    ready, found, lock = threading.Barrier(len(orders)), Counter[str](), threading.Lock()

    def place(order) -> None:
        ready.wait()
        try:
            payer.wallet.place(order)
            said = "settled"
        except Refusal as refusal:
            said = refusal.error.code
        except MfsError as error:
            said = error.code
        with lock:
            found[said] += 1

    threads = [threading.Thread(target=place, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return found


def orders_of(payer, payee: str, minor: int, count: int):
    """As many orders, quoted and signed before any of them is placed."""
    return [
        payer.wallet.consent(payer.wallet.quote(PaymentKind.P2P, payee, Money(minor, "KES")))
        for _ in range(count)
    ]


@pytest.mark.requirement("MFS-13.3-01")
@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.threat("THR-BE-02")
def test_a_race_never_spends_more_than_there_is(tmp_path):
    with served(tmp_path / "p") as provider:
        payer = provider.person("+254700000910", "Payer", funds=1_000)
        payee = provider.person("+254700000911", "Payee")
        found = outcomes(payer, orders_of(payer, payee.number, 100, 40))
        assert found == {"settled": 10, InsufficientFunds.code: 30}
        assert payer.wallet.account().available_minor == 0
        assert payee.wallet.account().available_minor == 1_000
    assert not audit_provider(provider.folder).findings


@pytest.mark.requirement("MFS-7.3.3-04")
@pytest.mark.threat("THR-BE-02")
def test_a_race_never_passes_a_limit(tmp_path):
    """The demonstration policy lets 100,000.00 a day leave a key kept in software."""
    with served(tmp_path / "p") as provider:
        payer = provider.person("+254700000912", "Payer", funds=40_000_000)
        payee = provider.person("+254700000913", "Payee")
        first = payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES"))
        assert first.balance_minor == 40_000_000 - 100
        found = outcomes(payer, orders_of(payer, payee.number, 1_000_000, 24))
        assert found == {"settled": 9, LimitExceeded.code: 15}
        assert payer.wallet.account().available_minor == 40_000_000 - 100 - 9_000_000
    assert not audit_provider(provider.folder).findings
