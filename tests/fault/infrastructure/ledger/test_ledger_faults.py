"""Payments while the process is killed or the disk refuses: value is conserved, nothing is half."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.chart import chart_of, issue, new_account
from tallystick.infrastructure.ledger.daybook import check_books, trial_balance
from tallystick.infrastructure.ledger.model import AccountKind, Leg, Posted, Posting, PostingKind
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import MIGRATION, LedgerStore, save
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.time import Instant

NOW = Instant(1_767_225_600_000)
CHART = chart_of("KES")
NAMES = tuple(f"c{number}" for number in range(8))
ISSUED = 8_000


def open_book(path: Path | str) -> tuple[Database, LedgerState]:
    """The book at `path`, with money in it."""
    database, state = open_database(path), LedgerState()
    if migrate(database, [MIGRATION], NOW):
        for account in CHART.accounts(NOW):
            state.open_account(account)
        for name in NAMES:
            state.open_account(new_account(name, AccountKind.CUSTOMER, "KES", NOW))
        apply(state, [issue(CHART, f"in-{name}", name, 1_000) for name in NAMES], NOW)
        commit(database, state)
    LedgerStore(database).restore(state)
    return database, state


def commit(database: Database, state: LedgerState) -> None:
    changes = ChangeSet()
    save(state.take_changes(), changes)
    GroupCommit(database).run(changes)


def payment(number: int) -> Posting:
    payer, payee = NAMES[number % 8], NAMES[(number * 3 + 1) % 8]
    main = Leg(debit=payer, credit=payee, amount=number % 50 + 1)
    fee = Leg(debit=payer, credit=CHART.fee, amount=1)
    kind = PostingKind.HOLD if number % 4 == 0 else PostingKind.POST
    return Posting(id=f"p{number:06d}", kind=kind, legs=(main, fee), expires_at=NOW + 10**9)


def pay(database: Database, state: LedgerState, first: int, count: int) -> list[str]:
    postings = [payment(number) for number in range(first, first + count)]
    LedgerStore(database).prepare(state, postings)
    results = apply(state, postings, NOW)
    commit(database, state)
    return [result.id for result in results if isinstance(result, Posted)]


def pay_until_full(database: Database, state: LedgerState, first: int) -> tuple[set[str], int]:
    """What was posted until the disk refused, and the first payment of the refused batch."""
    posted: set[str] = set()
    for number in range(first, first + 10_000, 20):
        try:
            posted |= set(pay(database, state, number, 20))
        except Unavailable:
            return posted, number
    pytest.fail("the disk never became full")


def check(database: Database) -> set[str]:
    """The books are even, cover what is owed, and are what the journal adds up to."""
    store = LedgerStore(database)
    trials = trial_balance(store.balance_lines())
    check_books(trials)
    assert trials["KES"].safeguarded == ISSUED
    assert trials["KES"].owed + trials["KES"].balances["fee"] == ISSUED
    assert store.differing_accounts() == ()
    lines: dict[str, list] = {}
    for line in store.transfers():
        lines.setdefault(line.posting_id, []).append(line)
    for posting_id, own in lines.items():
        if posting_id.startswith("p"):
            assert [line.leg for line in own] == [0, 1], "a payment and its fee, or neither"
    return set(lines)


PAYER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_ledger_faults import open_book, pay

database, state = open_book(sys.argv[1])
number = state.next_seq * 10
while True:
    print(*pay(database, state, number, 9), flush=True)
    number += 9
"""


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_killed_process_leaves_whole_payments_and_all_that_were_acknowledged(tmp_path) -> None:
    path, acknowledged = tmp_path / "book.db", set()
    for answers in (1, 4, 25):
        process = subprocess.Popen(
            [sys.executable, "-c", PAYER, path, Path(__file__).parent],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        try:
            assert process.stdout is not None
            for _ in range(answers):
                acknowledged.update(process.stdout.readline().split())
        finally:
            process.send_signal(signal.SIGKILL)
            rest, _ = process.communicate(timeout=30)
        acknowledged.update(rest.split())
        database, state = open_book(path)
        with database:
            found = check(database)
        assert acknowledged <= found
        payments = {one for one in found if one.startswith("p")}
        assert set(state.holds) == {one for one in payments if int(one[1:]) % 4 == 0}
    assert len(acknowledged) > 30


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_full_disk_stops_payments_without_a_trace_and_they_go_on_from_the_file(tmp_path) -> None:
    database, state = open_book(tmp_path / "book.db")
    with database:
        before = check(database) | set(pay(database, state, 0, 9))
        pages = database.one("PRAGMA page_count") or (0,)
        database.execute(f"PRAGMA max_page_count = {pages[0] + 1}")
        posted, number = pay_until_full(database, state, 1_000)
        before |= posted
        LedgerStore(database).restore(state)  # memory was ahead of the file
        assert check(database) == before
        database.execute("PRAGMA max_page_count = 1000000")
        again = pay(database, state, number, 20)
        assert again, "the same ids are posted now"
        assert check(database) == before | set(again)
