"""What is asked of a book, what it answers, and what may be made of the answer.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

from enum import StrEnum
from typing import Protocol

from tallystick.kernel.model import Record
from tallystick.kernel.time import HOUR_MS, MINUTE_MS, SECOND_MS
from tallystick.protocol.core import TransferStage


class BookOrder(Record, frozen=True, kw_only=True):
    """One movement of money as the book shall know it; `id` comes from the order id alone.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    debit: str
    credit: str
    amount_minor: int
    currency: str
    kind: str


class BookAnswer(Record, frozen=True, kw_only=True):
    """What a book said; not yet believed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    state: TransferStage
    id: str
    debit: str = ""
    credit: str = ""
    amount_minor: int = 0
    currency: str = ""
    reason: str = ""


class Book(Protocol):
    """Where money moves. None stands for every way of not answering: silence, 500, gibberish.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def place(self, order: BookOrder) -> BookAnswer | None:
        """Ask the book to carry out `order`, at most once for its id.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def settle(self, order: BookOrder) -> BookAnswer | None:
        """Ask the book to end a pending `order` by moving the money.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def void(self, order: BookOrder) -> BookAnswer | None:
        """Ask the book to end a pending `order` without moving anything.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def inquire(self, identifier: str) -> BookAnswer | None:
        """Ask what has become of the order with this id; changes nothing.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...


class Doubt(StrEnum):
    """Why an outcome is still unknown; `lie` is an answer that does not repeat our order.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    SILENCE = "no usable answer came"
    PENDING = "the book knows the order and has not ended it"
    ABSENT = "the book says that it never heard of the order"
    LIE = "the answer is about something else"


class Settled(Record, frozen=True, kw_only=True):
    """The book moved exactly this order's money.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str


class RefusedByBook(Record, frozen=True, kw_only=True):
    """The book will not move this order's money, for its own `reason`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    reason: str


class StillUnknown(Record, frozen=True, kw_only=True):
    """Nobody may say yet whether the money moved; `detail` names the field that did not fit.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    because: Doubt
    detail: str = ""


Judged = Settled | RefusedByBook | StillUnknown


class Asked(StrEnum):
    """What an exchange with the book was.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    PLACE = "place"
    INQUIRE = "inquire"


class Exchange(Record, frozen=True, kw_only=True):
    """One question to the book and what was made of the answer, `at` ms when the question ended.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    asked: Asked
    at: int
    judged: Judged


class Place(Record, frozen=True, kw_only=True):
    """Send the order, under the one id that it has.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """


class Inquire(Record, frozen=True, kw_only=True):
    """Ask what has become of the order, `after_ms` from now.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    after_ms: int


class GiveToPeople(Record, frozen=True, kw_only=True):
    """Open a case for people who can look into the book; the order stays unknown until they say.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    because: str


class Finish(Record, frozen=True, kw_only=True):
    """The book ended the order, and is believed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    judged: Settled | RefusedByBook


NextStep = Place | Inquire | GiveToPeople | Finish


class Patience(Record, frozen=True, kw_only=True):
    """How long to ask, how often, and when to stop asking; times in ms.

    The first inquiry follows after `first_ms`, each next one after twice the wait, up to `most_ms`.
    An order is placed again only after two inquiries at least `absent_apart_ms` apart both said
    absent, and never more than `placings` times in all. `lies` answers about something else, or
    `people_after_ms` since the first placing, bring in people.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    first_ms: int = SECOND_MS
    most_ms: int = 5 * MINUTE_MS
    absent_apart_ms: int = 30 * SECOND_MS
    placings: int = 3
    lies: int = 5
    people_after_ms: int = 4 * HOUR_MS


DEFAULT_PATIENCE = Patience()
