"""An audit reads one moment of a provider that goes on working, and finds nothing that is not."""

import threading
from pathlib import Path

import pytest
from tests.support.served import served
from tests.support.stores import raw

from tallystick.entry.auditing import audit_provider
from tallystick.infrastructure.store.opening import (
    Place,
    is_being_written,
    open_database,
    open_reader,
    open_snapshot,
)
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

ALICE, BOB = "+254700000001", "+254700000002"

CHANGED = (
    "UPDATE payment_order SET row = 'other' WHERE event = (SELECT min(event) FROM payment_order)"
)


@pytest.mark.requirement("MFS-7.3.3-07")
def test_a_provider_is_audited_while_it_works(tmp_path: Path) -> None:
    with served(tmp_path / "provider") as provider:
        alice = provider.person(ALICE, "Alice", funds=1_000_00).wallet
        provider.open_customer(BOB, "Bob")
        stop, paid = threading.Event(), threading.Semaphore(0)

        def pay() -> None:
            while not stop.is_set():
                alice.pay(PaymentKind.P2P, BOB, Money(1, "KES"))
                paid.release()

        payer = threading.Thread(target=pay)
        payer.start()
        try:
            reports = []
            for _ in range(8):
                while paid.acquire(blocking=False):
                    pass  # those were made before the last report
                assert paid.acquire(timeout=20), "payments go on meanwhile"
                reports.append(audit_provider(provider.folder))
        finally:
            stop.set()
            payer.join(timeout=20)
        assert [one.findings for one in reports] == [()] * 8
        assert reports[-1].rows > reports[0].rows, "payments were recorded meanwhile"
        assert all(one.rows - one.vouched <= 1 for one in reports)
        raw(provider.folder.stored(), CHANGED)
        assert audit_provider(provider.folder).findings, "a served provider hides no change"
    assert not is_being_written(provider.folder.stored())


def test_a_snapshot_does_not_move(place: Place, tmp_path: Path) -> None:
    with open_database(place) as database:
        database.execute("CREATE TABLE thing (id INTEGER)")
        with open_snapshot(place) as before, open_reader(place) as now:
            database.execute("INSERT INTO thing (id) VALUES (1)")
            assert before.rows("SELECT id FROM thing") == []
            assert now.rows("SELECT id FROM thing") == [(1,)]
        assert is_being_written(place)
    assert not is_being_written(place)
    assert not is_being_written(tmp_path / "nothing")
    with pytest.raises(Unavailable):
        open_snapshot(tmp_path / "nothing")
