"""Balances recomputed from transfers: the changed row is the one that is named."""

import pytest

from tallystick.infrastructure.tally.balances import AccountRow, TransferRow, recompute_balances
from tallystick.infrastructure.tally.findings import FindingKind
from tallystick.kernel.model import replace


def transfer(seq: int, debit: str, credit: str, amount: int) -> TransferRow:
    return TransferRow(seq=seq, debit=debit, credit=credit, amount=amount, event_index=seq)


TRANSFERS = [
    transfer(7, "bank", "a", 100),
    transfer(8, "a", "b", 30),
    transfer(9, "a", "fee", 1),
    transfer(10, "b", "a", 5),
]
ACCOUNTS = [
    AccountRow(account="bank", posted_debit=1100, posted_credit=0, opening_debit=1000),
    AccountRow(account="a", posted_debit=31, posted_credit=1105, opening_credit=1000),
    AccountRow(account="b", posted_debit=5, posted_credit=30),
    AccountRow(account="fee", posted_debit=0, posted_credit=1),
    AccountRow(account="idle", posted_debit=0, posted_credit=0),
]


def found(transfers=TRANSFERS, accounts=ACCOUNTS, events=None) -> list[tuple]:
    return [(one.kind, one.row) for one in recompute_balances(transfers, accounts, events=events)]


def test_right_books_have_no_finding() -> None:
    assert found() == []
    assert found(events=11) == []
    assert found([], []) == []


def test_lines_that_hold_or_free_money_count_for_the_order_only() -> None:
    held = [
        *TRANSFERS[:2],
        replace(transfer(9, "a", "b", 700), moves=False, event_index=-1),
        replace(TRANSFERS[2], seq=10),
        replace(TRANSFERS[3], seq=11),
    ]
    assert found(held) == []
    assert found([held[0], held[1], *held[3:]]) == [(FindingKind.DELETED, "transfer 10")]


@pytest.mark.threat("THR-BE-03")
@pytest.mark.parametrize("number", range(len(ACCOUNTS)))
@pytest.mark.parametrize("side", ["posted_debit", "posted_credit"])
def test_a_changed_balance_names_its_account(number: int, side: str) -> None:
    accounts = list(ACCOUNTS)
    row = accounts[number]
    accounts[number] = replace(row, **{side: getattr(row, side) + 1})
    assert found(accounts=accounts) == [(FindingKind.BALANCE_DIFFERS, f"account {row.account}")]


@pytest.mark.threat("THR-BE-03")
def test_a_changed_transfer_names_both_of_its_accounts() -> None:
    transfers = [*TRANSFERS[:1], transfer(8, "a", "b", 3000), *TRANSFERS[2:]]
    assert found(transfers) == [
        (FindingKind.BALANCE_DIFFERS, "account a"),
        (FindingKind.BALANCE_DIFFERS, "account b"),
    ]


def test_a_deleted_or_moved_transfer_leaves_a_gap() -> None:
    gap = found([TRANSFERS[0], *TRANSFERS[2:]])
    assert gap[0] == (FindingKind.DELETED, "transfer 9")
    assert (FindingKind.BALANCE_DIFFERS, "account b") in gap
    moved = found([TRANSFERS[1], TRANSFERS[0], *TRANSFERS[2:]])
    assert (FindingKind.REORDERED, "transfer 7") in moved


def test_a_deleted_account_is_named() -> None:
    assert found(accounts=ACCOUNTS[:3] + ACCOUNTS[4:]) == [(FindingKind.DELETED, "account fee")]


def test_impossible_transfers_are_named() -> None:
    assert (FindingKind.EDITED, "transfer 7") in found([transfer(7, "a", "a", 1)])
    assert (FindingKind.EDITED, "transfer 7") in found([transfer(7, "a", "b", -1)])
    assert found(events=10) == [(FindingKind.ROW_DIFFERS, "transfer 10")]
    below = [replace(TRANSFERS[0], event_index=-1), *TRANSFERS[1:]]
    assert found(below) == [(FindingKind.ROW_DIFFERS, "transfer 7")]
