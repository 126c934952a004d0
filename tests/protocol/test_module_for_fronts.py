"""Fronts check quotes at the one process of the keys, and can do nothing else there."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.collectors import until
from tests.support.processes import fronts
from tests.support.served import Served, served

from tallystick.entry.auditing import audit_provider
from tallystick.entry.cli.main import cli
from tallystick.entry.module_settings import ModuleKind, ModuleSettings, doors_of, save_module
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import FRONTS, WATCH, OwnedModule
from tallystick.infrastructure.modules.remote.words import SERVICES
from tallystick.kernel.errors import MfsError, NotFound, NotPermitted, Unavailable
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

ANN, BEN = "+254700000001", "+254700000002"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peer credentials are of Linux")


@pytest.fixture(scope="module")
def provider(tmp_path_factory) -> Iterator[Served]:
    def prepare(folder, _secret) -> None:
        save_module(folder.root, ModuleSettings(module=ModuleKind.SOFT_PROCESS))

    folder = tmp_path_factory.mktemp("fronts") / "p"
    with served(folder, prepare=prepare, workers=2) as found:
        found.person(ANN, "Ann Wanjiru Payer", funds=5_000_000)
        found.open_customer(BEN, "Ben Otieno Payee")
        yield found
    assert not doors_of(folder).exists(), "nothing is left of the doors"


def own(found: Served) -> OwnedModule:
    module = found.platform.module
    assert isinstance(module, OwnedModule)
    return module


def status(found: Served, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["module", "status", str(found.folder.root), *options])
    return done.exit_code, done.output


@pytest.mark.requirement("MFS-8.2.1-01")
@pytest.mark.requirement("MFS-7.4.2-03")
def test_fronts_have_no_quote_key_and_check_quotes_at_the_module(provider: Served) -> None:
    held = fronts(os.getpid())
    assert len(held) == 2
    door = str(doors_of(provider.folder.root) / FRONTS.name)
    connected = _peers_of(door)
    dan = provider.person("+254700000004", "Dan Fourth", funds=100_000)
    for _ in range(6):
        dan.wallet.pay(PaymentKind.P2P, BEN, Money(100, "KES"))
    assert connected >= 2, "each front has its own way in"
    assert not tuple(provider.platform.quote_roots.purposes()), "nobody here opens a quote key"
    listed = own(provider).handles()
    assert sum(one.purpose is Purpose.QUOTE for one in listed) >= 1


@pytest.mark.requirement("MFS-8.2.2-02")
@pytest.mark.threat("THR-BE-03")
def test_nobody_but_a_front_comes_in_by_its_door(provider: Served) -> None:
    path = str(doors_of(provider.folder.root) / FRONTS.name)
    before = own(provider).status().turned_away
    stranger = RemoteModule(path, patience_s=2)
    with pytest.raises(Unavailable):
        stranger.random(8)
    program = (
        "import sys\n"
        "from tallystick.infrastructure.modules.remote.client import RemoteModule\n"
        "print(len(RemoteModule(sys.argv[1], patience_s=2).random(8)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert "does not answer" in done.stderr
    assert own(provider).status().turned_away >= before + 2


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.threat("THR-BE-03")
def test_a_front_that_was_taken_over_makes_no_quote_and_reaches_no_other_key(
    provider: Served,
) -> None:
    module, path = own(provider), str(doors_of(provider.folder.root) / FRONTS.name)
    listed = module.handles()
    quote = next(one for one in listed if one.purpose is Purpose.QUOTE)
    tally = next(one for one in listed if one.purpose is Purpose.TALLY)
    tag, block = module.mac(quote, b"m"), module.export_block(tally)
    module.doors.let_in(FRONTS.name, os.getpid())
    taken = RemoteModule(path, patience_s=2)
    try:
        taken.verify_mac(quote, b"m", tag)
        for act in (
            lambda: taken.import_block(block),
            lambda: taken.mac(quote, b"m"),
            lambda: taken.generate(Purpose.QUOTE),
            lambda: taken.export_block(quote),
            lambda: taken.destroy(quote),
            lambda: taken.sign(tally, b"m"),
            lambda: taken.doors.let_in(FRONTS.name, 1),
        ):
            with pytest.raises(NotPermitted, match="the door fronts"):
                act()
        for name in SERVICES.keys() - FRONTS.services - {"status"}:
            ((code, _),), _ = taken._exchange([(name, b"")])
            assert code == NotPermitted.code, name
    finally:
        module.doors.shut_out(FRONTS.name, os.getpid())
        taken.close()
    with pytest.raises(Unavailable):
        taken.random(8)
    with pytest.raises(NotFound, match="by invitation"):
        module.doors.let_in("service", 1)


@pytest.mark.requirement("MFS-8.2.2-03")
def test_payments_at_fronts_go_on_when_the_process_of_the_keys_is_killed(
    provider: Served,
) -> None:
    module = own(provider)
    cyd = provider.person("+254700000003", "Cyd Third", funds=1_000_000)
    cyd.wallet.pay(PaymentKind.P2P, BEN, Money(100, "KES"))
    paid, failed = list[int](), list[str]()
    stop = threading.Event()

    def pay() -> None:
        while not stop.is_set():
            try:
                cyd.wallet.pay(PaymentKind.P2P, BEN, Money(100, "KES"))
            except MfsError as error:
                failed.append(error.code)
            else:
                paid.append(1)

    thread = threading.Thread(target=pay)
    thread.start()
    try:
        for _ in range(2):
            goal, lost = len(paid) + 3, module.status().process
            until(lambda goal=goal: len(paid) >= goal)
            os.kill(lost, signal.SIGKILL)
            until(lambda lost=lost: module.status().process != lost)
        goal = len(paid) + 5
        until(lambda: len(paid) >= goal)
    finally:
        stop.set()
        thread.join()
    assert set(failed) <= {"unavailable", "unauthenticated"}, "a typed refusal, and no wrong answer"
    assert len(fronts(os.getpid())) == 2, "no front went with it"
    assert audit_provider(provider.folder).findings == ()


@pytest.mark.requirement("MFS-6.2.3-01")
def test_the_state_of_the_running_module_is_asked_for_without_a_secret(provider: Served) -> None:
    code, shown = status(provider)
    assert code == 0, shown
    assert "serving" in shown
    code, told = status(provider, "--json")
    found = json.loads(told)
    assert found["process"] == own(provider).status().process
    assert found["starts"] == own(provider).status().starts
    path = str(doors_of(provider.folder.root) / WATCH.name)
    watching = RemoteModule(path, patience_s=2)
    for act in (lambda: watching.random(8), watching.handles, watching.capabilities):
        with pytest.raises(NotPermitted):
            act()
    watching.close()


def test_without_a_served_provider_nobody_answers(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["module", "status", str(tmp_path)])
    assert done.exit_code == 1
    assert isinstance(done.exception, Unavailable)
    assert "served" in done.exception.remedy


def test_a_long_path_gets_a_short_place_of_this_user(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 60) / ("y" * 60)
    place = doors_of(long)
    assert len(str(place)) < 90
    assert place != doors_of(tmp_path / "z")
    assert doors_of(Path("/srv/p")) == Path("/srv/p/module.run")


def _peers_of(path: str) -> int:
    """How many connections a socket file has taken."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return sum(line.endswith(f" {path}") and " 03 " in line for line in lines)
