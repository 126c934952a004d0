"""Postings by example: what each does, and each reason for which it is refused."""

import pytest

from tallystick.infrastructure.ledger.apply import apply, expire_due
from tallystick.infrastructure.ledger.model import (
    MAX_LEGS,
    Account,
    AccountKind,
    AccountStatus,
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
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    InsufficientFunds,
    LimitExceeded,
    Malformed,
    NotFound,
)

NOW = 1_767_225_600_000
DAY = 86_400_000
DAILY = Limit(id="daily", window_ms=DAY, max_amount=500, max_count=3, because="tier 1")
OFTEN = Limit(id="often", window_ms=3_600_000, max_amount=10**6, max_count=2, because="new device")


def account(name: str, **parts) -> Account:
    settings = {"kind": AccountKind.CUSTOMER, "currency": "KES", "side": Side.CREDIT, **parts}
    return Account(id=name, **settings)


@pytest.fixture
def state() -> LedgerState:
    made = LedgerState()
    made.open_account(account("bank", kind=AccountKind.SAFEGUARDING, side=Side.DEBIT))
    for name in ("ann", "bob", "fee"):
        made.open_account(account(name))
    made.open_account(account("capped", ceiling=100))
    made.open_account(account("dollars", currency="USD"))
    apply(made, [post("opening", ("bank", "ann", 1_000))], NOW)
    return made


def legs_of(*legs: tuple[str, str, int]) -> tuple[Leg, ...]:
    return tuple(Leg(debit=debit, credit=credit, amount=amount) for debit, credit, amount in legs)


def post(name: str, *legs: tuple[str, str, int], **parts) -> Posting:
    return Posting(id=name, kind=PostingKind.POST, legs=legs_of(*legs), **parts)


def hold(name: str, *legs: tuple[str, str, int], **parts) -> Posting:
    parts = {"expires_at": NOW + DAY, **parts}
    return Posting(id=name, kind=PostingKind.HOLD, legs=legs_of(*legs), **parts)


def act(kind: PostingKind, name: str, ref: str, *legs: tuple[str, str, int], **parts) -> Posting:
    return Posting(id=name, kind=kind, ref=ref, legs=legs_of(*legs), **parts)


def one(state: LedgerState, posting: Posting, now: int = NOW) -> Posted | Rejected:
    (result,) = apply(state, [posting], now)
    return result


def refused(state: LedgerState, posting: Posting, now: int = NOW) -> Reason:
    before = state.digest()
    result = one(state, posting, now)
    assert isinstance(result, Rejected)
    assert state.digest() == before
    return result.reason


def balances(state: LedgerState, *names: str) -> list[int]:
    return [state.accounts[name].balance() for name in names]


def test_a_post_moves_money_with_its_fee(state: LedgerState) -> None:
    state.take_changes()
    posting = post("p", ("ann", "bob", 100), ("ann", "fee", 2), event_index=7)
    assert one(state, posting) == Posted(id="p", kind=PostingKind.POST, seq=2, at=NOW)
    assert balances(state, "bank", "ann", "bob", "fee") == [1_000, 898, 100, 2]
    changes = state.take_changes()
    assert {changed.id for changed in changes.accounts} == {"ann", "bob", "fee"}
    assert [(line.seq, line.leg, line.amount, line.event_index) for line in changes.transfers] == [
        (2, 0, 100, 7),
        (3, 1, 2, 7),
    ]
    assert state.take_changes().transfers == ()


def test_a_fee_that_the_balance_does_not_cover_stops_the_payment_too(state: LedgerState) -> None:
    assert refused(state, post("p", ("ann", "bob", 1_000), ("ann", "fee", 1))) is Reason.FUNDS
    assert one(state, post("q", ("ann", "bob", 999), ("ann", "fee", 1))).kind is PostingKind.POST


@pytest.mark.parametrize(
    ("posting", "reason", "error"),
    [
        (post("p", ("ann", "bob", 1_001)), Reason.FUNDS, InsufficientFunds),
        (post("p", ("ann", "bank", 1_001)), Reason.FUNDS, InsufficientFunds),
        (post("p", ("bob", "bank", 1)), Reason.FUNDS, InsufficientFunds),
        (post("p", ("ann", "capped", 101)), Reason.CEILING, LimitExceeded),
        (post("p", ("ann", "nobody", 1)), Reason.NO_ACCOUNT, NotFound),
        (post("p", ("nobody", "ann", 1)), Reason.NO_ACCOUNT, NotFound),
        (post("p", ("ann", "dollars", 1)), Reason.CURRENCY, Malformed),
        (post("p"), Reason.MALFORMED, Malformed),
        (post("p", ("ann", "ann", 1)), Reason.MALFORMED, Malformed),
        (post("p", ("ann", "bob", 0)), Reason.MALFORMED, Malformed),
        (post("p", ("ann", "bob", -5)), Reason.MALFORMED, Malformed),
        (post("p", ("ann", "bob", 2**53)), Reason.MALFORMED, Malformed),
        (post("p", *[("ann", "bob", 1)] * (MAX_LEGS + 1)), Reason.MALFORMED, Malformed),
        (hold("p", ("ann", "bob", 1_001)), Reason.FUNDS, InsufficientFunds),
        (hold("p", ("ann", "bob", 1_000), ("ann", "fee", 1)), Reason.FUNDS, InsufficientFunds),
        (hold("p", ("ann", "capped", 101)), Reason.CEILING, LimitExceeded),
        (hold("p", ("ann", "nobody", 1)), Reason.NO_ACCOUNT, NotFound),
        (hold("p", ("ann", "bob", 1), expires_at=NOW), Reason.MALFORMED, Malformed),
        (hold("p"), Reason.MALFORMED, Malformed),
        (act(PostingKind.CAPTURE, "p", "none"), Reason.NO_HOLD, NotFound),
        (act(PostingKind.VOID, "p", "none"), Reason.NO_HOLD, NotFound),
        (act(PostingKind.EXPIRE, "p", "none"), Reason.NO_HOLD, NotFound),
        (act(PostingKind.REVERSE, "p", "none"), Reason.NO_ORIGINAL, NotFound),
        (
            post("p", ("ann", "bob", 1), limits=((DAILY, "nobody"),)),
            Reason.NO_ACCOUNT,
            NotFound,
        ),
    ],
)
def test_what_is_refused_changes_nothing_and_says_why(state, posting, reason, error) -> None:
    before = state.digest()
    result = one(state, posting)
    assert isinstance(result, Rejected)
    assert result.reason is reason
    assert type(result.error()) is error
    assert state.digest() == before


def test_every_reason_has_an_error_with_a_text() -> None:
    for reason in Reason:
        assert Rejected(id="p", reason=reason).error().detail


def test_legs_are_checked_in_order_and_undone_together(state: LedgerState) -> None:
    through = post("p", ("ann", "bob", 300), ("bob", "fee", 300), ("fee", "capped", 101))
    assert refused(state, through) is Reason.CEILING
    assert balances(state, "ann", "bob", "fee", "capped") == [1_000, 0, 0, 0]
    assert isinstance(one(state, post("q", ("ann", "bob", 300), ("bob", "fee", 300))), Posted)
    held = hold("h", ("ann", "bob", 300), ("ann", "capped", 101))
    assert refused(state, held) is Reason.CEILING
    assert state.accounts["ann"].held_debit == 0


@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.threat("THR-BE-02")
def test_a_thousand_repetitions_never_post_twice(state: LedgerState) -> None:
    posting = post("p", ("ann", "bob", 1), body_hash=b"body")
    first = one(state, posting)
    digest = state.digest()
    assert apply(state, [posting] * 1_000, NOW + 1) == [first] * 1_000
    assert state.digest() == digest
    assert balances(state, "bob") == [1]


def test_another_body_under_a_known_id_is_a_conflict(state: LedgerState) -> None:
    one(state, post("p", ("ann", "bob", 1), body_hash=b"body"))
    assert refused(state, post("p", ("ann", "bob", 1), body_hash=b"other")) is Reason.OTHER_BODY
    assert refused(state, hold("p", ("ann", "bob", 1), body_hash=b"body")) is Reason.OTHER_BODY
    one(state, post("q", ("ann", "bob", 1)))
    assert refused(state, post("q", ("ann", "bob", 2))) is Reason.OTHER_BODY
    result = one(state, post("q", ("ann", "bob", 2)))
    assert isinstance(result, Rejected)
    assert isinstance(result.error(), Conflict)


def test_a_refusal_is_repeated_too(state: LedgerState) -> None:
    posting = post("p", ("bob", "ann", 5))
    first = one(state, posting)
    one(state, post("q", ("ann", "bob", 100)))
    assert one(state, posting) == first


@pytest.mark.requirement("MFS-7.3.3-04")
@pytest.mark.threat("THR-BE-02")
def test_a_limit_refuses_by_name_and_counts_with_the_money_only(state: LedgerState) -> None:
    def pay(name: str, amount: int, now: int = NOW) -> Posted | Rejected:
        limits = ((DAILY, "ann"), (OFTEN, "ann"))
        return one(state, post(name, ("ann", "bob", amount), limits=limits), now)

    assert isinstance(pay("a", 400), Posted)
    assert pay("b", 101) == Rejected(
        id="b", reason=Reason.LIMIT_AMOUNT, limit="daily", because="tier 1"
    )
    assert pay("b", 101).error().because == "daily: tier 1"
    assert isinstance(pay("c", 50), Posted)
    assert pay("d", 1) == Rejected(
        id="d", reason=Reason.LIMIT_COUNT, limit="often", because="new device"
    )
    assert state.limits["ann", "daily"].amount == 450, "the refusal of one is undone in the other"
    assert isinstance(pay("e", 50, NOW + 2 * 3_600_000), Posted)
    assert pay("f", 1, NOW + DAY).limit == "daily"
    assert isinstance(pay("g", 50, NOW + DAY + DAY // 24), Posted)


def test_a_payment_without_funds_uses_no_limit(state: LedgerState) -> None:
    limit = Limit(id="l", window_ms=DAY, max_amount=10_000, max_count=1, because="")
    poor = post("p", ("bob", "ann", 5), limits=((limit, "bob"),))
    assert refused(state, poor) is Reason.FUNDS
    short = hold("h", ("bob", "ann", 5), limits=((limit, "bob"),))
    assert refused(state, short) is Reason.FUNDS
    one(state, post("q", ("ann", "bob", 10)))
    rich = post("r", ("bob", "ann", 5), limits=((limit, "bob"),))
    assert isinstance(one(state, rich), Posted)


def test_one_limit_named_twice_counts_twice(state: LedgerState) -> None:
    twice = post("p", ("ann", "bob", 300), limits=((DAILY, "ann"), (DAILY, "ann")))
    assert refused(state, twice) is Reason.LIMIT_AMOUNT


def test_a_hold_counts_when_it_is_placed_and_not_again(state: LedgerState) -> None:
    assert isinstance(one(state, hold("h", ("ann", "bob", 900))), Posted)
    ann, bob = state.accounts["ann"], state.accounts["bob"]
    assert (ann.balance(), ann.available(), bob.balance()) == (1_000, 100, 0)
    assert refused(state, post("p", ("ann", "bob", 101))) is Reason.FUNDS
    assert isinstance(one(state, post("q", ("ann", "fee", 100))), Posted)
    assert isinstance(one(state, act(PostingKind.CAPTURE, "c", "h")), Posted)
    assert (ann.balance(), ann.available(), bob.balance()) == (0, 0, 900)
    assert state.total()["KES"].held_debit == 0


def test_what_a_hold_will_bring_counts_against_the_ceiling(state: LedgerState) -> None:
    assert isinstance(one(state, hold("h", ("ann", "capped", 60))), Posted)
    assert state.accounts["capped"].room() == 40
    assert refused(state, post("p", ("ann", "capped", 41))) is Reason.CEILING
    assert isinstance(one(state, post("q", ("ann", "capped", 40))), Posted)
    assert isinstance(one(state, act(PostingKind.CAPTURE, "c", "h")), Posted)
    assert state.accounts["capped"].room() == 0


def test_holds_count_on_accounts_that_grow_on_the_debit_side_too(state: LedgerState) -> None:
    bank = state.accounts["bank"]
    assert isinstance(one(state, hold("out", ("ann", "bank", 700))), Posted)
    assert (bank.balance(), bank.available()) == (1_000, 300)
    state.open_account(account("shelf", side=Side.DEBIT))
    assert refused(state, post("p", ("shelf", "bank", 301))) is Reason.FUNDS
    assert isinstance(one(state, post("q", ("shelf", "bank", 300))), Posted)
    state.set_bounds("bank", floor=0, ceiling=1_000)
    assert isinstance(one(state, hold("in", ("bank", "bob", 200))), Posted)
    assert (bank.balance(), bank.room()) == (700, 100)
    assert refused(state, post("r", ("bank", "bob", 101))) is Reason.CEILING
    assert isinstance(one(state, post("s", ("bank", "bob", 100))), Posted)


def test_a_longer_window_counts_what_is_known_at_the_end_of_its_bucket(state: LedgerState) -> None:
    one(state, post("p", ("ann", "bob", 300), limits=((OFTEN, "ann"),)))
    longer = Limit(id="often", window_ms=2 * 3_600_000, max_amount=300, max_count=9, because="")
    at = NOW + 2 * 3_600_000 + longer.window_ms // 24
    more = post("q", ("ann", "bob", 1), limits=((longer, "ann"),))
    result = one(state, more, at - 1)
    assert isinstance(result, Rejected)
    assert result.reason is Reason.LIMIT_AMOUNT
    again = post("r", ("ann", "bob", 1), limits=((longer, "ann"),))
    assert isinstance(one(state, again, at), Posted)


def test_a_final_capture_gives_the_rest_back_and_an_open_one_keeps_it(state: LedgerState) -> None:
    one(state, hold("h", ("ann", "bob", 100), ("ann", "fee", 10)))
    part = act(PostingKind.CAPTURE, "c1", "h", ("ann", "bob", 30), final=False)
    assert isinstance(one(state, part), Posted)
    assert state.accounts["ann"].held_debit == 80
    last = act(PostingKind.CAPTURE, "c2", "h", ("ann", "bob", 20), ("ann", "fee", 5))
    state.take_changes()
    assert isinstance(one(state, last), Posted)
    assert state.accounts["ann"].held_debit == 0
    assert balances(state, "ann", "bob", "fee") == [945, 50, 5]
    assert [(line.kind.value, line.amount) for line in state.take_changes().transfers] == [
        ("capture", 20),
        ("capture", 5),
        ("void", 50),
        ("void", 5),
    ]


@pytest.mark.parametrize(
    ("posting", "reason"),
    [
        (act(PostingKind.CAPTURE, "c", "h", ("ann", "bob", 101)), Reason.MORE_THAN_LEFT),
        (act(PostingKind.CAPTURE, "c", "h", ("ann", "fee", 1)), Reason.MALFORMED),
        (act(PostingKind.CAPTURE, "c", "h", ("ann", "bob", 0)), Reason.MALFORMED),
        (act(PostingKind.CAPTURE, "c", "h", ("ann", "bob", -1)), Reason.MALFORMED),
        (
            act(PostingKind.CAPTURE, "c", "h", ("ann", "bob", 1), ("ann", "bob", 1)),
            Reason.MALFORMED,
        ),
        (act(PostingKind.VOID, "c", "h", ("ann", "bob", 1)), Reason.MALFORMED),
        (act(PostingKind.EXPIRE, "c", "h"), Reason.MALFORMED),
    ],
)
def test_a_hold_is_acted_on_in_its_own_form_only(state, posting, reason) -> None:
    one(state, hold("h", ("ann", "bob", 100)))
    assert refused(state, posting) is reason


@pytest.mark.parametrize("end", [PostingKind.CAPTURE, PostingKind.VOID])
def test_a_hold_ends_once(state: LedgerState, end: PostingKind) -> None:
    one(state, hold("h", ("ann", "bob", 100)))
    assert isinstance(one(state, act(end, "first", "h")), Posted)
    for kind in (PostingKind.CAPTURE, PostingKind.VOID, PostingKind.EXPIRE):
        assert refused(state, act(kind, kind, "h"), NOW + 2 * DAY) is Reason.HOLD_DONE
    assert isinstance(Rejected(id="x", reason=Reason.HOLD_DONE).error(), Conflict)


def test_a_hold_past_its_time_is_given_back_not_captured(state: LedgerState) -> None:
    one(state, hold("late", ("ann", "bob", 100), expires_at=NOW + 20))
    one(state, hold("soon", ("ann", "bob", 100), expires_at=NOW + 10))
    one(state, hold("done", ("ann", "bob", 100), expires_at=NOW + 5))
    one(state, act(PostingKind.VOID, "v", "done"))
    one(state, hold("ended", ("ann", "bob", 100), expires_at=NOW + 15))
    one(state, act(PostingKind.VOID, "w", "ended"))
    assert expire_due(state, NOW + 9) == []
    assert [posting.ref for posting in expire_due(state, NOW + 20)] == ["soon", "late"]
    assert refused(state, act(PostingKind.CAPTURE, "c", "soon"), NOW + 10) is Reason.HOLD_EXPIRED
    assert isinstance(Rejected(id="x", reason=Reason.HOLD_EXPIRED).error(), Expired)
    due = expire_due(state, NOW + 10)
    assert due == expire_due(state, NOW + 10), "asking changes nothing"
    assert [posting.id for posting in due] == ["soon/expire"]
    apply(state, due, NOW + 10)
    assert state.accounts["ann"].held_debit == 100
    assert expire_due(state, NOW + 10) == []


def test_a_hold_that_is_given_back_gives_its_limit_back(state: LedgerState) -> None:
    limits = ((DAILY, "ann"),)
    one(state, hold("h", ("ann", "bob", 500), limits=limits))
    assert refused(state, hold("i", ("ann", "bob", 1), limits=limits)) is Reason.LIMIT_AMOUNT
    one(state, act(PostingKind.VOID, "v", "h"))
    assert isinstance(one(state, hold("j", ("ann", "bob", 500), limits=limits)), Posted)
    one(state, act(PostingKind.CAPTURE, "c", "j", ("ann", "bob", 200)))
    used = state.limits["ann", "daily"]
    assert (used.amount, used.count) == (200, 1)


def test_a_limit_whose_window_changed_since_gets_nothing_back(state: LedgerState) -> None:
    one(state, hold("h", ("ann", "bob", 100), limits=((DAILY, "ann"),)))
    other = Limit(id="daily", window_ms=2 * DAY, max_amount=500, max_count=9, because="")
    one(state, post("p", ("ann", "bob", 50), limits=((other, "ann"),)))
    one(state, act(PostingKind.VOID, "v", "h"))
    used = state.limits["ann", "daily"]
    assert (used.amount, used.count) == (150, 2)


def test_a_reversal_unwinds_the_last_leg_first_and_once(state: LedgerState) -> None:
    one(state, post("p", ("ann", "bob", 100), ("bob", "fee", 2)))
    assert isinstance(one(state, act(PostingKind.REVERSE, "r", "p")), Posted)
    assert balances(state, "ann", "bob", "fee") == [1_000, 0, 0]
    assert refused(state, act(PostingKind.REVERSE, "s", "p")) is Reason.MORE_THAN_LEFT


def test_parts_that_go_back_never_add_up_to_more_than_the_original(state: LedgerState) -> None:
    one(state, post("p", ("ann", "bob", 100), ("ann", "fee", 2)))
    for number, amount in enumerate((60, 40)):
        part = act(PostingKind.REVERSE, f"r{number}", "p", ("bob", "ann", amount))
        assert isinstance(one(state, part), Posted)
        more = act(PostingKind.REVERSE, f"x{number}", "p", ("bob", "ann", 41 - number * 40))
        assert refused(state, more) is Reason.MORE_THAN_LEFT
    assert balances(state, "ann", "bob", "fee") == [998, 0, 2]
    assert isinstance(one(state, act(PostingKind.REVERSE, "fee", "p")), Posted)
    assert balances(state, "ann", "bob", "fee") == [1_000, 0, 0]


def test_what_was_captured_goes_back_like_a_post(state: LedgerState) -> None:
    one(state, hold("h", ("ann", "bob", 100)))
    one(state, act(PostingKind.CAPTURE, "c", "h", ("ann", "bob", 70)))
    assert refused(state, act(PostingKind.REVERSE, "r", "h")) is Reason.NO_ORIGINAL
    assert isinstance(one(state, act(PostingKind.REVERSE, "s", "c")), Posted)
    assert balances(state, "ann", "bob") == [1_000, 0]


def test_a_reversal_needs_money_and_has_a_form(state: LedgerState) -> None:
    one(state, post("p", ("ann", "bob", 100)))
    one(state, post("q", ("bob", "fee", 50)))
    assert refused(state, act(PostingKind.REVERSE, "r", "p")) is Reason.FUNDS
    assert isinstance(one(state, act(PostingKind.REVERSE, "s", "p", ("bob", "ann", 50))), Posted)
    wrong = act(PostingKind.REVERSE, "t", "p", ("fee", "ann", 50))
    assert refused(state, wrong) is Reason.MALFORMED
    two = act(PostingKind.REVERSE, "u", "p", ("bob", "ann", 1), ("bob", "ann", 1))
    assert refused(state, two) is Reason.MALFORMED
    assert refused(state, act(PostingKind.REVERSE, "v", "s")) is Reason.NO_ORIGINAL


def test_limits_count_what_goes_back_if_asked_to(state: LedgerState) -> None:
    one(state, post("p", ("ann", "bob", 100)))
    once = Limit(id="refunds", window_ms=DAY, max_amount=60, max_count=9, because="merchant")
    whole = act(PostingKind.REVERSE, "r", "p", limits=((once, "bob"),))
    assert refused(state, whole) is Reason.LIMIT_AMOUNT
    part = act(PostingKind.REVERSE, "s", "p", ("bob", "ann", 60), limits=((once, "bob"),))
    assert isinstance(one(state, part), Posted)
    one(state, post("empty", ("bob", "fee", 40)))
    generous = Limit(id="wide", window_ms=DAY, max_amount=60, max_count=9, because="")
    poor = act(PostingKind.REVERSE, "t", "p", limits=((generous, "bob"),))
    assert refused(state, poor) is Reason.FUNDS
    assert state.limits["bob", "wide"].amount == 0


@pytest.mark.parametrize(
    ("status", "reason"),
    [(AccountStatus.SUSPENDED, Reason.SUSPENDED), (AccountStatus.CLOSED, Reason.CLOSED)],
)
def test_no_money_moves_to_or_from_an_account_that_is_not_open(state, status, reason) -> None:
    state.set_status("bob", status, NOW)
    assert refused(state, post("p", ("ann", "bob", 1))) is reason
    assert refused(state, hold("h", ("ann", "bob", 1))) is reason
    state.accounts["bob"].status = AccountStatus.OPEN
    one(state, post("q", ("ann", "bob", 10)))
    state.accounts["bob"].status = status
    assert refused(state, post("r", ("bob", "ann", 1))) is reason


def test_a_hold_on_a_suspended_account_is_given_back_but_not_captured(state: LedgerState) -> None:
    one(state, hold("h", ("ann", "bob", 100)))
    state.set_status("ann", AccountStatus.SUSPENDED, NOW)
    assert refused(state, act(PostingKind.CAPTURE, "c", "h")) is Reason.SUSPENDED
    assert isinstance(one(state, act(PostingKind.VOID, "v", "h")), Posted)


def test_accounts_that_are_not_in_memory_stop_a_capture_and_a_void(state: LedgerState) -> None:
    one(state, hold("h", ("ann", "bob", 100)))
    state.take_changes()
    bob = state.accounts.pop("bob")
    assert isinstance(one(state, act(PostingKind.CAPTURE, "c", "h")), Rejected)
    assert isinstance(one(state, act(PostingKind.VOID, "v", "h")), Rejected)
    state.accounts["bob"] = bob
    assert isinstance(one(state, act(PostingKind.VOID, "w", "h")), Posted)


def test_a_credit_line_is_a_floor_below_zero_and_may_change(state: LedgerState) -> None:
    state.set_bounds("bob", floor=-50, ceiling=10**9)
    assert refused(state, post("p", ("bob", "ann", 51))) is Reason.FUNDS
    assert isinstance(one(state, post("q", ("bob", "ann", 50))), Posted)
    state.set_bounds("bob", floor=0, ceiling=10**9)
    assert refused(state, post("r", ("bob", "ann", 1))) is Reason.FUNDS
    assert isinstance(one(state, post("s", ("ann", "bob", 10))), Posted)


def test_the_same_postings_give_the_same_digest() -> None:
    def play() -> bytes:
        state = LedgerState()
        for name in ("a", "b", "c"):
            state.open_account(account(name, floor=-1_000))
        for number in range(300):
            payer, payee = "abc"[number % 3], "abc"[(number * 7 + 1) % 3]
            legs = (payer, payee, number % 17 + 1)
            kind = hold if number % 5 == 0 else post
            limits = ((DAILY, payer),) if number % 2 else ()
            one(state, kind(f"p{number}", legs, limits=limits), NOW + number * 60_000)
            if number % 10 == 0:
                one(state, act(PostingKind.CAPTURE, f"c{number}", f"p{number}"), NOW + number)
        return state.digest()

    assert play() == play()


def test_the_digest_sees_every_part_of_the_state(state: LedgerState) -> None:
    one(state, hold("h", ("ann", "bob", 100), limits=((DAILY, "ann"),)))
    seen = {state.digest()}
    state.accounts["ann"].floor = -1
    seen.add(state.digest())
    state.limits["ann", "daily"].buckets[0][1] += 1
    seen.add(state.digest())
    state.holds["h"].remaining[0] -= 1
    seen.add(state.digest())
    state.next_seq += 1
    seen.add(state.digest())
    assert len(seen) == 5
