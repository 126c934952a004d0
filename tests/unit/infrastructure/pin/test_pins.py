"""Clear PINs show nothing; blocks are read strictly; formats change only as they may."""

import copy
import itertools
import json
import pickle

import msgspec
import pytest

from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.pin import verification
from tallystick.infrastructure.pin.clear import ClearPin, check_strength
from tallystick.infrastructure.pin.formats import (
    PinFormat,
    check_pan,
    decode,
    encode,
    open_block,
    seal_block,
)
from tallystick.infrastructure.pin.translation import ALWAYS, BY_POLICY, check_pair
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted

PAN = "4012345678909012"
AES, TDEA = Aes(bytes(range(16))), Tdea(bytes(range(16)))


@pytest.mark.requirement("MFS-7.3.4-06")
def test_a_clear_pin_cannot_be_printed_stored_hashed_or_copied() -> None:
    pin = ClearPin("73915")
    for text in (repr(pin), str(pin), f"{pin}", f"{pin!r:>20}", f"{pin:>9}", f"{[pin]}"):
        assert "73915" not in text
    for act in (
        lambda: pickle.dumps(pin),
        lambda: copy.copy(pin),
        lambda: copy.deepcopy(pin),
        lambda: hash(pin),
        lambda: pin == ClearPin("73915"),
        lambda: json.dumps(pin),
        lambda: msgspec.json.encode(pin),
        lambda: msgspec.msgpack.encode(pin),
        lambda: vars(pin),
        lambda: bytes(pin),
    ):
        with pytest.raises(TypeError):
            act()
    assert pin.same(ClearPin("73915"))
    assert not pin.same(ClearPin("739150"))


@pytest.mark.parametrize("digits", ["", "123", "1" * 13, "12a4", "١٢٣٤", " 1234", "-1234"])
def test_what_is_no_pin_has_one_face(digits: str) -> None:
    with pytest.raises(NotAuthentic, match="PIN block does not verify"):
        ClearPin(digits)


@pytest.mark.parametrize("length", range(4, 13))
@pytest.mark.parametrize("form", PinFormat)
def test_a_block_gives_its_pin_back(form: PinFormat, length: int) -> None:
    pin = ClearPin("907318264055"[:length])
    cipher = AES if form is PinFormat.ISO_4 else TDEA
    block = seal_block(cipher, form, pin, PAN, bytes(range(40, 56)))
    assert open_block(cipher, form, block, PAN).same(pin)
    with pytest.raises(NotAuthentic):
        open_block(cipher, form, block + b"\0", PAN)
    with pytest.raises(NotPermitted):
        seal_block(TDEA if cipher is AES else AES, form, pin, PAN, bytes(16))


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (PinFormat.ISO_0, "341234ffffffffff"), (PinFormat.ISO_0, "031234ffffffffff"),
        (PinFormat.ISO_0, "0d1234ffffffffff"), (PinFormat.ISO_0, "041234fffffffffe"),
        (PinFormat.ISO_0, "04123affffffffff"), (PinFormat.ISO_3, "341234aaaaaaaaa9"),
        (PinFormat.ISO_3, "041234aaaaaaaaaa"), (PinFormat.ISO_2, "241234fffffffff0"),
        (PinFormat.ISO_2, "23123fffffffffff"), (PinFormat.ISO_1, "24123affffffffff"),
        (PinFormat.ISO_1, "14a234ffffffffff"),
    ],
)  # fmt: skip
def test_a_block_that_is_wrong_anywhere_is_refused(form: PinFormat, field: str) -> None:
    number = int(field, 16)
    if form in {PinFormat.ISO_0, PinFormat.ISO_3}:
        number ^= int(PAN[-13:-1], 16)
    with pytest.raises(NotAuthentic):
        decode(form, number.to_bytes(8, "big"), PAN)


def test_format_4_never_stands_in_clear() -> None:
    with pytest.raises(NotPermitted):
        encode(PinFormat.ISO_4, ClearPin("1234"), PAN, bytes(16))
    with pytest.raises(NotPermitted):
        decode(PinFormat.ISO_4, bytes(8), PAN)


@pytest.mark.parametrize("pan", ["", "1" * 11, "1" * 20, "40123456789a12", "٤" * 16])
def test_what_is_no_account_number_is_refused(pan: str) -> None:
    with pytest.raises(Malformed):
        check_pan(pan)
    with pytest.raises(Malformed):
        encode(PinFormat.ISO_0, ClearPin("1234"), pan, b"")


PAIRS = list(itertools.product(PinFormat, repeat=2))


@pytest.mark.requirement("MFS-7.3.4-05")
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_formats_change_as_the_tables_say(source: PinFormat, target: PinFormat) -> None:
    pair = (source, target)
    if pair in ALWAYS:
        check_pair(source, target, frozenset())
        return
    with pytest.raises(NotPermitted):
        check_pair(source, target, frozenset())
    if pair in BY_POLICY:
        check_pair(source, target, frozenset({pair}))
    else:
        with pytest.raises(NotPermitted):
            check_pair(source, target, frozenset(PAIRS))


def test_no_table_lets_an_account_number_go_or_reads_format_2() -> None:
    bound = {PinFormat.ISO_0, PinFormat.ISO_3, PinFormat.ISO_4}
    for source, target in ALWAYS | BY_POLICY:
        assert source is not PinFormat.ISO_2
        assert not (source in bound and target is PinFormat.ISO_1)
    assert not ALWAYS & BY_POLICY
    assert (PinFormat.ISO_4, PinFormat.ISO_0) not in ALWAYS


@pytest.mark.parametrize(
    "digits", ["1234", "7890", "4321", "0987", "0000", "777777", "1313", "131313", "1940", "2039"]
)
def test_what_a_thief_tries_first_is_refused(digits: str) -> None:
    with pytest.raises(NotPermitted) as caught:
        check_strength(ClearPin(digits))
    assert digits not in str(caught.value)


@pytest.mark.parametrize("digits", ["1939", "2040", "7391", "1123", "13132", "198412"])
def test_other_pins_are_taken(digits: str) -> None:
    check_strength(ClearPin(digits))
    if len(digits) < 6:
        with pytest.raises(NotPermitted):
            check_strength(ClearPin(digits), least=6)


@pytest.mark.parametrize(
    "table", ["", "0123456789", "0000000000000000", "0101010101010101", "012345678901234x",
              "0000123456712345", "0000012345678901"],
)  # fmt: skip
def test_an_unfair_decimalisation_table_is_refused(table: str) -> None:
    good = table == "0000123456712345"
    if good:
        verification.check_table(table)
        return
    with pytest.raises(Malformed):
        verification.ibm_offset(TDEA, ClearPin("1234"), "1" * 16, table)


def test_indexes_and_validation_data_are_checked() -> None:
    for index in (-1, 10):
        with pytest.raises(Malformed):
            verification.pvv(TDEA, ClearPin("1234"), PAN, index)
    for data in ("", "1" * 15, "g" * 16):
        with pytest.raises(Malformed):
            verification.ibm_offset(TDEA, ClearPin("1234"), data)
