"""Closes days over what is stored, not over what memory believes.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3; 13.3
"""

from dataclasses import dataclass

from tallystick.application.daybook.store import DAY_CLOSING, last_closing, last_journal_line
from tallystick.application.turn import Turn
from tallystick.infrastructure.ledger.daybook import (
    DayEnd,
    check_books,
    close_day,
    trial_balance,
)
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc

_closings = Decoder(DayEnd)


@dataclass(frozen=True, slots=True)
class Closing:
    """A closed day.

    Source: ISO/TS 12812-2:2017, 13.3
    """

    end: DayEnd

    def public(self) -> dict[str, str | int]:
        """What the tally records of it.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return {
            "day": self.end.day,
            "currency": self.end.currency,
            "last_line": self.end.last_seq,
            "posted": str(self.end.posted_debit),
            "owed": str(self.end.owed),
            "safeguarded": str(self.end.safeguarded),
        }

    def says(self) -> str:
        """The closing in words.

        Source: ISO/TS 12812-2:2017, 13.3
        """
        owed = Money(self.end.owed, self.end.currency)
        safe = Money(self.end.safeguarded, self.end.currency)
        return f"{self.end.day} is closed: the books are even, {owed} owed, {safe} safeguarded"


class DayBook:
    """Closes one day after the other.

    Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
    """

    def __init__(self, reader: Reader, currency: str) -> None:
        self._reader = reader
        self._currency = currency

    def close(self, turn: Turn, day: str) -> Closing:
        """Close `day` (YYYY-MM-DD, UTC).

        Raises Broken if the books are not even or not covered, Conflict for a day that is not over,
        not behind the last closed one or with commission that is not covered, Malformed where there
        is nothing to close.
        Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
        """
        if day >= iso_utc(turn.now)[:10]:
            raise Conflict(f"{day} is not over", remedy="close it when it is")
        before = last_closing(self._reader)
        trials = trial_balance(LedgerStore(self._reader).balance_lines())
        check_books(trials)
        if self._currency not in trials:
            raise Malformed("there are no accounts yet")
        end = close_day(
            trials[self._currency],
            day=day,
            last_seq=last_journal_line(self._reader),
            now=turn.now,
            before=None if before is None else _closings.decode(before.encode()),
        )
        turn.changes.insert(DAY_CLOSING, (day, encode_canonical(end).decode()))
        return Closing(end)
