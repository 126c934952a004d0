"""A store key gets a successor while people pay; killed with -9 on the way, it goes on."""

import sqlite3
import threading
import time
from typing import Self

import pytest
from simulators.cast import Cast
from simulators.tour.provider import TourProvider
from tests.support.toured import toured
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.rewrapping import progress, store_keys
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

PAYEE = "+254700000099"
MORE_ACTS = 1500


@pytest.fixture
def provider_and_cast(tmp_path):
    with toured(tmp_path) as made:
        yield made


def more_acts(provider: TourProvider) -> None:
    """Acts as a year leaves them: what was sealed comes again under other ids."""
    with sqlite3.connect(provider.folder.database_file) as database:
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO act SELECT id || '-' || i, name, operator, body, jws, state, says,"
            " reference, event, expires_at FROM (SELECT * FROM act ORDER BY id LIMIT 1), n",
            (MORE_ACTS,),
        )


class Paying:
    """Pays without a pause until told; what went wrong is kept."""

    def __init__(self, cast: Cast) -> None:
        self.payer = cast.person("+254700000101", "Payer", funds=90_000_00)
        self.payer.wallet.attempts = 12
        self.paid = 0
        self.wrong: list[MfsError] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=30)

    def _go(self) -> None:
        while not self._stop.is_set():
            try:
                self.payer.wallet.pay(PaymentKind.P2P, PAYEE, Money(100, "KES"))
                self.paid += 1
            except MfsError as error:
                self.wrong.append(error)


def left(provider: TourProvider) -> int:
    return sum(one.left for one in progress(provider.folder))


@pytest.mark.requirement("MFS-7.4.2-07", "MFS-7.4.2-12")
def test_everything_moves_while_payments_run_and_a_kill_only_delays_it(provider_and_cast) -> None:
    provider, cast = provider_and_cast
    cast.person(PAYEE, "Payee")
    paying = Paying(cast)
    provider.stop()
    more_acts(provider)
    folder, secret = provider.folder.root, ("--secret-file", provider.folder.root.parent / "secret")
    refused = tallystick("crypto", "rewrap", folder, "--to", "tdea-3key", *secret)
    assert refused.code == 1
    assert "does not use" in refused.err
    old = {header.id for header, _ in store_keys(provider.folder)}
    made = tallystick("crypto", "rewrap", folder, "--to", "aes-256-gcm", *secret)
    assert made.code == 0, made.all
    again = tallystick("crypto", "rewrap", folder, "--to", "aes-256-gcm", *secret)
    assert again.out == made.out, "a second successor was made"
    assert len(store_keys(provider.folder)) == 2
    total = left(provider)
    assert total > MORE_ACTS
    assert tallystick("crypto", "rewrap", folder, "--finish").code == 1

    provider.serve(provider.port)
    limit = time.monotonic() + 20
    while left(provider) > total - 200 and time.monotonic() < limit:
        time.sleep(0.02)
    provider.kill()
    between = left(provider)
    assert 0 < between < total, "the kill met no work on its way"
    assert tallystick("crypto", "progress", folder).code == 4

    provider.serve(provider.port)
    with paying:
        limit = time.monotonic() + 60
        while left(provider) or paying.paid <= 5:
            assert time.monotonic() < limit, (left(provider), paying.paid, paying.wrong)
            time.sleep(0.05)
    assert paying.wrong == []
    provider.stop()

    done = tallystick("crypto", "rewrap", folder, "--finish")
    assert done.code == 0, done.all
    kept = store_keys(provider.folder)
    assert len(kept) == 1
    assert {kept[0][0].id} & old == set()
    assert tallystick("crypto", "progress", folder).code == 0
    provider.serve(provider.port)
    cast.person("+254700000102", "Later", funds=1_000)
    provider.stop()
    assert left(provider) == 0
