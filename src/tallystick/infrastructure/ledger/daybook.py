"""Whether the books are right: trial balance, day end, and comparison with others' books.

Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
"""

from collections.abc import Iterable

from tallystick.infrastructure.ledger.chart import OWED
from tallystick.infrastructure.ledger.model import AccountKind, Side
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.kernel.errors import Broken, Conflict
from tallystick.kernel.model import Record


class BalanceLine(Record, frozen=True, kw_only=True):
    """Sums over the accounts of one kind, side and currency, in minor units.

    Source: ISO/TS 12812-2:2017, 13.1
    """

    currency: str
    kind: AccountKind
    side: Side
    accounts: int
    posted_debit: int
    posted_credit: int
    held_debit: int
    held_credit: int

    def balance(self) -> int:
        """What is posted, on the normal side.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        net = self.posted_credit - self.posted_debit
        return net if self.side is Side.CREDIT else -net


class TrialBalance(Record, frozen=True, kw_only=True):
    """One currency at one moment: equal sums, and customers' money against what is safeguarded.

    Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
    """

    currency: str
    posted_debit: int
    posted_credit: int
    held_debit: int
    held_credit: int
    balances: dict[str, int]
    safeguarded: int
    owed: int

    def is_even(self) -> bool:
        """Whether what was debited was credited, posted and held.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        posted = self.posted_debit == self.posted_credit
        return posted and self.held_debit == self.held_credit

    def shortfall(self) -> int:
        """What is missing in the safeguarding account for the money owed; 0 if it is covered.

        Source: ISO/TS 12812-2:2017, 13.1
        """
        return max(0, self.owed - self.safeguarded)


class DayEnd(Record, frozen=True, kw_only=True):
    """The closing of one day in one currency; its canonical encoding is what the tally records.

    `last_seq` is the last journal line of the day, `day` its date (YYYY-MM-DD).
    Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
    """

    day: str
    currency: str
    last_seq: int
    closed_at: int
    posted_debit: int
    posted_credit: int
    held_debit: int
    held_credit: int
    balances: dict[str, int]
    safeguarded: int
    owed: int


class Entry(Record, frozen=True, kw_only=True):
    """A line of a book or a statement, for comparison: an id that both sides know, amount, time.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    amount: int
    at: int


class Difference(Record, frozen=True, kw_only=True):
    """The two sides tell different amounts for one id.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    ours: int
    theirs: int


class Breaks(Record, frozen=True, kw_only=True):
    """Where two books differ, oldest first; `ageing_ms` is the age of each open id.

    `pending` are ids that one side lacks but which are younger than the time granted.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    matched: int
    missing_ours: tuple[Entry, ...]
    missing_theirs: tuple[Entry, ...]
    pending: tuple[Entry, ...]
    differing: tuple[Difference, ...]
    ageing_ms: dict[str, int]

    def is_clean(self) -> bool:
        """Whether nothing is left to explain.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return not (self.missing_ours or self.missing_theirs or self.differing)


def balance_lines(state: LedgerState) -> tuple[BalanceLine, ...]:
    """Sums of the accounts in memory by currency, kind and side.

    Source: ISO/TS 12812-2:2017, 13.1
    """
    sums: dict[tuple[str, AccountKind, Side], list[int]] = {}
    for one in state.accounts.values():
        row = sums.setdefault((one.currency, one.kind, one.side), [0, 0, 0, 0, 0])
        parts = (1, one.posted_debit, one.posted_credit, one.held_debit, one.held_credit)
        for place, part in enumerate(parts):
            row[place] += part
    return tuple(
        BalanceLine(
            currency=currency,
            kind=kind,
            side=side,
            accounts=row[0],
            posted_debit=row[1],
            posted_credit=row[2],
            held_debit=row[3],
            held_credit=row[4],
        )
        for (currency, kind, side), row in sorted(sums.items())
    )


def trial_balance(lines: Iterable[BalanceLine]) -> dict[str, TrialBalance]:
    """The trial balance of each currency, out of the lines of all accounts.

    Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
    """
    by_currency: dict[str, list[BalanceLine]] = {}
    for line in lines:
        by_currency.setdefault(line.currency, []).append(line)
    return {currency: _trial(currency, own) for currency, own in sorted(by_currency.items())}


def _trial(currency: str, lines: list[BalanceLine]) -> TrialBalance:
    balances: dict[str, int] = {}
    for line in lines:
        balances[line.kind.value] = balances.get(line.kind.value, 0) + line.balance()
    return TrialBalance(
        currency=currency,
        posted_debit=sum(line.posted_debit for line in lines),
        posted_credit=sum(line.posted_credit for line in lines),
        held_debit=sum(line.held_debit for line in lines),
        held_credit=sum(line.held_credit for line in lines),
        balances=balances,
        safeguarded=balances.get(AccountKind.SAFEGUARDING.value, 0),
        owed=sum(line.balance() for line in lines if line.kind in OWED),
    )


def check_books(trials: dict[str, TrialBalance]) -> None:
    """Pass if every currency is even and covered.

    Raises Broken naming the currency, and the shortfall in minor units; Conflict where no more is
    missing than was paid in commission, which the provider covers with its own money.
    Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
    """
    for currency, trial in trials.items():
        if not trial.is_even():
            raise Broken(
                f"the books in {currency} are not even",
                remedy="stop; compare the accounts with the journal and the tally",
            )
        missing = trial.shortfall()
        if missing and missing <= trial.balances.get(AccountKind.COMMISSION.value, 0):
            raise Conflict(
                f"{missing} minor units of commission in {currency} are not safeguarded yet",
                remedy="pay them in, and say so: tallystick operator act cover-commission",
            )
        if missing:
            raise Broken(
                f"the safeguarding account in {currency} lacks {missing} minor units",
                remedy="stop issuing; pay in what is missing, then look for the cause",
            )


def close_day(
    trial: TrialBalance, *, day: str, last_seq: int, now: int, before: DayEnd | None = None
) -> DayEnd:
    """The closing record of `day` (YYYY-MM-DD) behind the journal line `last_seq`.

    Raises Broken if the books are not even; Conflict if `before` is not an earlier day.
    Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
    """
    if not trial.is_even():
        raise Broken(f"the books in {trial.currency} are not even", remedy="the day stays open")
    if before is not None and (before.day >= day or before.last_seq > last_seq):
        raise Conflict(f"{day} cannot be closed behind {before.day}", remedy="close days in order")
    return DayEnd(
        day=day,
        currency=trial.currency,
        last_seq=last_seq,
        closed_at=now,
        posted_debit=trial.posted_debit,
        posted_credit=trial.posted_credit,
        held_debit=trial.held_debit,
        held_credit=trial.held_credit,
        balances=trial.balances,
        safeguarded=trial.safeguarded,
        owed=trial.owed,
    )


def reconcile(
    ours: Iterable[Entry], theirs: Iterable[Entry], *, now: int, grace_ms: int = 0
) -> Breaks:
    """Compare two books by id; several entries of one id count as their sum.

    What one side lacks is pending until it is `grace_ms` old, then it is a break.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    left, right = _by_id(ours), _by_id(theirs)
    missing_theirs = _oldest_first(one for id_, one in left.items() if id_ not in right)
    missing_ours = _oldest_first(one for id_, one in right.items() if id_ not in left)
    open_ = _oldest_first((*missing_ours, *missing_theirs))
    differing = tuple(
        Difference(id=id_, ours=left[id_].amount, theirs=right[id_].amount)
        for id_ in sorted(left.keys() & right.keys())
        if left[id_].amount != right[id_].amount
    )
    ages = {one.id: now - one.at for one in open_}
    ages.update({one.id: now - min(left[one.id].at, right[one.id].at) for one in differing})
    return Breaks(
        matched=len(left.keys() & right.keys()) - len(differing),
        missing_ours=tuple(one for one in missing_ours if ages[one.id] >= grace_ms),
        missing_theirs=tuple(one for one in missing_theirs if ages[one.id] >= grace_ms),
        pending=tuple(one for one in open_ if ages[one.id] < grace_ms),
        differing=differing,
        ageing_ms=ages,
    )


def _by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        known = found.get(entry.id)
        found[entry.id] = (
            entry
            if known is None
            else Entry(id=entry.id, amount=known.amount + entry.amount, at=min(known.at, entry.at))
        )
    return found


def _oldest_first(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda one: (one.at, one.id)))
