"""Channels without our software: a phone that only dials.

    gateway signs -> message verified, fresh, new -> step -> page
                                                       `-> action -> provider -> resume -> page

What such a phone consents to is a grade of its own: the PIN is verified by the provider, the terms
were shown by the provider, and whoever runs the gateway could read both. Policy limits it.

Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2; 12.2
"""

from tallystick.application.channels.model import (
    NOT_A_CUSTOMER,
    Action,
    AskQuote,
    Balance,
    BalanceIs,
    Block,
    Blocked,
    CheckCode,
    CodeKnown,
    CodeSent,
    CodeUnknown,
    Declined,
    MenuFacts,
    Paid,
    Pay,
    PayWithCode,
    PinIsSet,
    Quoted,
    Result,
    Safeguard,
    Safeguarded,
    Screen,
    SetPin,
    Speak,
    Spoken,
    Step,
    TypedPin,
    UssdSession,
    asks_secret,
    open_session,
)
from tallystick.application.channels.rules import (
    NAVIGATION,
    activation_code,
    check_fresh,
    open_message,
    taken,
    telephone_number,
    till_number,
)
from tallystick.application.channels.states import Confirm, Ended, Offered, Reported
from tallystick.application.channels.ussd import interrupted, resume, step

__all__ = [
    "NAVIGATION",
    "NOT_A_CUSTOMER",
    "Action",
    "AskQuote",
    "Balance",
    "BalanceIs",
    "Block",
    "Blocked",
    "CheckCode",
    "CodeKnown",
    "CodeSent",
    "CodeUnknown",
    "Confirm",
    "Declined",
    "Ended",
    "MenuFacts",
    "Offered",
    "Paid",
    "Pay",
    "PayWithCode",
    "PinIsSet",
    "Quoted",
    "Reported",
    "Result",
    "Safeguard",
    "Safeguarded",
    "Screen",
    "SetPin",
    "Speak",
    "Spoken",
    "Step",
    "TypedPin",
    "UssdSession",
    "activation_code",
    "asks_secret",
    "check_fresh",
    "interrupted",
    "open_message",
    "open_session",
    "resume",
    "step",
    "taken",
    "telephone_number",
    "till_number",
]
