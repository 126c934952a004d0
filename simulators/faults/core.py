"""The link to a hostile core system: the product's rules, on simulated time.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

import random
from collections.abc import Callable

from simulators.core_books import CoreBooks
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
    StillUnknown,
    answer_of,
    believe,
    next_step,
    placing_of,
)
from tallystick.application.core.settling import book_order
from tallystick.application.own_commands import BookAnswered
from tallystick.application.payments.store import open_orders
from tallystick.application.turn import Recorded
from tallystick.entry.assembly import Platform
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import MfsError

PATIENCE = Patience(
    first_ms=200,
    most_ms=4_000,
    absent_apart_ms=500,
    placings=20,
    lies=1_000,
    people_after_ms=10**12,
)
_MOST = 64


class HostileCore:
    """Books that are right, behind a mouth that is silent, lies, or answers about another order.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    def __init__(self, dice: random.Random, share: float = 0.25) -> None:
        self.books = CoreBooks()
        self._dice = dice
        self.share = share
        self.moods = 0

    def place(self, order: BookOrder) -> BookAnswer | None:
        """Move the money, at most once for an id; the answer may not come, or be of another.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        if self._bad() and self._dice.random() < 0.5:
            return None  # lost on the way there
        return self._said(order, answer_of(self.books.place(placing_of(order))))

    def inquire(self, order: BookOrder) -> BookAnswer | None:
        """What became of an order.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        return self._said(order, answer_of(self.books.state(order.id)))

    def _bad(self) -> bool:
        bad = self._dice.random() < self.share
        self.moods += bad
        return bad

    def _said(self, order: BookOrder, truth: BookAnswer) -> BookAnswer | None:
        if not self._bad():
            return truth
        if self._dice.random() < 0.5:
            return None
        others = [one for one in self.books.truth().values() if one.id != order.id]
        return answer_of(self._dice.choice(others)) if others else None


class CoreFollower:
    """Follows open orders until the core has ended them or people must; begun anew with a process.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
    """

    def __init__(
        self, platform: Platform, writer: WriterLoop, core: HostileCore, dice: random.Random
    ) -> None:
        self._platform = platform
        self._writer = writer
        self._core = core
        self._dice = dice
        self._ending: set[str] = set()
        unknown = StillUnknown(because=Doubt.SILENCE)
        before = Exchange(asked=Asked.PLACE, at=platform.clock.now(), judged=unknown)
        self._histories: dict[str, list[Exchange]] = {
            order: [before] for order in open_orders(platform.reader, 1_000_000)
        }

    def look(self) -> None:
        """One step for every open order.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        try:
            waiting = open_orders(self._platform.reader, _MOST)
        except MfsError:
            return
        for order in waiting:
            if order not in self._ending:
                self._advance(order)

    def _advance(self, order: str) -> None:
        try:
            row = self._platform.desks.payments.find(order)
        except MfsError:
            return
        if row is None:
            return
        history = self._histories.setdefault(order, [])
        step = next_step(history, self._platform.clock.now(), PATIENCE)
        if isinstance(step, Finish | GiveToPeople):
            self._ending.add(order)
            self._writer.submit(BookAnswered(order, step), self._ended(order))
            return
        if isinstance(step, Inquire) and step.after_ms > 0:
            return
        wanted = book_order(row)
        place = isinstance(step, Place)
        answer = self._core.place(wanted) if place else self._core.inquire(wanted)
        asked = Asked.PLACE if place else Asked.INQUIRE
        judged = believe(wanted, answer)
        history.append(Exchange(asked=asked, at=self._platform.clock.now(), judged=judged))

    def _ended(self, order: str) -> Callable[[Recorded], None]:
        def ended(recorded: Recorded) -> None:
            self._ending.discard(order)
            if not isinstance(recorded.outcome.reply, MfsError):
                self._histories.pop(order, None)

        return ended
