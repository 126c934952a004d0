"""The books of the simulated core system: accounts and transfers in memory, at most once per id.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Mapping
from threading import Lock

from tallystick.kernel.model import replace
from tallystick.protocol.core import PlaceTransfer, TransferStage, TransferState

NO_FUNDS = "insufficient funds"
NO_ACCOUNT = "no such account"


class CoreBooks:
    """Simulated books. With `opening` balances only those accounts exist and none goes below zero;
    without, every account exists and may owe.

    Transfers of the kinds in `two_phase` stay pending until they are settled or voided; the money
    leaves the debit account at once and arrives, or comes back, at the end.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        opening: Mapping[str, int] | None = None,
        *,
        two_phase: frozenset[str] = frozenset(),
    ) -> None:
        """Open the books.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._strict = opening is not None
        self._balances: dict[str, int] = dict(opening or {})
        self._transfers: dict[str, TransferState] = {}
        self._two_phase = two_phase
        self._lock = Lock()

    def place(self, placed: PlaceTransfer) -> TransferState:
        """Carry out a transfer once; for an id that is known, what became of the first one.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        with self._lock:
            known = self._transfers.get(placed.id)
            if known is not None:
                return known
            reason = self._obstacle(placed)
            pending = placed.kind in self._two_phase
            stage = TransferStage.PENDING if pending else TransferStage.SETTLED
            state = TransferState(
                state=TransferStage.REFUSED if reason else stage,
                id=placed.id,
                debit=placed.debit,
                credit=placed.credit,
                amount_minor=placed.amount_minor,
                currency=placed.currency,
                reason=reason,
            )
            if not reason:
                self._add(placed.debit, -placed.amount_minor)
                if not pending:
                    self._add(placed.credit, placed.amount_minor)
            self._transfers[placed.id] = state
            return state

    def _obstacle(self, placed: PlaceTransfer) -> str:
        if not self._strict:
            return ""
        if placed.debit not in self._balances or placed.credit not in self._balances:
            return NO_ACCOUNT
        return NO_FUNDS if self._balances[placed.debit] < placed.amount_minor else ""

    def _add(self, account: str, minor: int) -> None:
        self._balances[account] = self._balances.get(account, 0) + minor

    def end(self, identifier: str, *, settle: bool) -> TransferState:
        """End a pending transfer; one that has ended already stays as it is.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        with self._lock:
            known = self._transfers.get(identifier)
            if known is None:
                return absent(identifier)
            if known.state is not TransferStage.PENDING:
                return known
            self._add(known.credit if settle else known.debit, known.amount_minor)
            ended = replace(
                known,
                state=TransferStage.SETTLED if settle else TransferStage.REFUSED,
                reason="" if settle else "voided",
            )
            self._transfers[identifier] = ended
            return ended

    def state(self, identifier: str) -> TransferState:
        """What became of a transfer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        with self._lock:
            return self._transfers.get(identifier) or absent(identifier)

    def truth(self) -> dict[str, TransferState]:
        """Every transfer by id, as it really is.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        with self._lock:
            return dict(self._transfers)

    def balances(self) -> dict[str, int]:
        """Every balance in minor units.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        with self._lock:
            return dict(self._balances)


def absent(identifier: str) -> TransferState:
    """The answer about a transfer that the books never saw.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return TransferState(state=TransferStage.ABSENT, id=identifier)
