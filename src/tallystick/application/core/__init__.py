"""Whose book: the port through which money moves in a core system that the provider already has.

    intent durable in the tally -> place -> believe? -> settled | refused
                                     |  no
                                     `-> inquire ... inquire -> believe?
                                            | absent twice, apart -> place again, same id
                                            | too long            -> people

An unknown outcome is inquired; it is never sent again under another id and never guessed. An
answer is believed only when it names our id, both accounts, the amount and the currency.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

from tallystick.application.core.model import (
    Asked,
    Book,
    BookAnswer,
    BookOrder,
    Doubt,
    Exchange,
    Finish,
    GiveToPeople,
    Inquire,
    Judged,
    NextStep,
    Patience,
    Place,
    RefusedByBook,
    Settled,
    StillUnknown,
)
from tallystick.application.core.rules import (
    answer_of,
    believe,
    book_id,
    lies,
    next_step,
    order_id_of,
    placing_of,
)

__all__ = [
    "Asked",
    "Book",
    "BookAnswer",
    "BookOrder",
    "Doubt",
    "Exchange",
    "Finish",
    "GiveToPeople",
    "Inquire",
    "Judged",
    "NextStep",
    "Patience",
    "Place",
    "RefusedByBook",
    "Settled",
    "StillUnknown",
    "answer_of",
    "believe",
    "book_id",
    "lies",
    "next_step",
    "order_id_of",
    "placing_of",
]
