"""A provider whose keys are in another process: payments, and what its loss means."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.served import Served, served

from tallystick.entry.auditing import audit_provider
from tallystick.entry.module_settings import (
    ModuleKind,
    ModuleSettings,
    module_settings,
    open_module,
    save_module,
)
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import OwnedModule
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.money import Money
from tallystick.kernel.time import SimulatedClock
from tallystick.protocol.payments import PaymentKind


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Served]:
    def prepare(folder, _secret) -> None:
        save_module(folder.root, ModuleSettings(module=ModuleKind.SOFT_PROCESS))

    with served(tmp_path / "p", prepare=prepare) as found:
        yield found


def until(found: Served, status: int) -> dict:
    end = time.monotonic() + 8
    while time.monotonic() < end:
        reply = found.transport.get("/health/ready")
        if reply.status == status:
            return json.loads(reply.body)
        time.sleep(0.1)
    raise AssertionError(f"never {status}")


@pytest.mark.requirement("MFS-8.2.1-01")
@pytest.mark.requirement("MFS-8.2.3-03")
@pytest.mark.requirement("MFS-8.2.2-03")
def test_payments_are_made_with_keys_in_another_process_and_its_loss_is_told(
    provider: Served,
) -> None:
    module = provider.platform.module
    assert isinstance(module, OwnedModule)
    assert module.held.pid != os.getpid()
    assert module.capabilities().isolated_process
    ann = provider.person("+254700000001", "Ann Wanjiru Payer", funds=5_000_000)
    ben = provider.person("+254700000002", "Ben Otieno Payee")
    before = module.status().calls
    paid = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(12_345, "KES"))
    assert paid.verified.event.kind == "payment"
    assert module.status().calls > before
    assert until(provider, 200)["status"] == "ready"
    assert audit_provider(provider.folder).findings == ()

    ann.wallet.attempts = 1
    os.kill(module.held.pid, signal.SIGKILL)
    with pytest.raises(Unavailable):
        ann.wallet.pay(PaymentKind.P2P, ben.number, Money(500, "KES"))
    told = until(provider, 503)
    assert told["status"] in {"module away", "stopped"}
    assert "restart" in told["remedy"] or "process" in told["remedy"]
    assert provider.transport.get("/health/live").status == 200
    end = time.monotonic() + 8  # what is noted is written a little later
    while b'"a dependency fails"' not in b"".join(provider.log) and time.monotonic() < end:
        time.sleep(0.05)
    assert b'"a dependency fails"' in b"".join(provider.log)
    assert audit_provider(provider.folder).findings == (), "the record is whole"


def test_production_is_isolated_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert module_settings(tmp_path, "production").module is ModuleKind.SOFT_PROCESS
    assert module_settings(tmp_path, "demo").module is ModuleKind.SOFT
    roots = MasterKey(bytes(32)).roots((Purpose.QUOTE,))
    opened = open_module(tmp_path, roots, SystemClock(), profile="production")
    assert isinstance(opened, RemoteModule)
    assert len(opened.mac(opened.generate(Purpose.QUOTE), b"m")) == 32
    opened.zeroise()
    simulated = open_module(tmp_path, roots, SimulatedClock(), profile="production")
    assert isinstance(simulated, SoftModule), "a simulation has its clock in its own process"
    save_module(tmp_path, ModuleSettings(module=ModuleKind.SOFT))
    assert module_settings(tmp_path, "production").module is ModuleKind.SOFT
    near = open_module(tmp_path, roots, SystemClock(), profile="production")
    assert isinstance(near, SoftModule)
