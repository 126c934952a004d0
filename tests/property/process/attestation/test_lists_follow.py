"""What a list that comes over a network may do, whatever it says and in however many steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernel.errors import Conflict
from tallystick.kernel.time import DAY_MS
from tallystick.process.attestation.lists import SPARED, VendorList, followed

serials = st.dictionaries(
    st.integers(0, 60).map(lambda one: f"{one:x}"), st.just("revoked: UNSPECIFIED"), max_size=60
)


def row(said: dict[str, str], at: int = 1, **more: int) -> VendorList:
    digest = " ".join(sorted(said)) + str(more)
    return VendorList(
        name="android-revoked", source="s", digest=digest, at=at, imported_at=at,
        members=len(said), **more,
    )  # fmt: skip


@pytest.mark.requirement("MFS-7.2.6-02")
@given(was=serials, said=serials)
def test_much_of_a_list_is_never_gone_and_all_of_it_neither(
    was: dict[str, str], said: dict[str, str]
) -> None:
    gone = len(was.keys() - said.keys())
    try:
        found = followed(row(was), row(said, at=2), was, said)
    except Conflict:
        assert gone > max(SPARED, len(was) // 10) or not said
    else:
        assert gone <= max(SPARED, len(was) // 10)
        assert said or not was
        assert found.digest == row(said).digest


@given(steps=st.lists(serials, min_size=1, max_size=12), first=serials)
def test_small_steps_within_a_day_do_together_no_more_than_one(
    steps: list[dict[str, str]], first: dict[str, str]
) -> None:
    before, was, gone = row(first, at=1), first, 0
    most = max([SPARED, *(len(one) // 10 for one in (first, *steps))])
    for at, said in enumerate(steps, 2):
        try:
            after = followed(before, row(said, at=at), was, said)
        except Conflict:
            continue
        gone += len(was.keys() - said.keys())
        before, was = after, said
    assert gone <= most


@given(numbers=st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_a_number_only_rises(numbers: list[int]) -> None:
    before = row({}, number=numbers[0])
    for at, number in enumerate(numbers[1:], 2):
        said = {"ab": f"{at}"}
        try:
            after = followed(before, row(said, at=at, number=number), {}, said)
        except Conflict:
            assert number <= before.number
            continue
        if after.digest != before.digest:
            assert number > before.number
        before = after


@given(dates=st.lists(st.integers(0, 9), min_size=2, max_size=8))
def test_a_date_does_not_go_back_where_both_have_one(dates: list[int]) -> None:
    before = row({"x": "1"}, issued_at=dates[0])
    for at, date in enumerate(dates[1:], 2):
        said = {"x": "1", f"{at}": "2"}
        try:
            before = followed(before, row(said, at=at, issued_at=date), {}, said)
        except Conflict:
            assert 0 < date < before.issued_at


def test_the_next_day_as_much_may_go_again() -> None:
    long = {f"{one}": "r" for one in range(40)}
    shorter = dict(list(long.items())[:34])
    again = dict(list(long.items())[:28])
    first = followed(row(long), row(shorter, at=10), long, shorter)
    assert first.gone == 6
    with pytest.raises(Conflict, match="12 entries"):
        followed(first, row(again, at=20), shorter, again)
    later = followed(first, row(again, at=10 + DAY_MS), shorter, again)
    assert later.gone == 6
