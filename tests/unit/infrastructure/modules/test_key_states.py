"""The states of keys: every step, and every use in every state, attempted at the module."""

import itertools

import pytest
from tests.unit.infrastructure.modules.module_under_test import build
from tests.unit.infrastructure.modules.test_card_matrix import calls
from tests.unit.infrastructure.modules.test_soft_module import NONCE, sealed_to

from tallystick.infrastructure.modules.card_interface import CARD_USES, CardOperation
from tallystick.infrastructure.modules.interface import (
    ADMITTED_ONLY,
    AES_256_GCM,
    CARD_LENGTHS,
    MECHANISMS,
    OPERATIONS,
    TDEA_2KEY,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.soft_states import CARD_READING, MOST_USES
from tallystick.infrastructure.modules.states import (
    STEPS,
    USES,
    KeyState,
    KeyUse,
    check_step,
)
from tallystick.kernel.errors import Conflict, MfsError, NotFound, NotPermitted

S, U = KeyState, KeyUse
RANK = {S.PRE_ACTIVE: 0, S.ACTIVE: 1, S.SUSPENDED: 1, S.DEACTIVATED: 2, S.COMPROMISED: 3,
        S.DESTROYED: 4}  # fmt: skip
WAY = {
    S.PRE_ACTIVE: (S.PRE_ACTIVE,),
    S.ACTIVE: (S.PRE_ACTIVE, S.ACTIVE),
    S.SUSPENDED: (S.SUSPENDED,),
    S.DEACTIVATED: (S.DEACTIVATED,),
    S.COMPROMISED: (S.COMPROMISED,),
    S.DESTROYED: (S.COMPROMISED, S.DESTROYED),
}
GENERAL = [
    (purpose, names[0])
    for purpose, names in MECHANISMS.items()
    if names[0] not in CARD_LENGTHS and purpose not in ADMITTED_ONLY
]


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.parametrize(("before", "after"), list(itertools.product(S, S)))
def test_every_step_is_allowed_or_refused_as_the_table_says_and_none_goes_back(
    before: KeyState, after: KeyState
) -> None:
    if after in STEPS[before]:
        check_step(before, after)
        back = (before, after) == (S.SUSPENDED, S.ACTIVE)
        assert RANK[after] > RANK[before] or back or (before, after) == (S.ACTIVE, S.SUSPENDED)
        return
    with pytest.raises(Conflict, match=before.value):
        check_step(before, after)
    module = build()
    handle = module.generate(Purpose.STORE)
    if before is not after:
        for state in WAY[before]:
            module.states.put(handle.id, state)
        if before is not S.ACTIVE or after is not S.PRE_ACTIVE:
            with pytest.raises(Conflict):
                module.states.put(handle.id, after)
        assert module.states.of(handle.id) is before


def attempts(module, handle, made: dict[str, bytes]):
    """Every operation of the key's mechanism with what the state has to leave for it."""
    found = OPERATIONS[handle.mechanism]
    if Operation.SIGN in found:
        yield U.PROTECT, lambda: module.sign(handle, b"m")
    if Operation.MAC in found:
        yield U.PROTECT, lambda: module.mac(handle, b"m")
        yield U.CHECK, lambda: module.verify_mac(handle, b"m", made["tag"])
    if Operation.SEAL in found:
        yield U.PROTECT, lambda: module.seal(handle, bytes(11) + b"\1", b"m", b"")
        yield U.OPEN, lambda: module.open(handle, NONCE, made["sealed"], b"")
    if Operation.KEM_OPEN in found:
        yield U.OPEN, lambda: module.kem_open(handle, made["kem"], info=b"i")


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize(("purpose", "mechanism"), GENERAL)
def test_a_key_does_what_its_state_leaves_and_nothing_else(
    purpose: Purpose, mechanism: str, state: KeyState
) -> None:
    module = build()
    handle = module.generate(purpose, mechanism=mechanism)
    made: dict[str, bytes] = {}
    if Operation.MAC in OPERATIONS[mechanism]:
        made["tag"] = module.mac(handle, b"m")
    if Operation.SEAL in OPERATIONS[mechanism]:
        made["sealed"] = module.seal(handle, NONCE, b"m", b"")
    if Operation.KEM_OPEN in OPERATIONS[mechanism]:
        made["kem"] = sealed_to(module, handle)
    for step in WAY[state]:
        module.states.put(handle.id, step)
    for use, call in attempts(module, handle, made):
        if use in USES[state]:
            call()
        elif state is S.DESTROYED:
            with pytest.raises(NotFound):
                call()
        else:
            with pytest.raises(NotPermitted, match=f"that is {state}"):
                call()


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("purpose", list(CARD_USES))
def test_a_key_of_cards_does_what_its_state_leaves(purpose: Purpose, state: KeyState) -> None:
    module = build()
    handle = module.generate(purpose)
    for step in WAY[state]:
        module.states.put(handle.id, step)
    use = CARD_USES[purpose]
    for operation, call in calls(module, handle).items():
        stopped = CARD_READING.get(operation, U.PROTECT) not in USES[state]
        came_to = attempted(call)
        if state is S.ACTIVE:
            assert came_to != "key-state"
        elif state is S.DESTROYED:
            assert came_to == "NotFound", operation
        else:
            left = operation in use.modes[use.mode] and not stopped
            assert (came_to == "key-state") is not left, f"{operation} by a key that is {state}"


def attempted(call) -> str:
    """What a call came to: done, or the reason or the kind of its refusal."""
    try:
        call()
    except MfsError as refusal:
        return refusal.because or type(refusal).__name__
    return "done"


@pytest.mark.requirement("MFS-7.4.2-01")
def test_everything_that_a_card_operation_opens_or_checks_is_left_to_a_key_that_ended() -> None:
    reading = {one for one in CardOperation if one.value.startswith(("open-", "unwrap-", "verify-",
               "decrypt-", "detok"))}  # fmt: skip
    assert reading == set(CARD_READING)


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_suspended_key_is_whole_again_once_it_is_resumed() -> None:
    module = build()
    handle, card = module.generate(Purpose.QUOTE), module.generate(Purpose.CARD_MAC)
    tag, code = module.mac(handle, b"m"), module.chips.make_mac(card, b"m")
    for one in (handle, card):
        module.states.put(one.id, S.SUSPENDED)
    with pytest.raises(NotPermitted):
        module.verify_mac(handle, b"m", tag)
    with pytest.raises(NotPermitted):
        module.chips.make_mac(card, b"m")
    for one in (handle, card):
        module.states.put(one.id, S.ACTIVE)
    assert module.mac(handle, b"m") == tag
    assert module.chips.make_mac(card, b"m") == code


@pytest.mark.requirement("MFS-7.4.2-09")
def test_the_block_of_a_destroyed_key_does_not_come_in_again() -> None:
    module = build()
    handle = module.generate(Purpose.STORE)
    block = module.export_block(handle)
    for state in (S.DEACTIVATED, S.DESTROYED):
        module.states.put(handle.id, state)
    with pytest.raises(NotPermitted, match="destroyed"):
        module.import_block(block)
    assert handle.id not in {one.id for one in module.handles()}


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_state_that_is_known_before_the_block_comes_in_counts() -> None:
    maker, module = build(), build(seed=2)
    made = maker.generate(Purpose.TALLY)
    block = maker.export_block(made)
    module.states.put(made.id, S.SUSPENDED)
    handle = module.import_block(block)
    with pytest.raises(NotPermitted, match="suspended"):
        module.sign(handle, b"m")
    assert module.public_octets(module.generate(Purpose.TALLY))


@pytest.mark.requirement("MFS-7.4.2-08")
def test_a_key_that_is_out_of_use_does_not_leave_in_a_key_block() -> None:
    module = build()
    wrap, card = module.generate(Purpose.KEY_WRAP), module.generate(Purpose.CARD_MAC)
    module.key_blocks.export_key(wrap, card)
    module.states.put(card.id, S.DEACTIVATED)
    with pytest.raises(NotPermitted, match="key block"):
        module.key_blocks.export_key(wrap, card)


@pytest.mark.requirement("MFS-7.4.2-07")
@pytest.mark.parametrize("mechanism", [AES_256_GCM, TDEA_2KEY])
def test_a_key_is_not_used_more_often_than_its_mechanism_bears(mechanism: str) -> None:
    module = build()
    if mechanism == AES_256_GCM:
        handle = module.generate(Purpose.STORE)

        def once() -> None:
            module.seal(handle, NONCE, b"m", b"")
    else:
        handle = module.generate(Purpose.CARD_MAC_RETAIL)

        def once() -> None:
            module.chips.make_mac(handle, b"m")

    once()
    assert module.states.used(handle.id) == 1
    module.states.recall(handle.id, MOST_USES[mechanism] - 1)
    once()
    with pytest.raises(NotPermitted, match="as often as it may be") as refused:
        once()
    assert refused.value.because == "key-limit"
    assert module.states.used(handle.id) == MOST_USES[mechanism]
