"""What is counted for each payer, and what is noted of each payment.

Source: Delegated Regulation (EU) 2018/389, 11; 16; 19
"""

from tallystick.kernel.model import Record

WITH_TWO_FACTORS = "two-factors"
"""The word for a payment that no exemption would have let go with one factor."""

PACK = "eu-psd2-rts"


class CountedRow(Record, frozen=True, kw_only=True):
    """Payments of one customer, and their sum, that an exemption would have let go since `since`.

    Those from afar and those at a till are counted apart, as the law does; `remote` is 0 at a till.
    `id` is both, with a bar.
    Source: Delegated Regulation (EU) 2018/389, 11; 16
    """

    id: str
    customer: str
    remote: int
    count: int
    amount_minor: int
    since: int


class ExemptedRow(Record, frozen=True, kw_only=True):
    """One settled payment: the exemption that would have held, and whether it was fraud.

    `remote` is 0 for a payment at a till; `fraud` is 1 once operators said so.
    Source: Delegated Regulation (EU) 2018/389, 18; 19
    """

    id: str
    exemption: str
    remote: int
    amount_minor: int
    at: int
    fraud: int
