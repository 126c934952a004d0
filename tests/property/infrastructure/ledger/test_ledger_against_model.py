"""The ledger against a book that keeps nothing but lines and adds them up again for every question.

The book below shares no code with the ledger: it decides each posting by itself, and the two must
agree on every answer, every balance and every hold, also after a restart from the file.
"""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tallystick.infrastructure.ledger.apply import apply, expire_due
from tallystick.infrastructure.ledger.model import (
    NO_CEILING,
    NO_FLOOR,
    Account,
    AccountKind,
    Leg,
    Limit,
    Posted,
    Posting,
    PostingKind,
    Reason,
    Rejected,
    Side,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import MIGRATION, LedgerStore, save
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.time import Instant

START = 1_767_225_600_000
WINDOW = 24_000
WIDTH = 1_000
ACCOUNTS = {  # id: (side, floor, ceiling)
    "bank": (Side.DEBIT, 0, 900),
    "ann": (Side.CREDIT, 0, NO_CEILING),
    "bob": (Side.CREDIT, 0, 200),
    "cay": (Side.CREDIT, -50, NO_CEILING),
    "fee": (Side.CREDIT, 0, NO_CEILING),
    "net": (Side.DEBIT, NO_FLOOR, 300),
}
LIMITS = (
    Limit(id="amount", window_ms=WINDOW, max_amount=250, max_count=10**6, because="tier"),
    Limit(id="count", window_ms=2 * WINDOW, max_amount=10**9, max_count=4, because="device"),
)

names = st.sampled_from(sorted(ACCOUNTS))
amounts = st.integers(1, 150) | st.sampled_from([1, 50, 250, 400])
times = st.sampled_from([1, 500, 1_000, 7_000, 23_500, 24_000, 25_000]) | st.integers(1, 60_000)


@dataclass
class Use:
    at: int
    amount: int
    count: int


@dataclass
class Set:
    legs: list[list]
    until: int
    uses: list[Use]
    taken: bool = False


@dataclass
class Book:
    """Lines (debit, credit, amount), open sets of lines put aside, and what limits counted."""

    lines: list[tuple[str, str, int]] = field(default_factory=list)
    aside: dict[str, Set] = field(default_factory=dict)
    used: dict[tuple[str, str], list[Use]] = field(default_factory=dict)
    done: dict[str, list[list]] = field(default_factory=dict)

    def sums(self, name: str) -> tuple[int, int, int, int]:
        put = [leg for one in self.aside.values() for leg in one.legs]
        return (
            sum(amount for debit, _, amount in self.lines if debit == name),
            sum(amount for _, credit, amount in self.lines if credit == name),
            sum(amount for debit, _, amount in put if debit == name),
            sum(amount for _, credit, amount in put if credit == name),
        )

    def fits(self, legs: list[tuple[str, str, int]], into: list) -> bool:
        """Whether each leg, after those before it, keeps every floor and ceiling."""
        for number, (debit, credit, amount) in enumerate(legs):
            into.append((debit, credit, amount))
            for name in (debit, credit):
                side, floor, ceiling = ACCOUNTS[name]
                d, c, held_d, held_c = self.sums(name)
                up, down, coming, going = (
                    (c, d, held_c, held_d) if side is Side.CREDIT else (d, c, held_d, held_c)
                )
                leaves = (name == debit) == (side is Side.CREDIT)
                wrong = up - down - going < floor if leaves else up - down + coming > ceiling
                if wrong:
                    del into[len(into) - number - 1 :]
                    return False
        return True

    def within(self, name: str, limit: Limit, amount: int, now: int, window: int) -> bool:
        recent = [one for one in self.used.get((name, limit.id), []) if one.at > now - window]
        return (
            sum(one.amount for one in recent) + amount <= limit.max_amount
            and sum(one.count for one in recent) < limit.max_count
        )


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="ledger-")
        self.database = open_database(Path(self.folder) / "book.db")
        migrate(self.database, [MIGRATION], Instant(START))
        self.store = LedgerStore(self.database)
        self.commit = GroupCommit(self.database)
        self.state = LedgerState()
        self.book = Book()
        self.now = START
        self.number = 0
        self.past: list[tuple[Posting, object]] = []
        for name, (side, floor, ceiling) in ACCOUNTS.items():
            self.state.open_account(
                Account(
                    id=name,
                    kind=AccountKind.CUSTOMER,
                    currency="KES",
                    side=side,
                    floor=floor,
                    ceiling=ceiling,
                )
            )
        self.run(PostingKind.POST, legs=(Leg(debit="bank", credit="ann", amount=700),))
        self.book.lines.append(("bank", "ann", 700))
        self.book.done[self.past[-1][0].id] = [["bank", "ann", 700]]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.database.close()
            shutil.rmtree(self.folder)

    def run(self, kind: PostingKind, **parts) -> Posted | Rejected:
        self.number += 1
        posting = Posting(id=f"p{self.number:04d}", kind=kind, **parts)
        self.store.prepare(self.state, (posting,))
        before = self.state.digest()
        (result,) = apply(self.state, (posting,), self.now)
        if isinstance(result, Rejected) and not posting.limits:
            assert self.state.digest() == before, "a rejection changes nothing"
        self.past.append((posting, result))
        return result

    def counted(self, limits, amount: int, result) -> tuple[bool, list[Use]]:
        """Whether limits may refuse (only they can tell, within a bucket), and the uses counted."""
        if isinstance(result, Rejected) and result.limit:
            limit = next(one for one, _ in limits if one.id == result.limit)
            wide = limit.window_ms + limit.window_ms // 24
            assert not self.book.within("ann", limit, amount, self.now, wide), "refused too much"
            return True, []
        exact = [
            self.book.within(name, one, amount, self.now, one.window_ms) for one, name in limits
        ]
        if isinstance(result, Posted):
            assert all(exact), "a limit was passed"
            uses = []
            for limit, name in limits:
                use = Use(self.now, amount, 1)
                self.book.used.setdefault((name, limit.id), []).append(use)
                uses.append(use)
            return False, uses
        return False, []

    def instruct(self, kind, payer, payee, amount, fee, limited, until=0):
        legs = [(payer, payee, amount)] + ([(payer, "fee", fee)] if fee else [])
        limits = tuple((limit, "ann") for limit in LIMITS) if limited else ()
        result = self.run(
            kind,
            legs=tuple(Leg(debit=d, credit=c, amount=a) for d, c, a in legs),
            limits=limits,
            expires_at=until,
        )
        malformed = any(debit == credit for debit, credit, _ in legs)
        if malformed:
            assert isinstance(result, Rejected)
            assert result.reason is Reason.MALFORMED
            return None
        by_limit, uses = self.counted(limits, amount, result)
        return None if by_limit else (legs, result, uses)

    @rule(payer=names, payee=names, amount=amounts, fee=st.integers(0, 5), limited=st.booleans())
    def post(self, payer, payee, amount, fee, limited) -> None:
        told = self.instruct(PostingKind.POST, payer, payee, amount, fee, limited)
        if told is not None:
            legs, result, _ = told
            assert isinstance(result, Posted) == self.book.fits(legs, self.book.lines)
            if isinstance(result, Posted):
                self.book.done[result.id] = [list(leg) for leg in legs]

    @rule(
        payer=names,
        payee=names,
        amount=amounts,
        fee=st.integers(0, 5),
        limited=st.booleans(),
        life=times,
    )
    def hold(self, payer, payee, amount, fee, limited, life) -> None:
        until = self.now + life
        told = self.instruct(PostingKind.HOLD, payer, payee, amount, fee, limited, until)
        if told is not None:
            legs, result, uses = told
            probe = Set([], until, uses)
            self.book.aside["probe"] = probe
            assert isinstance(result, Posted) == self.book.fits(legs, probe.legs)
            del self.book.aside["probe"]
            if isinstance(result, Posted):
                probe.legs = [list(leg) for leg in probe.legs]
                self.book.aside[result.id] = probe

    @precondition(lambda self: self.book.aside)
    @rule(data=st.data(), final=st.booleans(), part=st.booleans())
    def capture(self, data, final, part) -> None:
        name = data.draw(st.sampled_from(sorted(self.book.aside)))
        held = self.book.aside[name]
        asked = [leg[2] for leg in held.legs]
        legs: tuple[Leg, ...] = ()
        if part:
            asked = [data.draw(st.integers(1, 200)), *([0] * (len(asked) - 1))]
            legs = (Leg(debit=held.legs[0][0], credit=held.legs[0][1], amount=asked[0]),)
        result = self.run(PostingKind.CAPTURE, ref=name, legs=legs, final=final)
        possible = (
            self.now < held.until
            and sum(asked) > 0
            and all(wanted <= leg[2] for wanted, leg in zip(asked, held.legs, strict=True))
        )
        assert isinstance(result, Posted) == possible
        if not possible:
            return
        moved = []
        for wanted, leg in zip(asked, held.legs, strict=True):
            if wanted:
                self.book.lines.append((leg[0], leg[1], wanted))
                moved.append([leg[0], leg[1], wanted])
                leg[2] -= wanted
        self.book.done[result.id] = moved
        held.taken = True
        if final:
            self.release(name)
        elif not any(leg[2] for leg in held.legs):
            del self.book.aside[name]

    def release(self, name: str) -> None:
        held = self.book.aside.pop(name)
        for use in held.uses:
            use.amount -= held.legs[0][2]
            use.count -= 0 if held.taken else 1

    @precondition(lambda self: self.book.aside)
    @rule(data=st.data())
    def void(self, data) -> None:
        name = data.draw(st.sampled_from(sorted(self.book.aside)))
        assert isinstance(self.run(PostingKind.VOID, ref=name), Posted)
        self.release(name)

    @rule(data=st.data(), part=st.none() | st.integers(1, 200))
    def reverse(self, data, part) -> None:
        name = data.draw(st.sampled_from(sorted(self.book.done)))
        left = self.book.done[name]
        asked = [leg[2] for leg in left]
        legs: tuple[Leg, ...] = ()
        if part is not None:
            asked = [part, *([0] * (len(asked) - 1))]
            legs = (Leg(debit=left[0][1], credit=left[0][0], amount=part),)
        result = self.run(PostingKind.REVERSE, ref=name, legs=legs)
        pairs = list(zip(asked, left, strict=True))
        if not any(asked) or any(wanted > leg[2] for wanted, leg in pairs):
            assert isinstance(result, Rejected)
            assert result.reason is Reason.MORE_THAN_LEFT
            return
        back = [(leg[1], leg[0], wanted) for wanted, leg in reversed(pairs) if wanted]
        assert isinstance(result, Posted) == self.book.fits(back, self.book.lines)
        if isinstance(result, Posted):
            for wanted, leg in pairs:
                leg[2] -= wanted

    @rule(data=st.data(), other=st.booleans())
    def repeat(self, data, other) -> None:
        posting, first = data.draw(st.sampled_from(self.past))
        if posting.id not in self.state.recent:
            return  # older than the memory: the caller answers, and the file refuses
        before = self.state.digest()
        if other:
            leg = Leg(debit="cay", credit="fee", amount=1)
            posting = Posting(id=posting.id, kind=posting.kind, legs=(leg,), ref="x")
            first = Rejected(id=posting.id, reason=Reason.OTHER_BODY)
        assert apply(self.state, [posting], self.now) == [first]
        assert self.state.digest() == before

    @rule(step=times)
    def wait_without_looking_at_holds(self, step) -> None:
        self.now += step

    @rule(step=times)
    def wait(self, step) -> None:
        self.now += step
        due = expire_due(self.state, self.now)
        expected = [name for name, one in self.book.aside.items() if one.until <= self.now]
        assert {posting.ref for posting in due} == set(expected)
        self.store.prepare(self.state, due)
        assert all(isinstance(one, Posted) for one in apply(self.state, due, self.now))
        for name in expected:
            self.release(name)

    @rule(keep=st.sampled_from([0, 2, 100]))
    def save_and_forget(self, keep) -> None:
        self.save()
        self.state.trim(accounts=keep, recent=keep)

    @rule()
    def restart(self) -> None:
        self.save()
        self.store.load_accounts(self.state, ACCOUNTS)
        before = self.state.digest()
        self.store.restore(self.state)
        self.store.load_accounts(self.state, ACCOUNTS)
        assert self.state.digest() == before
        assert self.store.differing_accounts() == ()

    def save(self) -> None:
        changes = ChangeSet()
        save(self.state.take_changes(), changes)
        self.commit.run(changes)

    @invariant()
    def the_book_and_the_ledger_agree(self) -> None:
        if not hasattr(self, "book"):
            return
        self.store.load_accounts(self.state, ACCOUNTS)
        for name in ACCOUNTS:
            account = self.state.accounts[name]
            sums = (
                account.posted_debit,
                account.posted_credit,
                account.held_debit,
                account.held_credit,
            )
            assert sums == self.book.sums(name), name
            assert account.available() >= 0
            assert account.room() >= 0
        total = self.state.total()["KES"]
        assert total.posted_debit == total.posted_credit
        assert total.held_debit == total.held_credit


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.requirement("MFS-13.3-01")
@pytest.mark.requirement("MFS-13.3-03")
@pytest.mark.threat("THR-BE-02")
class TestLedger(LedgerMachine.TestCase):
    settings = settings(max_examples=150, stateful_step_count=50)
