"""What surrogates look like: never a number of a card, a telephone or an IBAN, and back again."""

import hashlib
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.application.surrogates import forms
from tallystick.application.surrogates.forms import Kind
from tallystick.kernel.errors import Malformed

pytestmark = pytest.mark.requirement("MFS-7.3.4-07")

DIGITS = "0123456789"
LETTERED = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PANS = st.text(DIGITS, min_size=12, max_size=18).map(lambda one: one + forms.luhn_digit(one))
PHONES = st.from_regex(r"\A\+[1-9][0-9]{6,13}\Z")
ACCOUNTS = st.text(LETTERED, min_size=6, max_size=34)
VALUES = {Kind.PAN: PANS, Kind.PHONE: PHONES, Kind.ACCOUNT: ACCOUNTS}


def source(seed: int) -> Callable[[int], bytes]:
    """Bytes that look random and are the same each time."""
    turn = 0

    def draw(length: int) -> bytes:
        nonlocal turn
        turn += 1
        return hashlib.shake_128(f"{seed}/{turn}".encode()).digest(length)

    return draw


def test_luhn_and_iban_are_those_that_are_published() -> None:
    assert all(map(forms.passes_luhn, ("4111111111111111", "5555555555554444", "378282246310005")))
    assert not forms.passes_luhn("4111111111111112")
    assert all(map(forms.is_iban, ("GB82WEST12345698765432", "DE89370400440532013000")))
    assert not forms.is_iban("GB83WEST12345698765432")


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(Kind),
    seed=st.integers(0, 10**6),
    keeps=st.sampled_from((0, 4)),
    drawn=st.data(),
)
def test_a_drawn_surrogate_is_like_its_value_and_is_none(kind, seed, keeps, drawn) -> None:
    value = drawn.draw(VALUES[kind])
    forms.check_value(kind, value)
    found = forms.drawn(kind, value, keeps if kind is Kind.PAN else 0, source(seed))
    assert len(found) == len(value)
    assert found != value
    forms.check_surrogate(kind, found)
    if kind is Kind.PAN:
        assert not forms.passes_luhn(found)
        assert not keeps or found[-4:] == value[-4:]
    if kind is Kind.PHONE:
        assert found.startswith("+0")
    if kind is Kind.ACCOUNT:
        assert not forms.is_iban(found)
    else:
        with pytest.raises(Malformed):
            forms.check_value(kind, found)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(Kind), drawn=st.data())
def test_what_is_enciphered_leads_back_and_its_surrogate_is_no_value(kind, drawn) -> None:
    value = drawn.draw(VALUES[kind])
    inner = forms.inner_of_value(kind, value)
    assert re.fullmatch(r"[0-9a-z]{6,}", inner)
    assert forms.value_of_inner(kind, inner) == value
    surrogate = forms.surrogate_of_inner(kind, inner)
    assert forms.inner_of_surrogate(kind, surrogate) == inner
    if kind is not Kind.ACCOUNT:
        with pytest.raises(Malformed):
            forms.check_value(kind, surrogate)


@settings(max_examples=100, deadline=None)
@given(pan=PANS, wrong=st.integers(1, 9))
def test_a_slip_in_the_last_digit_of_an_enciphered_surrogate_is_noticed(pan, wrong) -> None:
    surrogate = forms.surrogate_of_inner(Kind.PAN, pan[:-1])
    slipped = surrogate[:-1] + str((int(surrogate[-1]) + wrong) % 10)
    with pytest.raises(Malformed):
        forms.inner_of_surrogate(Kind.PAN, slipped)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "bad", ["", "4111111111111112", "+254", "abc", "4111 1111 1111 1111", "\u0661" * 16, "1\n" * 8]
)
def test_what_is_no_value_is_refused_and_not_repeated(kind: Kind, bad: str) -> None:
    if kind is Kind.ACCOUNT and bad == "4111111111111112":
        forms.check_value(kind, bad)
        return
    with pytest.raises(Malformed) as refused:
        forms.check_value(kind, bad)
    assert not bad or bad not in str(refused.value)


def test_a_source_that_is_stuck_is_not_asked_for_ever() -> None:
    def stuck(length: int) -> bytes:
        return bytes(length)

    with pytest.raises(Malformed):
        forms.drawn(Kind.PAN, "4111111111111111", 0, stuck)
