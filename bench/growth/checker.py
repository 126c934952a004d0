"""Whether money was kept: reads the homes' files and the clients' own lists, believes no home.

`check_cut` holds what must be true at every moment, with homes up or down and messages on their
way; `check_end` what must be true once everything has come to an end.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from typing import Protocol

from bench.growth.model import Order, OrderKind, Stage
from bench.growth.partition import transit_id
from bench.growth.store import all_orders
from tallystick.infrastructure.ledger.chart import chart_of
from tallystick.infrastructure.ledger.daybook import Entry, TrialBalance, reconcile, trial_balance
from tallystick.infrastructure.ledger.model import AccountKind, PostingKind
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.kernel.model import Record

_ID = 30
_FUND = "fund/"
_MOVES = frozenset({PostingKind.POST, PostingKind.CAPTURE, PostingKind.REVERSE})
_LETS_GO = frozenset({PostingKind.VOID, PostingKind.EXPIRE})

Line = tuple[str, str, int]
"""Debit, credit, amount."""


class Finding(Record, frozen=True, kw_only=True):
    """A rule that does not hold, and where."""

    rule: str
    detail: str


class Accounts(Protocol):
    """What the checker knows of the accounts before the first order."""

    @property
    def opening(self) -> Mapping[str, int]:
        """Balance by account."""
        ...


class Book:
    """One home's file as the checker reads it: its journal by order, its sums, its orders."""

    def __init__(self, home: int, reader: Connection) -> None:
        store = LedgerStore(reader)
        self.home = home
        self.moved: dict[str, list[Line]] = {}
        self.held: dict[str, list[Line]] = {}
        self.let_go: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.net: dict[str, int] = {}
        for line in store.transfers():
            if line.posting_id.startswith(_FUND):
                self._count(line.debit, line.credit, line.amount)
                continue
            order = line.posting_id[:_ID]
            self.times[order] = line.at
            entry = (line.debit, line.credit, line.amount)
            if line.kind in _MOVES:
                self.moved.setdefault(order, []).append(entry)
                self._count(*entry)
            elif line.kind in _LETS_GO:
                self.let_go[order] = self.let_go.get(order, 0) + line.amount
            else:
                self.held.setdefault(order, []).append(entry)
        self.differing = store.differing_accounts()
        self.trials = trial_balance(store.balance_lines())
        self.open_holds = {row[0] for row in reader.rows("SELECT id FROM hold WHERE open = 1")}
        self.kept = all_orders(reader)

    def _count(self, debit: str, credit: str, amount: int) -> None:
        self.net[debit] = self.net.get(debit, 0) - amount
        self.net[credit] = self.net.get(credit, 0) + amount

    def owes(self, currency: str, peer: int) -> int:
        """What this home's books say that it owes `peer`; negative if `peer` owes it."""
        return self.net.get(transit_id(currency, peer), 0)


def read_books(paths: Sequence[Path]) -> list[Book]:
    """Every home's book, all as of one moment."""
    with ExitStack() as stack:
        readers = [stack.enter_context(open_snapshot(path)) for path in paths]
        return [Book(home, reader) for home, reader in enumerate(readers)]


def check_cut(
    paths: Sequence[Path], orders: Mapping[str, Order]
) -> tuple[int, tuple[Finding, ...]]:
    """What is in flight (minor units), and which rule of every moment does not hold."""
    books = read_books(paths)
    found = [*_even(books), *_known(books, orders)]
    found += [one for order in orders.values() for one in _halves(order, books)]
    found += _mirrored(books, orders)
    found += _covered(books, orders)
    in_flight = sum(order.amount for order in orders.values() if _is_in_flight(order, books))
    return in_flight, tuple(found)


def check_end(
    paths: Sequence[Path],
    orders: Mapping[str, Order],
    told: Mapping[str, bool],
    accounts: Accounts,
) -> list[Finding]:
    """The rules of every moment, and: nothing is open, every answer is what the books say."""
    books = read_books(paths)
    in_flight, found = check_cut(paths, orders)
    ended = list(found)
    if in_flight:
        ended.append(Finding(rule="nothing in flight", detail=f"{in_flight} minor units are"))
    for book in books:
        ended += [_finding("no open hold", book, one) for one in sorted(book.open_holds)]
        ended += [
            _finding("no unknown outcome", book, one.order.id)
            for one in book.kept
            if one.stage is Stage.ACCEPTED
        ]
    for order in orders.values():
        ended += _answered(order, books, told)
    ended += _reconciled(books, orders)
    ended += _expected(books, orders, told, accounts.opening)
    return ended


def _finding(rule: str, book: Book, detail: str) -> Finding:
    return Finding(rule=rule, detail=f"home {book.home}: {detail}")


def _even(books: Iterable[Book]) -> Iterable[Finding]:
    """Per home and currency, debits equal credits; every account is the sum of its lines."""
    for book in books:
        for currency, trial in book.trials.items():
            if not trial.is_even():
                yield _finding("sums to zero", book, currency)
        if sum(book.net.values()):
            yield _finding("sums to zero", book, "journal")
        for account in book.differing:
            yield _finding("account is its journal", book, account)


def _known(books: Iterable[Book], orders: Mapping[str, Order]) -> Iterable[Finding]:
    """Nobody posts for an order that no client gave."""
    for book in books:
        for order in sorted({*book.moved, *book.held} - orders.keys()):
            yield _finding("known order", book, order)


def _wanted(order: Order) -> tuple[list[Line], list[Line]]:
    """The lines that carry out `order`: at the payer's home, at the payee's if it is another."""
    chart = chart_of(order.currency)
    towards = transit_id(order.currency, order.target)
    fromwards = transit_id(order.currency, order.source)
    if order.kind is OrderKind.SETTLEMENT:
        return (
            [(towards, chart.safeguarding, order.amount)],
            [(chart.safeguarding, fromwards, order.amount)],
        )
    local = order.source == order.target
    payers = [(order.payer, order.payee if local else towards, order.amount)]
    if order.fee:
        payers.append((order.payer, chart.fee, order.fee))
    return payers, [] if local else [(fromwards, order.payee, order.amount)]


def _halves(order: Order, books: Sequence[Book]) -> Iterable[Finding]:
    """Each half once and whole; money leaves only when it has arrived, or is still held."""
    payers, payees = _wanted(order)
    source, target = books[order.source], books[order.target]
    took = source.moved.get(order.id, [])
    if took not in ([], payers):
        yield _finding("paid once and whole", source, order.id)
    if order.source == order.target:
        return
    gave = target.moved.get(order.id, [])
    if gave not in ([], payees):
        yield _finding("credited once and whole", target, order.id)
    if took and not gave:
        yield _finding("captured only what was credited", source, order.id)
    if gave and not took and order.id not in source.open_holds:
        yield _finding("credited only what is held", target, order.id)
    if source.held.get(order.id, []) not in ([], payers):
        yield _finding("held once and whole", source, order.id)


def _is_in_flight(order: Order, books: Sequence[Book]) -> bool:
    if order.source == order.target:
        return False
    gave = order.id in books[order.target].moved
    return gave and order.id not in books[order.source].moved


def _flight(order: Order) -> int:
    """What an order in flight adds to what the two transit accounts of its homes sum to."""
    return order.amount if order.kind is OrderKind.SETTLEMENT else -order.amount


def _mirrored(books: Sequence[Book], orders: Mapping[str, Order]) -> Iterable[Finding]:
    """What A owes B and what B owes A sum to zero, but for what is in flight between them."""
    currencies = {order.currency for order in orders.values()}
    flying: dict[tuple[str, int, int], int] = {}
    for order in orders.values():
        if _is_in_flight(order, books):
            low, high = sorted((order.source, order.target))
            place = (order.currency, low, high)
            flying[place] = flying.get(place, 0) + _flight(order)
    for currency in currencies:
        for one, other in combinations(books, 2):
            owed = one.owes(currency, other.home) + other.owes(currency, one.home)
            if owed != flying.get((currency, one.home, other.home), 0):
                detail = f"{currency} with home {other.home}: {owed}"
                yield _finding("transit mirrors", one, detail)


def _covered(books: Sequence[Book], orders: Mapping[str, Order]) -> Iterable[Finding]:
    """Over all homes, what is owed and earned is what is safeguarded and in flight."""
    flying = {
        currency: sum(
            -_flight(order)
            for order in orders.values()
            if order.currency == currency and _is_in_flight(order, books)
        )
        for currency in {order.currency for order in orders.values()}
    }
    for currency, in_flight in flying.items():
        trials = [book.trials[currency] for book in books if currency in book.trials]
        owed = sum(trial.owed + _fees(trial) for trial in trials)
        safeguarded = sum(trial.safeguarded for trial in trials)
        if owed != safeguarded + in_flight:
            detail = f"{currency}: {owed} owed, {safeguarded} safeguarded, {in_flight} in flight"
            yield Finding(rule="covered", detail=detail)


def _fees(trial: TrialBalance) -> int:
    return trial.balances.get(AccountKind.FEE.value, 0)


def _answered(order: Order, books: Sequence[Book], told: Mapping[str, bool]) -> Iterable[Finding]:
    """The client was told, and what it was told happened."""
    happened = order.id in books[order.source].moved
    if order.id not in told:
        yield Finding(rule="client told", detail=order.id)
    elif told[order.id] != happened:
        yield Finding(rule="told what happened", detail=order.id)


def _reconciled(books: Sequence[Book], orders: Mapping[str, Order]) -> Iterable[Finding]:
    """The daybook's own comparison of two books finds nothing to explain, for every pair."""
    for one, other in combinations(books, 2):
        pair = {one.home, other.home}
        entries: list[list[Entry]] = [[], []]
        for side, book in enumerate((one, other)):
            for order in orders.values():
                if {order.source, order.target} == pair and order.id in book.moved:
                    at = book.times[order.id]
                    entries[side].append(Entry(id=order.id, amount=order.amount, at=at))
        breaks = reconcile(entries[0], entries[1], now=0)
        if not breaks.is_clean() or breaks.pending:
            yield _finding("pair reconciles", one, f"with home {other.home}")


def _expected(
    books: Sequence[Book],
    orders: Mapping[str, Order],
    told: Mapping[str, bool],
    opening: Mapping[str, int],
) -> Iterable[Finding]:
    """Every customer has what the answers say: opening money, plus what came, minus what went."""
    wanted = dict(opening)
    for order in orders.values():
        if told.get(order.id) and order.kind is OrderKind.PAYMENT:
            wanted[order.payer] -= order.amount + order.fee
            wanted[order.payee] += order.amount
    for account, amount in wanted.items():
        has = sum(book.net.get(account, 0) for book in books)
        if has != amount:
            yield Finding(rule="customer has", detail=f"{account}: {has}, not {amount}")
