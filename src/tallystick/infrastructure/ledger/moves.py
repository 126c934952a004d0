"""Single legs against accounts and limits: checked, done, and undone as a whole.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from tallystick.infrastructure.ledger.limits import LimitAccount
from tallystick.infrastructure.ledger.model import (
    MAX_AMOUNT,
    MAX_LEGS,
    Account,
    AccountStatus,
    Leg,
    Posting,
    Reason,
    Rejected,
    Side,
)
from tallystick.infrastructure.ledger.state import LedgerState

_OPEN = AccountStatus.OPEN
_CREDIT = Side.CREDIT


def check_form(legs: tuple[Leg, ...]) -> Reason | None:
    """Why `legs` cannot be posted whatever the balances are, or None.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if not 0 < len(legs) <= MAX_LEGS:
        return Reason.MALFORMED
    for leg in legs:
        if not 0 < leg.amount <= MAX_AMOUNT or leg.debit == leg.credit:
            return Reason.MALFORMED
    return None


def refusal(debit: Account | None, credit: Account | None) -> Reason | None:
    """Why no money may move between these two accounts, or None.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if debit is None or credit is None:
        return Reason.NO_ACCOUNT
    if debit.status is not _OPEN or credit.status is not _OPEN:
        closed = AccountStatus.CLOSED in (debit.status, credit.status)
        return Reason.CLOSED if closed else Reason.SUSPENDED
    if debit.currency != credit.currency:
        return Reason.CURRENCY
    return None


def _shortage(debit: Account, credit: Account, amount: int) -> Reason | None:
    """Why this amount may not move, or None: floors on one side, ceilings on the other."""
    if debit.side is _CREDIT:
        if debit.available() < amount:
            return Reason.FUNDS
    elif debit.room() < amount:
        return Reason.CEILING
    if credit.side is _CREDIT:
        if credit.room() < amount:
            return Reason.CEILING
    elif credit.available() < amount:
        return Reason.FUNDS
    return None


def move_all(state: LedgerState, legs: tuple[Leg, ...]) -> Reason | None:
    """Move posted money leg by leg, each checked after the one before; all of them or none.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    accounts, changed = state.accounts, state.changed_accounts
    for number, leg in enumerate(legs):
        debit, credit, amount = accounts.get(leg.debit), accounts.get(leg.credit), leg.amount
        reason = refusal(debit, credit)
        if debit is None or credit is None or reason is not None:
            _move_back(state, legs[:number])
            return reason
        reason = _shortage(debit, credit, amount)
        if reason is not None:
            _move_back(state, legs[:number])
            return reason
        debit.posted_debit += amount
        credit.posted_credit += amount
        changed[leg.debit] = debit
        changed[leg.credit] = credit
    return None


def _move_back(state: LedgerState, legs: tuple[Leg, ...]) -> None:
    for leg in legs:
        state.accounts[leg.debit].posted_debit -= leg.amount
        state.accounts[leg.credit].posted_credit -= leg.amount


def set_aside_all(state: LedgerState, legs: tuple[Leg, ...]) -> Reason | None:
    """Set money aside leg by leg, each checked after the one before; all of them or none.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    for number, leg in enumerate(legs):
        debit, credit = state.accounts.get(leg.debit), state.accounts.get(leg.credit)
        reason = refusal(debit, credit)
        if debit is not None and credit is not None and reason is None:
            reason = _shortage(debit, credit, leg.amount)
        if debit is None or credit is None or reason is not None:
            for past in legs[:number]:
                let_go(state, past, past.amount)
            return reason
        debit.held_debit += leg.amount
        credit.held_credit += leg.amount
        state.changed_accounts[leg.debit] = debit
        state.changed_accounts[leg.credit] = credit
    return None


def let_go(state: LedgerState, leg: Leg, amount: int) -> None:
    """Hold `amount` of `leg` no longer.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    debit, credit = state.accounts[leg.debit], state.accounts[leg.credit]
    debit.held_debit -= amount
    credit.held_credit -= amount
    state.changed_accounts[leg.debit] = debit
    state.changed_accounts[leg.credit] = credit


def use_limits(state: LedgerState, posting: Posting, amount: int, now: int) -> Rejected | None:
    """Count `amount` in every limit that the posting names; in all of them or none.

    Source: ISO/TS 12812-2:2017, 7.3.3; A
    """
    for number, (limit, account_id) in enumerate(posting.limits):
        key = (account_id, limit.id)
        used = state.limits.get(key)
        reason = None
        if used is None:
            if account_id not in state.accounts:
                give_limits_back(state, posting, amount, now, first=number)
                return Rejected(id=posting.id, reason=Reason.NO_ACCOUNT)
            used = state.limits[key] = LimitAccount(account_id, limit.id, limit.window_ms)
        reason = used.refusal(limit, amount, now)
        state.changed_limits[key] = used
        if reason is not None:
            give_limits_back(state, posting, amount, now, first=number)
            return Rejected(id=posting.id, reason=reason, limit=limit.id, because=limit.because)
        used.use(amount, now)
    return None


def give_limits_back(
    state: LedgerState, posting: Posting, amount: int, now: int, *, first: int = -1
) -> None:
    """Undo `use_limits` for the `first` limits of the posting; for all of them unless told.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    named = posting.limits if first < 0 else posting.limits[:first]
    for limit, account_id in named:
        state.limits[account_id, limit.id].give_back(amount, 1, now)
