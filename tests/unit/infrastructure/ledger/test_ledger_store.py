"""The ledger on disk: what is saved, what comes back, and what the file itself refuses."""

import pytest

from tallystick.infrastructure.ledger.apply import apply, expire_due
from tallystick.infrastructure.ledger.chart import chart_of, issue, new_account
from tallystick.infrastructure.ledger.daybook import balance_lines, check_books, trial_balance
from tallystick.infrastructure.ledger.model import (
    AccountKind,
    AccountStatus,
    Leg,
    Limit,
    Posted,
    Posting,
    PostingKind,
    Reason,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import MIGRATION, LedgerStore, save
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.infrastructure.store.sqlite.database import SqliteDatabase
from tallystick.kernel.errors import Broken
from tallystick.kernel.time import Instant

NOW = Instant(1_767_225_600_000)
CHART = chart_of("KES")
DAILY = Limit(id="daily", window_ms=86_400_000, max_amount=500, max_count=9, because="tier")


class Desk:
    """A state with its file."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = LedgerStore(database)
        self.state = LedgerState()

    def run(self, *postings: Posting, now: int = NOW) -> list:
        self.store.prepare(self.state, postings)
        return apply(self.state, postings, now)

    def save(self) -> None:
        changes = ChangeSet()
        save(self.state.take_changes(), changes)
        GroupCommit(self.database).run(changes)

    def restart(self) -> None:
        self.state = LedgerState()
        self.store.restore(self.state)


@pytest.fixture
def desk(place: Place):
    with open_database(place) as database:
        migrate(database, [MIGRATION], NOW)
        made = Desk(database)
        for account in CHART.accounts(NOW):
            made.state.open_account(account)
        for name in ("ann", "bob"):
            made.state.open_account(new_account(name, AccountKind.CUSTOMER, "KES", NOW))
        made.run(issue(CHART, "opening", "ann", 1_000))
        made.save()
        yield made


def posting(name: str, kind: PostingKind, *legs: tuple[str, str, int], **parts) -> Posting:
    made = tuple(Leg(debit=debit, credit=credit, amount=amount) for debit, credit, amount in legs)
    return Posting(id=name, kind=kind, legs=made, **parts)


def test_a_restart_goes_on_where_the_file_stopped(desk: Desk) -> None:
    limits = ((DAILY, "ann"),)
    desk.run(
        posting("p", PostingKind.POST, ("ann", "bob", 100), limits=limits),
        posting("h", PostingKind.HOLD, ("ann", "bob", 50), limits=limits, expires_at=NOW + 9),
    )
    desk.state.set_status("bob", AccountStatus.SUSPENDED, NOW)
    desk.save()
    desk.store.load_accounts(desk.state, ["ann", "bob", CHART.safeguarding])
    before = desk.state
    desk.restart()
    desk.store.load_accounts(desk.state, before.accounts)
    assert desk.state.digest() == before.digest()
    assert desk.state.accounts == before.accounts
    assert desk.state.next_seq == before.next_seq
    assert [one.ref for one in expire_due(desk.state, NOW + 9)] == ["h"]


def test_what_is_not_saved_is_gone_after_a_restart(desk: Desk) -> None:
    desk.run(posting("p", PostingKind.POST, ("ann", "bob", 100)))
    desk.restart()
    desk.store.load_accounts(desk.state, ["ann"])
    assert desk.state.accounts["ann"].balance() == 1_000


@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.threat("THR-BE-02")
def test_the_file_refuses_an_id_that_was_posted_before(desk: Desk) -> None:
    again = posting("p", PostingKind.POST, ("ann", "bob", 100))
    desk.run(again)
    desk.save()
    desk.restart()  # nothing in memory knows the id now
    assert isinstance(desk.run(again)[0], Posted)
    with pytest.raises(Broken, match="rule"):
        desk.save()
    desk.restart()
    desk.store.load_accounts(desk.state, ["ann", "bob"])
    assert desk.state.accounts["bob"].balance() == 100


def test_limits_come_with_their_account(desk: Desk) -> None:
    paid = posting("p", PostingKind.POST, ("ann", "bob", 450), limits=((DAILY, "ann"),))
    desk.run(paid)
    desk.save()
    desk.restart()
    more = posting("q", PostingKind.POST, ("ann", "bob", 51), limits=((DAILY, "ann"),))
    assert desk.run(more)[0].reason is Reason.LIMIT_AMOUNT


def test_a_limit_on_an_account_that_moves_no_money_is_brought_in_too(desk: Desk) -> None:
    limits = ((DAILY, CHART.suspense),)
    desk.run(posting("p", PostingKind.POST, ("ann", "bob", 450), limits=limits))
    desk.save()
    desk.restart()
    more = posting("q", PostingKind.POST, ("ann", "bob", 51), limits=limits)
    assert desk.run(more)[0].reason is Reason.LIMIT_AMOUNT


def test_a_hold_given_back_after_a_restart_gives_every_limit_back(desk: Desk) -> None:
    limits = ((DAILY, CHART.suspense), (DAILY, "ann"))
    held = posting("h", PostingKind.HOLD, ("ann", "bob", 450), limits=limits, expires_at=NOW + 9)
    desk.run(held)
    desk.save()
    desk.restart()
    desk.run(posting("v", PostingKind.VOID, ref="h"))
    desk.save()
    desk.restart()
    desk.store.load_accounts(desk.state, ["ann", CHART.suspense])
    assert [(one.amount, one.count) for one in desk.state.limits.values()] == [(0, 0), (0, 0)]


def test_what_was_not_posted_cannot_go_back(desk: Desk) -> None:
    poor = posting("poor", PostingKind.POST, ("bob", "ann", 1))
    assert desk.run(poor)[0].reason is Reason.FUNDS
    for ref in ("poor", "never"):
        back = posting(f"r-{ref}", PostingKind.REVERSE, ref=ref)
        assert desk.run(back)[0].reason is Reason.NO_ORIGINAL


def test_old_postings_can_still_go_back_but_only_once(desk: Desk) -> None:
    desk.run(posting("p", PostingKind.POST, ("ann", "bob", 100), ("ann", CHART.fee, 3)))
    desk.save()
    desk.restart()
    part = posting("r", PostingKind.REVERSE, ("bob", "ann", 60), ref="p")
    assert isinstance(desk.run(part)[0], Posted)
    desk.save()
    desk.restart()
    more = posting("s", PostingKind.REVERSE, ("bob", "ann", 41), ref="p")
    assert desk.run(more)[0].reason is Reason.MORE_THAN_LEFT
    assert isinstance(desk.run(posting("t", PostingKind.REVERSE, ref="p"))[0], Posted)
    desk.save()
    desk.restart()
    rest = posting("u", PostingKind.REVERSE, ref="p")
    assert desk.run(rest)[0].reason is Reason.MORE_THAN_LEFT
    desk.store.load_accounts(desk.state, ["ann", "bob", CHART.fee])
    balances = [desk.state.accounts[one].balance() for one in ("ann", "bob", CHART.fee)]
    assert balances == [1_000, 0, 0]


def test_what_memory_forgot_of_an_original_it_reads_again(desk: Desk) -> None:
    desk.run(posting("p", PostingKind.POST, ("ann", "bob", 100)))
    desk.run(posting("r", PostingKind.REVERSE, ("bob", "ann", 60), ref="p"))
    desk.save()
    desk.state.trim(accounts=0, recent=1)  # would keep "r" and its posting, not what it gave back
    desk.state.originals.clear()
    desk.state.recent.clear()
    more = posting("s", PostingKind.REVERSE, ("bob", "ann", 41), ref="p")
    assert desk.run(more)[0].reason is Reason.MORE_THAN_LEFT


def test_forgetting_what_went_back_forgets_the_original_too(desk: Desk) -> None:
    old = [f"o{number}" for number in range(5)]
    desk.run(*[posting(name, PostingKind.POST, ("ann", "bob", 10)) for name in old])
    desk.save()
    desk.restart()
    desk.run(posting("p", PostingKind.POST, ("ann", "bob", 100)))
    desk.run(posting("r", PostingKind.REVERSE, ("bob", "ann", 60), ref="p"))
    desk.save()
    desk.store.load_originals(desk.state, old)  # as repetitions of old refunds do
    desk.state.trim(accounts=99, recent=2)
    assert "p" not in desk.state.originals
    more = posting("s", PostingKind.REVERSE, ("bob", "ann", 41), ref="p")
    assert desk.run(more)[0].reason is Reason.MORE_THAN_LEFT


def test_a_captured_hold_is_known_and_its_capture_goes_back_after_a_restart(desk: Desk) -> None:
    desk.run(posting("h", PostingKind.HOLD, ("ann", "bob", 100), expires_at=NOW + 9))
    desk.save()
    desk.restart()
    part = posting("c", PostingKind.CAPTURE, ("ann", "bob", 70), ref="h")
    assert isinstance(desk.run(part)[0], Posted)
    desk.save()
    desk.restart()
    late = posting("d", PostingKind.CAPTURE, ref="h")
    assert desk.run(late)[0].reason is Reason.HOLD_DONE
    assert isinstance(desk.run(posting("r", PostingKind.REVERSE, ref="c"))[0], Posted)
    desk.save()
    assert desk.store.differing_accounts() == ()
    desk.store.load_accounts(desk.state, ["ann", "bob"])
    assert desk.state.accounts["ann"].balance() == 1_000
    assert desk.state.total()["KES"].held_debit == 0


def test_without_holds_each_is_read_when_it_is_asked_for(desk: Desk) -> None:
    desk.run(
        posting("h", PostingKind.HOLD, ("ann", "bob", 100), expires_at=NOW + 9),
        posting("other", PostingKind.HOLD, ("ann", "bob", 100), expires_at=NOW + 9),
    )
    desk.save()
    desk.store.restore(desk.state, holds=False)
    assert not desk.state.holds
    captured = Posting(id="c", kind=PostingKind.CAPTURE, ref="h", legs=())
    assert isinstance(desk.run(captured)[0], Posted)
    assert set(desk.state.holds) == {"h"}
    assert desk.state.accounts["ann"].available() == 800


def test_expired_holds_are_found_after_a_restart(desk: Desk) -> None:
    desk.run(posting("h", PostingKind.HOLD, ("ann", "bob", 100), expires_at=NOW + 9))
    desk.save()
    desk.restart()
    assert isinstance(desk.run(*expire_due(desk.state, NOW + 9), now=NOW + 9)[0], Posted)
    desk.save()
    desk.restart()
    assert expire_due(desk.state, NOW + 9) == []
    desk.store.load_accounts(desk.state, ["ann"])
    assert desk.state.accounts["ann"].available() == 1_000


@pytest.mark.parametrize("size", [1, 64, 1_000])
def test_a_batch_is_read_and_written_with_a_fixed_number_of_statements(desk, size: int) -> None:
    names = [f"c{number:04d}" for number in range(size)]
    for name in names:
        desk.state.open_account(new_account(name, AccountKind.CUSTOMER, "KES", NOW))
    desk.save()
    desk.restart()
    limit = Limit(id="l", window_ms=1_000, max_amount=99, max_count=9, because="")
    postings = [
        posting(f"p{name}", PostingKind.POST, ("ann", name, 1), limits=((limit, name),))
        for name in names
    ]
    seen: list[str] = []
    desk.database.trace(seen.append)
    desk.run(*postings)
    assert len(seen) == 1, "accounts with their limits"
    seen.clear()
    desk.save()
    desk.database.trace(None)
    assert len(seen) == 5, "begin, journal, accounts, limits, commit"


def test_an_original_is_found_by_an_index(desk: Desk) -> None:
    seen: list[str] = []
    desk.database.trace(seen.append)
    desk.store.load_originals(LedgerState(), ["opening"])
    desk.database.trace(None)
    if isinstance(desk.database, SqliteDatabase):
        plan = desk.database.rows(f"EXPLAIN QUERY PLAN {seen[0]}")
    else:
        desk.database.execute("SET enable_seqscan = off")  # a small table is read whole otherwise
        asked = seen[0].replace("$1", "16").replace("$2", "ARRAY['opening']")
        plan = desk.database.rows(f"EXPLAIN {asked}")
    told = "\n".join(row[-1] for row in plan)
    assert "transfer_posting_once" in told
    assert "SCAN first" not in told
    assert "SCAN line" not in told
    assert "Seq Scan" not in told


@pytest.mark.requirement("MFS-13.1-01")
def test_the_file_s_sums_are_those_of_the_state_and_cover_what_is_owed(desk: Desk) -> None:
    desk.run(
        posting("p", PostingKind.POST, ("ann", "bob", 100), ("ann", CHART.fee, 3)),
        posting("h", PostingKind.HOLD, ("bob", "ann", 50), expires_at=NOW + 9),
    )
    desk.save()
    desk.store.load_accounts(desk.state, [one.id for one in CHART.accounts(NOW)])
    assert desk.store.balance_lines() == balance_lines(desk.state)
    check_books(trial_balance(desk.store.balance_lines()))


@pytest.mark.threat("THR-BE-03")
@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE account SET posted_credit = posted_credit + 1 WHERE id = 'bob'", ("bob",)),
        ("UPDATE account SET held_debit = 7 WHERE id = 'ann'", ("ann",)),
        ("UPDATE transfer SET amount = amount + 1 WHERE posting_id = 'p'", ("ann", "bob")),
        ("UPDATE transfer SET credit = 'eve' WHERE posting_id = 'p'", ("bob", "eve")),
        ("DELETE FROM transfer WHERE posting_id = 'p'", ("ann", "bob")),
        ("DELETE FROM account WHERE id = 'bob'", ("bob",)),
        (
            """INSERT INTO account SELECT 'eve', kind, currency, side, floor, ceiling, 0, 9, 0, 0,
                status, opened_at, closed_at FROM account WHERE id = 'bob'""",
            ("eve",),
        ),
    ],
)
def test_an_edited_row_is_named_by_what_the_journal_adds_up_to(desk, sql, named) -> None:
    desk.run(posting("p", PostingKind.POST, ("ann", "bob", 100)))
    desk.save()
    assert desk.store.differing_accounts() == ()
    desk.database.execute(sql)
    assert desk.store.differing_accounts() == named


def test_the_journal_streams_in_order(desk: Desk) -> None:
    desk.run(
        posting("p", PostingKind.POST, ("ann", "bob", 100), event_index=4),
        posting("h", PostingKind.HOLD, ("ann", "bob", 50), expires_at=NOW + 9),
        posting("c", PostingKind.CAPTURE, ("ann", "bob", 20), ref="h", event_index=5),
    )
    kept = desk.state.journal[:]
    desk.save()
    assert list(desk.store.transfers(after=1)) == kept
    assert [line.kind.value for line in kept] == ["post", "hold", "capture", "void"]
    assert [line[0] for line in desk.store.lines()] == [1, 2, 3, 4, 5]
    assert [line[:5] for line in desk.store.lines() if line[5]] == [
        (1, CHART.safeguarding, "ann", 1_000, -1),
        (2, "ann", "bob", 100, 4),
        (4, "ann", "bob", 20, 5),
    ]
    assert ("ann", 120, 1_000) in list(desk.store.stored_sums())


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE hold SET legs = '[]]' WHERE id = 'h'",
        "UPDATE hold SET remaining = '[\"a\"]' WHERE id = 'h'",
        "UPDATE hold SET uses = '{}' WHERE id = 'h'",
    ],
)
def test_a_row_of_another_shape_is_broken(desk: Desk, sql) -> None:
    desk.run(posting("h", PostingKind.HOLD, ("ann", "bob", 50), expires_at=NOW + 9))
    desk.save()
    desk.database.execute(sql)
    with pytest.raises(Broken, match="another shape"):
        desk.restart()


def test_a_negative_sum_or_an_amount_of_nothing_is_no_row(desk: Desk) -> None:
    for sql in (
        "UPDATE account SET posted_debit = -1 WHERE id = 'ann'",
        "UPDATE account SET held_credit = -1 WHERE id = 'ann'",
        "UPDATE transfer SET amount = 0",
    ):
        with pytest.raises(Broken):
            desk.database.execute(sql)
