"""A provider that is killed with -9 in the middle of its work, again and again, and comes back."""

import random
import threading
import time
from dataclasses import dataclass, field

import pytest
from simulators.cast import Cast, Person
from simulators.tour.provider import TourProvider
from tests.support.stores import new_store
from tests.support.toured import toured

from tallystick.client.consenting import Order
from tallystick.entry.auditing import audit_provider, believed, read_anchor
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Receipt

PAYERS = 4
PAYEE = "+254700000099"
FUNDS = 90_000_00
PENNY = Money(100, "KES")


@dataclass
class Payer:
    """Pays without end; what was acknowledged, and the one order that may be unanswered."""

    person: Person
    pending: Order | None = None
    receipts: dict[str, Receipt] = field(default_factory=dict)
    repeated: int = 0

    def pay(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                if self.pending is None:
                    quoted = self.person.wallet.quote(PaymentKind.P2P, PAYEE, PENNY)
                    self.pending = self.person.wallet.consent(quoted)
                else:
                    self.repeated += 1
                self.receipts[self.pending.quote.order] = self.person.wallet.place(
                    self.pending, attempts=1
                ).receipt
                self.pending = None
            except MfsError:
                return


@pytest.fixture
def killed_provider(tmp_path):
    with toured(tmp_path, new_store()) as made:
        yield made


def play(provider: TourProvider, cast: Cast, rounds: int, *options: str) -> list[Payer]:
    dice = random.Random(11)
    payers = [
        Payer(cast.person(f"+25470000010{number}", f"Payer {number}", funds=FUNDS))
        for number in range(PAYERS)
    ]
    for payer in payers:
        payer.person.wallet.attempts = 1
    cast.person(PAYEE, "Payee")
    for _ in range(rounds):
        stop = threading.Event()
        before = sum(len(payer.receipts) for payer in payers)
        threads = [threading.Thread(target=payer.pay, args=(stop,)) for payer in payers]
        for thread in threads:
            thread.start()
        limit = time.monotonic() + 20
        while sum(len(payer.receipts) for payer in payers) == before and time.monotonic() < limit:
            time.sleep(0.01)
        time.sleep(dice.random() * 0.15)
        provider.kill()
        stop.set()
        for thread in threads:
            thread.join(timeout=30)
        provider.serve(provider.port, *options)
    return payers


def check(provider: TourProvider, payers: list[Payer], tmp_path) -> None:
    for payer in payers:
        payer.person.wallet.attempts = 12
        if payer.pending is not None:
            order = payer.pending
            payer.receipts[order.quote.order] = payer.person.wallet.place(order).receipt
    provider.stop()
    receipts = {order: one for payer in payers for order, one in payer.receipts.items()}
    with open_reader(provider.folder.stored()) as reader:
        states = dict(reader.rows("SELECT id, stage FROM payment_order"))
        per_posting = dict(
            reader.rows(
                "SELECT p.id, count(t.posting_id) FROM payment_order p"
                " LEFT JOIN transfer t ON t.posting_id = p.id AND t.amount = 100 GROUP BY p.id"
            )
        )
        ((debit, credit),) = reader.rows(
            "SELECT sum(posted_debit), sum(posted_credit) FROM account"
        )
    assert receipts.keys() <= states.keys(), "a payment with a receipt is not there"
    assert {states[order] for order in receipts} == {"settled"}
    assert set(per_posting.values()) == {1}, "a payment was posted twice, or not at all"
    assert debit == credit
    whose = believed(provider.folder)
    anchors = []
    for number, receipt in enumerate(list(receipts.values())[:: max(1, len(receipts) // 60)]):
        file = tmp_path / f"receipt-{number}.json"
        file.write_bytes(encode(receipt))
        anchors.append(read_anchor(file, whose))
    report = audit_provider(provider.folder, tuple(anchors))
    assert not report.findings


@pytest.mark.requirement("MFS-7.3.3-06")
def test_thirty_kills_never_lose_or_double_a_payment(killed_provider, tmp_path):
    provider, cast = killed_provider
    payers = play(provider, cast, 30)
    assert sum(payer.repeated for payer in payers) > 0, "no kill met an order on its way"
    check(provider, payers, tmp_path)


@pytest.mark.requirement("MFS-7.3.3-06")
def test_kills_of_a_writer_with_two_fronts_never_lose_or_double_a_payment(
    killed_provider, tmp_path
):
    provider, cast = killed_provider
    payers = play(provider, cast, 8, "--workers", "2")
    check(provider, payers, tmp_path)


@pytest.mark.soak
def test_a_thousand_kills_never_lose_or_double_a_payment(killed_provider, tmp_path):
    provider, cast = killed_provider
    check(provider, play(provider, cast, 1_000), tmp_path)
