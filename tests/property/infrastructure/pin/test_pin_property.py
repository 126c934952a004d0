"""PIN blocks: what goes in comes out for its account alone; anything else is one refusal."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import PinFormat, open_block, seal_block
from tallystick.kernel.errors import Malformed, NotAuthentic

PINS = st.text("0123456789", min_size=4, max_size=12)
PANS = st.text("0123456789", min_size=12, max_size=19)


def cipher_of(form: PinFormat, octets: bytes) -> Aes | Tdea:
    return Aes(octets) if form is PinFormat.ISO_4 else Tdea(octets)


@settings(max_examples=300, deadline=None)
@given(
    form=st.sampled_from(PinFormat),
    octets=st.binary(min_size=16, max_size=16),
    pin=PINS,
    pan=PANS,
    fill=st.binary(min_size=16, max_size=16),
)
def test_a_block_gives_back_its_pin(form, octets: bytes, pin: str, pan: str, fill: bytes) -> None:
    try:
        cipher = cipher_of(form, octets)
    except Malformed:
        assume(condition=False)
    block = seal_block(cipher, form, ClearPin(pin), pan, fill)
    assert open_block(cipher, form, block, pan).same(ClearPin(pin))


@settings(max_examples=300, deadline=None)
@given(form=st.sampled_from(PinFormat), block=st.binary(max_size=24), pan=PANS)
def test_any_octets_are_a_pin_or_one_refusal(form, block: bytes, pan: str) -> None:
    said = ""
    try:
        open_block(cipher_of(form, bytes(range(16))), form, block, pan)
    except NotAuthentic as error:
        said = str(error)
    assert said in {"", "the PIN block does not verify"}


@settings(max_examples=200, deadline=None)
@given(pin=PINS, pan=PANS, other=PANS)
def test_format_4_is_of_one_account(pin: str, pan: str, other: str) -> None:
    assume(pan != other)
    aes = Aes(bytes(16))
    block = seal_block(aes, PinFormat.ISO_4, ClearPin(pin), pan, bytes(16))
    try:
        found = open_block(aes, PinFormat.ISO_4, block, other)
    except NotAuthentic:
        return
    assert not found.same(ClearPin(pin))
