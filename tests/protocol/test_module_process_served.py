"""A provider whose keys are in another process: payments, and what its loss means."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.dialled import DIALLER, FRIEND, dialled
from tests.support.keepers import spare_of
from tests.support.looking import leaves_of
from tests.support.served import Served, served

from tallystick.entry.auditing import audit_provider
from tallystick.entry.cli.main import cli
from tallystick.entry.doctor import State as Finding
from tallystick.entry.doctor import examine
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
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SimulatedClock
from tallystick.protocol.payments import PaymentKind


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Served]:
    def prepare(folder, _secret) -> None:
        save_module(folder.root, ModuleSettings(module=ModuleKind.SOFT_PROCESS))

    with served(tmp_path / "p", prepare=prepare) as found:
        yield found


def until(found: Served, status: int) -> dict:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        reply = found.transport.get("/health/ready")
        if reply.status == status:
            return json.loads(reply.body)
        time.sleep(0.1)
    raise AssertionError(f"never {status}")


def until_away(module: RemoteModule) -> None:
    """Wait until the process that has the keys is gone: it ends when nobody keeps it."""
    end = time.monotonic() + 20
    with suppress(Unavailable):
        while module.status():
            assert time.monotonic() < end, "it is still there"
            time.sleep(0.05)


def logged(found: Served, message: bytes) -> bool:
    """Whether a line is in the log by now; what is noted is written a little later."""
    return until_true(lambda: message in b"".join(found.log))


def until_true(seen: Callable[[], bool]) -> bool:
    """Whether it comes to that."""
    end = time.monotonic() + 20
    while not seen():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def doctor(found: Served):
    """What the doctor, and so the home page of the desk, says of the module."""
    (line,) = [one for one in examine(found.folder, SystemClock()) if one.what == "module"]
    return line


def own(found: Served) -> OwnedModule:
    module = found.platform.module
    assert isinstance(module, OwnedModule)
    return module


@pytest.mark.requirement("MFS-8.2.1-01")
@pytest.mark.requirement("MFS-8.2.2-03")
@pytest.mark.requirement("MFS-6.2.3-01")
def test_the_service_goes_on_when_the_process_of_its_keys_is_killed(provider: Served) -> None:
    module = own(provider)
    first = module.status().process
    assert len({first, module.held.pid, os.getpid()}) == 3
    assert module.capabilities().isolated_process
    ann = provider.person("+254700000001", "Ann Wanjiru Payer", funds=5_000_000)
    ben = provider.person("+254700000002", "Ben Otieno Payee")
    before = module.status().calls
    paid = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(12_345, "KES"))
    assert paid.verified.event.kind == "payment"
    assert module.status().calls > before
    assert until(provider, 200)["status"] == "ready"
    assert doctor(provider).state is Finding.FINE

    ann.wallet.attempts = 1
    for turn in range(2):
        os.kill(module.status().process, signal.SIGKILL)
        paid = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(500 + turn, "KES"))
        assert paid.verified.event.kind == "payment"
    assert module.status().process != first
    cleo = provider.person("+254700000003", "Cleo Newcomer", funds=10_000)
    cleo.wallet.pay(PaymentKind.P2P, ben.number, Money(700, "KES"))
    assert logged(provider, b'"the process of the module was started again"')
    assert b'"ended":"signal 9"' in b"".join(provider.log)
    assert until_true(lambda: any(b"module.returned" in one for one in leaves_of(provider)))
    told = doctor(provider)
    assert told.state is Finding.SOON
    assert "2 were lost before it, the last by signal 9" in told.says
    assert until(provider, 200)["status"] == "ready"
    assert audit_provider(provider.folder).findings == ()


@pytest.mark.requirement("MFS-8.2.2-03")
def test_a_keeper_that_is_lost_stops_nobody_and_forgives_no_wrong_pin(tmp_path: Path) -> None:
    def prepare(folder, _secret) -> None:
        save_module(folder.root, ModuleSettings(module=ModuleKind.SOFT_PROCESS))

    with dialled(tmp_path / "p", prepare=prepare) as scene:
        module, provider, wrong = own(scene.provider), scene.provider, Secret("864209")
        keeper = module.held.pid
        for lost_together in (False, True):
            scene.phone.dial("0", "0")
            assert "not right" in scene.phone.send_money(FRIEND, "50", wrong)[-1]
            spare, inner = spare_of(keeper, module), module.status().process
            for one in (keeper, *((inner,) if lost_together else ())):
                os.kill(one, signal.SIGKILL)
            keeper = spare
            paid = scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(700, "KES"))
            assert paid.verified.event.kind == "payment"
            assert (module.status().process == inner) is not lost_together
        customer = provider.platform.desks.customers.by_alias(DIALLER)
        assert customer.pin_failures == 2, "wrong PINs were forgotten"
        assert until(provider, 200)["status"] == "ready"
        assert logged(provider, b'"the keeper of the module was lost and another one took over"')
        assert audit_provider(provider.folder).findings == ()


@pytest.mark.requirement("MFS-8.2.3-03")
def test_without_keeper_and_spare_the_module_is_away_and_what_is_recorded_is_whole(
    provider: Served,
) -> None:
    module = own(provider)
    ann = provider.person("+254700000001", "Ann Wanjiru Payer", funds=5_000_000)
    ann.wallet.attempts = 1
    ben = provider.person("+254700000002", "Ben Otieno Payee")
    both = (module.held.pid, spare_of(module.held.pid, module))
    for one in both:
        os.kill(one, signal.SIGSTOP)  # so that neither sees the other go
    for one in both:
        os.kill(one, signal.SIGKILL)
    until_away(module)
    with pytest.raises(Unavailable):
        ann.wallet.pay(PaymentKind.P2P, ben.number, Money(500, "KES"))
    told = until(provider, 503)
    assert told["status"] in {"module away", "stopped"}
    assert "module status" in told["remedy"] or "process" in told["remedy"]
    assert provider.transport.get("/health/live").status == 200
    assert logged(provider, b'"a dependency fails"')
    assert audit_provider(provider.folder).findings == (), "the record is whole"


@pytest.mark.requirement("MFS-8.2.2-03")
def test_a_module_that_ended_for_good_is_shown_and_killing_it_brings_nothing_back(
    provider: Served,
) -> None:
    module = own(provider)
    RemoteModule.zeroise(module)
    for _ in range(2):
        assert until(provider, 503)["status"] in {"module away", "stopped"}
        shown = CliRunner().invoke(cli, ["module", "status", str(provider.folder.root)])
        assert shown.exit_code == 4
        assert "zeroised" in shown.output
        assert doctor(provider).state is Finding.WRONG
        lost = module.status().process
        os.kill(lost, signal.SIGKILL)
        assert until_true(lambda lost=lost: module.status().process != lost)
    assert audit_provider(provider.folder).findings == (), "the record is whole"


@pytest.mark.requirement("MFS-7.3.3-01")
def test_an_order_that_was_kept_but_not_signed_is_answered_when_asked_again(
    provider: Served, monkeypatch
) -> None:
    ann = provider.person("+254700000001", "Ann Wanjiru Payer", funds=5_000_000)
    ben = provider.person("+254700000002", "Ben Otieno Payee")
    archive, refused = provider.platform.archive, list[int]()
    sign = archive.sign

    def away(appended):
        if not refused:
            refused.append(appended.size)
            raise Unavailable("the module's process does not answer", retry_after_s=1)
        return sign(appended)

    monkeypatch.setattr(archive, "sign", away)
    paid = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(12_345, "KES"))
    assert refused, "the batch was durable, and nobody could sign for it"
    assert paid.verified.event.kind == "payment"
    assert ben.wallet.account().available_minor == 12_345, "and it was made once"
    assert audit_provider(provider.folder).findings == ()


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
