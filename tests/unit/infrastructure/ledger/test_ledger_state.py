"""The state in memory: accounts and their bounds, and what may be forgotten."""

import pytest

from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.chart import new_account
from tallystick.infrastructure.ledger.model import (
    AccountKind,
    AccountStatus,
    Leg,
    Limit,
    Posting,
    PostingKind,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.kernel.errors import Conflict, Malformed, NotFound

NOW = 1_767_225_600_000


def opened(*names: str) -> LedgerState:
    state = LedgerState()
    for name in names:
        state.open_account(new_account(name, AccountKind.CUSTOMER, "KES", NOW))
    bank = new_account("bank", AccountKind.SAFEGUARDING, "KES", NOW)
    state.open_account(bank)
    return state


def pay(state: LedgerState, name: str, debit: str, credit: str, amount: int, **parts) -> None:
    legs = (Leg(debit=debit, credit=credit, amount=amount),)
    apply(state, [Posting(id=name, kind=PostingKind.POST, legs=legs, **parts)], NOW)


def test_an_id_is_taken_once_and_a_new_account_is_empty() -> None:
    state = opened("ann")
    with pytest.raises(Conflict):
        state.open_account(new_account("ann", AccountKind.CUSTOMER, "KES", NOW))
    rich = new_account("rich", AccountKind.CUSTOMER, "KES", NOW)
    rich.posted_credit = 5
    with pytest.raises(Malformed, match="empty"):
        state.open_account(rich)
    with pytest.raises(Malformed, match="floor"):
        state.open_account(new_account("x", AccountKind.CUSTOMER, "KES", NOW, ceiling=-1))
    with pytest.raises(Malformed, match="currency"):
        new_account("x", AccountKind.CUSTOMER, "XXX", NOW)
    assert set(state.accounts) == {"ann", "bank"}


@pytest.mark.parametrize(("floor", "ceiling"), [(1, 0), (-(2**62) - 1, 0), (0, 2**62 + 1)])
def test_bounds_that_no_balance_can_keep_are_refused(floor: int, ceiling: int) -> None:
    state = opened("ann")
    with pytest.raises(Malformed):
        state.set_bounds("ann", floor=floor, ceiling=ceiling)
    assert state.account("ann").floor == 0


def test_an_account_is_closed_when_empty_and_for_good() -> None:
    state = opened("ann")
    pay(state, "in", "bank", "ann", 10)
    with pytest.raises(Conflict, match="empty"):
        state.set_status("ann", AccountStatus.CLOSED, NOW)
    state.set_status("ann", AccountStatus.SUSPENDED, NOW)
    state.set_status("ann", AccountStatus.OPEN, NOW)
    pay(state, "out", "ann", "bank", 10)
    state.take_changes()
    state.set_status("ann", AccountStatus.CLOSED, NOW + 5)
    assert state.account("ann").closed_at == NOW + 5
    assert [one.id for one in state.take_changes().accounts] == ["ann"]
    with pytest.raises(Conflict, match="closed"):
        state.set_status("ann", AccountStatus.OPEN, NOW)


def test_held_money_keeps_an_account_open() -> None:
    state = opened("ann", "bob")
    pay(state, "in", "bank", "ann", 10)
    held = Leg(debit="ann", credit="bob", amount=10)
    posting = Posting(id="h", kind=PostingKind.HOLD, legs=(held,), expires_at=NOW + 1)
    apply(state, [posting], NOW)
    with pytest.raises(Conflict):
        state.set_status("bob", AccountStatus.CLOSED, NOW)


def test_an_unknown_account_is_not_found() -> None:
    with pytest.raises(NotFound):
        opened().account("nobody")


def test_what_comes_first_is_forgotten_first_with_its_limits_but_nothing_that_is_unsaved() -> None:
    names = [f"c{number:02d}" for number in range(20)]
    state = opened(*names)
    limit = Limit(id="l", window_ms=1_000, max_amount=99, max_count=99, because="")
    pay(state, "in", "bank", "c00", 10, limits=((limit, "c00"),))
    held = Leg(debit="c00", credit="c01", amount=1)
    apply(state, [Posting(id="h", kind=PostingKind.HOLD, legs=(held,), expires_at=NOW + 9)], NOW)
    state.trim(accounts=8, recent=0)
    assert len(state.accounts) == 21, "everything is still to be written"
    state.take_changes()
    state.trim(accounts=8, recent=0)
    assert list(state.accounts) == [*names[14:], "bank"]
    assert not state.limits
    assert not state.recent
    assert state.holds["h"].is_open(), "an open hold stays"
    assert state.due(NOW + 9) == ["h"]


def test_an_unsaved_limit_keeps_its_account() -> None:
    state = opened("ann")
    state.take_changes()
    limit = Limit(id="l", window_ms=1_000, max_amount=1, max_count=99, because="")
    pay(state, "in", "bank", "ann", 10, limits=((limit, "ann"),))
    assert not state.changed_accounts
    state.trim(accounts=0, recent=0)
    assert "ann" in state.accounts
    assert "bank" not in state.accounts


def test_an_unsaved_return_is_not_forgotten() -> None:
    state = opened("ann")
    pay(state, "p", "bank", "ann", 10)
    apply(state, [Posting(id="r", kind=PostingKind.REVERSE, ref="p")], NOW)
    state.trim(accounts=9, recent=0)
    assert state.originals["p"].returned == [10]
    state.take_changes()
    state.trim(accounts=9, recent=0)
    assert not state.originals


def test_sums_are_kept_by_currency() -> None:
    state = opened("ann")
    state.open_account(new_account("usd-bank", AccountKind.SAFEGUARDING, "USD", NOW))
    state.open_account(new_account("usd", AccountKind.CUSTOMER, "USD", NOW))
    pay(state, "a", "bank", "ann", 10)
    pay(state, "b", "usd-bank", "usd", 7)
    totals = state.total()
    assert {currency: one.posted_debit for currency, one in totals.items()} == {
        "KES": 10,
        "USD": 7,
    }
    assert all(one.posted_debit == one.posted_credit for one in totals.values())
