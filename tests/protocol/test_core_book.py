"""A provider whose money is in a hostile core system: no double payment, every unknown ends."""

import time
from pathlib import Path

import pytest
from simulators.core_system import CoreSystem, Hostility
from tests.support.collectors import until
from tests.support.served import served

from tallystick.application.core import book_id
from tallystick.application.core.model import Patience
from tallystick.entry.auditing import audit_provider
from tallystick.kernel.money import Money
from tallystick.protocol.core import TransferStage
from tallystick.protocol.payments import PaymentKind

QUICK = Patience(
    first_ms=50, most_ms=400, absent_apart_ms=200, placings=10, lies=50, people_after_ms=60_000
)


@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.requirement("MFS-7.3.3-10")
@pytest.mark.threat("THR-BE-06")
def test_orders_end_as_the_hostile_core_ended_them_and_none_is_refused_a_second_life(
    tmp_path: Path,
) -> None:
    core = CoreSystem(Hostility.even(0.5), seed=7, late_ms=50)
    with served(tmp_path / "p", core_url=core.url, patience=QUICK) as provider:
        payer = provider.person("+254700000001", "Ann Payer")
        payee = provider.person("+254700000002", "Ben Payee")
        orders = []
        for number in range(12):
            paid = payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100 + number, "KES"))
            assert paid.verified.event.stage == "accepted"
            orders.append(paid.verified.event.id)
        deadline = time.monotonic() + 100
        waiting = set(orders)
        while waiting and time.monotonic() < deadline:
            waiting = {
                one for one in waiting if payer.wallet.receipt(one).event.stage == "accepted"
            }
            time.sleep(0.2)
        assert not waiting
        truth = core.truth()
        for order in orders:
            stage = payer.wallet.receipt(order).event.stage
            transfer = truth.get(book_id(order))
            moved = transfer is not None and transfer.state is TransferStage.SETTLED
            assert (stage == "settled") == moved
        assert set(truth) <= {book_id(order) for order in orders}
    assert audit_provider(provider.folder).findings == ()
    core.close()


@pytest.mark.requirement("MFS-7.3.3-03")
def test_an_accepted_order_is_followed_to_its_end_and_the_balance_is_that_of_the_shadow(
    tmp_path: Path,
) -> None:
    core = CoreSystem(two_phase=frozenset({"p2p"}))
    with served(tmp_path / "p", core_url=core.url, patience=QUICK) as provider:
        payer = provider.person("+254700000001", "Ann Payer", funds=100_000)
        payee = provider.person("+254700000002", "Ben Payee")
        until(lambda: payer.wallet.account().available_minor == 100_000)
        paid, other = (
            payer.wallet.pay(PaymentKind.P2P, payee.number, Money(minor, "KES"))
            for minor in (2_500, 700)
        )
        assert (paid.stage, other.stage) == ("accepted", "accepted")
        assert other.balance_minor == 100_000 - 3_200
        order, refused = paid.verified.event.id, other.verified.event.id
        assert payer.wallet.follow(order, looks=2).event.stage == "accepted"
        until(lambda: {book_id(order), book_id(refused)} <= set(core.truth()))
        core.books.end(book_id(order), settle=True)
        core.books.end(book_id(refused), settle=False)
        assert payer.wallet.follow(order).event.stage == "settled"
        assert payer.wallet.follow(refused).event.stage == "refused"
        assert payer.wallet.account().available_minor == 100_000 - 2_500
    core.close()
