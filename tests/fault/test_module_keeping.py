"""A module's process that is lost comes back; one that failed, or was zeroised, does not."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support import faulty_module
from tests.support.keepers import spare_of
from tests.unit.infrastructure.modules.module_under_test import MASTER, build

from tallystick.infrastructure.modules.card_interface import EVERYTHING, STRICT
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote import keeping
from tallystick.infrastructure.modules.remote.child import READY, Adopted, Child, ended_in
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.keeping import LONGEST_PAUSE_S, Keeper, Pauses
from tallystick.infrastructure.modules.remote.process import Beginning, DoorPlan
from tallystick.infrastructure.modules.remote.starting import DoorOf, ModuleProcess, own_module
from tallystick.infrastructure.modules.standing import State
from tallystick.infrastructure.modules.states import KeyState
from tallystick.kernel.errors import Broken, NotFound, NotPermitted, Unavailable

NONCE = bytes(12)
SERVICE = DoorOf(name="service", purposes=frozenset(Purpose), may_control=True)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peer credentials are of Linux")


def kill(module: RemoteModule) -> int:
    """Kill the process behind `module`; its id."""
    lost = module.status().process
    os.kill(lost, signal.SIGKILL)
    return lost


def until(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came so"
        time.sleep(0.02)


def is_there(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[ModuleProcess]:
    roots = MasterKey(MASTER).roots(Purpose)
    process = ModuleProcess.start(
        roots, [SERVICE], profile="test", rules=EVERYTHING, folder=tmp_path, kept=True
    )
    yield process
    process.close()


class Faulty:
    """A keeper in this process, of a process with planted faults."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.path = str(folder / "door")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        listener.listen(8)
        plan = DoorPlan(
            name="door",
            descriptor=listener.fileno(),
            purposes=tuple(Purpose),
            people=(os.geteuid(),),
            processes=(),
            may_control=True,
        )
        roots = MasterKey(MASTER).roots(Purpose).to_octets().reveal()
        begin = Beginning(profile=profile, roots=roots, rules=EVERYTHING, doors=(plan,))
        ours, theirs = socket.socketpair()
        self.keeper = Keeper(begin, theirs)
        self._ends = (ours, theirs, listener)
        self._thread = threading.Thread(target=self.keeper.run, daemon=True)
        self._thread.start()
        ours.settimeout(20)
        assert ours.recv(100) == READY
        self.module = RemoteModule(self.path)

    def close(self) -> None:
        self.module.close()
        self._ends[0].close()
        self._thread.join(8)
        assert not self._thread.is_alive()
        for one in self._ends[1:]:
            one.close()


@contextmanager
def faulty(folder: Path, monkeypatch, profile: str = "test") -> Iterator[Faulty]:
    monkeypatch.setattr(keeping, "PROGRAM", faulty_module.PROGRAM)
    found = Faulty(folder, profile)
    try:
        yield found
    finally:
        found.close()


@dataclass
class Load:
    """What callers met: turns that fit, what did not, and how long refusals said to wait."""

    right: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def check(self) -> None:
        assert not self.wrong
        assert all(one > 0 for one in self.refused), "a refusal says when to try again"
        assert len(self.refused) < len(self.right) // 10
        assert len(self.right) > 100


@contextmanager
def under_load(module: RemoteModule) -> Iterator[Load]:
    """Four callers who compare each answer with another module's, until the block ends."""
    here, load, stop = build(), Load(), threading.Event()
    quote, store, tally = (
        module.generate(one) for one in (Purpose.QUOTE, Purpose.STORE, Purpose.TALLY)
    )
    for one in (quote, store, tally):
        here.import_block(module.export_block(one))

    def ask(number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            message = f"{number} {turn}".encode()
            try:
                nonce = (number * 1_000_000 + turn).to_bytes(12, "big")
                sealed = module.seal(store, nonce, message, b"")
                fits = (
                    module.mac(quote, message) == here.mac(quote, message)
                    and here.open(store, nonce, sealed, b"") == message
                    and module.sign(tally, message) == here.sign(tally, message)
                    and len({module.random(16) for _ in range(3)}) == 3
                )
            except Unavailable as error:
                load.refused.append(error.retry_after_s or 0)
                time.sleep(0.02)  # nobody asks without a pause who was told to wait
            except Exception as error:  # noqa: BLE001 - any other answer is a wrong one
                load.wrong.append(repr(error))
            else:
                if fits:
                    load.right.append(turn)
                else:
                    load.wrong.append(str(turn))

    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            pool.submit(ask, number)
        try:
            yield load
        finally:
            stop.set()


def taken_over(kept: ModuleProcess) -> int:
    """The process that keeps the module's process now, once it has said so."""
    found: list[int] = []
    until(lambda: bool(found.extend(kept.keepers()) or found))
    return found[-1]


@pytest.mark.requirement("MFS-8.2.2-03")
def test_a_keeper_killed_under_load_costs_nothing_and_its_spare_keeps_the_same_process(
    kept: ModuleProcess,
) -> None:
    module, keeper = kept.module("service"), kept.pid
    inner, wrap = module.status().process, module.generate(Purpose.SESSION_WRAP)
    sealed = module.seal(wrap, bytes(12), b"of a session", b"")
    with under_load(module) as load:
        for turn in range(2):
            spare = spare_of(keeper, module)
            os.kill(keeper, signal.SIGKILL)
            keeper = taken_over(kept)
            assert keeper == spare
            before = len(load.right)
            until(lambda before=before: len(load.right) > before + 50)
            assert module.status().process == inner, f"lost with keeper {turn}"
    assert not load.wrong
    assert not load.refused, "callers noticed that the keeper was lost"
    assert module.open(wrap, bytes(12), sealed, b"") == b"of a session", "keys of memory are there"
    assert module.status().starts == 1
    kill(module)
    until(lambda: module.status().process != inner)
    assert module.status().starts == 2, "nobody keeps it any more"
    module.close()


@pytest.mark.requirement("MFS-8.2.2-03")
def test_keeper_and_process_killed_at_once_are_both_replaced(kept: ModuleProcess) -> None:
    module, keeper = kept.module("service"), kept.pid
    with under_load(module) as load:
        until(lambda: len(load.right) > 20)
        inner, spare = module.status().process, spare_of(keeper, module)
        for one in (keeper, inner):
            os.kill(one, signal.SIGKILL)
        assert taken_over(kept) == spare
        before = len(load.right)
        until(lambda: len(load.right) > before + 150)
    load.check()
    told = module.status()
    assert told.starts >= 2
    assert told.state is State.SERVING
    module.close()


@pytest.mark.requirement("MFS-8.2.3-03")
def test_a_spare_brings_no_module_back_whose_service_ended_for_good(kept: ModuleProcess) -> None:
    module, keeper = kept.module("service"), kept.pid
    spare = spare_of(keeper, module)
    handle = module.generate(Purpose.QUOTE)
    block = module.export_block(handle)
    module.zeroise()
    os.kill(keeper, signal.SIGKILL)
    assert taken_over(kept) == spare
    lost = kill(module)
    until(lambda: module.status().process != lost)
    assert module.status().state is State.ZEROISED
    for call in (lambda: module.random(4), lambda: module.import_block(block)):
        with pytest.raises(Unavailable):
            call()
    module.close()


@pytest.mark.requirement("MFS-8.2.2-03")
@pytest.mark.requirement("MFS-6.2.3-01")
def test_a_process_killed_under_load_costs_no_wrong_answer_and_comes_back(
    kept: ModuleProcess,
) -> None:
    module = kept.module("service")
    with under_load(module) as load:
        for _ in range(3):
            time.sleep(0.3)
            lost = kill(module)
            until(lambda lost=lost: module.status().process != lost)
        time.sleep(0.3)
    told = module.status()
    module.close()
    load.check()
    assert (told.starts, told.last_end, told.state) == (4, "signal 9", State.SERVING)
    assert len(told.proved) == len(KNOWN_ANSWERS), "known answers ran before the first answer"


@pytest.mark.requirement("MFS-7.4.2-03")
def test_what_was_said_of_keys_counts_in_the_next_process(kept: ModuleProcess) -> None:
    module = kept.module("service")
    quote, store = module.generate(Purpose.QUOTE), module.generate(Purpose.STORE)
    block, wrap = module.export_block(quote), module.generate(Purpose.SESSION_WRAP)
    module.states.put(quote.id, KeyState.SUSPENDED)
    module.states.recall(store.id, 41)
    module.seal(store, NONCE, b"m", b"")
    assert module.states.used(store.id) == 42
    kill(module)
    other = kept.module("service")
    assert module.states.of(quote.id) is KeyState.SUSPENDED
    assert other.import_block(block) == quote
    for one in (module, other):
        with pytest.raises(NotPermitted, match="suspended"):
            one.mac(quote, b"m")
    module.seal(store, bytes(11) + b"\x01", b"m", b"")
    assert module.states.used(store.id) >= 42
    with pytest.raises(NotFound):
        module.seal(wrap, NONCE, b"m", b"")
    found = module.together([("seal", (store, bytes(11) + b"\x02", b"m", b"")), ("random", (4,))])
    assert all(isinstance(one, bytes) for one in found)
    for one in (module, other):
        one.close()


def test_calls_together_find_their_keys_in_the_next_process(kept: ModuleProcess) -> None:
    module = kept.module("service")
    quote = module.generate(Purpose.QUOTE)
    asked = [("mac", (quote, bytes((n,)))) for n in range(20)]
    before = module.together(asked)
    kill(module)
    assert module.together(asked) == before
    module.close()


def test_a_key_that_is_lost_before_its_block_is_here_is_made_again(
    kept: ModuleProcess, monkeypatch
) -> None:
    module, there = kept.module("service"), kept.module("service")
    ask, killed = module._ask, list[int]()

    def cut(service, arguments, **more):
        found = ask(service, arguments, **more)
        if service.name == "generate" and not killed:
            killed.append(kill(there))
        return found

    monkeypatch.setattr(module, "_ask", cut)
    quote = module.generate(Purpose.QUOTE)
    assert killed
    assert module.status().process != killed[0]
    assert len(module.mac(quote, b"m")) == 32
    for one in (module, there):
        one.close()


@pytest.mark.requirement("MFS-8.2.3-03")
def test_a_failure_that_is_said_together_with_readiness_is_heard() -> None:
    """The keeper was slow: both lines are there when it first reads. The failure is left to it."""
    ours, theirs = socket.socketpair()
    stand_in = subprocess.Popen([sys.executable, "-c", "pass"])
    with theirs:
        theirs.sendall(READY + b"failed: the self-test of ed25519 failed\n")
        started = Child(stand_in, ours)
        assert started.hand(b"beginning") == READY
        assert isinstance(ended_in(ours.recv(1024)), Broken)
    started.close()


@pytest.mark.requirement("MFS-8.2.2-03")
@pytest.mark.requirement("MFS-8.2.3-03")
def test_a_failed_self_test_is_not_cleared_by_another_start(tmp_path: Path, monkeypatch) -> None:
    with faulty(tmp_path, monkeypatch) as found:
        module = found.module
        quote = module.generate(Purpose.QUOTE)
        tag = module.mac(quote, b"m")
        kill(module)
        assert module.mac(quote, b"m") == tag, "it comes back as long as no test failed"
        with pytest.raises(Broken, match="ed25519"):
            module.self_test()
        for _ in range(2):
            lost = kill(module)
            until(lambda lost=lost: module.status().process != lost)
            told = module.status()
            assert told.state is State.FAILED
            assert "ed25519" in told.refusal
            with pytest.raises(Broken, match="ed25519"):
                module.mac(quote, b"m")
            with pytest.raises(Broken, match="ed25519"):
                module.self_test()
        assert found.keeper._begin.roots == b"", "nothing is left that opens a key"


@pytest.mark.requirement("MFS-8.2.2-03")
def test_a_process_that_does_not_prove_itself_again_serves_nobody(
    tmp_path: Path, monkeypatch
) -> None:
    with faulty(tmp_path, monkeypatch, "wrong") as found:
        module = found.module
        quote = module.generate(Purpose.QUOTE)
        lost = kill(module)
        with pytest.raises(Broken, match="ed25519"):
            module.mac(quote, b"m")
        told = module.status()
        assert (told.state, told.process != lost) == (State.FAILED, True)
        kill(module)
        with pytest.raises(Broken, match="ed25519"):
            module.mac(quote, b"m")


@pytest.mark.requirement("MFS-8.2.2-02")
def test_a_zeroised_module_does_not_come_back(kept: ModuleProcess) -> None:
    module = kept.module("service")
    quote = module.generate(Purpose.QUOTE)
    module.zeroise()
    kill(module)
    with pytest.raises(Unavailable, match="zeroised"):
        module.mac(quote, b"m")
    assert module.status().state is State.ZEROISED
    module.close()


def test_a_call_that_kills_the_process_is_sent_twice_and_no_more(
    tmp_path: Path, monkeypatch
) -> None:
    with faulty(tmp_path, monkeypatch) as found:
        with pytest.raises(Unavailable, match="does not answer"):
            found.module.random(faulty_module.SUICIDE)
        assert len(found.module.random(8)) == 8
        assert found.module.status().starts == 3


def test_pauses_grow_with_losses_in_a_row_and_end_with_a_minute_of_service() -> None:
    pauses = Pauses()
    row = [pauses.before_next(0.5) for _ in range(9)]
    assert row[:4] == [0.0, 0.2, 0.4, 0.8]
    assert row[-1] == LONGEST_PAUSE_S
    assert pauses.before_next(61.0) == 0.0
    assert pauses.before_next(0.5) == 0.2


def test_in_a_long_pause_callers_are_turned_away_at_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(keeping, "FIRST_PAUSE_S", 3.0)
    with faulty(tmp_path, monkeypatch) as found:
        with pytest.raises(Unavailable):
            found.module.random(faulty_module.SUICIDE)
        begun = time.monotonic()
        for _ in range(20):
            with pytest.raises(Unavailable, match="does not answer"):
                found.module.random(8)
        assert time.monotonic() - begun < 1


@pytest.mark.requirement("MFS-8.2.3-03")
def test_without_keeper_and_spare_the_process_ends_and_without_its_starter_all_do(
    kept: ModuleProcess,
) -> None:
    module = kept.module("service")
    inner = module.status().process
    assert inner != kept.pid
    for one in (inner, kept.pid):
        os.kill(one, signal.SIGTERM)  # a service manager sends it to all at once
    assert len(module.random(4)) == 4, "they end with the service and not before"
    both = (kept.pid, spare_of(kept.pid, module))
    for one in both:
        os.kill(one, signal.SIGSTOP)  # so that neither sees the other go
    for one in both:
        os.kill(one, signal.SIGKILL)
    until(lambda: not is_there(inner))
    with pytest.raises(Unavailable):
        module.random(4)
    module.close()
    program = (
        "import contextlib, os, pathlib\n"
        "from tallystick.infrastructure.modules.interface import Purpose\n"
        "from tallystick.infrastructure.modules.master import MasterKey\n"
        "from tallystick.infrastructure.modules.remote.starting import own_module\n"
        "module = own_module(MasterKey(bytes(32)).roots((Purpose.QUOTE,)), profile='test')\n"
        "keeper, inner = module.held.pid, module.status().process\n"
        "spare = 0\n"
        "while not spare:\n"
        "    for one in pathlib.Path('/proc').glob('[0-9]*/stat'):\n"
        "        with contextlib.suppress(OSError):\n"
        "            number, _, rest = one.read_text().partition(' (')\n"
        "            above = rest.rpartition(') ')[2].split()[1]\n"
        "            if above == str(keeper) and number != str(inner):\n"
        "                spare = number\n"
        "print(keeper, inner, spare, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    environment = {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment,
        check=False,
    )  # fmt: skip
    all_of_them = [int(one) for one in done.stdout.split()]
    assert len(all_of_them) == 3, done.stderr
    until(lambda: not any(is_there(one) for one in all_of_them))


@pytest.mark.requirement("MFS-8.2.3-03")
def test_the_keeper_is_hardened_as_the_process_is(kept: ModuleProcess) -> None:
    limits = Path(f"/proc/{kept.pid}/limits").read_text().splitlines()
    assert [line.split()[4:6] for line in limits if "core file" in line] == [["0", "0"]]
    assert [line.split()[3:5] for line in limits if "Max file size" in line] == [["0", "0"]]
    assert "NoNewPrivs:\t1" in Path(f"/proc/{kept.pid}/status").read_text()
    command = Path(f"/proc/{kept.pid}/cmdline").read_bytes()
    assert MASTER.hex().encode() not in command


def test_a_module_of_ones_own_that_was_zeroised_leaves_no_process() -> None:
    module = own_module(MasterKey(MASTER).roots((Purpose.QUOTE,)), profile="test")
    both = (module.held.pid, module.status().process)
    module.zeroise()
    until(lambda: not any(is_there(one) for one in both))


@pytest.mark.requirement("MFS-8.2.3-03")
def test_what_a_keeper_heard_and_did_not_hand_on_is_there_for_its_spare() -> None:
    """It is lost in the moment in which it knows, and nobody else does, that service ended."""

    class Lost(Exception):
        pass

    class Losing(Keeper):
        def _hand_on(self, child: Child | Adopted | None) -> None:
            if self._begin.ended:
                raise Lost

    lifeline, service = socket.socketpair()
    ours, theirs = socket.socketpair()
    begin = Beginning(profile="test", roots=b"", rules=STRICT, doors=())
    child = Adopted(os.getpid(), ours)
    with lifeline, service, theirs:
        theirs.sendall(b"zeroised: by an operator\n")
        with pytest.raises(Lost):
            Losing(begin, lifeline).go_on(child)
        assert ours.recv(99, socket.MSG_DONTWAIT) == b"zeroised: by an operator\n"
        child.leave()
