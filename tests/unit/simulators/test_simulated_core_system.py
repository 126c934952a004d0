"""The hostile core lies as told and by seed; following the rules, nobody believes a lie of it."""

import subprocess
import sys

import pytest
from simulators.core_books import NO_ACCOUNT, NO_FUNDS
from simulators.core_system import CoreSystem, Hostility, Mood
from simulators.loopback import exchange

from tallystick.application.core import (
    Asked,
    BookAnswer,
    BookOrder,
    Exchange,
    Finish,
    GiveToPeople,
    Inquire,
    Place,
    RefusedByBook,
    Settled,
    answer_of,
    believe,
    book_id,
    lies,
    next_step,
    placing_of,
)
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.ids import timed_id
from tallystick.kernel.time import Instant
from tallystick.protocol.core import TransferStage, TransferState

states = Decoder(TransferState)


class HttpBook:
    """A book that speaks the dialect, for these tests; every way of not answering is None."""

    def __init__(self, core: CoreSystem, timeout_s: float = 2.0) -> None:
        self._url = core.url
        self._timeout_s = timeout_s

    def _ask(self, method: str, path: str, body: bytes = b"") -> BookAnswer | None:
        try:
            reply = exchange(self._url, method, path, body, timeout_s=self._timeout_s)
            return answer_of(states.decode(reply.body)) if reply.status == 200 else None
        except MfsError:
            return None

    def place(self, order: BookOrder) -> BookAnswer | None:
        return self._ask("POST", "/v1/transfers", encode_canonical(placing_of(order)))

    def settle(self, order: BookOrder) -> BookAnswer | None:
        return self._ask("POST", f"/v1/transfers/{order.id}/settle")

    def void(self, order: BookOrder) -> BookAnswer | None:
        return self._ask("POST", f"/v1/transfers/{order.id}/void")

    def inquire(self, identifier: str) -> BookAnswer | None:
        return self._ask("GET", f"/v1/transfers/{identifier}")


def order(n: int, debit: str = "A", credit: str = "B", minor: int = 0, kind: str = "p2p"):
    return BookOrder(
        id=book_id(timed_id("ord", 1_000 + n, n.to_bytes(10, "big"))),
        debit=debit,
        credit=credit,
        amount_minor=minor or 100 + n,
        currency="KES",
        kind=kind,
    )


def follow(book: HttpBook, one: BookOrder) -> tuple[Finish | GiveToPeople, list[Exchange]]:
    """Do what the rules say until they say that it is over; waiting costs no time here."""
    now, history = 0, []
    while True:
        step = next_step(history, Instant(now))
        if isinstance(step, Finish | GiveToPeople):
            return step, history
        now += step.after_ms if isinstance(step, Inquire) else 1
        asked = Asked.PLACE if isinstance(step, Place) else Asked.INQUIRE
        answer = book.place(one) if asked is Asked.PLACE else book.inquire(one.id)
        history.append(Exchange(asked=asked, at=now, judged=believe(one, answer)))


def test_a_friendly_core_settles_refuses_and_knows_each_id_once() -> None:
    with CoreSystem(opening={"A": 500, "B": 0}) as core:
        book = HttpBook(core)
        one = order(1, minor=400)
        assert believe(one, book.inquire(one.id)) == believe(
            one, BookAnswer(state=TransferStage.ABSENT, id=one.id)
        )
        for _ in range(3):
            assert believe(one, book.place(one)) == Settled(id=one.id)
        assert believe(one, book.inquire(one.id)) == Settled(id=one.id)
        two, three = order(2, minor=400), order(3, credit="C")
        assert believe(two, book.place(two)) == RefusedByBook(id=two.id, reason=NO_FUNDS)
        assert believe(three, book.place(three)) == RefusedByBook(id=three.id, reason=NO_ACCOUNT)
        assert core.books.balances() == {"A": 100, "B": 400}
        assert set(core.truth()) == {one.id, two.id, three.id}


def test_a_two_phase_transfer_is_pending_until_it_is_settled_or_voided() -> None:
    with CoreSystem(opening={"A": 500, "B": 0}, two_phase=frozenset({"cash-out"})) as core:
        book = HttpBook(core)
        one, two = order(1, minor=200, kind="cash-out"), order(2, minor=300, kind="cash-out")
        for each in (one, two):
            answer = book.place(each)
            assert answer is not None
            assert answer.state is TransferStage.PENDING
        assert core.books.balances() == {"A": 0, "B": 0}
        assert believe(one, book.settle(one)) == Settled(id=one.id)
        assert believe(two, book.void(two)) == RefusedByBook(id=two.id, reason="voided")
        assert believe(two, book.settle(two)) == RefusedByBook(id=two.id, reason="voided")
        assert core.books.balances() == {"A": 300, "B": 200}
        unknown = book.settle(order(3))
        assert unknown is not None
        assert unknown.state is TransferStage.ABSENT


@pytest.mark.parametrize("mood", [mood for mood in Mood if mood is not Mood.RIGHT])
def test_each_bad_mood_does_what_it_says(mood: Mood) -> None:
    share = {one: Hostility() for one in Mood} | {
        Mood.LATE: Hostility(late=1),
        Mood.SILENT: Hostility(silent=1),
        Mood.ERROR: Hostility(error=1),
        Mood.OTHER: Hostility(other=1),
        Mood.TWICE: Hostility(twice=1),
        Mood.LOST: Hostility(lost=1),
        Mood.STALE: Hostility(stale=1),
        Mood.FALSE_REFUSAL: Hostility(false_refusal=1),
    }
    with CoreSystem(share[mood], late_ms=300) as core:
        book, one = HttpBook(core, timeout_s=0.1 if mood is Mood.LATE else 2.0), order(1)
        answer = book.place(one)
        applied = core.truth().get(one.id)
        assert (applied is None) == (mood is Mood.LOST)
        if mood in (Mood.LATE, Mood.SILENT, Mood.ERROR, Mood.LOST):
            assert answer is None
        if mood in (Mood.OTHER, Mood.TWICE):
            assert answer is not None
            assert lies([Exchange(asked=Asked.PLACE, at=0, judged=believe(one, answer))]) == 1
        if mood is Mood.STALE:
            assert believe(one, answer) == Settled(id=one.id)
            first, second = book.inquire(one.id), book.inquire(one.id)
            assert first == BookAnswer(state=TransferStage.ABSENT, id=one.id)
            assert believe(one, second) == Settled(id=one.id)
        if mood is Mood.FALSE_REFUSAL:
            assert isinstance(believe(one, answer), RefusedByBook)
        assert core.moods()


def test_a_seed_repeats_its_moods_and_another_one_does_not() -> None:
    def run(seed: int) -> list[BookAnswer | None]:
        with CoreSystem(Hostility.even(0.9), seed=seed, late_ms=0) as core:
            book = HttpBook(core)
            return [book.place(order(n)) for n in range(12)]

    assert run(7) == run(7)
    assert run(7) != run(8)


@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.threat("THR-BE-06")
@pytest.mark.parametrize("seed", [1, 2])
def test_under_hostility_a_lie_is_never_believed_and_nothing_moves_twice(seed: int) -> None:
    orders = [order(n) for n in range(60)]
    with CoreSystem(Hostility.even(0.7), seed=seed, late_ms=1) as core:
        book = HttpBook(core)
        outcomes = {one.id: follow(book, one) for one in orders}
        truth, balances, moods = core.truth(), core.books.balances(), core.moods()
    assert set(moods) >= set(Mood) - {Mood.FALSE_REFUSAL}
    settled = 0
    for one in orders:
        step, history = outcomes[one.id]
        if isinstance(step, GiveToPeople):
            assert not any(isinstance(each.judged, Settled) for each in history)
            continue
        assert isinstance(step.judged, Settled)
        settled += 1
        really = truth[one.id]
        assert (really.state, really.debit, really.credit, really.amount_minor) == (
            TransferStage.SETTLED,
            one.debit,
            one.credit,
            one.amount_minor,
        )
    assert settled >= 40
    moved = sum(one.amount_minor for one in orders if one.id in truth)
    assert set(truth) <= {one.id for one in orders}
    assert balances == {"A": -moved, "B": moved}


def test_the_wire_refuses_what_it_does_not_know() -> None:
    with CoreSystem() as core:
        for method, path, body in (
            ("POST", "/v1/transfers", b"{}"),
            ("POST", "/v1/transfers", b"not json"),
            ("GET", "/v1/other", b""),
            ("POST", "/v1/transfers/x/undo", b""),
        ):
            assert exchange(core.url, method, path, body).status in {400, 404}
        assert not core.truth()
    with pytest.raises(Unavailable):
        exchange(core.url, "GET", "/v1/transfers/x", timeout_s=0.5)


def test_the_command_line_says_that_it_is_simulated() -> None:
    command = [sys.executable, "-m", "simulators.core_system", "--seed", "3", "--hostility", "0.5"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert line.startswith("simulated core system at http://127.0.0.1:")
    assert "seed 3, hostility 0.5" in line
