"""The embedded book: the ledger that the writer owns, where a payment is one commit.

Where a core system's book counts, the ledger keeps a shadow of it: an order is a hold here until
the core has answered, so that limits hold all the same; whether there is money the core decides.

Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
"""

from collections.abc import Iterable

from tallystick.application.customers.model import CustomerKind
from tallystick.application.incentives.model import Commission
from tallystick.application.turn import Turn
from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.chart import chart_of, new_account
from tallystick.infrastructure.ledger.model import (
    NO_CEILING,
    NO_FLOOR,
    AccountKind,
    Leg,
    Limit,
    Posting,
    PostingKind,
    Rejected,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import LedgerStore, save
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.ids import random_id
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy import LimitRule

HOLD_LIFE_MS = 365 * DAY_MS
"""How long an order may wait for a core system; people decide long before."""

_KINDS = {
    CustomerKind.PERSON: AccountKind.CUSTOMER,
    CustomerKind.AGENT: AccountKind.AGENT_FLOAT,
    CustomerKind.MERCHANT: AccountKind.MERCHANT,
}


class LedgerBook:
    """Opens accounts and moves money; every movement is double entry and within its limits.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        reader: Reader,
        currency: str,
        *,
        elsewhere: bool = False,
        capacity: int,
        holds: bool = True,
    ) -> None:
        """Keep one `currency`; up to `capacity` accounts stay in memory between batches.

        `elsewhere` says that another book counts and this one is its shadow; without `holds` each
        open hold is read when it is asked for, and not all of them at every beginning.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._store = LedgerStore(reader)
        self.chart = chart_of(currency)
        self._capacity = capacity
        self._holds = holds
        self.elsewhere = elsewhere
        self.state = LedgerState()
        self.reset()

    def reset(self) -> None:
        """Start from the file again.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._store.restore(self.state, holds=self._holds)
        self._store.load_accounts(self.state, self.chart.ids())

    def open_own_accounts(self, now: int) -> None:
        """Open the provider's own accounts where they do not exist yet.

        Source: ISO/TS 12812-2:2017, 13.3
        """
        for account in self.chart.accounts(now):
            if account.id not in self.state.accounts:
                self.state.open_account(account)

    def open_account(self, turn: Turn, kind: CustomerKind, ceiling_minor: int) -> str:
        """A new account for a customer of `kind`, which may hold up to `ceiling_minor`.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        identifier = random_id("acc", turn.entropy(16))
        account = new_account(identifier, _KINDS[kind], self.chart.currency, turn.now)
        if self.elsewhere:
            account.floor = NO_FLOOR
        else:
            account.ceiling = min(ceiling_minor, NO_CEILING)
        self.state.open_account(account)
        return identifier

    def set_ceiling(self, account: str, ceiling_minor: int) -> int:
        """Let `account` hold up to `ceiling_minor` from now on; gives how much it is over that.

        What is over, with what holds will bring, may go out; nothing comes in before there is
        room. Where another book counts nothing changes and nothing is over.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 13.2; 13.3
        """
        self._store.load_accounts(self.state, (account,))
        known = self.state.account(account)
        if self.elsewhere:
            return 0
        self.state.set_bounds(account, floor=known.floor, ceiling=min(ceiling_minor, NO_CEILING))
        return max(0, -known.room())

    def pay(
        self,
        *,
        order: str,
        payer: str,
        payee: str,
        amount_minor: int,
        fee_minor: int,
        commission: Commission | None = None,
        limits: tuple[LimitRule, ...],
        body_hash: bytes,
        now: int,
        event: int,
    ) -> None:
        """Move an amount, its fee and its commission, within `limits`: all of it or nothing.

        A limit counts by the payer's account, or by the payee's where it says so.

        Raises InsufficientFunds, LimitExceeded, NotFound, Conflict.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        legs = [Leg(debit=payer, credit=payee, amount=amount_minor)]
        if fee_minor:
            legs.append(Leg(debit=payer, credit=self.chart.fee, amount=fee_minor))
        if commission is not None:
            self._open_expense(now)
            legs.append(commission.leg(self.chart.commission))
        posting = Posting(
            id=order,
            kind=PostingKind.HOLD if self.elsewhere else PostingKind.POST,
            legs=tuple(legs),
            limits=tuple((_limit(rule), payee if rule.on_payee else payer) for rule in limits),
            expires_at=now + HOLD_LIFE_MS if self.elsewhere else 0,
            body_hash=body_hash,
            event_index=event,
        )
        accounts = self.state.accounts
        if payer not in accounts or payee not in accounts:
            self._store.load_accounts(self.state, (payer, payee))
        self._apply(posting, now)

    def _open_expense(self, now: int) -> None:
        """Open the account that commission is paid from, where there is none yet."""
        accounts, expense = self.state.accounts, self.chart.commission
        if expense not in accounts:
            self._store.load_accounts(self.state, (expense,))
        if expense not in accounts:
            kind = AccountKind.COMMISSION
            self.state.open_account(new_account(expense, kind, self.chart.currency, now))

    def finish(self, order: str, *, settled: bool, now: int, event: int) -> None:
        """End the hold of `order` as the other book ended it: its money moves here too, or is
        freed.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        kind = PostingKind.CAPTURE if settled else PostingKind.VOID
        self.post(Posting(id=f"{order}/{kind.value}", kind=kind, ref=order, event_index=event), now)

    def post(self, posting: Posting, now: int) -> None:
        """Apply one posting.

        Raises the refusal that its rejection stands for.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._store.prepare(self.state, (posting,))
        self._apply(posting, now)

    def _apply(self, posting: Posting, now: int) -> None:
        (result,) = apply(self.state, (posting,), now)
        if isinstance(result, Rejected):
            raise result.error()

    def available(self, account: str) -> int:
        """What may still leave `account`, in minor units; 0 for one that does not exist.

        Where another book counts it is this shadow's balance less its holds, and may be negative:
        that book says what may leave.
        Source: ISO/TS 12812-2:2017, 12.3
        """
        self._store.load_accounts(self.state, (account,))
        found = self.state.accounts.get(account)
        if found is None:
            return 0
        return found.available() + (found.floor if self.elsewhere else 0)

    def reserved(self, account: str) -> int:
        """What open holds will take from `account`, in minor units.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        self._store.load_accounts(self.state, (account,))
        found = self.state.accounts.get(account)
        return 0 if found is None else found.held_debit

    def prefetch(self, accounts: Iterable[str]) -> None:
        """Bring `accounts` into memory with at most two statements.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._store.load_accounts(self.state, accounts)

    def collect(self, turn: Turn) -> None:
        """Put what changed into the rows of this turn.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        save(self.state.take_changes(), turn.changes)

    def trim(self) -> None:
        """Forget accounts and postings over capacity; between durable batches only.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.state.trim(accounts=self._capacity, recent=1024)


def _limit(rule: LimitRule) -> Limit:
    return Limit(
        id=rule.id,
        window_ms=rule.window_ms,
        max_amount=rule.max_amount,
        max_count=rule.max_count,
        because=rule.because,
    )
