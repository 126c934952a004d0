"""Pure rules of the Book port: when an answer is believed, and what to do while none is.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

from collections.abc import Sequence

from tallystick.application.core.model import (
    DEFAULT_PATIENCE,
    Asked,
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
from tallystick.kernel.ids import check_id
from tallystick.kernel.time import Instant
from tallystick.protocol.core import PlaceTransfer, TransferStage, TransferState

_ORDER = "ord"
_BOOK = "bok"


def book_id(order: str) -> str:
    """The id under which the book knows the order `ord_...`; the same one every time.

    Raises Malformed for anything that is not an order id.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return _BOOK + check_id(order, _ORDER)[3:]


def order_id_of(identifier: str) -> str:
    """The order id from which the book id `identifier` was derived.

    Raises Malformed for anything that is not a book id.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return _ORDER + check_id(identifier, _BOOK)[3:]


def placing_of(order: BookOrder) -> PlaceTransfer:
    """The message that places `order`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return PlaceTransfer(
        id=order.id,
        debit=order.debit,
        credit=order.credit,
        amount_minor=order.amount_minor,
        currency=order.currency,
        kind=order.kind,
    )


def answer_of(state: TransferState) -> BookAnswer:
    """What a core system said, as the rules read it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return BookAnswer(
        state=state.state,
        id=state.id,
        debit=state.debit,
        credit=state.credit,
        amount_minor=state.amount_minor,
        currency=state.currency,
        reason=state.reason,
    )


def believe(order: BookOrder, answer: BookAnswer | None) -> Judged:
    """What `answer` proves about `order`: the end of it, or nothing.

    Settled, refused and pending count only if the answer repeats id, accounts, amount and currency;
    absent only if it names our id and claims no other fact. Everything else is a lie to be counted,
    however successful its HTTP status was.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
    """
    if answer is None:
        return StillUnknown(because=Doubt.SILENCE)
    wrong = _first_difference(order, answer)
    if wrong:
        return StillUnknown(because=Doubt.LIE, detail=wrong)
    match answer.state:
        case TransferStage.SETTLED:
            return Settled(id=order.id)
        case TransferStage.REFUSED:
            return RefusedByBook(id=order.id, reason=answer.reason)
        case TransferStage.PENDING:
            return StillUnknown(because=Doubt.PENDING)
        case TransferStage.ABSENT:
            return StillUnknown(because=Doubt.ABSENT)


def _first_difference(order: BookOrder, answer: BookAnswer) -> str:
    if answer.id != order.id:
        return "id"
    said = (answer.debit, answer.credit, answer.amount_minor, answer.currency)
    if answer.state is TransferStage.ABSENT and said == ("", "", 0, ""):
        return ""
    ours = (order.debit, order.credit, order.amount_minor, order.currency)
    for name, one, other in zip(("debit", "credit", "amount", "currency"), ours, said, strict=True):
        if one != other:
            return name
    return ""


def lies(history: Sequence[Exchange]) -> int:
    """How many answers in `history` were about something else.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return sum(1 for one in history if _doubt(one) is Doubt.LIE)


def next_step(
    history: Sequence[Exchange], now: Instant, patience: Patience = DEFAULT_PATIENCE
) -> NextStep:
    """What to do about an order after `history`, all of it about that one order, oldest first.

    1. Nothing was sent yet: place.
    2. The book ended it: finish; if it said both settled and refused, people decide.
    3. Too long, or too many lies: people.
    4. Two inquiries far enough apart found it absent: place again, same id, at most so many times.
    5. Otherwise inquire, waiting twice as long each time.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if not history:
        return Place()
    ended = _ended(history) or _given_up(history, now, patience)
    if ended is not None:
        return ended
    since = _since_last_placing(history)
    if _absent_twice(since, patience.absent_apart_ms):
        return _place_again(history, patience)
    due = since[-1].at + _wait(len(since) - 1, patience)
    return Inquire(after_ms=max(0, due - now))


def _given_up(history: Sequence[Exchange], now: int, patience: Patience) -> GiveToPeople | None:
    if now - history[0].at >= patience.people_after_ms:
        return GiveToPeople(because="the book did not say in time what became of the order")
    if lies(history) >= patience.lies:
        return GiveToPeople(because="the book keeps answering about something else")
    return None


def _place_again(history: Sequence[Exchange], patience: Patience) -> Place | GiveToPeople:
    if sum(1 for one in history if one.asked is Asked.PLACE) >= patience.placings:
        return GiveToPeople(because="the book loses the order each time it is placed")
    return Place()


def _ended(history: Sequence[Exchange]) -> Finish | GiveToPeople | None:
    believed = [one.judged for one in history if isinstance(one.judged, Settled | RefusedByBook)]
    if not believed:
        return None
    if len({type(one) for one in believed}) > 1:
        return GiveToPeople(because="the book said both settled and refused")
    return Finish(judged=believed[0])


def _since_last_placing(history: Sequence[Exchange]) -> Sequence[Exchange]:
    """The last placing and every inquiry after it; the whole history if it starts otherwise."""
    for index in range(len(history) - 1, -1, -1):
        if history[index].asked is Asked.PLACE:
            return history[index:]
    return history


def _absent_twice(since: Sequence[Exchange], apart_ms: int) -> bool:
    """Whether two inquiries far enough apart said absent, with nothing known in between."""
    first = -1
    for one in since:
        doubt = _doubt(one)
        if doubt is Doubt.PENDING:
            first = -1
        elif doubt is Doubt.ABSENT and one.asked is Asked.INQUIRE:
            if first >= 0 and one.at - first >= apart_ms:
                return True
            first = one.at if first < 0 else first
    return False


def _doubt(exchange: Exchange) -> Doubt | None:
    judged = exchange.judged
    return judged.because if isinstance(judged, StillUnknown) else None


def _wait(inquiries: int, patience: Patience) -> int:
    """The wait before the next inquiry; the exponent is bounded, and so the integer small."""
    return min(patience.most_ms, patience.first_ms << min(inquiries, 32))
