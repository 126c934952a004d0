"""The store's server fails under load: a phone that asks again sees no error, nothing is lost."""

import threading
import time

import pytest
from simulators.cast import Cast
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from tests.support.postgres import PgServer, run_sql

from tallystick.entry.auditing import audit_provider
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import PaymentKind

PENNY = Money(100, "KES")
PAYEE = "+254700000099"
PAYERS = 3


@pytest.fixture
def ground(tmp_path):
    server = PgServer("shared_buffers=64MB")
    server.start()
    smsc = Smsc()
    provider = TourProvider(tmp_path, Es256SigningKey.generate(), smsc, str(server.address))
    codes = provider.set_up()
    url = provider.serve()
    settings = provider.folder.settings()
    cast = Cast(
        url, settings.provider, settings.origin, settings.root.verify_key(), smsc, SystemClock()
    )
    for role, code in codes:
        cast.join(role, Secret(code))
    yield server, provider, cast
    cast.close()
    provider.stop()
    smsc.close()
    server.stop()


class Load:
    """Some people who pay without end, each order until it is answered."""

    def __init__(self, cast: Cast) -> None:
        self.people = [
            cast.person(f"+25470000010{number}", f"Payer {number}", funds=900_000)
            for number in range(PAYERS)
        ]
        cast.person(PAYEE, "Payee")
        self.receipts: dict[str, object] = {}
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
                paid = person.wallet.pay(PaymentKind.P2P, PAYEE, PENNY)
            except MfsError as error:
                self.refused.append(error)
                return
            self.receipts[paid.verified.event.id] = paid.receipt

    def wait_for(self, more: int, limit_s: float = 30) -> float:
        """Wait until `more` further payments are acknowledged; gives the seconds it took."""
        began, goal = time.monotonic(), len(self.receipts) + more
        while len(self.receipts) < goal:
            assert time.monotonic() < began + limit_s, (len(self.receipts), goal, self.refused)
            assert not self.refused, self.refused
            time.sleep(0.01)
        return time.monotonic() - began

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


def check(provider: TourProvider, load: Load) -> None:
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


@pytest.mark.requirement("MFS-7.3.3-06")
def test_connections_that_break_are_mended_without_an_error(ground) -> None:
    server, provider, cast = ground
    load = Load(cast)
    load.wait_for(5)
    for _ in range(5):
        run_sql(
            server.address,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'tallystick%'",
        )
        load.wait_for(5)
    check(provider, load)


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_server_killed_and_started_again_costs_seconds_and_no_payment(ground) -> None:
    server, provider, cast = ground
    load = Load(cast)
    load.wait_for(5)
    for _ in range(2):
        server.kill()
        time.sleep(0.5)
        server.start()
        load.wait_for(5)
    check(provider, load)
