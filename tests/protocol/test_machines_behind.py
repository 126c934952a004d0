"""One of the provider's machines is behind: it does not know yet what another has signed."""

from pathlib import Path

import pytest
from tests.support.served import served

from tallystick.client.session import Reply
from tallystick.client.wallet import Getter
from tallystick.kernel.errors import NotFound
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

PENNY = Money(100, "KES")


class Behind:
    """The public pages as a machine gives them that lacks the newest sizes, `times` over."""

    def __init__(self, public: Getter, times: int) -> None:
        self._public = public
        self.left = times
        self.asked = 0

    def get(self, path: str) -> Reply:
        self.asked += 1
        if self.left:
            self.left -= 1
            path = path.rpartition("=")[0] + "=99999999"
        return self._public.get(path)


def test_a_wallet_asks_again_and_then_does_not_believe_it(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        ann = provider.person("+254700000001", "Ann", funds=10_000)
        provider.person("+254700000002", "Ben")
        ann.wallet.pay(PaymentKind.P2P, "+254700000002", PENNY)
        public, pauses = ann.wallet._public, []
        ann.wallet._pause = pauses.append
        ann.wallet._public = behind = Behind(public, 3)
        assert ann.wallet.pay(PaymentKind.P2P, "+254700000002", PENNY).receipt
        assert (behind.asked, behind.left, len(pauses)) == (4, 0, 3)
        ann.wallet._public = Behind(public, 1_000)
        with pytest.raises(NotFound, match="no such sizes"):
            ann.wallet.pay(PaymentKind.P2P, "+254700000002", PENNY)
        assert len(pauses) == 3 + ann.wallet.attempts - 1
        ann.wallet._public = public
        assert ann.wallet.pay(PaymentKind.P2P, "+254700000002", PENNY).balance_minor == 9_600
