"""Identifiers: their shape, their order in time, and that no kind passes for another."""

import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernel import ids
from tallystick.kernel.codec import from_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.ids import PREFIXES, check_id, id_time, random_id, timed_id

moments = st.integers(0, 2**48 - 1)
prefixes = st.sampled_from(sorted(PREFIXES.values()))
TEXTS = sorted(name for name in vars(ids) if name.endswith("IdText"))
ORDER = timed_id("ord", 1_767_225_600_000, bytes(10))


@given(prefixes, moments, st.binary(min_size=10, max_size=10))
def test_a_timed_id_says_its_time_and_kind(prefix: str, moment: int, entropy: bytes) -> None:
    made = timed_id(prefix, moment, entropy)
    assert check_id(made, prefix) == made
    assert id_time(made) == moment
    assert len(made) == 30


@given(moments, moments, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_timed_ids_sort_as_their_times(one: int, other: int, first: bytes, second: bytes) -> None:
    if one != other:
        made, later = timed_id("ord", one, first), timed_id("ord", other, second)
        assert (made < later) is (one < other)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_random_ids_are_equal_only_for_equal_entropy(first: bytes, second: bytes) -> None:
    assert (random_id("ses", first) == random_id("ses", second)) is (first == second)


def test_an_id_has_one_known_spelling() -> None:
    assert random_id("ses", bytes(16)) == "ses_" + "0" * 26
    assert random_id("ses", b"\xff" * 16) == "ses_7" + "z" * 25
    assert random_id("ses", (33).to_bytes(16, "big")) == "ses_" + "0" * 24 + "11"


@pytest.mark.parametrize("size", [0, 9, 11, 16])
def test_a_timed_id_takes_ten_bytes(size: int) -> None:
    with pytest.raises(Malformed):
        timed_id("ord", 0, bytes(size))


@pytest.mark.parametrize("size", [0, 10, 15, 17])
def test_a_random_id_takes_sixteen_bytes(size: int) -> None:
    with pytest.raises(Malformed):
        random_id("ses", bytes(size))


BAD = [
    "",
    "ord",
    "ord_",
    ORDER[4:],
    ORDER[:-1],
    ORDER + "0",
    ORDER + "\n",
    ORDER.upper(),
    ORDER.replace("ord_", "ord-"),
    ORDER[:-1] + "u",
    ORDER[:-1] + "l",
    ORDER[:-1] + "\u0661",
    "acc" + ORDER[3:],
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_an_order_id_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        check_id(text, "ord")
    with pytest.raises(Malformed):
        from_plain(text, typing.cast("Any", ids.OrderIdText))


@pytest.mark.parametrize("text", ["", "ord_", ORDER[:-1], ORDER + "0", "ord-" + ORDER[4:]])
def test_the_time_of_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        id_time(text)


@pytest.mark.parametrize("name", TEXTS)
def test_a_field_takes_its_own_kind_of_id_only(name: str) -> None:
    own = PREFIXES[name.removesuffix("Text")]
    for prefix in PREFIXES.values():
        text = random_id(prefix, bytes(16))
        if prefix == own:
            assert from_plain(text, getattr(ids, name)) == text
        else:
            with pytest.raises(Malformed):
                from_plain(text, getattr(ids, name))


def test_prefixes_are_distinct_and_name_real_types() -> None:
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert {len(prefix) for prefix in PREFIXES.values()} == {3}
    declared = {name for name in vars(ids) if name.endswith("Id") and name != "NewType"}
    assert declared == set(PREFIXES)
