"""The pass over everything that hangs on keys of subjects, row by row, while the service works.

A batch of rows is one command of the writer. It asks for each row what is there now, so that an
erasure that came first is seen, and one that comes later finds what it would have found anyway.
How far it got is written with each batch: a start after a kill goes on there, and a pass that came
to its end is not begun again until there is another generation. What does not open, or is of
nobody, is left where it is, and counted as left.

Source: ISO/TS 12812-2:2017, 7.4.2; 14.2.1; C; ISO 11568
"""

from collections.abc import Callable
from contextlib import suppress
from typing import LiteralString

from tallystick.application.customers import Customer, Customers
from tallystick.application.payments import Payments
from tallystick.application.subjectkeys.store import (
    APPROVALS,
    NUMBERS,
    SAVE_APPROVAL,
    SAVE_NUMBERS,
    SAVE_SIGNATURE,
    SIGNATURES,
    SUBJECT_PASS,
    PassRow,
    order_seals,
    pass_under,
    replace_sealed,
    sealed_rows,
    wrapped_keys,
)
from tallystick.application.turn import Turn
from tallystick.infrastructure.modules.block import wrapped_under
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import NotAuthentic, NotFound
from tallystick.kernel.model import replace, row_of

_Step = Callable[[Turn, str, int], str]
"""Looks at some rows behind an id; gives the last id that it saw, or nothing at the end."""


class SubjectRenewal:
    """The pass under the newest generation: which step it is at, and behind which id.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, customers: Customers, payments: Payments, reader: Reader) -> None:
        """Go on where the pass was; there is none to make where no generation was ever made.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._customers = customers
        self._payments = payments
        self._reader = reader
        self._steps: tuple[_Step, ...] = (
            self._keys,
            self._orders,
            self._sealed(APPROVALS, SAVE_APPROVAL),
            self._sealed(SIGNATURES, SAVE_SIGNATURE),
            self._sealed(NUMBERS, SAVE_NUMBERS),
        )
        self._at = pass_under(reader, customers.wrapping)

    @property
    def done(self) -> bool:
        """Whether the pass has seen every row, or there is none to make.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return not self._customers.wrapping or self._at.step == len(self._steps)

    def anew(self, turn: Turn, rows: int) -> None:
        """Look at the next `rows` rows, and move those that are not as they would be made now.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if self.done:
            return
        before = self._at
        turn.on_undo(lambda: self._back(before))
        last = self._steps[before.step](turn, before.after, rows)
        step = before.step if last else before.step + 1
        self._at = replace(before, step=step, after=last)
        turn.changes.upsert(SUBJECT_PASS, self._at.generation, row_of(self._at))

    def _back(self, before: PassRow) -> None:
        self._at = before

    def _keys(self, turn: Turn, after: str, rows: int) -> str:
        page = wrapped_keys(self._reader, after, rows)
        mine = self._customers
        for one in page:
            if wrapped_under(one.block) != mine.wrapping or one.profile != mine.kind:
                with suppress(NotAuthentic, NotFound):
                    mine.wrap_anew(turn, mine.get(one.customer))
        return page[-1].customer if page else ""

    def _orders(self, turn: Turn, after: str, rows: int) -> str:
        page = order_seals(self._reader, after, rows)
        for order, begins in page:
            row = (
                None if not begins or begins == self._customers.kind else self._payments.find(order)
            )
            if row is not None:
                fresh = self._fresh(self._customers.owner, row.payer, row.evidence)
                if fresh:
                    self._payments.save(turn, replace(row, evidence=fresh))
        return page[-1][0] if page else ""

    def _fresh(self, find: Callable[[str], Customer], owner: str, sealed: bytes) -> bytes:
        """What is sealed, sealed anew; nothing where it was damaged, or its owner is not there."""
        with suppress(NotAuthentic, NotFound):
            return self._customers.seal_anew(find(owner), sealed)
        return b""

    def _sealed(self, read: LiteralString, save: LiteralString) -> _Step:
        def step(turn: Turn, after: str, rows: int) -> str:
            page = sealed_rows(self._reader, read, after, rows)
            for row, owner, sealed in page:
                if sealed and not sealed.startswith(self._customers.kind):
                    fresh = self._fresh(self._customers.get, owner, sealed)
                    if fresh:
                        replace_sealed(turn.changes, save, row, sealed, fresh)
            return page[-1][0] if page else ""

        return step
