"""Rolling limits against a plain list of what was used when."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.infrastructure.ledger.limits import BUCKETS, LimitAccount
from tallystick.infrastructure.ledger.model import Limit, Reason

START = 1_767_225_600_000
WINDOWS = st.sampled_from([24, 1_000, 24_000, 24_001, 86_400_000])
STEPS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([0, 0, 1, 3]), st.integers(1, 60)),
    min_size=1,
    max_size=60,
)


@pytest.mark.requirement("MFS-7.3.3-04")
@pytest.mark.requirement("MFS-13.3-03")
@settings(max_examples=400)
@given(window=WINDOWS, steps=STEPS, most=st.integers(1, 200), times=st.integers(1, 8))
def test_no_window_ever_passes_and_nothing_is_refused_a_bucket_too_long(
    window, steps, most, times
) -> None:
    limit = Limit(id="l", window_ms=window, max_amount=most, max_count=times, because="tier")
    used = LimitAccount("ann", "l", window)
    width = -(-window // BUCKETS)
    past: list[tuple[int, int]] = []
    now = START
    for halves, twist, amount in steps:
        now += halves * width // 2 + twist
        exact = [one for at, one in past if at > now - window]
        longest = [one for at, one in past if at > now - (BUCKETS + 1) * width]
        reason = used.refusal(limit, amount, now)
        if reason is None:
            assert sum(exact) + amount <= most
            assert len(exact) < times
            used.use(amount, now)
            past.append((now, amount))
        elif reason is Reason.LIMIT_AMOUNT:
            assert sum(longest) + amount > most
        else:
            assert reason is Reason.LIMIT_COUNT
            assert len(longest) >= times
        assert len(used.buckets) <= BUCKETS + 1
        assert used.amount == sum(bucket[1] for bucket in used.buckets)
        assert used.count == sum(bucket[2] for bucket in used.buckets)


@settings(max_examples=200)
@given(
    steps=st.lists(st.tuples(st.integers(-30, 60), st.integers(1, 60)), min_size=1, max_size=40),
    windows=st.lists(WINDOWS, min_size=1, max_size=3),
)
def test_a_clock_that_goes_back_and_a_changed_window_lose_nothing_that_is_recent(
    steps, windows
) -> None:
    used = LimitAccount("ann", "l", windows[0])
    now, highest, past = START, START, []
    for number, (halves, amount) in enumerate(steps):
        window = windows[min(number * len(windows) // len(steps), len(windows) - 1)]
        now += halves * used.width // 2
        highest = max(highest, now)
        limit = Limit(id="l", window_ms=window, max_amount=0, max_count=0, because="")
        assert used.refusal(limit, amount, now) is Reason.LIMIT_AMOUNT
        assert used.window_ms == window
        # what every window so far would still have counted at the latest time that was told
        shortest = min(windows)
        assert used.amount >= sum(one for at, one in past if at > highest - shortest)
        assert [bucket[0] for bucket in used.buckets] == sorted({one[0] for one in used.buckets})
        used.use(amount, now)
        past.append((now, amount))
    assert used.amount == sum(bucket[1] for bucket in used.buckets)
    assert used.amount <= sum(amount for _, amount in past)


@given(
    uses=st.lists(st.tuples(st.integers(0, 2_000), st.integers(1, 50)), min_size=1, max_size=30),
    data=st.data(),
)
def test_what_is_given_back_is_as_if_it_had_never_been_used(uses, data) -> None:
    used = LimitAccount("ann", "l", 24_000)
    now, all_ = START, []
    for step, amount in uses:
        now += step
        used.use(amount, now)
        all_.append((now, amount))
    back = set(data.draw(st.lists(st.integers(0, len(all_) - 1), unique=True)))
    for number in sorted(back):
        used.give_back(all_[number][1], 1, all_[number][0])
    fresh = LimitAccount("ann", "l", 24_000)
    for number, (at, amount) in enumerate(all_):
        if number not in back:
            fresh.use(amount, at)
    assert used.buckets == fresh.buckets
    assert (used.amount, used.count) == (fresh.amount, fresh.count)
