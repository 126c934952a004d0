"""Records: frozen, strict, and the same again out of a stored row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernel.classification import (
    AUTHENTICATION,
    CREDENTIAL,
    INTERNAL,
    PERSONAL,
    PUBLIC,
    SENSITIVE,
    Classification,
)
from tallystick.kernel.codec import from_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import (
    Amount,
    Base64Url,
    CurrencyCode,
    Natural,
    Record,
    ShortText,
    field_names,
    from_row,
    replace,
    row_of,
)


class Account(Record, frozen=True, kw_only=True):
    name: ShortText
    balance: Natural
    currency: CurrencyCode = "KES"
    blob: bytes = b""


accounts = st.builds(
    Account,
    name=st.text(min_size=1, max_size=80),
    balance=st.integers(0, 2**53 - 1),
    currency=st.sampled_from(["KES", "EUR"]),
    blob=st.binary(max_size=8),
)


@given(accounts)
def test_a_row_comes_back_as_the_same_record(account: Account) -> None:
    assert from_row(Account, row_of(account)) == account
    assert field_names(Account) == ("name", "balance", "currency", "blob")
    assert len(row_of(account)) == len(field_names(Account))


@pytest.mark.parametrize(
    "row",
    [
        (),
        ("till", 1, "KES"),
        ("till", 1, "KES", b"", 0),
        ("till", -1, "KES", b""),
        ("till", "1", "KES", b""),
        ("till", None, "KES", b""),
        ("", 1, "KES", b""),
        ("till", 1, "kes", b""),
    ],
)
def test_a_row_of_another_shape_is_refused(row: tuple[object, ...]) -> None:
    with pytest.raises(Malformed, match="a stored Account has another shape"):
        from_row(Account, row)


def test_a_record_does_not_change_and_a_copy_does() -> None:
    account = Account(name="till", balance=1)
    with pytest.raises(AttributeError):
        account.balance = 2  # type: ignore[misc]
    assert replace(account, balance=2) == Account(name="till", balance=2)
    assert account.balance == 1
    with pytest.raises(TypeError):
        replace(account, colour="red")


def test_a_record_takes_its_fields_by_name_only() -> None:
    with pytest.raises(TypeError):
        Account("till", 1)  # type: ignore[misc]
    with pytest.raises(TypeError):
        Account(name="till", balance=1, colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Amount, [1, 2**53 - 1], [0, -1, 2**53, True, 1.5, "1"]),
        (Natural, [0, 2**53 - 1], [-1, 2**53, False]),
        (ShortText, ["a", "x" * 80], ["", "x" * 81, 1]),
        (CurrencyCode, ["KES"], ["KE", "KESS", "kes", "KES\n", "\nKES", "K\u00c9S"]),
        (Base64Url, ["AA", "a-_0"], ["", "A=", "A+", "AAAA\n", "A" * 8193]),
    ],
)
def test_a_field_type_takes_its_values_and_no_others(kind, good, bad) -> None:
    for value in good:
        assert from_plain(value, kind) == value
    for value in bad:
        with pytest.raises(Malformed):
            from_plain(value, kind)


def test_classifications_are_ordered_from_open_to_never_stored() -> None:
    ladder = [PUBLIC, INTERNAL, PERSONAL, SENSITIVE, CREDENTIAL, AUTHENTICATION]
    assert ladder == sorted(Classification)
