"""A provider moves from a file to a server, and back, while phones go on paying."""

import shutil
import subprocess
import sys
import threading

import pytest
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from tests.support.collectors import until
from tests.support.postgres import fresh_schema, run_sql
from tests.support.toured import toured

from tallystick.entry.auditing import audit_provider
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

PENNY = Money(100, "KES")
PAYEE = "+254700000009"


@pytest.fixture
def ground(tmp_path):
    with toured(tmp_path) as made:
        yield made


class Move:
    """The command, started; its lines as they come."""

    def __init__(self, provider: TourProvider, to: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tallystick.entry.cli", "store", "move",
             str(provider.folder.root), "--to", to],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.lines: list[str] = []

    def until(self, words: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return
        raise AssertionError("".join(self.lines))

    def end(self) -> str:
        rest, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, "".join(self.lines) + rest
        return "".join(self.lines) + rest


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_record_moves_under_load_and_nothing_is_lost(ground) -> None:
    provider, cast = ground
    ann = cast.person("+254700000001", "Ann", funds=900_000).wallet
    cast.person(PAYEE, "Bob")
    receipts = {}
    stop = threading.Event()
    failures: list[MfsError] = []

    def pay() -> None:
        while not stop.is_set():
            try:
                paid = ann.pay(PaymentKind.P2P, PAYEE, PENNY)
            except MfsError as error:
                failures.append(error)
                return
            receipts[paid.verified.event.id] = paid.receipt

    with fresh_schema() as address:
        payer = threading.Thread(target=pay)
        payer.start()
        move = Move(provider, str(address))
        move.until("stop it, and the rest is moved")
        until(lambda: failures or len(receipts) >= 20, 60)
        stop.set()
        payer.join()
        provider.stop()
        told = move.end()
        assert "are equal" in told
        assert "round 2" in told
        assert provider.folder.stored() == address
        with open_reader(address) as reader:
            orders = {row[0] for row in reader.rows("SELECT id FROM payment_order")}
        assert not failures
        assert receipts.keys() <= orders
        provider.serve(provider.port)
        for _ in range(3):
            ann.pay(PaymentKind.P2P, PAYEE, PENNY)
        assert not audit_provider(provider.folder).findings
        provider.stop()
        shutil.move(provider.folder.database_file, provider.folder.root / "before.db")
        back = Move(provider, "file").end()
        assert "are equal" in back
        assert provider.folder.stored() == provider.folder.database_file
        provider.serve(provider.port)
        ann.pay(PaymentKind.P2P, PAYEE, PENNY)
        assert not audit_provider(provider.folder).findings


def test_a_store_with_somebody_else_s_record_is_not_written_over(ground, tmp_path) -> None:
    provider, _ = ground
    provider.stop()
    (tmp_path / "other").mkdir()
    smsc = Smsc()
    other = TourProvider(tmp_path / "other", Es256SigningKey.generate(), smsc)
    other.set_up()
    other.serve()
    other.stop()
    smsc.close()
    with fresh_schema() as address:
        Move(provider, str(address)).end()
        before = run_sql(address, "SELECT count(*) FROM event")
        for who, to, says in (
            (other, str(address), "that store has another record"),
            (provider, str(address), "the record is there already"),
            (provider, "somewhere", "give an address, or 'file'"),
        ):
            with pytest.raises(AssertionError, match=says):
                Move(who, to).end()
        assert run_sql(address, "SELECT count(*) FROM event") == before
        assert other.folder.stored() == other.folder.database_file
