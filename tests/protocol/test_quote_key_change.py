"""A provider that is served past its quote key's half day goes on, with one worker and with two."""

import time
from pathlib import Path

import pytest
from tests.support.served import served

from tallystick.application.quotekeys import IN_USE_MS
from tallystick.kernel.money import Money
from tallystick.kernel.time import Instant
from tallystick.protocol.payments import PaymentKind


class Shifted:
    """The machine's clock, some time ahead."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000_000 + self.ahead_ms)


@pytest.mark.requirement("MFS-7.4.2-07")
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_quoted_before_the_change_is_paid_after_it(tmp_path: Path, workers: int) -> None:
    clock = Shifted()
    with served(tmp_path / "p", clock=clock, workers=workers) as provider:
        ann = provider.person("+254700000001", "Ann", funds=100_000)
        provider.open_customer("+254700000002", "Ben")
        before = provider.platform.quote_keys.mac(b"x")
        clock.ahead_ms = IN_USE_MS - 5_000
        quoted = ann.wallet.quote(PaymentKind.P2P, "+254700000002", Money(100, "KES"))
        order = ann.wallet.consent(quoted)
        clock.ahead_ms = IN_USE_MS + 1_000
        limit = time.monotonic() + 10
        while not any(b"quote key was replaced" in line for line in provider.log):
            assert time.monotonic() < limit, "the key was not replaced"
            time.sleep(0.05)
        assert provider.platform.quote_keys.mac(b"x") != before
        assert ann.wallet.place(order).balance_minor == 99_900
        assert ann.wallet.pay(PaymentKind.P2P, "+254700000002", Money(100, "KES"))
