"""Notices: short messages that tell a customer what was done, on a phone that can verify nothing.

    event -> NoticeRow (no personal data) -> due -> profile opened, rendered -> SMSC -> delivered

A message can be forged by anybody; a receipt code cannot be guessed: whoever doubts a message dials
the menu and asks what the provider knows of its code.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; 7.3.6
"""

from tallystick.application.notices.model import (
    ActivationIssued,
    CustomerTold,
    DeviceSuspended,
    DeviceTold,
    Facts,
    NoticeRow,
    NotMe,
    OrderCodeIssued,
    PaymentReceived,
    PaymentReversed,
    PaymentSent,
    PinBlocked,
    RecoveryTold,
    SimChanged,
    Template,
    VerificationBlocked,
)
from tallystick.application.notices.rules import (
    attempted,
    check_receipt_code,
    receipt_code,
    render,
    template_of,
)
from tallystick.application.notices.senders import SenderRule, default_sender, sender_of
from tallystick.application.notices.service import Notices

__all__ = [
    "ActivationIssued",
    "CustomerTold",
    "DeviceSuspended",
    "DeviceTold",
    "Facts",
    "NotMe",
    "NoticeRow",
    "Notices",
    "OrderCodeIssued",
    "PaymentReceived",
    "PaymentReversed",
    "PaymentSent",
    "PinBlocked",
    "RecoveryTold",
    "SenderRule",
    "SimChanged",
    "Template",
    "VerificationBlocked",
    "attempted",
    "check_receipt_code",
    "default_sender",
    "receipt_code",
    "render",
    "sender_of",
    "template_of",
]
