"""Each value of DER has one form; another is refused, and so is what is too long or too deep."""

import tracemalloc

import pytest

from tallystick.infrastructure.crypto.der import (
    BOOLEAN,
    DEEPEST,
    ENUMERATED,
    INTEGER,
    MOST_BYTES,
    MOST_VALUES,
    NULL,
    OBJECT,
    OCTETS,
    SEQUENCE,
    Members,
    Value,
    dotted,
    front,
    must_be,
    number,
    octets_of,
    signed_number,
    single,
    truth,
    values,
    write,
    write_number,
    write_object,
)
from tallystick.kernel.errors import Malformed


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_values_are_read_as_they_were_written(length: int) -> None:
    octets = write(OCTETS, bytes(length))
    found = single(octets, OCTETS)
    assert (len(found.body), found.octets) == (length, octets)
    assert front(octets + b"\xff", OCTETS) == found


@pytest.mark.parametrize(
    "octets",
    [
        b"\x04", b"\x04\x05abc", b"\x04\x80ab\x00\x00", b"\x04\x81\x05abcde", b"\x04\x82\x00\x85",
        b"\x04\x85\x01\x00\x00\x00\x00", b"\x30\x84\x7f\xff\xff\xff", b"\x04\x82\x01", b"\x00\x00",
        b"\xbf\x80\x1f\x00", b"\xbf\x1e\x00", b"\xbf\x85", b"\xbf\x81\x81\x81\x81\x01\x00",
        b"\x1f", b"\x24\x80\x04\x00\x00\x00",
    ],
)  # fmt: skip
def test_what_is_not_in_its_one_form_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        values(octets)


def test_tags_of_several_octets_are_one_number() -> None:
    found = single(b"\xbf\x85\x40\x02\x05\x00", 0xBF8540)
    assert (found.context, found.is_built, found.holds(NULL).body) == (704, True, b"")
    assert [one.context for one in values(b"\x80\x00\xa1\x00\x04\x00\x61\x00")] == [0, 1, -1, -1]


def test_numbers_and_identifiers_have_one_form() -> None:
    for value in (0, 1, 127, 128, 255, 256, 2**64, 2**159 - 1):
        assert number(single(write_number(value), 0x02)) == value
    for octets in (b"\x02\x01\xff", b"\x02\x02\x00\x01", b"\x02\x00", b"\x04\x01\x01"):
        with pytest.raises(Malformed):
            number(values(octets)[0])
    for text in ("1.2.840.113549.1.9.16.1.4", "2.16.840.1.101.3.4.2.1", "0.0", "2.999.3"):
        assert dotted(single(write_object(text), 0x06)) == text
    for octets in (b"\x06\x00", b"\x06\x01\x80", b"\x06\x03\x2a\x80\x01"):
        with pytest.raises(Malformed):
            dotted(values(octets)[0])
    for text in ("1", "3.1", "1.40", "1.x", "", "1..2", "1.2." + "9" * 5_000):
        with pytest.raises(Malformed):
            write_object(text)


def test_an_identifier_with_a_number_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(Malformed):
        dotted(single(write(OBJECT, b"\x2a" + b"\xff" * 2_500 + b"\x01"), OBJECT))


@pytest.mark.parametrize(
    ("octets", "value"),
    [(b"\x00", 0), (b"\x80", -128), (b"\x00\xff", 255), (b"\xff\x7f", -129), (b"\x7f" * 9, None)],
)
def test_signed_numbers(octets: bytes, value: int | None) -> None:
    for tag in (INTEGER, ENUMERATED):
        read = signed_number(single(write(tag, octets), tag), tag)
        assert read == (int.from_bytes(octets, "big", signed=True) if value is None else value)
    for body in (b"", b"\x00\x7f", b"\xff\x80", b"\x01" * 10):
        with pytest.raises(Malformed):
            signed_number(single(write(INTEGER, body), INTEGER))
    with pytest.raises(Malformed):
        signed_number(single(write(ENUMERATED, b"\x01"), ENUMERATED))


def test_a_value_of_another_sort_is_refused() -> None:
    integer = single(write_number(1), INTEGER)
    for read in (truth, octets_of, dotted, Members, lambda one: must_be(one, OCTETS)):
        with pytest.raises(Malformed):
            read(integer)
    for body, said in ((b"\xff", True), (b"\x00", False)):
        assert truth(single(write(BOOLEAN, body), BOOLEAN)) is said
    for body in (b"", b"\x01", b"\xff\xff"):
        with pytest.raises(Malformed):
            truth(single(write(BOOLEAN, body), BOOLEAN))
    for octets in (b"", write_number(1) * 2, write(NULL)):
        with pytest.raises(Malformed):
            single(octets, INTEGER)
        with pytest.raises(Malformed):
            single(write(SEQUENCE, octets), SEQUENCE).holds(INTEGER)


def test_members_are_all_taken_and_in_order() -> None:
    both = write_number(1) + write(NULL)
    for members in (Members(single(write(SEQUENCE, both), SEQUENCE)), Members(values(both))):
        assert members.maybe(NULL) is None
        members.take(INTEGER)
        with pytest.raises(Malformed, match="too many"):
            members.end()
        with pytest.raises(Malformed, match="missing"):
            members.take(INTEGER)
        assert [one.tag for one in members.rest()] == [NULL]
        members.end()


def opened(value: Value) -> int:
    return 1 + sum(map(opened, value.inside())) if value.is_built else 1


def test_length_number_and_depth_are_bounded() -> None:
    assert len(values(b"\x05\x00" * MOST_VALUES)) == MOST_VALUES
    with pytest.raises(Malformed, match="beside"):
        values(b"\x05\x00" * (MOST_VALUES + 1))
    assert len(single(write(OCTETS, bytes(MOST_BYTES - 5)), OCTETS).body) == MOST_BYTES - 5
    with pytest.raises(Malformed, match="too long"):
        values(write(OCTETS, bytes(MOST_BYTES - 4)))
    nested = b""
    for _ in range(DEEPEST):
        nested = write(SEQUENCE, nested)
    assert opened(single(nested, SEQUENCE)) == DEEPEST
    with pytest.raises(Malformed, match="too deep"):
        opened(single(write(SEQUENCE, nested), SEQUENCE))


def test_small_octets_that_promise_much_take_little() -> None:
    """Whatever a mebibyte promises, reading it takes no more than 32 of them."""
    deep = bytes(MOST_BYTES // 2)
    for _ in range(DEEPEST):
        deep = write(SEQUENCE, deep)
    for octets in (b"\x05\x00" * (MOST_BYTES // 2), b"\x30\x83\x0f\xff\xff" * 1_000, deep):
        tracemalloc.start()
        with pytest.raises(Malformed):
            sum(map(opened, values(octets)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 32 * MOST_BYTES
