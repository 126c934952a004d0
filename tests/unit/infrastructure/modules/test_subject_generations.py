"""Another generation wraps a subject's key and changes what it seals by, and never the key."""

import random

import pytest
from tests.unit.infrastructure.modules.module_under_test import MASTER

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.modules.block import (
    BlockRoots,
    peek,
    rewrap,
    unwrap,
    wrapped_under,
)
from tallystick.infrastructure.modules.interface import (
    AES_256_CCM,
    AES_256_GCM,
    HKDF_CCM,
    HKDF_SHA256,
    Purpose,
)
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.sealing import mechanism_of, open_field, seal_field
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.time import Instant, SimulatedClock

PURPOSES = (Purpose.SUBJECT, Purpose.ALIAS_INDEX)
DATA, CONTEXT = b"+254700000001 Ann", b"subject"


def generation(mechanism: str, at: int) -> bytes:
    """The block of a new generation, as `crypto rewrap` makes it."""
    roots = MasterKey(MASTER).roots((Purpose.SUBJECT_WRAP,))
    module = SoftModule(
        roots, SimulatedClock(Instant(at)), profile="test", entropy=random.Random(at).randbytes
    )
    return module.export_block(module.generate(Purpose.SUBJECT_WRAP, mechanism=mechanism))


def module(*generations: bytes, master: bytes = MASTER) -> SoftModule:
    roots = MasterKey(master).roots((*PURPOSES, Purpose.SUBJECT_WRAP))
    handed = roots.with_generations(generations).to_octets().reveal()
    return SoftModule(
        BlockRoots.from_octets(handed), SimulatedClock(), profile="test",
        entropy=random.Random(7).randbytes,
    )  # fmt: skip


@pytest.mark.requirement("MFS-7.4.2-07", "MFS-7.4.2-12")
def test_a_key_moves_through_generations_and_stays_itself() -> None:
    first, second = generation(AES_256_GCM, 10), generation(AES_256_CCM, 20)
    plain = module()
    handle = plain.generate(Purpose.SUBJECT)
    old_block, salt = plain.export_block(handle), plain.mac(handle, b"event")
    old = seal_field(plain, handle, DATA, CONTEXT)
    assert (wrapped_under(old_block), handle.mechanism) == ("", HKDF_SHA256)

    middle = module(first)
    moved = middle.export_block(middle.import_block(old_block))
    assert wrapped_under(moved) == peek(first).id[-8:]
    assert middle.export_block(middle.import_block(moved)) == moved, "it moved without a reason"
    with pytest.raises(NotAuthentic):
        module().import_block(moved)

    last = module(first, second)
    for block in (old_block, moved):
        taken = last.import_block(block)
        assert (taken.id, taken.mechanism) == (handle.id, HKDF_CCM)
        assert last.mac(taken, b"event") == salt, "the salts of the log changed"
        now = last.export_block(taken)
        assert wrapped_under(now) == peek(second).id[-8:]
        assert peek(now).mechanism == HKDF_CCM
        assert open_field(last, (taken,), old, CONTEXT) == DATA
        fresh = seal_field(last, taken, DATA, CONTEXT)
        assert mechanism_of(fresh) == AES_256_CCM
        assert open_field(last, (taken,), fresh, CONTEXT) == DATA
        assert open_field(middle, (middle.import_block(moved),), fresh, CONTEXT) == DATA
        last.destroy(taken)
    only = module(second)
    assert only.mac(only.import_block(now), b"event") == salt
    with pytest.raises(NotAuthentic, match="not here"):
        only.import_block(moved)
    assert last.generate(Purpose.SUBJECT).mechanism == HKDF_CCM


def test_a_label_does_not_carry_what_another_mechanism_sealed() -> None:
    """What one mechanism sealed under the label of the other is noise, in either direction."""
    here = module(generation(AES_256_CCM, 20))
    handle = here.generate(Purpose.SUBJECT)
    sealed = seal_field(here, handle, DATA, CONTEXT)
    for number in (1, 2, 4, 9):
        with pytest.raises(NotAuthentic):
            open_field(here, (handle,), sealed[:4] + bytes((number,)) + sealed[5:], CONTEXT)


def test_no_key_of_a_generation_is_a_handle_and_no_root_of_it_is_left() -> None:
    made = generation(AES_256_CCM, 20)
    here = module(made)
    assert Purpose.SUBJECT_WRAP not in here.capabilities().purposes
    with pytest.raises(Exception, match="no access"):
        here.import_block(made)
    without = MasterKey(MASTER).roots((Purpose.ALIAS_INDEX, Purpose.SUBJECT_WRAP))
    assert without.with_generations([made]).newest(Purpose.SUBJECT) == ""
    changed = made[:-1] + bytes((made[-1] ^ 1,))
    with pytest.raises(NotAuthentic):
        module(changed)


@pytest.mark.requirement("MFS-7.4.2-07")
def test_another_master_key_moves_the_generation_and_no_row() -> None:
    made = generation(AES_256_CCM, 20)
    here = module(made)
    block = here.export_block(here.generate(Purpose.SUBJECT))
    before, after = (MasterKey(one).roots(Purpose) for one in (MASTER, bytes([9]) * 32))
    assert rewrap(before, after, block, bytes(12)) == block
    moved = rewrap(before, after, made, bytes(12))
    assert unwrap(after.with_generations([moved]), block) == unwrap(
        before.with_generations([made]), block
    )


WYCHEPROOF = (
    ("80ba3192c803ce965ea371d5ff073cf0f43b6a2ab576b208426e11409c09b9b0",
     "4da5bf8dfd5852c1ea12379d", "", "", "6dc4ef59a73ebcabb5e34c0d34d9f2d7"),
    ("cc56b680552eb75008f5484b4cb803fa5063ebd6eab91f6ab6aef4916a766273",
     "99e23ec48985bccdeeab60f1", "", "2a", "0685ca1f6c46283cb5dd5960bd34a8dc36"),
    ("f60c6a1b625725f76c7037b48fe3577fa7f7b87b1bd5a982176d182306ffb870",
     "f0384fb876121410633d993d", "9aaf299eeea78f79", "63858ca3e2ce69887b578a3c167b421c9c",
     "f05e290bbbc61927fa65760648dcca88b0b721be96a6b95c0931fb243dd1287c70"),
    ("a8108c33da059fedf6022a6ec49527be0ab64002472cb2f703b97e0179a34312",
     "bce636ca401a88fac2361ed1",
     "35eac16526c2f10a1271b3a8f810bbf239eeb961e1a7e9205beae60045f008e6", "",
     "430ccbb1f75de06b71637d1a76b35cf5"),
    ("dacd51a8a8e4d5905b4cbb947ef4013eb296889353f3c9ee35f5577b26737a51",
     "3fa378a1befdddd61ae68cf4", "bb5a3812f0aefd", "e148313883a77da121124d06b1c77dca",
     "ddf8ade13d69f3649e36c669d25b4d8101861557d43ab014c4ede19fcd7548ea"),
    ("a5569e729a69b24ba6e0ff15c4627897436824c941e9d00b2e93fddc4ba77657",
     "564dee49ab00d240fc1068c3", "d19f2d989095f7ab03a5fde84416e00c0e",
     "87b3a4d7b26d8d3203a0de1d64ef82e3",
     "2fadf16ad16a21c317af9d0bc187f13688caf70f6b5d8f3ef6a39d1ae413772b"),
)  # fmt: skip
"""C2SP/wycheproof, aes_ccm_test.json: cases 157, 158, 169, 177, 181 and 184."""


@pytest.mark.parametrize(("key", "nonce", "aad", "plain", "sealed"), WYCHEPROOF)
def test_ccm_gives_what_is_published(key, nonce, aad, plain, sealed) -> None:
    cipher = AeadKey(bytes.fromhex(key), mechanism=AES_256_CCM)
    at, over, octets = (bytes.fromhex(one) for one in (nonce, aad, sealed))
    assert cipher.seal(at, bytes.fromhex(plain), over) == octets
    assert cipher.open(at, octets, over) == bytes.fromhex(plain)
    for changed in (octets[:-1], octets[:-1] + bytes((octets[-1] ^ 0x80,)), octets + b"\0"):
        with pytest.raises(NotAuthentic):
            cipher.open(at, changed, over)
