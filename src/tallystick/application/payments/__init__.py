"""Payments: quoted, consented to, decided, posted, recorded, and proved by a receipt.

    QuoteRequest -> Quote + proof -> consent -> order -> settled | refused (remembered) | again

Read `service.py` for the life of an order, `rules.py` for who may pay whom.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.1; 11.2.1; 11.2.2
"""

from tallystick.application.payments.model import (
    NO_FEES,
    Ask,
    AskedReceipt,
    OrderRow,
    Stage,
    Tariff,
)
from tallystick.application.payments.service import Payments

__all__ = ["NO_FEES", "Ask", "AskedReceipt", "OrderRow", "Payments", "Stage", "Tariff"]
