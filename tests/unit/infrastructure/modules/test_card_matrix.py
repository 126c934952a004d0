"""Every purpose and mode against every operation on cards: only the pairs of the table succeed."""

import pytest
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.card.values import CardValue
from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.keyblocks.rules import USAGES
from tallystick.infrastructure.modules.card_interface import (
    CARD_USES,
    PURPOSE_AT_A_DOOR,
    PURPOSE_OF_USAGE,
    CardMaterial,
    CardOperation,
)
from tallystick.infrastructure.modules.interface import (
    ADMITTED_ONLY,
    CARD_LENGTHS,
    MECHANISMS,
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_data import Ciphering, Mode, Terminal
from tallystick.infrastructure.modules.soft_pins import PinBlock, Target
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import PinFormat, encipher_4
from tallystick.kernel.errors import MfsError, NotAuthentic, NotPermitted, Refused

PAN = "4012345678909012"
CARD = Card(pan=PAN, sequence="01")
KSN = bytes.fromhex("ffff9876543210e00001")
KSN_AES = bytes.fromhex("123456789012345600000001")
VALUE = {"pan": PAN, "expiry": "3012", "service": "101"}
MODES = [(purpose, mode) for purpose, use in CARD_USES.items() for mode in use.modes]


def with_mode(module: SoftModule, purpose: Purpose, mode: str, mechanism: str) -> KeyHandle:
    """A key of `purpose` that came in with this mode."""
    found = CardMaterial(
        mode=mode,
        exportability="E",
        ident=KSN_AES[:8],
        octets=bytes(range(CARD_LENGTHS[mechanism])),
    )
    return module._take(purpose, mechanism, found.pack())


def pin_source(module: SoftModule, handle: KeyHandle) -> PinBlock:
    form = PinFormat.ISO_4 if handle.mechanism.startswith("aes") else PinFormat.ISO_0
    width = 16 if form is PinFormat.ISO_4 else 8
    ksn = b""
    if handle.purpose in {Purpose.DUKPT_BASE, Purpose.DUKPT_INITIAL}:
        ksn = KSN_AES if form is PinFormat.ISO_4 else KSN
    return PinBlock(handle=handle, form=form, block=bytes(width), ksn=ksn)


def calls(module: SoftModule, handle: KeyHandle) -> dict[CardOperation, object]:
    """One call for each operation, with other keys that are right for it."""
    other = module.generate(Purpose.PIN_ENCRYPTION)
    wrap = module.generate(Purpose.KEY_WRAP)
    source = pin_source(module, handle)
    good = PinBlock(handle=other, form=PinFormat.ISO_4, block=bytes(16))
    ksn = source.ksn or KSN_AES
    terminal = KSN if not handle.mechanism.startswith("aes") else KSN_AES[:8]
    chips, pins, blocks = module.chips, module.pins, module.key_blocks
    op = CardOperation
    return {
        op.WRAP_KEY: lambda: blocks.export_key(handle, module.generate(Purpose.CARD_MAC)),
        op.UNWRAP_KEY: lambda: blocks.import_key(handle, foreign_block(module, wrap)),
        op.OPEN_PIN: lambda: pins.translate(source, other, PinFormat.ISO_4, pan=PAN),
        op.SEAL_PIN: lambda: pins.translate(good, handle, PinFormat.ISO_4, pan=PAN),
        op.MAKE_PIN_VALUE: lambda: pins.make_value(good, handle, pan=PAN),
        op.VERIFY_PIN_VALUE: lambda: pins.verify(good, handle, "1234", pan=PAN),
        op.DERIVE_INITIAL: lambda: blocks.derive_initial(handle, terminal),
        op.TRANSACTION_MAC: lambda: chips.transaction_mac(handle, ksn, b"m"),
        op.MAKE_CARD_VALUE: lambda: chips.make_value(handle, CardValue.CVV, **VALUE),
        op.VERIFY_CARD_VALUE: lambda: chips.verify_value(handle, CardValue.CVV, "000", **VALUE),
        op.CRYPTOGRAM: lambda: chips.verify_cryptogram(handle, CARD, b"\0\1", b"d", bytes(8)),
        op.ENCIPHER_SCRIPT: lambda: chips.encipher_script(handle, CARD, bytes(8), b"d"),
        op.SCRIPT_MAC: lambda: chips.script_mac(handle, CARD, bytes(8), b"d"),
        op.DYNAMIC_CODE: lambda: chips.dynamic_code(
            handle, CARD, template=b"t", counter=1, number=bytes(4)
        ),
        op.MAKE_MAC: lambda: chips.make_mac(handle, b"m"),
        op.VERIFY_MAC: lambda: chips.verify_mac(handle, b"m", bytes(8)),
        op.TOKENISE: lambda: chips.tokenise(handle, "123456", b""),
        op.DETOKENISE: lambda: chips.detokenise(handle, "123456", b""),
        op.ENCRYPT_DATA: lambda: module.data.encrypt(ciphering(handle, ksn), bytes(16)),
        op.DECRYPT_DATA: lambda: module.data.decrypt(ciphering(handle, ksn), bytes(16)),
        op.SEAL_TERMINAL_PIN: lambda: module.pins.translate_to(
            sealed(module, other), Target(handle=handle, ksn=ksn), PinFormat.ISO_4, pan=PAN
        ),
    }


def ciphering(handle: KeyHandle, ksn: bytes) -> Ciphering:
    terminal = None
    if handle.purpose in {Purpose.DUKPT_BASE, Purpose.DUKPT_INITIAL}:
        terminal = Terminal(ksn=ksn)
    return Ciphering(handle=handle, mode=Mode.ECB, terminal=terminal)


def sealed(module: SoftModule, handle: KeyHandle) -> PinBlock:
    """A PIN in a block that opens."""
    aes = Aes(module._keys.cards[handle.id].reveal_to_wrapping())
    block = encipher_4(aes, ClearPin("73915"), PAN, bytes(8))
    return PinBlock(handle=handle, form=PinFormat.ISO_4, block=block)


def foreign_block(module: SoftModule, wrap: KeyHandle) -> str:
    return module.key_blocks.export_key(wrap, module.generate(Purpose.CARD_MAC))


def is_refused_for_its_use(call) -> bool:
    """Whether the gate refused the pair; what comes after it (a wrong block, say) is no refusal."""
    try:
        call()
    except NotPermitted as error:
        return " key is not for " in error.detail
    except Refused:
        return False
    return False


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize(("purpose", "mode"), MODES)
def test_only_the_operations_of_purpose_and_mode_pass_the_gate(purpose, mode: str) -> None:
    for mechanism in MECHANISMS[purpose]:
        module = build()
        handle = with_mode(module, purpose, mode, mechanism)
        allowed = CARD_USES[purpose].modes[mode]
        for operation, call in calls(module, handle).items():
            assert is_refused_for_its_use(call) == (operation not in allowed), operation


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize(
    "purpose", [one for one in Purpose if one not in {*CARD_USES, *ADMITTED_ONLY}]
)
def test_a_key_of_another_shelf_does_nothing_with_cards(purpose: Purpose) -> None:
    module = build()
    handle = module.generate(purpose)
    for operation, call in calls(module, handle).items():
        assert is_refused_for_its_use(call), operation
    with pytest.raises(NotPermitted, match="does not travel"):
        module.key_blocks.export_key(module.generate(Purpose.KEY_WRAP), handle)
    with pytest.raises(NotPermitted, match="does not travel"):
        module.key_blocks.check_value(handle)


def test_the_matrix_is_complete_and_each_operation_has_an_owner() -> None:
    module = build()
    assert set(calls(module, module.generate(Purpose.CARD_MAC))) == set(CardOperation)
    owned = {one for use in CARD_USES.values() for modes in use.modes.values() for one in modes}
    assert owned == set(CardOperation)
    assert len(PURPOSE_OF_USAGE) == len(CARD_USES) - 1
    assert PURPOSE_AT_A_DOOR == PURPOSE_OF_USAGE | {"D0": Purpose.DATA_ENCRYPTION}
    for use in CARD_USES.values():
        algorithms, modes, _ = USAGES[use.usage]
        assert set(use.modes) <= set(modes), use.usage
        assert use.mode in use.modes
        assert algorithms


@pytest.mark.parametrize("purpose", CARD_USES)
def test_a_mode_that_the_usage_does_not_have_gives_nothing(purpose: Purpose) -> None:
    module = build()
    handle = with_mode(module, purpose, "S", MECHANISMS[purpose][0])
    for operation, call in calls(module, handle).items():
        assert is_refused_for_its_use(call), operation


@pytest.mark.parametrize("purpose", CARD_USES)
def test_no_answer_of_a_module_holds_the_key(purpose: Purpose) -> None:
    """Whatever an operation gives or says, the octets of the key are not in it."""
    for mechanism in MECHANISMS[purpose]:
        module = build()
        handle = with_mode(module, purpose, CARD_USES[purpose].mode, mechanism)
        octets = module._keys.cards[handle.id].reveal_to_wrapping()
        said = [repr(module), repr(module._keys.cards[handle.id])]
        for call in calls(module, handle).values():
            try:
                said.append(call())
            except MfsError as error:
                said.append(str(error))
        wrap = module.generate(Purpose.KEY_WRAP)
        if purpose is not Purpose.KEY_WRAP:
            said.append(module.key_blocks.export_key(wrap, handle))
        said.append(module.export_block(handle))
        for one in said:
            text = one if isinstance(one, bytes) else str(one).encode()
            assert octets not in text
            assert octets.hex().encode() not in text.lower()


def test_a_zeroised_module_has_no_card_key() -> None:
    module = build()
    handle = module.generate(Purpose.CARD_MAC)
    tag = module.chips.make_mac(handle, b"m")
    assert len(tag) == 8
    module.destroy(handle)
    with pytest.raises(MfsError, match="no such key"):
        module.chips.make_mac(handle, b"m")
    other = module.generate(Purpose.CARD_MAC)
    module.zeroise()
    for call in calls_after_the_end(module, other):
        with pytest.raises(MfsError, match="zeroised"):
            call()


def calls_after_the_end(module: SoftModule, handle: KeyHandle) -> list:
    return [
        lambda: module.chips.make_mac(handle, b"m"),
        lambda: module.key_blocks.check_value(handle),
        lambda: module.pins.translate(pin_source(module, handle), handle, PinFormat.ISO_4, pan=PAN),
    ]


def test_the_mac_is_the_one_of_the_key() -> None:
    module = build()
    handle = with_mode(module, Purpose.CARD_MAC, "C", "aes-128")
    assert module.chips.make_mac(handle, b"m", length=16) == Aes(bytes(range(16))).cmac(b"m")
    module.chips.verify_mac(handle, b"m", Aes(bytes(range(16))).cmac(b"m")[:4])
    for wrong in (b"", bytes(3), bytes(8), bytes(17)):
        with pytest.raises(NotAuthentic):
            module.chips.verify_mac(handle, b"m", wrong)
