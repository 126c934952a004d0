"""The ledger in memory: what `apply` changes, and what of it the store has not seen yet.

An account comes into memory with all its limit accounts, so that a limit that is absent here was
never used. The writer owns the one state; after a batch that did not become durable it is cleared
and read again.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.ledger.limits import LimitAccount
from tallystick.infrastructure.ledger.model import (
    Account,
    AccountStatus,
    Hold,
    Leg,
    Original,
    Posting,
    PostingKind,
    Result,
    Transfer,
)
from tallystick.kernel.codec import encode, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.money import MAX_MINOR

LimitKey = tuple[str, str]


class Totals(Record, frozen=True, kw_only=True):
    """Sums over all accounts of one currency; debit equals credit, or money was made or lost.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    posted_debit: int
    posted_credit: int
    held_debit: int
    held_credit: int


@dataclass(slots=True)
class Changes:
    """What changed since the last take: live objects, to be written before the next `apply`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    accounts: tuple[Account, ...]
    limits: tuple[LimitAccount, ...]
    holds: tuple[Hold, ...]
    originals: tuple[Original, ...]
    transfers: tuple[Transfer, ...]


class LedgerState:
    """Accounts, limit accounts, holds and recent postings, by id.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    __slots__ = (
        "accounts",
        "changed_accounts",
        "changed_holds",
        "changed_limits",
        "changed_originals",
        "expiries",
        "holds",
        "journal",
        "limits",
        "next_seq",
        "originals",
        "recent",
    )

    def __init__(self, next_seq: int = 1) -> None:
        """An empty state whose next journal line is number `next_seq`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.clear(next_seq)

    def clear(self, next_seq: int) -> None:
        """Forget everything; the next journal line is number `next_seq`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.next_seq = next_seq
        self.accounts: dict[str, Account] = {}
        self.limits: dict[LimitKey, LimitAccount] = {}
        self.holds: dict[str, Hold] = {}
        self.originals: dict[str, Original] = {}
        self.recent: dict[str, tuple[Posting, Result]] = {}
        self.expiries: list[tuple[int, str]] = []
        self.journal: list[Transfer] = []
        self.changed_accounts: dict[str, Account] = {}
        self.changed_limits: dict[LimitKey, LimitAccount] = {}
        self.changed_holds: dict[str, Hold] = {}
        self.changed_originals: dict[str, Original] = {}

    def open_account(self, account: Account) -> None:
        """Add a new account, without money.

        Raises Conflict if the id is taken, Malformed if it has money or impossible bounds.
        Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
        """
        if account.id in self.accounts:
            raise Conflict("an account with this id exists", remedy="use a new id")
        _check_bounds(account.floor, account.ceiling)
        if account.posted_debit or account.posted_credit:
            raise Malformed("a new account is empty", remedy="post its opening money")
        self.accounts[account.id] = self.changed_accounts[account.id] = account

    def account(self, account_id: str) -> Account:
        """The account in memory.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        account = self.accounts.get(account_id)
        if account is None:
            raise NotFound("there is no such account")
        return account

    def set_bounds(self, account_id: str, *, floor: int, ceiling: int) -> None:
        """Change the floor and the ceiling; a balance beyond them may stay but not go further.

        Raises NotFound, Malformed.
        Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
        """
        account = self.account(account_id)
        _check_bounds(floor, ceiling)
        account.floor, account.ceiling = floor, ceiling
        self.changed_accounts[account_id] = account

    def set_status(self, account_id: str, status: AccountStatus, now: int) -> None:
        """Suspend an account, open it again, or close it for good once it is empty.

        Raises NotFound; Conflict for a closed account and for closing one that has money or holds.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        account = self.account(account_id)
        if account.status is AccountStatus.CLOSED:
            raise Conflict("the account is closed", remedy="open another one")
        if status is AccountStatus.CLOSED:
            if account.balance() or account.held_debit or account.held_credit:
                raise Conflict("an account is closed when it is empty", remedy="pay out first")
            account.closed_at = now
        account.status = status
        self.changed_accounts[account_id] = account

    def line(self, posting: Posting, number: int, leg: Leg, kind: PostingKind, at: int) -> None:
        """Append one line to the journal: `leg` as number `number` of `posting`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.journal.append(
            Transfer(
                seq=self.next_seq,
                posting_id=posting.id,
                leg=number,
                debit=leg.debit,
                credit=leg.credit,
                amount=leg.amount,
                kind=kind,
                at=at,
                event_index=posting.event_index,
            )
        )
        self.next_seq += 1

    def add_hold(self, hold: Hold) -> None:
        """Keep an open hold and remember when it ends.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.holds[hold.id] = hold
        if hold.is_open():
            heapq.heappush(self.expiries, (hold.expires_at, hold.id))

    def due(self, now: int) -> list[str]:
        """The ids of open holds whose time has come, earliest first.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        while self.expiries and not self._is_open(self.expiries[0][1]):
            heapq.heappop(self.expiries)
        found: list[tuple[int, str]] = []
        todo = [0]
        while todo:  # a heap: what is below an entry is not due before it
            at = todo.pop()
            if at < len(self.expiries) and self.expiries[at][0] <= now:
                todo += (2 * at + 1, 2 * at + 2)
                if self._is_open(self.expiries[at][1]):
                    found.append(self.expiries[at])
        return [hold_id for _, hold_id in sorted(found)]

    def _is_open(self, hold_id: str) -> bool:
        hold = self.holds.get(hold_id)
        return hold is not None and hold.is_open()

    def take_changes(self) -> Changes:
        """Everything that changed since the last call, to be written in the commit of the batch.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        changes = Changes(
            accounts=tuple(self.changed_accounts.values()),
            limits=tuple(self.changed_limits.values()),
            holds=tuple(self.changed_holds.values()),
            originals=tuple(self.changed_originals.values()),
            transfers=tuple(self.journal),
        )
        self.changed_accounts, self.changed_limits = {}, {}
        self.changed_holds, self.changed_originals = {}, {}
        self.journal = []
        return changes

    def trim(self, *, accounts: int, recent: int) -> None:
        """Forget what came first once there is more; only between durable batches.

        Open holds stay, and so does whatever was changed and not taken yet.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for posting_id in _surplus(self.recent, recent):
            del self.recent[posting_id]
        for original_id in _surplus(self.originals, recent):
            if original_id not in self.changed_originals:
                del self.originals[original_id]
                self.recent.pop(original_id, None)  # it would forget what was given back
        for hold_id in _surplus(self.holds, recent):
            if hold_id not in self.changed_holds and not self.holds[hold_id].is_open():
                del self.holds[hold_id]
        gone = {one for one in _surplus(self.accounts, accounts) if not self._is_changed(one)}
        for account_id in gone:
            del self.accounts[account_id]
        if gone:
            for key in [key for key in self.limits if key[0] in gone]:
                del self.limits[key]

    def _is_changed(self, account_id: str) -> bool:
        return account_id in self.changed_accounts or any(
            key[0] == account_id for key in self.changed_limits
        )

    def total(self) -> dict[str, Totals]:
        """Sums of the accounts in memory by currency.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        sums: dict[str, list[int]] = {}
        for account in self.accounts.values():
            row = sums.setdefault(account.currency, [0, 0, 0, 0])
            row[0] += account.posted_debit
            row[1] += account.posted_credit
            row[2] += account.held_debit
            row[3] += account.held_credit
        return {
            currency: Totals(
                posted_debit=row[0], posted_credit=row[1], held_debit=row[2], held_credit=row[3]
            )
            for currency, row in sums.items()
        }

    def digest(self) -> bytes:
        """SHA-256 over every account, limit and open hold in one spelling; same state, same digest.

        Source: ISO/TS 12812-2:2017, 7.3.3; RFC 8785
        """
        accounts = sorted(self.accounts.values(), key=lambda one: one.id)
        limits = sorted(item for item in self.limits.items() if item[1].buckets)
        holds = [self.holds[one] for one in sorted(self.holds) if self.holds[one].is_open()]
        rows = [
            [account_row(account) for account in accounts],
            [[*key, one.window_ms, one.buckets] for key, one in limits],
            [hold_row(hold) for hold in holds],
            self.next_seq,
        ]
        return sha256(encode_canonical(rows))


def account_row(account: Account) -> tuple[str | int, ...]:
    """The account as its row in the store.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return (
        account.id,
        account.kind.value,
        account.currency,
        account.side.value,
        account.floor,
        account.ceiling,
        account.posted_debit,
        account.posted_credit,
        account.held_debit,
        account.held_credit,
        account.status.value,
        account.opened_at,
        account.closed_at,
    )


def hold_row(hold: Hold) -> tuple[str | int, ...]:
    """The hold as its row in the store; lists as JSON.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    legs = [(leg.debit, leg.credit, leg.amount) for leg in hold.legs]
    return (
        hold.id,
        encode(legs).decode(),
        encode(hold.remaining).decode(),
        hold.placed_at,
        hold.expires_at,
        encode(hold.uses).decode(),
        int(hold.is_open()),
    )


def _surplus(kept: Mapping[str, object], most: int) -> list[str]:
    """The ids that came first, an eighth more than necessary so that it is not done each time."""
    surplus = len(kept) - most
    return list(islice(kept, surplus + most // 8)) if surplus > 0 else []


def _check_bounds(floor: int, ceiling: int) -> None:
    if not -MAX_MINOR <= floor <= ceiling <= MAX_MINOR:
        raise Malformed("a floor is not above its ceiling", remedy="both are within 2^62")
