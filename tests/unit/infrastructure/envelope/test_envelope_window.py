"""The replay window against a plain set of numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.infrastructure.envelope.window import WIDTH, ReplayWindow, check, mark
from tallystick.kernel.errors import Replayed


@given(st.lists(st.integers(-3, 300), max_size=200))
@pytest.mark.requirement("MFS-7.2.7-03")
def test_a_number_is_accepted_once_and_never_when_older_than_the_window(numbers: list[int]) -> None:
    window = ReplayWindow()
    used: set[int] = set()
    for number in numbers:
        newest = max(used, default=0)
        allowed = number > 0 and number not in used and number > newest - WIDTH
        if allowed:
            window.check(number)
            window.mark(number)
            used.add(number)
        else:
            before = (window.highest, window.bitmap)
            for action in (window.check, window.mark):
                with pytest.raises(Replayed):
                    action(number)
            assert (window.highest, window.bitmap) == before
    assert window.highest == max(used, default=0)
    expected = {window.highest - 1 - bit for bit in range(63) if window.bitmap >> bit & 1}
    assert expected == {number for number in used if window.highest - WIDTH < number} - {
        window.highest
    }


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**63 - 1), st.integers(1, 2**32 - 1))
def test_both_integers_fit_a_signed_column(highest: int, bitmap: int, number: int) -> None:
    try:
        after = mark(highest, bitmap, number)
    except Replayed:
        return
    assert 0 <= after[0] < 2**63
    assert 0 <= after[1] < 2**63


def test_requests_that_overtake_each_other_pass_and_a_jump_empties_the_window() -> None:
    highest, bitmap = 0, 0
    for number in (3, 1, 2, 64, 5):
        highest, bitmap = mark(highest, bitmap, number)
    for number in (1, 2, 3, 5, 64):
        with pytest.raises(Replayed):
            check(highest, bitmap, number)
    highest, bitmap = mark(highest, bitmap, 1_000_000)
    assert (highest, bitmap) == (1_000_000, 0)
    check(highest, bitmap, 999_937)
    with pytest.raises(Replayed):
        check(highest, bitmap, 999_936)
