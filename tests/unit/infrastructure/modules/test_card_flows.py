"""What people do with keys of cards and PINs, through handles, under the rules of the policy."""

import pytest
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.card.dukpt_aes import InitialKey, KeyType, WorkingUsage
from tallystick.infrastructure.card.emv import ChipKey
from tallystick.infrastructure.card.values import CardValue
from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.keyblocks.header import BlockFields, read_header
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.keyblocks.wrapping import Wrapping
from tallystick.infrastructure.modules.card_interface import (
    EVERYTHING,
    STRICT,
    CardMaterial,
    CardRules,
)
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_pins import PinBlock
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import PinFormat, open_block, seal_block
from tallystick.kernel.errors import Broken, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace

PAN = "4012345678909012"
CARD = Card(pan=PAN, sequence="01")
KEK = bytes(range(32))
KSN = bytes.fromhex("123456789012345600000001")
CLOSED_LOOP = CardRules(pins_in_software=True)


def loaded(module: SoftModule, purpose: Purpose, octets: bytes, **more) -> KeyHandle:
    mechanism = more.pop("mechanism", f"aes-{len(octets) * 8}")
    given = {"mode": "N", "exportability": "E", "ident": b"", **more}
    return module._take(purpose, mechanism, CardMaterial(octets=octets, **given).pack())


def block_of(
    octets: bytes, pin: str, *, pan: str = PAN, form: PinFormat = PinFormat.ISO_4
) -> bytes:
    cipher = Aes(octets) if form is PinFormat.ISO_4 else Tdea(octets)
    return seal_block(cipher, form, ClearPin(pin), pan, b"\x5a" * 16)


def source(handle: KeyHandle, octets: bytes, pin: str, **more) -> PinBlock:
    form = more.get("form", PinFormat.ISO_4)
    return PinBlock(handle=handle, form=form, block=block_of(octets, pin, **more))


@pytest.fixture
def module() -> SoftModule:
    return build(rules=CLOSED_LOOP)


def test_a_pin_is_translated_to_another_key_with_fresh_fill(module: SoftModule) -> None:
    one, two = bytes(16), b"\x01" * 32
    given = source(loaded(module, Purpose.PIN_ENCRYPTION, one), one, "73915")
    target = loaded(module, Purpose.PIN_ENCRYPTION, two)
    found = {module.pins.translate(given, target, PinFormat.ISO_4, pan=PAN) for _ in range(5)}
    assert len(found) == 5
    for block in found:
        assert open_block(Aes(two), PinFormat.ISO_4, block, PAN).same(ClearPin("73915"))


@pytest.mark.requirement("MFS-8.2.3-04")
def test_a_block_of_another_account_or_key_says_nothing_else(module: SoftModule) -> None:
    one = bytes(16)
    handle = loaded(module, Purpose.PIN_ENCRYPTION, one)
    faces = set()
    for block in (
        block_of(one, "7391", pan="4012345678909020"),
        block_of(b"\x02" * 16, "7391"),
        b"",
        bytes(8),
        bytes(16),
    ):
        given = PinBlock(handle=handle, form=PinFormat.ISO_4, block=block)
        with pytest.raises(NotAuthentic) as caught:
            module.pins.translate(given, handle, PinFormat.ISO_4, pan=PAN)
        faces.add(str(caught.value))
    assert len(faces) == 1


@pytest.mark.requirement("MFS-7.3.4-05")
@pytest.mark.requirement("MFS-8.2.3-04")
def test_pins_are_refused_in_software_unless_the_policy_says_so() -> None:
    strict = build(rules=STRICT)
    handle = loaded(strict, Purpose.PIN_ENCRYPTION, bytes(16))
    keeper = strict.generate(Purpose.PIN_REFERENCE)
    given = source(handle, bytes(16), "7391")
    for call in (
        lambda: strict.pins.translate(given, handle, PinFormat.ISO_4, pan=PAN),
        lambda: strict.pins.verify(given, keeper, "00", pan=PAN),
        lambda: strict.pins.make_value(given, keeper, pan=PAN),
        lambda: strict.pins.change(given, given, keeper, "00", pan=PAN),
    ):
        with pytest.raises(NotPermitted, match="software module") as caught:
            call()
        assert caught.value.because == "pins-in-software"


def test_old_mechanisms_are_refused_unless_the_policy_names_them(module: SoftModule) -> None:
    for purpose in (Purpose.PIN_PVV, Purpose.CARD_VERIFICATION, Purpose.CARD_MAC_RETAIL):
        with pytest.raises(NotPermitted, match="restricted"):
            module.generate(purpose)
    with pytest.raises(NotPermitted, match="restricted"):
        module.generate(Purpose.PIN_ENCRYPTION, mechanism="tdea-2key")
    assert "tdea-2key" not in module.capabilities().mechanisms
    only = build(rules=replace(CLOSED_LOOP, admitted=frozenset({"tdea-2key"})))
    handle = only.generate(Purpose.PIN_ENCRYPTION, mechanism="tdea-2key")
    with pytest.raises(NotPermitted, match="pinblock-0 is restricted"):
        only.pins.translate(
            PinBlock(handle=handle, form=PinFormat.ISO_0, block=bytes(8)),
            handle,
            PinFormat.ISO_0,
            pan=PAN,
        )
    assert "tdea-2key" in only.capabilities().mechanisms


def test_format_4_becomes_format_0_by_policy_only() -> None:
    one, two = bytes(16), bytes(range(16))
    for translations, good in ((frozenset(), False), (EVERYTHING.translations, True)):
        module = build(rules=replace(EVERYTHING, translations=translations))
        given = source(loaded(module, Purpose.PIN_ENCRYPTION, one), one, "7391")
        old = loaded(module, Purpose.PIN_ENCRYPTION, two, mechanism="tdea-2key")
        if good:
            block = module.pins.translate(given, old, PinFormat.ISO_0, pan=PAN)
            assert open_block(Tdea(two), PinFormat.ISO_0, block, PAN).same(ClearPin("7391"))
        else:
            with pytest.raises(NotPermitted) as caught:
                module.pins.translate(given, old, PinFormat.ISO_0, pan=PAN)
            assert caught.value.because == "pin-translation"


def test_a_reference_verifies_and_the_change_refuses_weak_pins(module: SoftModule) -> None:
    one = bytes(16)
    handle = loaded(module, Purpose.PIN_ENCRYPTION, one)
    keeper = module.generate(Purpose.PIN_REFERENCE)
    old = source(handle, one, "73915")
    kept = module.pins.make_value(old, keeper, pan=PAN)
    module.pins.verify(old, keeper, kept, pan=PAN)
    for wrong in (kept[:-2] + "00", "", "zz", kept[:-2]):
        with pytest.raises(NotAuthentic):
            module.pins.verify(old, keeper, wrong, pan=PAN)
    with pytest.raises(NotAuthentic):
        module.pins.verify(source(handle, one, "73916"), keeper, kept, pan=PAN)
    with pytest.raises(NotAuthentic):
        module.pins.change(source(handle, one, "1357"), old, keeper, kept, pan=PAN)
    for weak in ("1234", "9876", "0000", "1212", "1984", "73915", "890123"):
        with pytest.raises(NotPermitted) as caught:
            module.pins.change(old, source(handle, one, weak), keeper, kept, pan=PAN)
        assert caught.value.because == "weak-pin"
    new = source(handle, one, "862904")
    changed = module.pins.change(old, new, keeper, kept, pan=PAN)
    module.pins.verify(new, keeper, changed, pan=PAN)
    with pytest.raises(NotAuthentic):
        module.pins.verify(old, keeper, changed, pan=PAN)


@pytest.mark.parametrize(("purpose", "length"), [(Purpose.PIN_PVV, 4), (Purpose.PIN_IBM3624, 5)])
def test_a_pvv_and_an_offset_verify_their_pin_alone(purpose: Purpose, length: int) -> None:
    module, one = build(), bytes(16)
    handle = loaded(module, Purpose.PIN_ENCRYPTION, one)
    keeper = module.generate(purpose)
    good = source(handle, one, "73915")
    value = module.pins.make_value(good, keeper, pan=PAN)
    assert len(value) == length
    module.pins.verify(good, keeper, value, pan=PAN)
    for wrong in (
        "",
        value[:-1],
        value + "0",
        f"{(int(value) + 1) % 10**length:0{length}d}",
        "é123",
    ):
        with pytest.raises(NotAuthentic):
            module.pins.verify(good, keeper, wrong, pan=PAN)
    with pytest.raises(NotAuthentic):
        module.pins.verify(source(handle, one, "83915"), keeper, value, pan=PAN)


@pytest.mark.parametrize("length", [16, 24, 32])
def test_a_pin_of_a_terminal_comes_in_under_its_transaction_key(module, length: int) -> None:
    base = bytes(range(length))
    handle = loaded(module, Purpose.DUKPT_BASE, base)
    initial = module.key_blocks.derive_initial(handle, KSN[:8])
    target = module.generate(Purpose.PIN_ENCRYPTION)
    keeper = module.generate(Purpose.PIN_REFERENCE)
    octets = module._keys.cards[initial.id].reveal_to_wrapping()
    kind = {16: KeyType.AES_128, 24: KeyType.AES_192, 32: KeyType.AES_256}[length]
    working = InitialKey(octets, KSN[:8]).working_key(1, WorkingUsage.PIN, kind)
    for one in (handle, initial):
        given = replace(source(one, working, "73915"), ksn=KSN)
        module.pins.translate(given, target, PinFormat.ISO_4, pan=PAN)
        kept = module.pins.make_value(given, keeper, pan=PAN)
        module.pins.verify(given, keeper, kept, pan=PAN)
        for ksn in (b"", KSN[:-1] + b"\0", KSN[:-1] + b"\2", KSN[:8] + b"\xff" * 4):
            with pytest.raises((Malformed, NotAuthentic)):
                module.pins.verify(replace(given, ksn=ksn), keeper, kept, pan=PAN)
    with pytest.raises(NotAuthentic, match="another terminal"):
        module.pins.verify(
            PinBlock(handle=initial, form=PinFormat.ISO_4, block=bytes(16), ksn=bytes(11) + b"\1"),
            keeper,
            "00",
            pan=PAN,
        )
    request = Aes(
        InitialKey(octets, KSN[:8]).working_key(1, WorkingUsage.MAC_GENERATION, KeyType.AES_128)
    ).cmac(b"request")
    module.chips.verify_transaction_mac(initial, KSN, b"request", request)
    answer = module.chips.transaction_mac(handle, KSN, b"request")
    assert answer == module.chips.transaction_mac(initial, KSN, b"request") != request
    with pytest.raises(NotAuthentic):
        module.chips.verify_transaction_mac(initial, KSN, b"request", answer)


def test_a_key_goes_to_a_partner_and_comes_back_with_what_it_may_do(module: SoftModule) -> None:
    wrap = loaded(module, Purpose.KEY_WRAP, KEK)
    ours = loaded(module, Purpose.PIN_ENCRYPTION, b"\x07" * 16, mode="E")
    label = OptionalBlock(name="LB", text="link 7")
    block = module.key_blocks.export_key(wrap, ours, optional=(label,), exportability="S")
    fields, octets = Wrapping(KEK, is_aes=True).open(block)
    assert octets == b"\x07" * 16
    assert (fields.usage, fields.algorithm, fields.mode, fields.exportability) == (
        "P0", "A", "E", "S",
    )  # fmt: skip
    assert fields.text_of("LB") == "link 7"
    imported = module.key_blocks.import_key(wrap, block)
    assert imported.reasons == ()
    assert imported.handle.purpose is Purpose.PIN_ENCRYPTION
    assert module.key_blocks.check_value(imported.handle) == Aes(octets).check_value()
    given = PinBlock(handle=imported.handle, form=PinFormat.ISO_4, block=bytes(16))
    with pytest.raises(NotPermitted, match="open-pin"):
        module.pins.translate(given, imported.handle, PinFormat.ISO_4, pan=PAN)
    with pytest.raises(NotPermitted, match="more exportable"):
        module.key_blocks.export_key(wrap, imported.handle, exportability="E")
    again = module.import_block(module.export_block(imported.handle))
    assert again == imported.handle
    fresh = build(seed=9, rules=CLOSED_LOOP)
    moved = fresh.import_block(module.export_block(imported.handle))
    with pytest.raises(NotPermitted, match="open-pin"):
        fresh.pins.translate(replace(given, handle=moved), moved, PinFormat.ISO_4, pan=PAN)


def test_a_key_that_stays_is_not_exported(module: SoftModule) -> None:
    wrap = loaded(module, Purpose.KEY_WRAP, KEK)
    for purpose in (Purpose.DUKPT_BASE, Purpose.TOKENISATION, Purpose.CHIP_CRYPTOGRAM):
        with pytest.raises(NotPermitted, match="not exportable"):
            module.key_blocks.export_key(wrap, module.generate(purpose))
    with pytest.raises(NotPermitted):
        module.key_blocks.export_key(wrap, module.generate(Purpose.KEY_WRAP))


@pytest.mark.requirement("MFS-7.4.2-05")
def test_a_weaker_key_never_wraps_a_stronger_one(module: SoftModule) -> None:
    weak = loaded(module, Purpose.KEY_WRAP, bytes(16))
    strong = module.generate(Purpose.PIN_ENCRYPTION, mechanism="aes-256")
    with pytest.raises(NotPermitted, match="aes-128 does not wrap one of aes-256"):
        module.key_blocks.export_key(weak, strong)
    equal = module.generate(Purpose.PIN_ENCRYPTION, mechanism="aes-128")
    assert module.key_blocks.export_key(weak, equal).startswith("D")


def test_an_initial_key_travels_with_the_name_of_its_terminal(module: SoftModule) -> None:
    wrap = loaded(module, Purpose.KEY_WRAP, KEK)
    base = loaded(module, Purpose.DUKPT_BASE, bytes(range(16)))
    initial = module.key_blocks.derive_initial(base, KSN[:8])
    block = module.key_blocks.export_key(wrap, initial)
    assert read_header(block)[0].text_of("IK") == KSN[:8].hex().upper()
    again = module.key_blocks.import_key(wrap, block).handle
    assert module.chips.transaction_mac(again, KSN, b"m") == module.chips.transaction_mac(
        base, KSN, b"m"
    )
    fields = BlockFields(version="D", usage="B1", algorithm="A", mode="X")
    nameless = Wrapping(KEK, is_aes=True).seal(fields, bytes(16), bytes(46))
    with pytest.raises(Malformed, match="terminal"):
        module.key_blocks.import_key(wrap, nameless)


OLD_KEK = bytes.fromhex("dd7515f2bfc17f85ce48f3ca25cb21f6")
OLD_BLOCK = "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E"


def test_an_old_version_is_read_by_policy_and_the_event_says_why() -> None:
    module = build()
    wrap = loaded(module, Purpose.KEY_WRAP, OLD_KEK, mechanism="tdea-2key")
    found = module.key_blocks.import_key(wrap, OLD_BLOCK)
    assert found.reasons == ("key-block-version-b", "tdea-key-imported")
    with pytest.raises(NotPermitted, match="version D under AES"):
        module.key_blocks.export_key(wrap, found.handle)
    less = EVERYTHING.admitted - {"keyblock-b"}
    strict = build(rules=replace(EVERYTHING, admitted=less))
    wrap = loaded(strict, Purpose.KEY_WRAP, OLD_KEK, mechanism="tdea-2key")
    with pytest.raises(NotPermitted, match="version B are not read"):
        strict.key_blocks.import_key(wrap, OLD_BLOCK)
    assert len(strict.handles()) == 1


@pytest.mark.parametrize(
    ("usage", "algorithm", "mode"),
    [("K1", "A", "B"), ("K0", "A", "B"), ("S0", "R", "S"), ("P0", "A", "X"), ("V2", "A", "C"),
     ("E0", "A", "V"), ("M7", "H", "C"), ("D1", "A", "B"), ("10", "A", "N")],
)  # fmt: skip
def test_a_block_for_a_use_that_is_not_served_is_refused(module, usage, algorithm, mode) -> None:
    wrap = loaded(module, Purpose.KEY_WRAP, KEK)
    fields = BlockFields(version="D", usage=usage, algorithm=algorithm, mode=mode)
    block = Wrapping(KEK, is_aes=True).seal(fields, bytes(16), bytes(46))
    with pytest.raises(NotPermitted):
        module.key_blocks.import_key(wrap, block)
    assert module.handles() == (wrap,)


@pytest.mark.parametrize("mechanism", ["aes-128", "aes-192", "aes-256", "tdea-2key"])
def test_a_cryptogram_is_verified_and_answered(mechanism: str) -> None:
    module = build()
    handle = module.generate(Purpose.CHIP_CRYPTOGRAM, mechanism=mechanism)
    octets = module._keys.cards[handle.id].reveal_to_wrapping()
    is_aes = mechanism.startswith("aes")
    session = ChipKey(octets, is_aes=is_aes).master_of(PAN, "01").session_of(b"\0\7")
    good = session.mac(b"transaction data")
    given = (handle, CARD, b"\0\7", b"transaction data")
    assert module.chips.verify_cryptogram(*given, good) == b""
    first = module.chips.verify_cryptogram(*given, good, code=b"00")
    second = module.chips.verify_cryptogram(*given, good, status=b"\0\0\0\1")
    assert (len(first), len(second)) == (8, 4)
    assert first == session.response_1(good, b"00")
    for wrong in (good[:-1], bytes(8), good + b"\0", b""):
        with pytest.raises(NotAuthentic):
            module.chips.verify_cryptogram(*given, wrong, code=b"00")
    with pytest.raises(NotAuthentic):
        module.chips.verify_cryptogram(handle, replace(CARD, sequence="02"), *given[2:], good)


def test_a_new_pin_goes_to_the_chip_enciphered() -> None:
    module, one = build(), bytes(16)
    given = source(loaded(module, Purpose.PIN_ENCRYPTION, one), one, "73915")
    for mechanism in ("aes-256", "tdea-2key"):
        handle = module.generate(Purpose.CHIP_CONFIDENTIALITY, mechanism=mechanism)
        octets = module._keys.cards[handle.id].reveal_to_wrapping()
        session = ChipKey(octets, is_aes=mechanism.startswith("aes")).master_of(PAN, "01")
        found = module.chips.encipher_pin(handle, CARD, bytes(8), given)
        assert found == session.session_of(bytes(8)).encipher_script(
            bytes.fromhex("2573915fffffffff")
        )


def test_values_codes_and_tokens() -> None:
    module = build()
    card = {"pan": PAN, "expiry": "3012", "service": "101"}
    handle = module.generate(Purpose.CARD_VERIFICATION)
    found = {one: module.chips.make_value(handle, one, **card) for one in CardValue}
    assert len(set(found.values())) == len(CardValue)
    for one, digits in found.items():
        module.chips.verify_value(handle, one, digits, **card)
        with pytest.raises(NotAuthentic):
            module.chips.verify_value(handle, one, f"{(int(digits) + 1) % 1000:03d}", **card)
    vault = module.generate(Purpose.TOKENISATION)
    made = module.chips.tokenise(vault, PAN, b"merchant 7")
    assert len(made) == len(PAN)
    assert made != PAN
    assert module.chips.detokenise(vault, made, b"merchant 7") == PAN
    assert module.chips.detokenise(vault, made, b"merchant 8") != PAN
    for wrong in ("12345", "1234567x", "", "١٢٣٤٥٦٧"):
        with pytest.raises(Malformed):
            module.chips.tokenise(vault, wrong, b"")


def test_a_wrong_answer_of_a_construction_ends_all_service() -> None:
    def failing() -> None:
        raise Broken("wrong answer")

    module = build(known_answers={**KNOWN_ANSWERS, "pinblock-4": failing})
    handle = loaded(module, Purpose.PIN_ENCRYPTION, bytes(16))
    for _ in range(2):
        with pytest.raises(Broken, match="pinblock-4"):
            module.pins.translate(
                source(handle, bytes(16), "7391"), handle, PinFormat.ISO_4, pan=PAN
            )
    assert module.handles() == ()


def test_a_key_no_stronger_than_des_is_refused() -> None:
    module = build()
    half = bytes.fromhex("0123456789abcdef")
    with pytest.raises(Malformed, match="DES"):
        loaded(module, Purpose.CARD_VERIFICATION, half + half, mechanism="tdea-2key")
    assert module.handles() == ()
