"""PINs of accounts at the module: sealed at the door, opened only where they are compared."""

import copy
import pickle

import pytest
from psec import pinblock
from tests.support.sealed_pins import CHEAP, VERIFIER, module_of_pins, verifier

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.modules.card_gate import CardHost
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft_pins import PinBlock
from tallystick.infrastructure.modules.wallet_pins import (
    Keeping,
    SealedPin,
    SoftWalletPins,
    door_key,
)
from tallystick.infrastructure.pin.formats import PinFormat
from tallystick.infrastructure.pin.wallet import account_of
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.secret import Secret

NUMBER, OTHER, CUSTOMER = "+254722000001", "+254722000002", "cus_one"
PIN, WRONG = Secret("739164"), Secret("739165")


def refusal(check) -> tuple[type, str]:
    with pytest.raises(NotAuthentic) as caught:
        check()
    return type(caught.value), f"{caught.value!s} {caught.value.remedy} {caught.value.args}"


@pytest.mark.requirement("MFS-7.3.4-02")
def test_a_sealed_pin_is_checked_and_never_shown() -> None:
    sealed = VERIFIER.seal(PIN, NUMBER)
    kept = VERIFIER.make(sealed, NUMBER, CUSTOMER)
    VERIFIER.check(VERIFIER.seal(PIN, NUMBER), NUMBER, CUSTOMER, kept)
    assert len(kept) == 65
    assert len(sealed.block) == 16
    assert sealed.block != VERIFIER.seal(PIN, NUMBER).block, "each block has a random half"
    for shown in (repr(sealed), str(sealed), f"{sealed}", f"{sealed:>40}"):
        assert "739164" not in shown
        assert sealed.block.hex() not in shown
    for give_away in (copy.copy, copy.deepcopy, pickle.dumps, hash, encode):
        with pytest.raises(TypeError):
            give_away(sealed)
    with pytest.raises(TypeError):
        assert sealed == VERIFIER.seal(PIN, NUMBER)


def test_the_block_is_one_that_another_implementation_opens() -> None:
    octets, owner = bytes(range(32)), "+254722000001"
    module = module_of_pins()
    handle = door_key(module)
    host = CardHost(
        known=lambda one: one, draw=bytes, prove=lambda _: None, take=lambda *_: handle,
        count=lambda _: None, refuse=module.states.refuse, profile="production",
    )  # fmt: skip
    pins = SoftWalletPins(host, {handle.id: Aes(octets)}, module.mac)
    sealed = pins.seal(handle, PIN, owner)
    assert pinblock.decipher_pinblock_iso_4(octets, sealed.block, owner[1:]) == PIN.reveal()


@pytest.mark.threat("THR-USD-01")
def test_a_wrong_key_an_altered_block_and_a_wrong_pin_are_refused_alike() -> None:
    kept = VERIFIER.make(VERIFIER.seal(PIN, NUMBER), NUMBER, CUSTOMER)
    good = VERIFIER.seal(PIN, NUMBER).block
    altered = [
        SealedPin(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :]) for at in range(len(good))
    ]
    tried = {
        "wrong": VERIFIER.seal(WRONG, NUMBER),
        "another number": VERIFIER.seal(PIN, OTHER),
        "another process": verifier().seal(PIN, NUMBER),
        "short": SealedPin(good[:8]),
        "empty": SealedPin(b""),
        **{f"octet {at}": one for at, one in enumerate(altered)},
    }
    said = {
        name: refusal(lambda one=one: VERIFIER.check(one, NUMBER, CUSTOMER, kept))
        for name, one in tried.items()
    }
    assert len(set(said.values())) == 1, said
    assert refusal(lambda: VERIFIER.refuse(VERIFIER.seal(PIN, NUMBER), NUMBER, CUSTOMER)) in set(
        said.values()
    )
    with pytest.raises(NotAuthentic):
        VERIFIER.check(VERIFIER.seal(PIN, NUMBER), NUMBER, "cus_two", kept)


def test_a_block_that_does_not_open_is_hashed_all_the_same() -> None:
    """Who alters a block learns nothing from the time: the slow part is done for it too."""
    hashed: list[int] = []
    kept = VERIFIER.make(VERIFIER.seal(PIN, NUMBER), NUMBER, CUSTOMER)
    watched = VERIFIER.stretched_by(lambda *_: hashed.append(1) or bytes(32))
    for one in (SealedPin(b""), SealedPin(bytes(16)), VERIFIER.seal(WRONG, NUMBER)):
        with pytest.raises(NotAuthentic):
            watched.check(one, NUMBER, CUSTOMER, kept)
    assert len(hashed) == 3


@pytest.mark.requirement("MFS-7.4.2-03")
def test_the_door_key_does_nothing_else_and_no_other_key_does_this() -> None:
    module = module_of_pins()
    handle, pepper = door_key(module), module.generate(Purpose.PIN_PEPPER)
    sealed = module.wallet_pins.seal(handle, PIN, NUMBER)
    with pytest.raises(NotPermitted, match="never leaves"):
        module.export_block(handle)
    for misuse in (
        lambda: module.mac(handle, b"x"),
        lambda: module.sign(handle, b"x"),
        lambda: module.seal(handle, bytes(12), b"x", b""),
        lambda: module.public_octets(handle),
        lambda: module.wallet_pins.seal(pepper, PIN, NUMBER),
        lambda: module.pins.translate(
            PinBlock(handle=handle, form=PinFormat.ISO_4, block=sealed.block),
            handle, PinFormat.ISO_4, pan="254722000001",
        ),
    ):  # fmt: skip
        with pytest.raises(NotPermitted):
            misuse()
    module.destroy(handle)
    keeping = Keeping(pepper=pepper, cost=CHEAP, customer=CUSTOMER)
    with pytest.raises(NotFound):
        module.wallet_pins.make(handle, sealed, NUMBER, keeping)


@pytest.mark.parametrize("typed", ["", "123", "1" * 13, "12a4", "٤٧١١", "73 91", "-739"])
def test_what_is_no_pin_is_not_sealed_and_not_repeated(typed: str) -> None:
    with pytest.raises(Malformed) as caught:
        VERIFIER.seal(Secret(typed), NUMBER)
    assert not typed or typed not in repr(caught.value.args)
    assert caught.value.__cause__ is None


@pytest.mark.threat("THR-USD-04")
@pytest.mark.parametrize("weak", ["0000", "1234", "1987", "2580", "0001"])
def test_what_is_guessed_first_is_refused_inside(weak: str) -> None:
    sealed = VERIFIER.seal(Secret(weak), NUMBER)
    with pytest.raises(NotPermitted) as caught:
        VERIFIER.check_new(sealed, NUMBER, NUMBER)
    assert caught.value.because == "weak-pin"
    assert weak not in repr(caught.value.args)
    VERIFIER.check_new(VERIFIER.seal(PIN, NUMBER), NUMBER, NUMBER)
    with pytest.raises(NotAuthentic):
        VERIFIER.check_new(sealed, OTHER, OTHER)


def test_two_entries_are_compared_inside() -> None:
    one = VERIFIER.seal(PIN, NUMBER)
    assert VERIFIER.same(one, VERIFIER.seal(PIN, NUMBER), NUMBER)
    assert not VERIFIER.same(one, VERIFIER.seal(WRONG, NUMBER), NUMBER)


def test_every_owner_has_digits_to_bind_to() -> None:
    assert account_of("+254722000001") == "254722000001"
    other = {account_of(f"cus_{one}") for one in range(50)}
    assert len(other) == 50
    assert {len(one) for one in other} == {19}
    assert account_of("+٤٧١١") not in {"٤٧١١", ""}
