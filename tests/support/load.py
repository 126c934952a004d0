"""People who pay without end while something fails, and what must hold afterwards."""

import threading
import time
from itertools import pairwise

from simulators.cast import Cast
from simulators.tour.provider import TourProvider

from tallystick.entry.auditing import audit_provider
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Receipt

PENNY = Money(100, "KES")
PAYEE = "+254700000099"


class Load:
    """Some people who pay without end, each order until it is answered, as the protocol says."""

    def __init__(self, cast: Cast, payers: int = 3) -> None:
        self.people = [
            cast.person(f"+25470000010{number}", f"Payer {number}", funds=4_000_000)
            for number in range(payers)
        ]
        cast.person(PAYEE, "Payee", kind="merchant", till="500001")
        self.receipts: dict[str, Receipt] = {}
        self.times: list[float] = []
        self.refused: list[MfsError] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._pay, args=(person,)) for person in self.people
        ]
        for thread in self._threads:
            thread.start()

    def _pay(self, person) -> None:
        while not self._stop.is_set():
            try:
                paid = person.wallet.pay(PaymentKind.MERCHANT, "500001", PENNY)
            except MfsError as error:
                self.refused.append(error)
                return
            self.times.append(time.monotonic())
            self.receipts[paid.verified.event.id] = paid.receipt

    def wait_for(self, more: int, limit_s: float = 30) -> float:
        """Wait until `more` further payments are acknowledged; gives the seconds it took."""
        began, goal = time.monotonic(), len(self.receipts) + more
        while len(self.receipts) < goal:
            assert time.monotonic() < began + limit_s, (len(self.receipts), goal, self.refused)
            assert not self.refused, self.refused
            time.sleep(0.01)
        return time.monotonic() - began

    def silence_s(self, since: float) -> float:
        """The longest time without an acknowledgement from a moment on."""
        times = [since, *[one for one in self.times if one >= since]]
        return max(after - before for before, after in pairwise(times))

    def end(self) -> None:
        """Let everybody finish the order at hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def check(provider: TourProvider, load: Load) -> None:
    """Nothing acknowledged is lost, nothing is there twice, and the whole record fits."""
    load.end()
    assert not load.refused
    provider.stop()
    with open_reader(provider.folder.stored()) as reader:
        orders = dict(reader.rows("SELECT id, stage FROM payment_order"))
        twice = reader.rows(
            "SELECT posting_id FROM transfer GROUP BY posting_id, leg, kind HAVING count(*) > 1"
        )
    assert load.receipts.keys() <= orders.keys(), "a payment with a receipt is not there"
    assert {orders[one] for one in load.receipts} == {"settled"}
    assert not twice
    assert not audit_provider(provider.folder).findings
