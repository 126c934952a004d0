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
    UssdSession,
    asks_secret,
    open_session,
)
from tallystick.application.channels.rules import (
    activation_code,
    check_fresh,
    check_new_pin,
    open_message,
    telephone_number,
    till_number,
)
from tallystick.application.channels.states import Confirm, Ended, Offered, Reported
from tallystick.application.channels.ussd import interrupted, resume, step

__all__ = [
    "NOT_A_CUSTOMER",
    "Action",
    "AskQuote",
    "Balance",
    "BalanceIs",
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
    "UssdSession",
    "activation_code",
    "asks_secret",
    "check_fresh",
    "check_new_pin",
    "interrupted",
    "open_message",
    "open_session",
    "resume",
    "step",
    "telephone_number",
    "till_number",
]
