"""What the module does for callers of the payment cryptography door, and under which rules."""

import pytest
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.modules.card_interface import EVERYTHING, STRICT
from tallystick.infrastructure.modules.interface import AES_128, TDEA_2KEY, Purpose
from tallystick.infrastructure.modules.soft_data import Ciphering, Mode, Terminal
from tallystick.infrastructure.modules.soft_issuing import Sealing
from tallystick.infrastructure.modules.soft_pins import PinBlock, Target
from tallystick.infrastructure.pin.clear import drawn_pin
from tallystick.infrastructure.pin.formats import PinFormat
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant

PAN = "4012345678909012"
pytestmark = pytest.mark.requirement("MFS-7.4.2-03")


def test_without_its_rule_no_key_leaves_in_an_old_block() -> None:
    for rules, good in ((EVERYTHING, False), (replace(EVERYTHING, writes_version_b=True), True)):
        module = build(rules=rules)
        outer = module.generate(Purpose.KEY_WRAP, mechanism=TDEA_2KEY)
        inner = module.data.make_key(Purpose.PIN_ENCRYPTION, TDEA_2KEY, mode="B", exportability="E")
        if good:
            assert module.key_blocks.export_key(outer, inner)[0] == "B"
            continue
        with pytest.raises(NotPermitted):
            module.key_blocks.export_key(outer, inner)


def test_strict_rules_let_in_neither_old_ciphers_nor_pins_nor_rsa() -> None:
    module = build(rules=STRICT)
    with pytest.raises(NotPermitted):
        module.data.make_key(Purpose.DATA_ENCRYPTION, TDEA_2KEY, mode="B", exportability="N")
    authority = module.generate(Purpose.DOOR_AUTHORITY)
    for kind in ("cryptogram", "token-in", "token-out"):
        with pytest.raises(NotPermitted):
            module.transport.make(3072, "import-token-x", Instant(0), authority, kind)
    sealing = module.data.make_key(Purpose.PIN_ENCRYPTION, AES_128, mode="B", exportability="N")
    block = PinBlock(handle=sealing, form=PinFormat.ISO_4, block=bytes(16))
    with pytest.raises(NotPermitted) as told:
        module.pins.translate_to(block, Target(handle=sealing), PinFormat.ISO_4, pan=PAN)
    assert told.value.because == "pins-in-software"


def test_a_base_key_enciphers_nothing_by_itself() -> None:
    module = build()
    base = module.generate(Purpose.DUKPT_BASE)
    static = module.generate(Purpose.DATA_ENCRYPTION)
    with pytest.raises(Malformed):
        module.data.encrypt(Ciphering(handle=base, mode=Mode.ECB), bytes(16))
    terminal = Terminal(ksn=bytes.fromhex("123456789012345600000001"))
    with pytest.raises(Malformed):
        module.data.encrypt(Ciphering(handle=static, mode=Mode.ECB, terminal=terminal), bytes(16))


def test_a_key_that_only_opens_pins_seals_no_new_one() -> None:
    module = build()
    keeper = module.generate(Purpose.PIN_PVV)
    opens = module.data.make_key(Purpose.PIN_ENCRYPTION, TDEA_2KEY, mode="D", exportability="N")
    to = Sealing(target=Target(handle=opens), form=PinFormat.ISO_0)
    with pytest.raises(NotPermitted):
        module.issuing.new_pin(keeper, to, pan=PAN, length=4)


def test_a_drawn_pin_is_a_fair_one() -> None:
    octets = iter([bytes([255, 254, 253, 252]), bytes([1, 1, 1, 1]), bytes([18, 7, 249, 3])])
    assert drawn_pin(lambda length: next(octets)[:length], 4).reveal_inside() == "8793"
    for length in (3, 13):
        with pytest.raises(Malformed):
            drawn_pin(bytes, length)
