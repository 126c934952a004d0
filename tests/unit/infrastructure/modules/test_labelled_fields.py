"""Sealed fields say their mechanism and key; those from before labels open, changed ones do not."""

import pytest
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.application.pins import PinVerifier
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.sealing import (
    LABEL_LENGTH,
    StoreSeals,
    key_tag_of,
    label_of,
    mechanism_of,
    open_field,
    seal_field,
)
from tallystick.infrastructure.modules.wallet_pins import MAGIC, cost_of, pepper_of
from tallystick.infrastructure.pin.wallet import PinCost
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.secret import Secret

TEXT = b"Ann App"


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.parametrize("purpose", [Purpose.STORE, Purpose.SUBJECT, Purpose.SESSION_WRAP])
def test_a_field_names_its_mechanism_and_its_key(purpose: Purpose) -> None:
    module = build()
    handle = module.generate(purpose)
    sealed = seal_field(module, handle, TEXT, b"context")
    assert sealed.startswith(label_of(handle))
    assert mechanism_of(sealed) == mechanism_of(sealed[:LABEL_LENGTH]) == "aes-256-gcm"
    assert handle.id.endswith(key_tag_of(sealed))
    assert open_field(module, (handle,), sealed, b"context") == TEXT
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(NotAuthentic):
            open_field(module, (handle,), changed, b"context")
    with pytest.raises(NotAuthentic):
        open_field(module, (handle,), sealed, b"another")


@pytest.mark.requirement("MFS-7.4.2-12")
def test_what_is_from_before_labels_opens_and_is_told_apart() -> None:
    module = build()
    first, second = module.generate(Purpose.STORE), module.generate(Purpose.STORE)
    nonce = module.random(12)
    old = nonce + module.seal(first, nonce, TEXT, b"operator")
    seals = StoreSeals(module, (second, first))
    assert seals.open(old, b"operator") == TEXT
    assert key_tag_of(old) == ""
    assert mechanism_of(old) == "aes-256-gcm"
    before = StoreSeals(module, (first,)).seal(TEXT, b"operator")
    assert seals.open(before, b"operator") == TEXT
    assert not before.startswith(seals.label)
    assert seals.seal(TEXT, b"operator").startswith(seals.label)
    with pytest.raises(NotAuthentic):
        StoreSeals(module, (first,)).open(seals.seal(TEXT, b"operator"), b"operator")


def test_an_old_field_whose_nonce_looks_like_a_label_opens() -> None:
    """One in 2^104; the label is tried, and then the form without one."""
    module = build()
    handle = module.generate(Purpose.STORE)
    nonce = label_of(handle)[:12]
    old = nonce + module.seal(handle, nonce, TEXT, b"act")
    assert open_field(module, (handle,), old, b"act") == TEXT


def _check(verifier: PinVerifier, pin: str, customer: str, kept: bytes) -> None:
    verifier.check(verifier.seal(Secret(pin), customer), customer, customer, kept)


def _made(verifier: PinVerifier, pin: str, customer: str) -> bytes:
    return verifier.make(verifier.seal(Secret(pin), customer), customer, customer)


@pytest.mark.requirement("MFS-7.3.4-01", "MFS-7.4.2-12")
def test_a_verifier_of_a_pin_keeps_the_cost_that_it_was_made_at() -> None:
    module = build()
    pepper = module.generate(Purpose.PIN_PEPPER)
    cheap = PinVerifier(module, module, pepper, PinCost(memory_kib=64, passes=1))
    dear = PinVerifier(module, module, pepper, PinCost(memory_kib=128, passes=2))
    kept = _made(cheap, "7391", "cus_1")
    assert len(kept) == 65
    assert kept.startswith(MAGIC)
    assert cost_of(kept) == PinCost(memory_kib=64, passes=1)
    _check(dear, "7391", "cus_1", kept)
    _check(cheap, "7391", "cus_1", _made(dear, "7391", "cus_1"))
    for other, who in (("7392", "cus_1"), ("7391", "cus_2")):
        with pytest.raises(NotAuthentic):
            _check(dear, other, who, kept)
    old = kept[-48:]
    assert cost_of(old) is None
    _check(cheap, "7391", "cus_1", old)
    with pytest.raises(NotAuthentic):
        _check(dear, "7391", "cus_1", old)


@pytest.mark.requirement("MFS-7.4.2-07", "MFS-7.4.2-12")
def test_a_pin_is_known_under_an_earlier_pepper_and_kept_under_the_newest() -> None:
    module, cost = build(), PinCost(memory_kib=64, passes=1)
    first, second = module.generate(Purpose.PIN_PEPPER), module.generate(Purpose.PIN_PEPPER)
    before = PinVerifier(module, module, first, cost)
    after = PinVerifier(module, module, second, cost, (first,))
    kept = _made(before, "7391", "cus_1")
    pin = after.seal(Secret("7391"), "cus_1")
    _check(after, "7391", "cus_1", kept)
    with pytest.raises(NotAuthentic):
        _check(after, "7392", "cus_1", kept)
    fresh = after.renewed(pin, "cus_1", "cus_1", kept)
    assert (pepper_of(kept), pepper_of(fresh)) == (first.id[-8:], second.id[-8:])
    assert after.renewed(pin, "cus_1", "cus_1", fresh) == b""
    assert pepper_of(kept[-48:]) == ""
    assert after.renewed(pin, "cus_1", "cus_1", kept[-48:])[:17] == fresh[:17]
    alone = PinVerifier(module, module, second, cost)
    _check(alone, "7391", "cus_1", fresh)
    for forgotten in (kept, kept[-48:]):
        with pytest.raises(NotAuthentic):
            _check(alone, "7391", "cus_1", forgotten)
    dearer = PinVerifier(module, module, second, PinCost(memory_kib=128, passes=1))
    assert dearer.renewed(dearer.seal(Secret("7391"), "cus_1"), "cus_1", "cus_1", fresh) != b""
