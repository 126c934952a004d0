"""One key, one usage: every purpose against every operation, every strength against every other."""

import itertools

import pytest
from tests.unit.infrastructure.modules.module_under_test import build
from tests.unit.infrastructure.modules.test_card_matrix import calls
from tests.unit.infrastructure.modules.test_key_states import attempted
from tests.unit.infrastructure.modules.test_soft_module import use

from tallystick.infrastructure.keyblocks import wrapping
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.keyblocks.wrapping import Wrapping
from tallystick.infrastructure.modules.card_interface import (
    CARD_USES,
    EVERYTHING,
    CardMaterial,
    CardRules,
    algorithm_of,
)
from tallystick.infrastructure.modules.interface import (
    ADMITTED_ONLY,
    CARD_LENGTHS,
    MECHANISMS,
    OPERATIONS,
    KeyHandle,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import NotPermitted

BITS = {"tdea-2key": 80, "tdea-3key": 112, "aes-128": 128, "aes-192": 192, "aes-256": 256}
"""NIST SP 800-57-1, 5.6.1, table 2; two-key TDEA as ISO/IEC 18033-3 rates it."""
KEK = bytes(range(32))
AES = [name for name in CARD_LENGTHS if name.startswith("aes")]


def key_of(module: SoftModule, purpose: Purpose, mechanism: str, octets: bytes) -> KeyHandle:
    """A key of cards with these octets that may leave."""
    mode = CARD_USES[purpose].mode
    packed = CardMaterial(mode=mode, exportability="E", ident=b"", octets=octets).pack()
    return module._take(purpose, mechanism, packed)


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize("purpose", [one for one in Purpose if one not in ADMITTED_ONLY])
def test_no_operation_of_another_usage_is_done_with_a_key(purpose: Purpose) -> None:
    module = build()
    handle = module.generate(purpose)
    mine = OPERATIONS[handle.mechanism]
    for operation in Operation:
        if operation not in mine:
            for call in use(module, handle, operation):
                with pytest.raises(NotPermitted, match=purpose.value):
                    call()
    allowed = frozenset()
    if purpose in CARD_USES:
        allowed = CARD_USES[purpose].modes[CARD_USES[purpose].mode]
    for operation, call in calls(module, handle).items():
        if operation not in allowed:
            with pytest.raises(NotPermitted, match=f"{purpose.value} key"):
                call()
        else:
            assert attempted(call) != "NotPermitted" or purpose in CARD_USES


@pytest.mark.requirement("MFS-7.4.2-05")
@pytest.mark.parametrize(("outer", "inner"), list(itertools.product(CARD_LENGTHS, CARD_LENGTHS)))
def test_a_key_never_travels_under_a_weaker_one(
    outer: str, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = build()
    octets = bytes(range(1, 1 + CARD_LENGTHS[outer]))
    wrap = key_of(module, Purpose.KEY_WRAP, outer, octets)
    purpose = next(
        one for one in CARD_USES if inner in MECHANISMS[one] and one is not Purpose.KEY_WRAP
    )
    key = key_of(module, purpose, inner, bytes(range(40, 40 + CARD_LENGTHS[inner])))
    fits = BITS[outer] >= BITS[inner]
    if outer in AES and fits:
        module.key_blocks.export_key(wrap, key)
    else:
        with pytest.raises(NotPermitted):
            module.key_blocks.export_key(wrap, key)
    if outer not in AES:
        return
    fields = BlockFields(
        version="D",
        usage=CARD_USES[purpose].usage,
        algorithm=algorithm_of(inner),
        mode=CARD_USES[purpose].mode,
    )
    with monkeypatch.context() as careless:
        careless.setattr(wrapping, "check_lattice", lambda *_: None)
        sealed = Wrapping(octets, is_aes=True)
        block = sealed.seal(fields, bytes(range(40, 40 + CARD_LENGTHS[inner])), bytes(46))
    if fits:
        assert module.key_blocks.import_key(wrap, block).handle.mechanism == inner
    else:
        with pytest.raises(NotPermitted, match="does not wrap"):
            module.key_blocks.import_key(wrap, block)


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize("version", list("ABCE"))
def test_another_version_than_d_is_read_where_the_policy_names_it_and_is_told(
    version: str,
) -> None:
    # the versions themselves are held against published blocks in tests/vectors
    rules = CardRules(admitted=EVERYTHING.admitted - {f"keyblock-{version.lower()}"})
    module = build(rules=rules)
    mechanism = "aes-256" if version == "E" else "tdea-2key"
    wrap = key_of(module, Purpose.KEY_WRAP, mechanism, bytes(range(1, 1 + CARD_LENGTHS[mechanism])))
    with pytest.raises(NotPermitted, match=f"version {version} are not read") as refused:
        module.key_blocks.import_key(wrap, version + "0" * 95)
    assert refused.value.because == "key-block-version"


@pytest.mark.requirement("MFS-7.4.2-10")
def test_a_key_of_a_test_does_not_become_one_of_production_over_a_key_block() -> None:
    maker, taker = build(profile="test"), build(profile="production", seed=2)
    there = key_of(maker, Purpose.KEY_WRAP, "aes-256", KEK)
    here = key_of(taker, Purpose.KEY_WRAP, "aes-256", KEK)
    lied = (OptionalBlock(name="10", text="profileproduction"),)
    block = maker.key_blocks.export_key(there, maker.generate(Purpose.CARD_MAC), optional=lied)
    with pytest.raises(NotPermitted, match="made for test") as refused:
        taker.key_blocks.import_key(here, block)
    assert refused.value.because == "key-profile"
    assert maker.key_blocks.import_key(there, block)
