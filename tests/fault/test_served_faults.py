"""A served provider on a bad day: disk full, database locked, clock turned back, SMSC away."""

import resource
import sqlite3
import time

import pytest
from tests.support.served import served
from tests.support.stores import new_store, on_file
from tests.support.toured import toured

from tallystick.client.consenting import Order
from tallystick.client.wallet import Refusal
from tallystick.entry.auditing import audit_provider
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import LimitExceeded, Unavailable
from tallystick.kernel.money import Money
from tallystick.kernel.time import HOUR_MS, MINUTE_MS
from tallystick.protocol.payments import PaymentKind

PENNY = Money(100, "KES")


@pytest.fixture
def process(tmp_path):
    """A provider in a process of its own, with a payer and a payee."""
    with toured(tmp_path, new_store()) as (provider, cast):
        payer = cast.person("+254700000001", "Payer", funds=5_000_000)
        payee = cast.person("+254700000002", "Payee")
        yield provider, payer, payee


def signed(payer, payee) -> Order:
    return payer.wallet.consent(payer.wallet.quote(PaymentKind.P2P, payee.number, PENNY))


@on_file
@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_full_disk_never_loses_or_half_posts_a_payment(process):
    provider, payer, payee = process
    before = payer.wallet.pay(PaymentKind.P2P, payee.number, PENNY).balance_minor
    orders = [signed(payer, payee) for _ in range(60)]
    wal = provider.folder.database_file.with_name(provider.folder.database_file.name + "-wal")
    pid = provider._process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal.stat().st_size + 20_000, hard))
    settled, refused = [], []
    for order in orders:
        try:
            settled.append(payer.wallet.place(order, attempts=1))
        except Unavailable:
            refused.append(order)
    assert refused, "the limit was never met"
    assert payer.wallet.account().available_minor == before - 100 * len(settled)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    limit = time.monotonic() + 30
    for order in refused:
        while True:
            try:
                payer.wallet.place(order)
                break
            except Unavailable:
                assert time.monotonic() < limit, "the service did not recover"
                time.sleep(0.2)
    assert payer.wallet.account().available_minor == before - 100 * len(orders)
    assert payee.wallet.account().available_minor == 100 * (len(orders) + 1)
    provider.stop()
    assert not audit_provider(provider.folder).findings


@on_file
def test_a_locked_database_is_said_and_the_same_order_settles_later(process):
    provider, payer, payee = process
    order = signed(payer, payee)
    before = payer.wallet.account().available_minor
    lock = sqlite3.connect(provider.folder.database_file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as found:
        payer.wallet.place(order, attempts=1)
    assert found.value.remedy
    assert payer.wallet.account().available_minor == before
    lock.execute("ROLLBACK")
    lock.close()
    assert payer.wallet.place(order).balance_minor == before - 100


class MovedClock:
    """The machine's clock, which somebody sets wrong."""

    def __init__(self) -> None:
        self.machine = SystemClock()
        self.off_ms = 0

    def now(self):
        return self.machine.now() + self.off_ms


@pytest.mark.requirement("MFS-7.3.3-04")
def test_a_clock_turned_back_never_frees_a_limit_or_revives_an_order(tmp_path):
    clock = MovedClock()
    with served(tmp_path / "p", clock=clock) as provider:
        payer = provider.person("+254700000001", "Payer", funds=40_000_000)
        payee = provider.person("+254700000002", "Payee")
        spent = payer.wallet.pay(PaymentKind.P2P, payee.number, PENNY)
        for _ in range(9):
            payer.wallet.pay(PaymentKind.P2P, payee.number, Money(1_000_000, "KES"))
        old = signed(payer, payee)
        clock.off_ms = 3 * MINUTE_MS
        with pytest.raises(Refusal, match="expired"):
            payer.wallet.place(old)
        clock.off_ms = -30 * HOUR_MS
        for minor in (999_999, 1_000_000):
            with pytest.raises(Refusal) as found:
                payer.wallet.pay(PaymentKind.P2P, payee.number, Money(minor, "KES"))
            assert isinstance(found.value.error, LimitExceeded)
        with pytest.raises(Refusal, match="expired"):
            payer.wallet.place(old)
        clock.off_ms = 0
        available = payer.wallet.account().available_minor
        assert available == spent.balance_minor - 9_000_000
    assert not audit_provider(provider.folder).findings


def test_a_message_centre_that_is_away_never_holds_up_a_payment(process):
    provider, payer, payee = process
    provider._smsc.break_down()
    assert payer.wallet.pay(PaymentKind.P2P, payee.number, PENNY).balance_minor == 4_999_900
