"""What was paid to an agent with an order, as the provider keeps it.

Source: ISO/TS 12812-2:2017, 6.1
"""

from typing import Final

from tallystick.infrastructure.ledger.model import Leg
from tallystick.kernel.model import Record
from tallystick.protocol.payments import PaymentKind

AGENTS_KINDS: Final = frozenset(
    {PaymentKind.CASH_IN.value, PaymentKind.CASH_OUT.value, PaymentKind.REVERSAL.value}
)
"""Kinds of orders that commission is paid or taken back with."""


class Commission(Record, frozen=True, kw_only=True):
    """What the order `id` paid to the agent's `account`; negative where it took it back.

    `ladder` and `step` say what for; `back` is the order that took it back, or empty.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: str
    account: str
    amount_minor: int
    ladder: str
    step: int
    back: str

    def leg(self, expense: str) -> Leg:
        """The movement between the provider's account `expense` and the agent's.

        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        if self.amount_minor > 0:
            return Leg(debit=expense, credit=self.account, amount=self.amount_minor)
        return Leg(debit=self.account, credit=expense, amount=-self.amount_minor)
