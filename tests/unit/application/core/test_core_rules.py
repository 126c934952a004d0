"""No sequence of answers makes us place another id, settle on a lie, or guess."""

from collections.abc import Iterator

import pytest

from tallystick.application.core import (
    Asked,
    BookAnswer,
    BookOrder,
    Doubt,
    Exchange,
    Finish,
    GiveToPeople,
    Inquire,
    Patience,
    Place,
    RefusedByBook,
    Settled,
    StillUnknown,
    answer_of,
    believe,
    book_id,
    lies,
    next_step,
    order_id_of,
    placing_of,
)
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.ids import timed_id
from tallystick.kernel.model import replace
from tallystick.kernel.time import HOUR_MS, Instant
from tallystick.protocol.core import PlaceTransfer, TransferStage, TransferState

ORDER_ID = timed_id("ord", 1_767_225_600_000, bytes(10))
ORDER = BookOrder(
    id=book_id(ORDER_ID), debit="A", credit="B", amount_minor=500, currency="KES", kind="p2p"
)


def said(state: TransferStage, **changes) -> BookAnswer:
    """The whole truth about ORDER, with `changes`."""
    return replace(
        BookAnswer(
            state=state, id=ORDER.id, debit="A", credit="B", amount_minor=500, currency="KES"
        ),
        **changes,
    )


SETTLED, REFUSED = said(TransferStage.SETTLED), said(TransferStage.REFUSED, reason="no funds")
PENDING = said(TransferStage.PENDING)
ABSENT = BookAnswer(state=TransferStage.ABSENT, id=ORDER.id)
OTHER_ACCOUNT = said(TransferStage.SETTLED, debit="C")
OTHER_TRANSFER = said(TransferStage.REFUSED, id=book_id(timed_id("ord", 5, bytes(10))))
TRUTHS = [SETTLED, REFUSED, PENDING, ABSENT]
ALPHABET: list[BookAnswer | None] = [None, *TRUTHS, OTHER_ACCOUNT, OTHER_TRANSFER]


def test_the_book_id_comes_from_the_order_id_and_leads_back() -> None:
    assert book_id(ORDER_ID) == book_id(ORDER_ID) != book_id(timed_id("ord", 5, bytes(10)))
    assert order_id_of(book_id(ORDER_ID)) == ORDER_ID
    for wrong in ("", "acc_" + ORDER_ID[4:], ORDER_ID[:-1], book_id(ORDER_ID)):
        with pytest.raises(Malformed):
            book_id(wrong)
    with pytest.raises(Malformed):
        order_id_of(ORDER_ID)


def test_the_message_that_places_repeats_the_order_and_passes_strict_decoding() -> None:
    message = placing_of(ORDER)
    assert Decoder(PlaceTransfer).decode_canonical(encode_canonical(message)) == message
    assert (message.id, message.debit, message.credit) == (ORDER.id, "A", "B")
    assert (message.amount_minor, message.currency, message.kind) == (500, "KES", "p2p")


def test_an_answer_from_the_wire_keeps_every_field() -> None:
    state = TransferState(
        state=TransferStage.REFUSED,
        id=ORDER.id,
        debit="A",
        credit="B",
        amount_minor=500,
        currency="KES",
        reason="no funds",
    )
    assert answer_of(state) == REFUSED


def test_a_whole_answer_is_believed() -> None:
    assert believe(ORDER, SETTLED) == Settled(id=ORDER.id)
    assert believe(ORDER, REFUSED) == RefusedByBook(id=ORDER.id, reason="no funds")
    assert believe(ORDER, PENDING) == StillUnknown(because=Doubt.PENDING)
    assert believe(ORDER, ABSENT) == StillUnknown(because=Doubt.ABSENT)
    assert believe(ORDER, None) == StillUnknown(because=Doubt.SILENCE)


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda one: one.state)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", ORDER_ID),
        ("debit", "B"),
        ("debit", ""),
        ("credit", "A"),
        ("amount_minor", 499),
        ("amount_minor", 50_000),
        ("currency", "UGX"),
    ],
)
def test_an_answer_that_differs_in_one_field_is_never_believed(truth, field, value) -> None:
    whole = said(truth.state)
    judged = believe(ORDER, replace(whole, **{field: value}))
    assert isinstance(judged, StillUnknown)
    assert judged.because is Doubt.LIE
    assert judged.detail == field.removesuffix("_minor")


def exchange(asked: Asked, at: int, answer: BookAnswer | None) -> Exchange:
    return Exchange(asked=asked, at=at, judged=believe(ORDER, answer))


def every_history(
    length: int, pause_ms: int, patience: Patience
) -> Iterator[tuple[list[BookAnswer | None], list[Exchange]]]:
    """Every history that following `next_step` can produce, with what the book answered in it."""

    def grow(
        now: int, answers: list[BookAnswer | None], history: list[Exchange]
    ) -> Iterator[tuple[list[BookAnswer | None], list[Exchange]]]:
        yield answers, history
        step = next_step(history, Instant(now), patience)
        if len(answers) == length or isinstance(step, Finish | GiveToPeople):
            return
        asked = Asked.PLACE if isinstance(step, Place) else Asked.INQUIRE
        then = now + (step.after_ms if isinstance(step, Inquire) else 0) + pause_ms
        for answer in ALPHABET:
            yield from grow(then, [*answers, answer], [*history, exchange(asked, then, answer)])

    yield from grow(1_000, [], [])


@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.parametrize("pause_ms", [1, 40_000])
def test_six_answers_never_settle_on_a_lie_or_place_again_without_two_absents(
    pause_ms: int,
) -> None:
    patience = Patience()
    paths = again = finished = 0
    for answers, history in every_history(6, pause_ms, patience):
        paths += 1
        step = next_step(history, Instant(history[-1].at if history else 1_000), patience)
        if isinstance(step, Finish):
            finished += 1
            assert answers[-1] in (SETTLED, REFUSED)
            assert isinstance(step.judged, Settled) == (answers[-1] == SETTLED)
            assert step.judged.id == ORDER.id
        elif history:
            assert SETTLED not in answers
            assert REFUSED not in answers
        if isinstance(step, Place) and history:
            again += 1
            last = max(i for i, one in enumerate(history) if one.asked is Asked.PLACE)
            absent = [
                one.at
                for one, answer in zip(history, answers, strict=True)
                if answer == ABSENT and one.asked is Asked.INQUIRE
            ]
            absent = [at for at in absent if at > history[last].at]
            assert absent[-1] - absent[0] >= patience.absent_apart_ms
        assert not isinstance(step, GiveToPeople) or lies(history) >= patience.lies
    assert paths > 5**6
    assert finished > 1_000
    assert again > 0


@pytest.mark.threat("THR-BE-06")
def test_an_answer_with_another_accounts_result_never_settles_and_is_counted() -> None:
    history = [exchange(Asked.PLACE, 0, OTHER_ACCOUNT)]
    for n in range(1, 5):
        assert isinstance(next_step(history, Instant(history[-1].at)), Inquire)
        history.append(exchange(Asked.INQUIRE, n * 1_000, OTHER_ACCOUNT))
        assert lies(history) == n + 1
    step = next_step(history, Instant(5_000))
    assert isinstance(step, GiveToPeople)


def test_a_book_that_says_both_things_goes_to_people() -> None:
    history = [exchange(Asked.PLACE, 9_000, SETTLED), exchange(Asked.INQUIRE, 9_100, REFUSED)]
    assert isinstance(next_step(history, Instant(9_200)), GiveToPeople)
    assert isinstance(next_step(history[:1], Instant(9_200)), Finish)
    same = [history[0], exchange(Asked.INQUIRE, 9_100, SETTLED)]
    assert next_step(same, Instant(9_200)) == Finish(judged=Settled(id=ORDER.id))


def test_the_wait_doubles_up_to_its_bound_and_counts_from_the_last_exchange() -> None:
    patience = Patience(first_ms=1_000, most_ms=8_000)
    history = [exchange(Asked.PLACE, 0, None)]
    waits: list[int] = []
    now = 0
    for _ in range(6):
        step = next_step(history, Instant(now), patience)
        assert isinstance(step, Inquire)
        waits.append(step.after_ms)
        now += step.after_ms
        history.append(exchange(Asked.INQUIRE, now, None))
    assert waits == [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]
    assert next_step(history, Instant(now + 3_000), patience) == Inquire(after_ms=5_000)
    assert next_step(history, Instant(now + 90_000), patience) == Inquire(after_ms=0)


def test_after_hours_of_silence_people_decide_never_a_guess() -> None:
    history = [exchange(Asked.PLACE, 0, None), exchange(Asked.INQUIRE, 4 * HOUR_MS - 1, PENDING)]
    assert isinstance(next_step(history, Instant(4 * HOUR_MS - 1)), Inquire)
    assert isinstance(next_step(history, Instant(4 * HOUR_MS)), GiveToPeople)


def test_pending_between_two_absents_forbids_another_placing() -> None:
    def after(*answers: BookAnswer | None):
        history = [exchange(Asked.PLACE, 0, None)]
        history += [exchange(Asked.INQUIRE, 60_000 * n, one) for n, one in enumerate(answers, 1)]
        return next_step(history, Instant(history[-1].at))

    assert isinstance(after(ABSENT), Inquire)
    assert isinstance(after(ABSENT, PENDING, ABSENT), Inquire)
    assert after(ABSENT, ABSENT) == Place()
    assert after(ABSENT, None, ABSENT) == Place()
    assert after(PENDING, ABSENT, ABSENT) == Place()


def test_absent_in_reply_to_a_placing_does_not_count() -> None:
    history = [exchange(Asked.PLACE, 0, ABSENT), exchange(Asked.INQUIRE, 60_000, ABSENT)]
    assert isinstance(next_step(history, Instant(60_000)), Inquire)


def test_an_order_that_is_lost_each_time_goes_to_people_after_three_placings() -> None:
    history: list[Exchange] = []
    now, placed = 0, 0
    for _ in range(200):
        step = next_step(history, Instant(now))
        if isinstance(step, GiveToPeople):
            break
        assert isinstance(step, Place | Inquire)
        placed += isinstance(step, Place)
        now += step.after_ms if isinstance(step, Inquire) else 0
        asked = Asked.PLACE if isinstance(step, Place) else Asked.INQUIRE
        history.append(exchange(asked, now, None if asked is Asked.PLACE else ABSENT))
    else:
        pytest.fail("people were never asked")
    assert placed == 3
