"""One service takes another's place while phones pay: a new version, a dead one, a stopped one."""

import os
import signal
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from simulators.cast import Cast
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from tests.support.ports import held_port
from tests.support.postgres import fresh_schema
from tests.support.services import Service

from tallystick.entry.auditing import audit_provider
from tallystick.entry.standing_by import FREE_S, STILL_S
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.opening import Place, open_reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import PaymentKind

PENNY = Money(100, "KES")
PAYEE = "+254700000009"


class Ground:
    """A provider on one engine, its services, and Ann who pays."""

    def __init__(self, folder: Path, place: Place, port: int) -> None:
        self.folder = folder
        self.smsc = Smsc()
        store = str(place) if isinstance(place, Address) else ""
        self.provider = TourProvider(folder, Es256SigningKey.generate(), self.smsc, store)
        codes = self.provider.set_up()
        begun = time.monotonic()
        self.services = [Service(folder, port)]
        self.url = self.services[0].until_serving()
        self.grace_s = 15 + time.monotonic() - begun
        """What a change of services may take: more where this machine takes longer to start one."""
        self.port = port
        self.cast = self.cast_at(self.url)
        for role, code in codes:
            self.cast.join(role, Secret(code))
        self.ann = self.cast.person("+254700000001", "Ann", funds=900_000)
        self.cast.person(PAYEE, "Bob")
        self.receipts: dict[str, float] = {}
        self.refused: list[MfsError] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def cast_at(self, url: str) -> Cast:
        settings = self.provider.folder.settings()
        return Cast(
            url,
            settings.provider,
            settings.origin,
            settings.root.verify_key(),
            self.smsc,
            SystemClock(),
        )

    def another(self, port: int, *options: str) -> Service:
        service = Service(self.folder, port, "--standby", *options)
        self.services.append(service)
        return service

    def load(self) -> None:
        self._threads = [threading.Thread(target=self._pay)]
        for thread in self._threads:
            thread.start()

    def _pay(self) -> None:
        while not self._stop.is_set():
            try:
                paid = self.ann.wallet.pay(PaymentKind.P2P, PAYEE, PENNY)
            except MfsError as error:
                self.refused.append(error)
                return
            self.receipts[paid.verified.event.id] = time.monotonic()

    def wait_for(self, more: int) -> None:
        goal, limit = len(self.receipts) + more, time.monotonic() + 40
        while len(self.receipts) < goal:
            assert not self.refused, self.refused
            assert time.monotonic() < limit, "payments do not go on"
            time.sleep(0.01)

    def longest_pause_s(self) -> float:
        times = sorted(self.receipts.values())
        return max(after - before for before, after in pairwise(times))

    def check(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(40)
        assert not self.refused, self.refused
        self.end()
        with open_reader(self.provider.folder.stored()) as reader:
            orders = dict(reader.rows("SELECT id, stage FROM payment_order"))
        assert self.receipts.keys() <= orders.keys()
        assert {orders[one] for one in self.receipts} <= {"settled"}
        assert not audit_provider(self.provider.folder).findings

    def end(self) -> None:
        self._stop.set()
        for service in self.services:
            if service.process.poll() is None:
                service.process.send_signal(signal.SIGCONT)
                service.end(signal.SIGTERM)
            service.ended()


@pytest.fixture
def ground(place: Place, tmp_path: Path):
    with held_port() as port:
        made = Ground(tmp_path, place, port)
        yield made
        made.end()
        made.cast.close()
        made.smsc.close()


@pytest.fixture
def on_server(tmp_path: Path):
    with fresh_schema() as address, held_port() as port:
        made = Ground(tmp_path, address, port)
        yield made
        made.end()
        made.cast.close()
        made.smsc.close()


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_version_takes_the_place_of_the_old_without_an_error(
    ground: Ground, workers: int
) -> None:
    ground.load()
    ground.wait_for(5)
    for _ in range(2):
        old, new = ground.services[-1], ground.another(ground.port, "--workers", str(workers))
        new.until_waiting()
        ground.wait_for(5)
        assert old.end(signal.SIGTERM) == 0
        assert new.until_serving().endswith(f":{ground.port}")
        ground.wait_for(5)
    ground.check()
    assert ground.longest_pause_s() < ground.grace_s


@pytest.mark.requirement("MFS-7.3.3-06")
def test_the_place_of_a_killed_writer_is_taken(ground: Ground) -> None:
    ground.load()
    ground.wait_for(5)
    new = ground.another(ground.port)
    new.until_waiting()
    ground.services[0].end(signal.SIGKILL)
    new.until_serving()
    ground.wait_for(5)
    ground.check()
    assert ground.longest_pause_s() < FREE_S + ground.grace_s


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_stopped_writer_that_comes_back_never_writes_again(on_server: Ground) -> None:
    ground = on_server
    ground.load()
    ground.wait_for(5)
    old, new = ground.services[0], ground.another(0)
    new.until_waiting()
    ground._stop.set()
    for thread in ground._threads:
        thread.join(40)
    order = ground.ann.wallet.consent(ground.ann.wallet.quote(PaymentKind.P2P, PAYEE, PENNY))
    os.kill(old.process.pid, signal.SIGSTOP)
    asking = threading.Thread(target=lambda: _try(ground.ann.wallet, order))
    asking.start()  # it waits at the stopped process
    stopped = time.monotonic()
    url = new.until_serving()
    assert time.monotonic() - stopped < STILL_S + ground.grace_s
    assert url != ground.url
    with open_reader(ground.provider.folder.stored()) as reader:
        before = reader.rows("SELECT id FROM payment_order WHERE id = ?", (order.quote.order,))
        os.kill(old.process.pid, signal.SIGCONT)
        assert old.ended() == 3
        assert "another process has become the writer" in old.log.read_text()
        asking.join(60)
        after = reader.rows("SELECT id FROM payment_order WHERE id = ?", (order.quote.order,))
    assert before == after == [], "what reached the old writer was not written"
    ground.check()


def _try(wallet, order) -> None:
    try:
        wallet.place(order, attempts=1)
    except MfsError:
        return
