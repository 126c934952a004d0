"""One home: its ledger, its orders, its outbox. A payment between two homes takes three postings.

    payer's home   hold     payer -> transit towards B, fee     id: the order       commit 1
    payee's home   post     transit towards A -> payee          id: order/credit    commit 2
    payer's home   capture  the hold, or void it                id: order/capture   commit 3

The row of the order is written with the postings, in one commit; messages leave after it. An open
order is sent again, under its own id, until the payee's home has answered; the row there answers
every repetition alike. Nothing is voided on a guess: only a durable refusal ends a hold.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.growth.model import CLIENT, Kept, Message, Order, OrderKind, Role, Stage, Word
from bench.growth.store import HOME_ORDER, MIGRATION, kept_of, open_orders, row_of
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.chart import chart_of, new_account
from tallystick.infrastructure.ledger.model import (
    Account,
    AccountKind,
    AccountStatus,
    Leg,
    Limit,
    Posted,
    Posting,
    PostingKind,
    Rejected,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import MIGRATION as LEDGER
from tallystick.infrastructure.ledger.store import LedgerStore, save
from tallystick.infrastructure.store.changes import ChangeSet, load
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.ids import random_id
from tallystick.kernel.time import DAY_MS, MINUTE_MS, SECOND_MS, Instant

HOLD_LIFE_MS = 365 * DAY_MS
FIRST_AGAIN_MS, MOST_AGAIN_MS = SECOND_MS, MINUTE_MS
GIVE_UP_MS = 10 * MINUTE_MS
DAILY = Limit(
    id="daily", window_ms=DAY_MS, max_amount=10_000_000, max_count=500, because="tier of the payer"
)

Fuse = Callable[[str], None]


def transit_id(currency: str, towards: int) -> str:
    """The id of the account in which a home keeps what it and the home `towards` owe each other."""
    return random_id("acc", sha256(f"{currency}/transit/{towards}".encode())[:16])


class Partition:
    """The writer of one home on its own file; one thread, one batch at a time."""

    def __init__(self, home: int, homes: int, currency: str, folder: Path) -> None:
        self.home = home
        self.currency = currency
        self.chart = chart_of(currency)
        self.transits = {peer: transit_id(currency, peer) for peer in range(homes) if peer != home}
        self.path = folder / f"home-{home}.db"
        self.up = False
        self.rise()

    def rise(self) -> None:
        """Start from the file, with nothing in memory."""
        self.database = open_database(self.path)
        migrate(self.database, (LEDGER, MIGRATION), Instant(0))
        self._store = LedgerStore(self.database)
        self._commits = GroupCommit(self.database)
        self.state = LedgerState()
        self._store.restore(self.state)
        self._store.load_accounts(self.state, (*self.chart.ids(), *self.transits.values()))
        self._kept: dict[str, Kept] = {}
        self._changed: dict[str, Kept] = {}
        self._again: dict[str, tuple[int, int]] = {}
        for kept in open_orders(self.database):
            self._kept[kept.order.id] = kept
            self._again[kept.order.id] = (0, FIRST_AGAIN_MS)
        self.up = True

    def die(self) -> None:
        """Lose everything that is not committed."""
        self.database.close()
        self.up = False

    def open_accounts(self, accounts: Sequence[Account], funds: Sequence[int], now: int) -> None:
        """Open the provider's accounts, a transit account for each other home, and `accounts`.

        Each of `accounts` gets its `funds` out of the safeguarding account.
        """
        own = [*self.chart.accounts(now)]
        own += [
            new_account(identifier, AccountKind.INTEROPERABLE, self.currency, now)
            for identifier in self.transits.values()
        ]
        for account in (*own, *accounts):
            if account.id not in self.state.accounts:
                self.state.open_account(account)
        postings = [
            Posting(
                id=f"fund/{account.id}",
                kind=PostingKind.POST,
                legs=(Leg(debit=self.chart.safeguarding, credit=account.id, amount=amount),),
            )
            for account, amount in zip(accounts, funds, strict=True)
            if amount
        ]
        refused = [one for one in apply(self.state, postings, now) if isinstance(one, Rejected)]
        assert not refused, refused
        self._commit(lambda _: None)

    def take(self, batch: Sequence[Message], now: int, fuse: Fuse) -> list[Message]:
        """Decide and post a batch, commit it, and give what may be said now that it is durable.

        `fuse` is told every step that is reached, and may raise to crash there.
        """
        fuse("received")
        self._load(batch)
        out: list[Message] = []
        for message in batch:
            out += self._act(message, now)
            fuse("applied")
        self._commit(fuse)
        fuse("committed")
        return out

    def due(self, now: int) -> list[Message]:
        """What the outbox has to say again; after a restart, all that is open."""
        out: list[Message] = []
        for identifier, (at, wait) in list(self._again.items()):
            if at <= now:
                self._again[identifier] = (now + wait, min(2 * wait, MOST_AGAIN_MS))
                out += self._ask_again(self._kept[identifier], now)
        return out

    def next_due(self) -> int | None:
        """When the outbox has something to say, or None."""
        return min((at for at, _ in self._again.values()), default=None)

    def net_owed(self, peer: int) -> int:
        """What this home owes `peer` and no open hold is about to change."""
        account = self.state.account(self.transits[peer])
        return max(0, -account.balance() - account.held_debit)

    def has_account(self, account: str) -> bool:
        """Whether `account` was opened here."""
        self._store.load_accounts(self.state, (account,))
        return account in self.state.accounts

    def spendable(self, account: str) -> int:
        """What may leave `account`."""
        self._store.load_accounts(self.state, (account,))
        found = self.state.accounts.get(account)
        return 0 if found is None else found.available()

    def stop_incoming(self, account: str) -> bool:
        """Let nothing more come to `account`, which is about to move; whether no hold is open."""
        self._store.load_accounts(self.state, (account,))
        self.state.set_bounds(account, floor=0, ceiling=0)
        self._commit(lambda _: None)
        found = self.state.account(account)
        return not found.held_debit and not found.held_credit

    def close_account(self, account: str, now: int) -> None:
        """Close `account` for good; the ledger refuses unless it is empty and nothing is held."""
        self._store.load_accounts(self.state, (account,))
        self.state.set_status(account, AccountStatus.CLOSED, now)
        self._commit(lambda _: None)

    def _load(self, batch: Sequence[Message]) -> None:
        ids = {one.order.id for one in batch if one.order.id not in self._kept}
        for identifier, row in load(self.database, HOME_ORDER, sorted(ids)).items():
            self._kept[identifier] = kept_of(row)
        parties = [one for message in batch for one in (message.order.payer, message.order.payee)]
        self._store.load_accounts(self.state, parties)
        self._store.load_holds(self.state, [one.order.id for one in batch])

    def _commit(self, fuse: Fuse) -> None:
        rows = ChangeSet()
        save(self.state.take_changes(), rows)
        for identifier, kept in self._changed.items():
            rows.upsert(HOME_ORDER, identifier, row_of(kept))
        self._changed = {}
        if rows.is_empty():
            return
        self._commits.begin()
        self._commits.write(rows)
        fuse("written")
        self._commits.commit()

    def _act(self, message: Message, now: int) -> list[Message]:
        acts: dict[Word, Callable[[Message, int], list[Message]]] = {
            Word.ASK: self._asked,
            Word.CREDIT: self._credit,
            Word.CLOSE: self._close,
            Word.ANSWER: self._answered,
        }
        return acts[message.word](message, now)

    def _keep(self, order: Order, role: Role, stage: Stage, reason: str, now: int) -> Kept:
        kept = Kept(order=order, role=role, stage=stage, reason=reason, at=now)
        self._kept[order.id] = self._changed[order.id] = kept
        return kept

    def _asked(self, message: Message, now: int) -> list[Message]:
        order = message.order
        known = self._kept.get(order.id)
        if known is not None:
            return [] if known.stage is Stage.ACCEPTED else [self._told(known)]
        local = order.source == order.target
        posting = Posting(
            id=order.id,
            kind=PostingKind.POST if local else PostingKind.HOLD,
            legs=self._payers_legs(order),
            limits=((DAILY, order.payer),) if order.kind is OrderKind.PAYMENT else (),
            expires_at=0 if local else now + HOLD_LIFE_MS,
        )
        refusal = self._post(posting, now)
        if local:
            stage = Stage.REFUSED if refusal else Stage.SETTLED
            return [self._told(self._keep(order, Role.LOCAL, stage, refusal, now))]
        if refusal:
            return [self._told(self._keep(order, Role.PAYER, Stage.REFUSED, refusal, now))]
        kept = self._keep(order, Role.PAYER, Stage.ACCEPTED, "", now)
        self._again[order.id] = (now + FIRST_AGAIN_MS, 2 * FIRST_AGAIN_MS)
        return self._ask_again(kept, now)

    def _payers_legs(self, order: Order) -> tuple[Leg, ...]:
        if order.kind is OrderKind.SETTLEMENT:
            transit = self.transits[order.target]
            return (Leg(debit=transit, credit=self.chart.safeguarding, amount=order.amount),)
        payee = order.payee if order.source == order.target else self.transits[order.target]
        legs = [Leg(debit=order.payer, credit=payee, amount=order.amount)]
        if order.fee:
            legs.append(Leg(debit=order.payer, credit=self.chart.fee, amount=order.fee))
        return tuple(legs)

    def _payees_leg(self, order: Order) -> Leg:
        transit = self.transits[order.source]
        if order.kind is OrderKind.SETTLEMENT:
            return Leg(debit=self.chart.safeguarding, credit=transit, amount=order.amount)
        return Leg(debit=transit, credit=order.payee, amount=order.amount)

    def _post(self, posting: Posting, now: int) -> str:
        """Apply one posting; the reason of its refusal, or an empty text."""
        (result,) = apply(self.state, (posting,), now)
        return "" if isinstance(result, Posted) else result.reason.value

    def _credit(self, message: Message, now: int) -> list[Message]:
        order = message.order
        known = self._kept.get(order.id)
        if known is None:
            posting = Posting(
                id=f"{order.id}/credit", kind=PostingKind.POST, legs=(self._payees_leg(order),)
            )
            refusal = self._post(posting, now)
            stage = Stage.REFUSED if refusal else Stage.SETTLED
            known = self._keep(order, Role.PAYEE, stage, refusal, now)
        return [self._answer(known)]

    def _close(self, message: Message, now: int) -> list[Message]:
        known = self._kept.get(message.order.id)
        if known is None:
            known = self._keep(message.order, Role.PAYEE, Stage.REFUSED, "closed", now)
        return [self._answer(known)]

    def _answered(self, message: Message, now: int) -> list[Message]:
        known = self._kept.get(message.order.id)
        if known is None or known.stage is not Stage.ACCEPTED or known.order != message.order:
            return []
        kind = PostingKind.CAPTURE if message.done else PostingKind.VOID
        refusal = self._finish(known.order, kind, now)
        if refusal:
            return []
        self._again.pop(known.order.id, None)
        stage = Stage.SETTLED if message.done else Stage.REFUSED
        return [self._told(self._keep(known.order, known.role, stage, message.reason, now))]

    def _finish(self, order: Order, kind: PostingKind, now: int) -> str:
        return self._post(Posting(id=f"{order.id}/{kind.value}", kind=kind, ref=order.id), now)

    def _ask_again(self, kept: Kept, now: int) -> list[Message]:
        word = Word.CREDIT if now - kept.at < GIVE_UP_MS else Word.CLOSE
        return [Message(word=word, order=kept.order, to=kept.order.target)]

    def _answer(self, kept: Kept) -> Message:
        return Message(
            word=Word.ANSWER,
            order=kept.order,
            to=kept.order.source,
            done=kept.stage is Stage.SETTLED,
            reason=kept.reason,
        )

    def _told(self, kept: Kept) -> Message:
        return Message(
            word=Word.TOLD,
            order=kept.order,
            to=CLIENT,
            done=kept.stage is Stage.SETTLED,
            reason=kept.reason,
        )
