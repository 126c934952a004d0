"""A wrapping key out of components: what one custodian has is nothing, and each is checked."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.keyblocks.wrapping import Wrapping
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret

PARTS = [random.Random(seed).randbytes(32) for seed in (1, 2, 3)]


def folded(parts: list[bytes]) -> bytes:
    total = 0
    for one in parts:
        total ^= int.from_bytes(one, "big")
    return total.to_bytes(len(parts[0]), "big")


def value_of(octets: bytes) -> bytes:
    """The check value as another library has it: CMAC over a block of zeros."""
    code = CMAC(AES(octets))
    code.update(bytes(16))
    return code.finalize()[:3]


@pytest.mark.requirement("MFS-7.4.2-04")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_the_components_of_all_custodians_are_the_key(order: tuple[int, ...]) -> None:
    module = build()
    entry = module.key_blocks.begin_components("aes-256", 3)
    for number in order:
        entry.enter(f"custodian {number}", Secret(PARTS[number]), value_of(PARTS[number]))
    whole = folded(PARTS)
    handle = entry.finish(value_of(whole))
    assert handle.purpose is Purpose.KEY_WRAP
    block = module.key_blocks.export_key(handle, module.generate(Purpose.CARD_MAC))
    assert Wrapping(whole, is_aes=True).open(block)[0].usage == "M6"
    assert not set(entry._folded) - {0}


@pytest.mark.requirement("MFS-7.4.2-04")
def test_no_custodian_makes_the_key_alone_and_a_missing_component_makes_none() -> None:
    module = build()
    entry = module.key_blocks.begin_components("aes-256", 2)
    entry.enter("ann", Secret(PARTS[0]), value_of(PARTS[0]))
    with pytest.raises(Conflict, match="one custodian"):
        entry.enter("ann", Secret(PARTS[1]), value_of(PARTS[1]))
    with pytest.raises(Conflict, match="1 components are missing"):
        entry.finish(value_of(PARTS[0]))
    with pytest.raises(Malformed, match="two components"):
        module.key_blocks.begin_components("aes-256", 1)
    with pytest.raises(NotPermitted):
        module.key_blocks.begin_components("tdea-2key", 2)


@pytest.mark.requirement("MFS-7.4.2-04")
def test_a_component_that_was_mistyped_is_entered_again_and_a_wrong_key_is_not_kept() -> None:
    module = build()
    entry = module.key_blocks.begin_components("aes-256", 2)
    changed = bytes([PARTS[0][0] ^ 1]) + PARTS[0][1:]
    with pytest.raises(NotAuthentic, match="enter the component again"):
        entry.enter("ann", Secret(changed), value_of(PARTS[0]))
    for wrong in (bytes(32), PARTS[0][:31]):
        with pytest.raises(Malformed):
            entry.enter("ann", Secret(wrong), b"abc")
    entry.enter("ann", Secret(PARTS[0]), value_of(PARTS[0]))
    entry.enter("bob", Secret(PARTS[1]), value_of(PARTS[1]))
    with pytest.raises(Conflict, match="all components"):
        entry.enter("cid", Secret(PARTS[2]), value_of(PARTS[2]))
    loaded = module.handles()
    with pytest.raises(NotAuthentic, match="another check value"):
        entry.finish(value_of(PARTS[2]))
    assert module.handles() == loaded
    with pytest.raises(Conflict, match="2 components are missing"):
        entry.finish(value_of(folded(PARTS[:2])))
