"""The chart of accounts, the trial balance, the day end, and other people's books."""

import pytest

from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.chart import OWNED, chart_of, issue, new_account, redeem
from tallystick.infrastructure.ledger.daybook import (
    Difference,
    Entry,
    balance_lines,
    check_books,
    close_day,
    reconcile,
    trial_balance,
)
from tallystick.infrastructure.ledger.model import (
    AccountKind,
    Leg,
    Posted,
    Posting,
    PostingKind,
    Reason,
    Side,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Broken, Conflict, Malformed

NOW = 1_767_225_600_000
CHART = chart_of("KES")


@pytest.fixture
def state() -> LedgerState:
    made = LedgerState()
    for account in CHART.accounts(NOW):
        made.open_account(account)
    for name, kind in (
        ("ann", AccountKind.CUSTOMER),
        ("agent", AccountKind.AGENT_FLOAT),
        ("shop", AccountKind.MERCHANT),
    ):
        made.open_account(new_account(name, kind, "KES", NOW))
    return made


def move(state: LedgerState, name: str, *legs: tuple[str, str, int]) -> None:
    made = tuple(Leg(debit=debit, credit=credit, amount=amount) for debit, credit, amount in legs)
    (result,) = apply(state, [Posting(id=name, kind=PostingKind.POST, legs=made)], NOW)
    assert isinstance(result, Posted)


def test_what_is_owned_grows_on_the_debit_side_and_the_rest_on_the_credit_side() -> None:
    accounts = CHART.accounts(NOW)
    spent = {AccountKind.COMMISSION}
    assert {one.kind for one in accounts if one.side is Side.DEBIT} | spent == OWNED
    assert new_account("x", AccountKind.COMMISSION, "KES", NOW).side is Side.DEBIT
    assert len({one.id for one in accounts}) == 6
    assert all(one.currency == "KES" and one.opened_at == NOW for one in accounts)
    with pytest.raises(Malformed):
        chart_of("ABC")


def test_money_is_issued_against_the_bank_and_redeemed_to_it(state: LedgerState) -> None:
    (issued,) = apply(state, [issue(CHART, "i", "agent", 500, event_index=3)], NOW)
    assert isinstance(issued, Posted)
    move(state, "cash-in", ("agent", "ann", 200))
    (paid,) = apply(state, [redeem(CHART, "r", "ann", 150)], NOW)
    assert isinstance(paid, Posted)
    (more,) = apply(state, [redeem(CHART, "s", "ann", 51)], NOW)
    assert more.reason is Reason.FUNDS
    trial = trial_balance(balance_lines(state))["KES"]
    assert (trial.safeguarded, trial.owed, trial.shortfall()) == (350, 350, 0)
    check_books({"KES": trial})


def test_fees_are_the_provider_s_own_and_may_leave_the_safeguarding_account(state) -> None:
    apply(state, [issue(CHART, "i", "ann", 500)], NOW)
    move(state, "p", ("ann", "shop", 100), ("ann", CHART.fee, 4))
    trial = trial_balance(balance_lines(state))["KES"]
    assert (trial.safeguarded, trial.owed) == (500, 496)
    move(state, "sweep", (CHART.bank_settlement, CHART.safeguarding, 4))
    trial = trial_balance(balance_lines(state))["KES"]
    assert (trial.safeguarded, trial.owed, trial.shortfall()) == (496, 496, 0)
    assert trial.balances["fee"] == 4
    assert trial.balances["bank-settlement"] == 4


def test_customers_money_taken_from_the_bank_is_a_shortfall(state: LedgerState) -> None:
    apply(state, [issue(CHART, "i", "ann", 500)], NOW)
    move(state, "theft", (CHART.bank_settlement, CHART.safeguarding, 1))
    trials = trial_balance(balance_lines(state))
    assert trials["KES"].shortfall() == 1
    with pytest.raises(Broken, match="lacks 1 minor units"):
        check_books(trials)


def test_an_edited_balance_makes_the_books_uneven(state: LedgerState) -> None:
    apply(state, [issue(CHART, "i", "ann", 500)], NOW)
    state.accounts["ann"].posted_credit += 1
    trials = trial_balance(balance_lines(state))
    assert not trials["KES"].is_even()
    with pytest.raises(Broken, match="not even"):
        check_books(trials)
    with pytest.raises(Broken, match="not even"):
        close_day(trials["KES"], day="2026-01-01", last_seq=1, now=NOW)


def test_a_held_amount_on_one_side_only_makes_the_books_uneven(state: LedgerState) -> None:
    state.accounts["ann"].held_debit += 1
    assert not trial_balance(balance_lines(state))["KES"].is_even()


def test_days_are_closed_in_order_and_say_what_stood(state: LedgerState) -> None:
    apply(state, [issue(CHART, "i", "ann", 500)], NOW)
    trial = trial_balance(balance_lines(state))["KES"]
    first = close_day(trial, day="2026-01-01", last_seq=1, now=NOW)
    assert first.balances == trial.balances
    assert first.balances["customer"] == 500
    assert (first.posted_debit, first.posted_credit, first.owed) == (500, 500, 500)
    assert encode_canonical(first) == encode_canonical(first)
    second = close_day(trial, day="2026-01-02", last_seq=1, now=NOW, before=first)
    assert second.day == "2026-01-02"
    for day, last in (("2026-01-02", 9), ("2026-01-03", 0)):
        with pytest.raises(Conflict, match="cannot be closed"):
            close_day(trial, day=day, last_seq=last, now=NOW, before=second)


def entry(name: str, amount: int, age: int = 0) -> Entry:
    return Entry(id=name, amount=amount, at=NOW - age)


@pytest.mark.requirement("MFS-11.2.3-05")
def test_two_books_are_compared_by_id_with_the_age_of_what_is_open() -> None:
    ours = [entry("same", 5, 90), entry("ours", 7, 50), entry("differs", 9, 40), entry("new", 1, 1)]
    theirs = [entry("same", 5, 80), entry("theirs", 8, 60), entry("differs", 10, 30)]
    breaks = reconcile(ours, theirs, now=NOW, grace_ms=10)
    assert breaks.matched == 1
    assert [one.id for one in breaks.missing_theirs] == ["ours"]
    assert [one.id for one in breaks.missing_ours] == ["theirs"]
    assert [one.id for one in breaks.pending] == ["new"]
    assert breaks.differing == (Difference(id="differs", ours=9, theirs=10),)
    assert breaks.ageing_ms == {"theirs": 60, "ours": 50, "new": 1, "differs": 40}
    assert not breaks.is_clean()


def test_entries_of_one_id_count_as_their_sum_and_what_is_young_is_no_break() -> None:
    ours = [entry("split", 3, 5), entry("split", 4, 9), entry("young", 1, 2)]
    breaks = reconcile(ours, [entry("split", 7, 1)], now=NOW, grace_ms=3)
    assert breaks.is_clean()
    assert breaks.matched == 1
    assert [one.id for one in breaks.pending] == ["young"]
    assert reconcile([], [], now=NOW).is_clean()


def test_breaks_come_oldest_first() -> None:
    ours = [entry("b", 1, 10), entry("c", 1, 30), entry("a", 1, 10)]
    breaks = reconcile(ours, [], now=NOW)
    assert [one.id for one in breaks.missing_theirs] == ["c", "a", "b"]
