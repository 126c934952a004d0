"""Webhooks: the provider's events delivered to its core systems, signed, in order, at least once.

The outbox is the tally itself: each webhook has a cursor, so that nothing is written while people
pay.

    tally --cursor--> delivery (leaf, index) --signed--> receiver --2xx--> cursor moves on

Source: ISO/TS 12812-2:2017, 11.2.3
"""

from tallystick.application.webhooks.model import Delivery, WebhookRow
from tallystick.application.webhooks.service import Webhooks

__all__ = ["Delivery", "WebhookRow", "Webhooks"]
