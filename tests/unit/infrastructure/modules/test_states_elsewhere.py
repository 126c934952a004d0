"""The state of a key counts wherever the key is: in a process of its own, and in a device."""

import os
import signal
import sys
from pathlib import Path

import pytest
from tests.support.softhsm import soft_token
from tests.unit.infrastructure.modules.module_under_test import MASTER, build
from tests.unit.infrastructure.modules.test_device_module import module_on

from tallystick.infrastructure.modules.card_interface import EVERYTHING
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.pkcs11.beside import DeviceBeside
from tallystick.infrastructure.modules.remote.starting import DoorOf, ModuleProcess
from tallystick.infrastructure.modules.states import STEPS, USES, KeyState, KeyUse
from tallystick.kernel.errors import Conflict, NotPermitted, Unavailable

NONCE = bytes(12)
SERVICE = DoorOf(name="service", purposes=frozenset(Purpose), may_control=True)
FRONT = DoorOf(name="front", purposes=frozenset({Purpose.QUOTE}))
S = KeyState


def started(folder: Path) -> ModuleProcess:
    roots = MasterKey(MASTER).roots(Purpose)
    return ModuleProcess.start(
        roots, (SERVICE, FRONT), profile="test", rules=EVERYTHING, folder=folder
    )


@pytest.mark.skipif(sys.platform != "linux", reason="peer credentials are of Linux")
@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_suspended_key_stays_so_when_its_process_dies_and_begins_anew(tmp_path: Path) -> None:
    process = started(tmp_path)
    module, front = process.module("service"), process.module("front")
    handle = module.generate(Purpose.QUOTE)
    with pytest.raises(NotPermitted):
        front.states.put(handle.id, S.SUSPENDED)
    module.states.put(handle.id, S.SUSPENDED)
    assert module.states.of(handle.id) is S.SUSPENDED
    for one in (module, front):
        with pytest.raises(NotPermitted, match="suspended"):
            one.mac(handle, b"m")
    with pytest.raises(Conflict):
        module.states.put(handle.id, S.DESTROYED)
    os.kill(process.pid, signal.SIGKILL)
    process.close()
    again = started(tmp_path)
    try:
        with pytest.raises((NotPermitted, Unavailable)):
            module.mac(handle, b"m")
        with pytest.raises(NotPermitted, match="suspended"):
            module.mac(handle, b"m")
        module.states.put(handle.id, S.ACTIVE)
        assert len(module.mac(handle, b"m")) == 32
    finally:
        module.close()
        front.close()
        again.close()


@pytest.mark.requirement("MFS-7.4.2-03")
def test_each_state_leaves_its_uses_in_a_device() -> None:
    with soft_token() as token:
        module = module_on(token)
        for state in S:
            seal, mac = module.generate(Purpose.STORE), module.generate(Purpose.QUOTE)
            sealed, tag = module.seal(seal, NONCE, b"m", b""), module.mac(mac, b"m")
            sign = module.generate(Purpose.TALLY)
            uses = {
                KeyUse.PROTECT: (
                    lambda one=seal: module.seal(one, bytes(11) + b"\x01", b"m", b""),
                    lambda one=mac: module.mac(one, b"m"),
                    lambda one=sign: module.sign(one, b"m"),
                ),
                KeyUse.CHECK: (lambda one=mac, tag=tag: module.verify_mac(one, b"m", tag),),
                KeyUse.OPEN: (lambda one=seal, text=sealed: module.open(one, NONCE, text, b""),),
            }
            blocks = {one.id: module.export_block(one) for one in (seal, mac, sign)}
            for handle in (seal, mac, sign):
                module.states.put(handle.id, state)
            for use, calls in uses.items():
                for call in calls:
                    if use in USES[state]:
                        call()
                    else:
                        with pytest.raises(NotPermitted, match=state.value):
                            call()
            if state is S.DESTROYED:
                with pytest.raises(NotPermitted, match="destroyed"):
                    module_with_states_of(token, module, blocks[sign.id])
        module.zeroise()


def module_with_states_of(token, module, block: bytes):
    """Another module on the token, told what the first was told, is handed a reference."""
    other = module_on(token)
    for handle in module.handles():
        other.states.put(handle.id, module.states.of(handle.id))
    return other.import_block(block)


@pytest.mark.requirement("MFS-7.4.2-03")
def test_beside_a_device_both_are_told_and_steps_are_checked() -> None:
    with soft_token() as token:
        soft, device = build(), module_on(token)
        both = DeviceBeside(soft, device, (Purpose.TALLY,))
        inside, outside = both.generate(Purpose.TALLY), both.generate(Purpose.QUOTE)
        for handle in (inside, outside):
            both.states.put(handle.id, S.SUSPENDED)
            assert both.states.of(handle.id) is S.SUSPENDED
        for call in (lambda: both.sign(inside, b"m"), lambda: both.mac(outside, b"m")):
            with pytest.raises(NotPermitted, match="suspended"):
                call()
        assert S.DESTROYED not in STEPS[S.SUSPENDED]
        with pytest.raises(Conflict):
            both.states.put(inside.id, S.DESTROYED)
        both.states.put(inside.id, S.ACTIVE)
        assert both.sign(inside, b"m")
        both.states.recall(outside.id, 7)
        assert both.states.used(outside.id) == 7
        both.zeroise()
