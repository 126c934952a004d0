"""The table of keys: complete, and a process gets the keys of its roles and no others."""

import pytest
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.keys.table import (
    KEY_TABLE,
    Role,
    end_of_life,
    load_for,
    purposes_of,
)
from tallystick.infrastructure.modules.interface import ADMITTED_ONLY, MEMORY_ONLY, Purpose
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.protocol.keylist import ListedPurpose

NOW = Instant(1_767_225_600_000)
BLOCKED = [one for one in Purpose if one not in MEMORY_ONLY | ADMITTED_ONLY]


def all_blocks() -> list[bytes]:
    module = build()
    return [module.export_block(module.generate(purpose)) for purpose in BLOCKED]


def test_every_purpose_has_one_row_with_holders() -> None:
    assert set(KEY_TABLE) == set(Purpose)
    for purpose, rule in KEY_TABLE.items():
        assert rule.purpose is purpose
        assert rule.holders
        assert rule.max_life_ms >= 0
        assert rule.note


def test_the_table_says_what_the_architecture_says() -> None:
    """The tally key is the writer's alone, the root is off line; what opens sessions, a week."""
    assert KEY_TABLE[Purpose.TALLY].holders == (Role.WRITER,)
    assert KEY_TABLE[Purpose.PROVIDER_ROOT].holders == (Role.OFFLINE,)
    assert KEY_TABLE[Purpose.OFFICER].holders == (Role.OFFICER,)
    assert KEY_TABLE[Purpose.DEVICE_CA].holders == (Role.ENROLMENT,)
    assert KEY_TABLE[Purpose.SESSION_SIGNATURE].holders == (Role.FRONT,)
    assert KEY_TABLE[Purpose.SESSION_SIGNATURE].max_life_ms <= 7 * DAY_MS


def test_what_the_root_vouches_for_is_what_the_key_list_carries() -> None:
    vouched = {
        rule.purpose.value
        for rule in KEY_TABLE.values()
        if Purpose.PROVIDER_ROOT in rule.vouched_by
    }
    assert vouched == {listed.value for listed in ListedPurpose}


WRAPPING = {Purpose.SUBJECT_WRAP}
"""Not loaded as keys that do something: generations, which are opened with the roots."""


@pytest.mark.parametrize("role", Role)
def test_a_role_loads_its_keys_and_no_others(role: Role) -> None:
    """Even where the module could open every block."""
    module = build()
    loaded = load_for(role, module, all_blocks(), now=NOW)
    named = {purpose for purpose in BLOCKED if role in KEY_TABLE[purpose].holders}
    wanted = named - WRAPPING
    assert set(loaded.handles) == wanted
    assert {handle.purpose for handle in module.handles()} == wanted
    assert len(loaded.left) == len(BLOCKED) - len(wanted)
    assert set(loaded.left.values()) <= ({"role", "wraps"} if named & WRAPPING else {"role"})
    for purpose in set(Purpose) - wanted:
        with pytest.raises(NotFound, match=purpose.value):
            loaded.newest(purpose)


@pytest.mark.requirement("MFS-6.2.3-02")
def test_a_front_cannot_get_the_tally_key_in_any_way() -> None:
    """Not by the loader, not by importing, not by making one, not under a false purpose."""
    owner = build()
    tally = owner.export_block(owner.generate(Purpose.TALLY))
    front = build(purposes_of([Role.FRONT]))
    assert load_for(Role.FRONT, front, [tally], now=NOW).handles == {}
    with pytest.raises(NotPermitted):
        front.import_block(tally)
    with pytest.raises(NotPermitted):
        front.generate(Purpose.TALLY)
    forged = tally.replace(b'"purpose":"tally"', b'"purpose":"quote"')
    assert forged != tally
    with pytest.raises(NotAuthentic):
        load_for(Role.FRONT, front, [forged], now=NOW)
    assert front.handles() == ()


def test_a_process_of_several_roles_gets_the_keys_of_all() -> None:
    roles = (Role.FRONT, Role.WRITER, Role.ENROLMENT)
    loaded = load_for(roles, build(purposes_of(roles)), all_blocks(), now=NOW)
    apart = {
        Purpose.PROVIDER_ROOT,
        Purpose.OFFICER,
        Purpose.WITNESS,
        Purpose.APP_SIGNING,
        Purpose.CERTIFICATE_ROOT,
        Purpose.CERTIFICATE_ISSUER,
        *purposes_of([Role.CARD]),
    }
    assert set(loaded.handles) == set(BLOCKED) - apart - WRAPPING
    assert set(purposes_of(roles)) == set(Purpose) - apart
    assert purposes_of([]) == ()


@pytest.mark.parametrize("purpose", BLOCKED)
def test_a_key_past_its_life_is_left(purpose: Purpose) -> None:
    owner = build()
    handle = owner.generate(purpose)
    block, role = owner.export_block(handle), KEY_TABLE[purpose].holders[0]
    life = KEY_TABLE[purpose].max_life_ms
    if purpose in WRAPPING:
        assert load_for(role, build(), [block], now=NOW).left == {handle.id: "wraps"}
        return
    if life == 0:
        assert end_of_life(handle) == 0
        assert load_for(role, build(), [block], now=Instant(NOW + 36_500 * DAY_MS)).handles
        return
    assert end_of_life(handle) == NOW + life
    assert load_for(role, build(), [block], now=Instant(NOW + life - 1)).handles
    late = load_for(role, build(), [block], now=Instant(NOW + life))
    assert (late.handles, late.left) == ({}, {handle.id: "expired"})


def test_a_key_from_the_future_points_to_a_wrong_clock() -> None:
    owner = build()
    block = owner.export_block(owner.generate(Purpose.TALLY))
    with pytest.raises(Conflict, match="clock"):
        load_for(Role.WRITER, build(), [block], now=Instant(NOW - DAY_MS - 1))
    load_for(Role.WRITER, build(), [block], now=Instant(NOW - DAY_MS))


def test_the_newest_key_comes_first() -> None:
    owner = build()
    old = owner.generate(Purpose.TALLY)
    owner._clock.advance(DAY_MS)
    new = owner.generate(Purpose.TALLY)
    blocks = [owner.export_block(old), owner.export_block(new)]
    loaded = load_for(Role.WRITER, build(), blocks, now=Instant(NOW + DAY_MS))
    assert loaded.handles[Purpose.TALLY] == (new, old)
    assert loaded.newest(Purpose.TALLY) == new


def test_a_changed_block_stops_the_start() -> None:
    block = bytearray(all_blocks()[BLOCKED.index(Purpose.QUOTE)])
    block[-1] ^= 1
    for octets in (bytes(block), b"", b"TKB1"):
        with pytest.raises(NotAuthentic):
            load_for(Role.WRITER, build(), [octets], now=NOW)
