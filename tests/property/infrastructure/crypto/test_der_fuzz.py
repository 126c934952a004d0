"""The reader of DER against any octets, and against the reader of another implementation."""

from contextlib import suppress

import pytest
from cryptography.hazmat.asn1 import decode_der
from hypothesis import example, given, settings
from hypothesis import strategies as st
from simulators.keymint import Phone, description

from tallystick.infrastructure.crypto.der import (
    BOOLEAN,
    INTEGER,
    OCTETS,
    Value,
    dotted,
    front,
    number,
    octets_of,
    signed_number,
    single,
    truth,
    values,
    write,
    write_number,
)
from tallystick.kernel.errors import Malformed

GENUINE = description(Phone(), b"c" * 32)
TYPED = (number, signed_number, truth, octets_of, dotted)
ENCODED = st.builds(
    lambda tag, form, body: bytes((tag,)) + form(body) + body,
    st.sampled_from([BOOLEAN, INTEGER, OCTETS]),
    st.sampled_from([
        lambda body: bytes((len(body),)),
        lambda body: bytes((0x81, len(body))),
        lambda body: bytes((0x82, 0, len(body))),
        lambda body: bytes((len(body) + 1,)),
        lambda _: b"\x80",
    ]),
    st.binary(max_size=10),
)  # fmt: skip


def walked(value: Value) -> int:
    """How many values there are, each tried as every type."""
    for read in TYPED:
        with suppress(Malformed):
            read(value)
    assert value.octets.endswith(value.body)
    return 1 + sum(map(walked, value.inside())) if value.is_built else 1


@given(st.binary(max_size=600))
@settings(max_examples=300)
def test_any_octets_are_values_or_malformed(octets: bytes) -> None:
    with suppress(Malformed):
        found = values(octets)
        assert b"".join(one.octets for one in found) == octets
        for one in found:
            walked(one)
    with suppress(Malformed):
        assert octets.startswith(front(octets, octets[0] if octets else 0).octets)


@given(data=st.data())
@settings(max_examples=300)
def test_a_changed_one_is_read_or_malformed(data: st.DataObject) -> None:
    whole = bytearray(GENUINE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not whole:
            break
    with suppress(Malformed):
        for one in values(bytes(whole)):
            walked(one)


def test_all_of_a_genuine_one_is_read() -> None:
    assert walked(single(GENUINE, 0x30)) > 30
    for cut in range(len(GENUINE)):
        with pytest.raises(Malformed):
            values(GENUINE[:cut] or b"\x30")


@given(value=st.integers(-(2**63), 2**63 - 1))
@example(0)
@example(-128)
@example(255)
def test_numbers_have_one_form(value: int) -> None:
    size = (value + (value < 0)).bit_length() // 8 + 1
    body = value.to_bytes(size, "big", signed=True)
    assert signed_number(single(write(INTEGER, body), INTEGER)) == value
    if value >= 0:
        assert write_number(value) == write(INTEGER, body)
        assert number(single(write_number(value), INTEGER)) == value
    with pytest.raises(Malformed):
        signed_number(single(write(INTEGER, (b"\xff" if value < 0 else b"\x00") + body), INTEGER))


def judged(octets: bytes) -> int | bytes | bool | None:
    """What the other implementation reads; None where it refuses."""
    sort = {BOOLEAN: bool, INTEGER: int, OCTETS: bytes}[octets[0]]
    try:
        return decode_der(sort, octets)
    except (ValueError, OverflowError):
        return None


def ours(octets: bytes) -> int | bytes | bool | None:
    read = {BOOLEAN: truth, INTEGER: signed_number, OCTETS: octets_of}[octets[0]]
    try:
        return read(single(octets, octets[0]))
    except Malformed:
        return None


@given(ENCODED)
@settings(max_examples=600)
@example(b"\x02\x02\x00\x7f")
@example(b"\x01\x01\x01")
def test_another_implementation_takes_and_refuses_the_same(octets: bytes) -> None:
    if octets[0] != INTEGER or len(octets) <= 11:
        assert ours(octets) == judged(octets)
