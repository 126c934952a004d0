"""Structured fields: read and written back in one spelling; loose spellings are refused."""

from decimal import Decimal

import pytest

from tallystick.infrastructure.httpsig.fields import (
    Date,
    DisplayText,
    InnerList,
    Item,
    Symbol,
    write_bare,
    write_dictionary,
    write_list,
    write_member,
)
from tallystick.infrastructure.httpsig.reading import (
    MAX_CHARACTERS,
    read_dictionary,
    read_item,
    read_list,
)
from tallystick.kernel.errors import Malformed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("-999999999999999", -999_999_999_999_999),
        ("4.5", Decimal("4.5")),
        ("-0.125", Decimal("-0.125")),
        ('"hello \\"world\\" \\\\"', 'hello "world" \\'),
        ("foo123/456", Symbol("foo123/456")),
        ("*a:b", Symbol("*a:b")),
        (":aGVsbG8=:", b"hello"),
        ("::", b""),
        ("?1", True),
        ("?0", False),
        ("@1659578233", Date(1_659_578_233)),
        ('%"f%c3%bc %25 %22"', DisplayText('fü % "')),
    ],
)
def test_a_value_is_read_and_written_the_same(text: str, value) -> None:
    assert read_item(text) == Item(value)
    assert write_bare(value) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.0", "1.0"),
        ("00001", "1"),
        ("-0", "0"),
        ("2.500", "2.5"),
        ("  1;  a;b=?1 ", "1;a;b"),
    ],
)
def test_a_loose_spelling_becomes_the_one(text: str, written: str) -> None:
    assert write_member(read_item(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 2", "1.", ".5", "1.2345", "1234567890123.1", "1000000000000000", "--1",
        '"open', '"a\\b"', '"\x7f"', '"ü"', "?2", "?", ":a:", ":aGVsbG8:", ":aGVsbG9=:", ":YQ==",
        "@1.5", "@", '%"%C3%BC"', '%"%ff"', '%"%zz"', "1;A", "1;a=", "1;a;a", "1;", "(1", "\t1",
        "1;\ta",
    ],
)  # fmt: skip
def test_what_is_no_item_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_item(text)


def test_lists_and_dictionaries_keep_their_order() -> None:
    text = 'a=(1 "b");x;y=2, b, c;q=0.5, d=?0'
    found = read_dictionary(text)
    assert list(found) == ["a", "b", "c", "d"]
    assert found["a"] == InnerList((Item(1), Item("b")), (("x", True), ("y", 2)))
    assert write_dictionary(found) == text
    assert write_list(read_list("1 ,\t(a  b );c , ()")) == "1, (a b);c, ()"
    assert read_list("") == ()
    assert read_dictionary("  ") == {}


@pytest.mark.parametrize(
    "text", ["a=1, a=2", "a=1,", "a=1 b=2", ",a=1", "A=1", "a=1;b=1;b=2", "a=(1,2)", "a=(1(2))"]
)
def test_what_is_no_dictionary_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_dictionary(text)


def test_a_field_has_a_limit() -> None:
    with pytest.raises(Malformed, match="at most"):
        read_item('"' + "a" * MAX_CHARACTERS + '"')


@pytest.mark.parametrize(
    "value", ["ü", "a\nb", "\x00", 10**15, -(10**15), Decimal(10**12), Date(10**15)]
)
def test_what_no_field_can_hold_is_not_written(value) -> None:
    with pytest.raises(Malformed):
        write_bare(value)
