"""Money is exact: parsing, printing, comparing and adding, against decimal as an oracle."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernel.errors import Malformed
from tallystick.kernel.money import MAX_MINOR, Money, currency_exponent

currencies = st.sampled_from(["KES", "UGX", "KWD", "EUR", "JPY", "TND", "XOF"])
minors = st.integers(-MAX_MINOR // 4, MAX_MINOR // 4)
moneys = st.builds(Money, minors, currencies)


@given(moneys)
def test_what_is_printed_can_be_typed_again(money: Money) -> None:
    typed = str(money).removeprefix(f"{money.currency} ").replace(",", "")
    if len(typed.lstrip("-").partition(".")[0]) <= 18:
        assert Money.parse(typed, money.currency) == money


@given(moneys)
def test_printing_equals_exact_decimal_arithmetic(money: Money) -> None:
    digits = currency_exponent(money.currency)
    exact = Decimal(money.minor).scaleb(-digits)
    assert str(money) == f"{money.currency} {exact:,.{digits}f}"


@given(st.decimals(-(10**12), 10**12, places=2), st.sampled_from(["KES", "EUR"]))
def test_parsing_never_rounds(amount: Decimal, currency: str) -> None:
    assert Money.parse(f"{amount:f}", currency).minor == int(amount * 100)


@given(minors, minors, currencies)
def test_arithmetic_is_that_of_integers(first: int, second: int, currency: str) -> None:
    one, other = Money(first, currency), Money(second, currency)
    assert (one + other).minor == first + second
    assert (one - other).minor == first - second
    assert (one < other, one <= other, one == other) == (
        first < second,
        first <= second,
        first == second,
    )
    assert (one > other, one >= other) == (first > second, first >= second)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("1250", "KES", 125_000),
        ("1250.7", "KES", 125_070),
        ("1250.75", "KES", 125_075),
        ("-0.05", "KES", -5),
        (" 12 ", "UGX", 12),
        ("1.005", "KWD", 1_005),
        ("0", "EUR", 0),
        ("-0", "EUR", 0),
    ],
)
def test_what_a_person_types(typed: str, currency: str, minor: int) -> None:
    assert Money.parse(typed, currency).minor == minor


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("1.255", "KES"),
        ("1.0", "UGX"),
        ("1,250", "KES"),
        ("1 250", "KES"),
        ("12.", "KES"),
        (".5", "KES"),
        ("1e3", "KES"),
        ("+5", "KES"),
        ("--5", "KES"),
        ("", "KES"),
        ("NaN", "KES"),
        ("9" * 19, "KES"),
        ("9" * 18, "KWD"),
        ("\u0661\u0662", "KES"),
        ("5", "XXX"),
        ("5", "kes"),
    ],
)
def test_what_is_not_an_amount_is_refused(typed: str, currency: str) -> None:
    with pytest.raises(Malformed):
        Money.parse(typed, currency)


@pytest.mark.parametrize("minor", [True, 1.0, "1", None, MAX_MINOR + 1, -MAX_MINOR - 1])
def test_only_an_integer_in_range_is_money(minor: object) -> None:
    with pytest.raises(Malformed):
        Money(minor, "KES")  # type: ignore[arg-type]


def test_a_sum_past_the_range_is_refused() -> None:
    with pytest.raises(Malformed):
        Money(MAX_MINOR, "KES") + Money(1, "KES")
    assert Money(MAX_MINOR, "KES").minor * 2 < 2**63 + 1


def test_currencies_do_not_mix() -> None:
    kes, eur = Money(1, "KES"), Money(1, "EUR")
    assert kes != eur
    for act in (
        lambda: kes + eur,
        lambda: kes - eur,
        lambda: kes < eur,
        lambda: kes <= eur,
        lambda: kes > eur,
    ):
        with pytest.raises(Malformed):
            act()


def test_an_unknown_currency_is_named_briefly_and_the_known_are_listed() -> None:
    with pytest.raises(Malformed) as caught:
        currency_exponent("X" * 500)
    assert "X" * 9 not in str(caught.value)
    assert "KES" in caught.value.remedy
