"""The module in a process of its own: who is let in, what comes out, and what a loss means."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit.infrastructure.modules.module_under_test import BACKEND, MASTER, build

from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.card_interface import EVERYTHING
from tallystick.infrastructure.modules.interface import MEMORY_ONLY, Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote import words
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import DoorOf, ModuleProcess, own_module
from tallystick.infrastructure.modules.standing import State
from tallystick.infrastructure.modules.tables import KeyTables
from tallystick.kernel.codec import pack
from tallystick.kernel.errors import (
    Broken,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    TooLarge,
    Unavailable,
)

NONCE = bytes(12)
ALL = frozenset((*Purpose,))
OFFICER = DoorOf(name="control", purposes=frozenset(), may_control=True)
WRITER = DoorOf(name="writer", purposes=ALL)
FRONT = DoorOf(name="front", purposes=frozenset({Purpose.QUOTE, *MEMORY_ONLY}))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peer credentials are of Linux")


def started(folder: Path, *doors: DoorOf, master: bytes = MASTER) -> ModuleProcess:
    roots = MasterKey(master).roots(Purpose)
    return ModuleProcess.start(roots, doors, profile="test", rules=EVERYTHING, folder=folder)


@pytest.fixture(scope="module")
def held(tmp_path_factory) -> Iterator[ModuleProcess]:
    process = started(tmp_path_factory.mktemp("module"), WRITER, FRONT, OFFICER)
    yield process
    process.close()


@pytest.fixture
def writer(held: ModuleProcess) -> Iterator[RemoteModule]:
    module = held.module("writer")
    yield module
    module.close()


@pytest.fixture
def served():
    """Modules behind a socket, served by threads of the test."""
    yield BACKEND
    BACKEND.end()


@pytest.mark.requirement("MFS-8.2.1-01")
def test_a_real_process_gives_what_the_module_in_this_process_gives(writer: RemoteModule) -> None:
    here = build()
    handle = here.generate(Purpose.QUOTE)
    assert writer.import_block(here.export_block(handle)) == handle
    assert writer.mac(handle, b"m") == here.mac(handle, b"m")
    store = writer.generate(Purpose.STORE)
    assert here.import_block(writer.export_block(store)) == store
    sealed = writer.seal(store, NONCE, b"m" * 100_000, b"a")
    assert here.open(store, NONCE, sealed, b"a") == b"m" * 100_000
    with pytest.raises(NotAuthentic):
        writer.open(store, NONCE, sealed[:-1] + bytes((sealed[-1] ^ 1,)), b"a")
    assert writer.capabilities().isolated_process
    assert not here.capabilities().isolated_process


@pytest.mark.requirement("MFS-8.2.3-03")
def test_the_process_cannot_be_dumped_or_swapped_and_has_no_environment(
    held: ModuleProcess, writer: RemoteModule
) -> None:
    told = writer.status()
    assert told.process == held.pid != os.getpid()
    found = told.hardening
    assert (found.core_limit, found.dumpable, found.file_limit) == (0, False, 0)
    assert found.confined
    limits = Path(f"/proc/{held.pid}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if "core" in line] == [["0", "0"]]
    status = Path(f"/proc/{held.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    if os.geteuid() == 0:  # an ordinary user may lock little memory, and the status says so
        assert found.locked_kib > 1_000
        names = Path(f"/proc/{held.pid}/environ").read_bytes().split(b"\0")
        assert {one.split(b"=")[0] for one in names if one} <= {b"PYTHONPATH", b"LC_CTYPE"}
        command = Path(f"/proc/{held.pid}/cmdline").read_bytes()
        assert MASTER.hex().encode() not in command


@pytest.mark.requirement("MFS-8.2.2-03")
def test_every_mechanism_has_proved_itself_before_the_first_call(writer: RemoteModule) -> None:
    told = writer.status()
    assert told.state is State.SERVING
    assert len(told.proved) == len(KNOWN_ANSWERS)


@pytest.mark.requirement("MFS-8.2.2-02")
@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_door_gives_its_purposes_and_no_others(held: ModuleProcess, writer: RemoteModule) -> None:
    front = held.module("front")
    quote, tally, subject = (
        writer.generate(one) for one in (Purpose.QUOTE, Purpose.TALLY, Purpose.SUBJECT)
    )
    block = writer.export_block(tally)
    front.mac(quote, b"m")
    lying = quote.__class__(
        id=subject.id, purpose=Purpose.QUOTE, mechanism="", exportable=True, created_at=0
    )
    for call in (
        lambda: front.sign(tally, b"m"),
        lambda: front.mac(subject, b"m"),
        lambda: front.mac(lying, b"m"),
        lambda: front.export_block(tally),
        lambda: front.import_block(block),
        lambda: front.generate(Purpose.TALLY),
        lambda: front.destroy(tally),
        lambda: front.public_octets(tally),
    ):
        with pytest.raises(NotPermitted, match="the door front"):
            call()
    assert {one.purpose for one in front.handles()} <= FRONT.purposes
    assert set(front.capabilities().purposes) <= FRONT.purposes
    writer.sign(tally, b"m")
    front.close()


def test_card_keys_do_not_come_in_by_a_door_without_them(served) -> None:
    inner = build()
    wrapping = inner.generate(Purpose.KEY_WRAP)
    block = inner.key_blocks.export_key(wrapping, inner.generate(Purpose.CARD_MAC))
    before = len(inner.handles())
    narrow = served.behind_a_socket(inner, purposes=frozenset({Purpose.KEY_WRAP}))
    with pytest.raises(NotPermitted, match="card-mac"):
        narrow.key_blocks.import_key(wrapping, block)
    assert len(inner.handles()) == before
    pin = inner.generate(Purpose.PIN_ENCRYPTION)
    with pytest.raises(NotPermitted, match="pin-encryption"):
        narrow.key_blocks.export_key(wrapping, pin)
    base = inner.generate(Purpose.DUKPT_BASE)
    based = served.behind_a_socket(inner, purposes=frozenset({Purpose.DUKPT_BASE}))
    with pytest.raises(NotPermitted, match="dukpt-initial"):
        based.key_blocks.derive_initial(base, bytes(8))


@pytest.mark.requirement("MFS-8.2.2-02")
def test_only_the_door_of_control_zeroises_and_tests(tmp_path: Path) -> None:
    process = started(tmp_path, WRITER, OFFICER)
    writer, officer = process.module("writer"), process.module("control")
    quote = writer.generate(Purpose.QUOTE)
    with pytest.raises(NotPermitted, match="control"):
        writer.self_test()
    assert len(officer.self_test()) == len(KNOWN_ANSWERS)
    with pytest.raises(NotPermitted, match="the door control"):
        officer.mac(quote, b"m")
    other = process.module("writer")
    other.zeroise()
    with pytest.raises(Unavailable, match="zeroised"):
        other.mac(quote, b"m")
    writer.mac(quote, b"m")
    officer.zeroise()
    with pytest.raises(Unavailable, match="zeroised"):
        writer.mac(quote, b"m")
    assert officer.status().state is State.ZEROISED
    for one in (writer, officer):
        one.close()
    process.close()


@pytest.mark.requirement("MFS-8.2.2-02")
def test_strangers_are_turned_away_unheard(served) -> None:
    for stranger in ({"people": frozenset({os.geteuid() + 1})}, {"processes": frozenset({1})}):
        refused = served.behind_a_socket(build(), **stranger)
        with pytest.raises(Unavailable):
            refused.random(8)
    known = served.behind_a_socket(build(), processes=frozenset({os.getpid()}))
    assert len(known.random(8)) == 8
    assert known.status().turned_away == 0


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="takes another user")
def test_another_user_of_the_machine_is_turned_away(held: ModuleProcess, writer) -> None:
    before = writer.status().turned_away
    path = held.path("writer")
    for one in (Path(path), *list(Path(path).parents)[:-1]):
        one.chmod(one.stat().st_mode | 0o077)
    program = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(len(s.recv(100)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "0", done.stderr
    assert writer.status().turned_away == before + 1


@pytest.mark.parametrize(
    "octets",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        b"\x00\x00\x00\x04abcd",
        words.frame([["mac"]]),
        words.frame([("mac", b"")] * (words.MAX_CALLS + 1)),
        words.frame({"mac": b""}),
    ],
)
def test_what_is_no_frame_ends_the_connection_and_nothing_else(
    held: ModuleProcess, writer: RemoteModule, octets: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5)
        raw.connect(held.path("writer"))
        assert raw.recv(1000)
        raw.sendall(octets)
        assert raw.recv(1000) == b""
    assert len(writer.random(4)) == 4


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mac", ()),
        ("mac", ("key", b"m")),
        ("random", ("8",)),
        ("random", (8, 8)),
        ("generate", ("no-purpose", "")),
        ("_take", ("quote", "hmac-sha256", bytes(32))),
        ("standing", ()),
        ("held", ("key",)),
        ("pins.open_pin", ()),
        ("__class__", ()),
    ],
)
def test_a_call_of_another_shape_or_name_is_refused(
    writer: RemoteModule, name: str, arguments: tuple
) -> None:
    answers, _ = writer._exchange([(name, pack(arguments))])
    assert answers[0][0] == Malformed.code


def test_a_frame_in_pieces_and_frames_in_one_piece_are_answered(held: ModuleProcess) -> None:
    whole = words.frame([("random", pack((4,)))])
    with socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5)
        raw.connect(held.path("writer"))
        raw.recv(1000)
        for octet in whole[:-1]:
            raw.sendall(bytes((octet,)))
        raw.sendall(whole[-1:] + whole + whole)
        answers = b""
        while len(answers) < 3 * len(words.frame([("", pack(bytes(4)))])):
            answers += raw.recv(1000)
    assert len(answers) == 3 * len(words.frame([("", pack(bytes(4)))]))


def test_calls_go_together_and_a_refusal_stands_in_its_place(writer: RemoteModule) -> None:
    handle = writer.generate(Purpose.QUOTE)
    asked = [("mac", (handle, bytes((n,)))) for n in range(200)]
    asked[7] = ("sign", (handle, b"m"))
    found = writer.together(asked)
    assert isinstance(found[7], NotPermitted)
    assert [one for n, one in enumerate(found) if n != 7] == [
        writer.mac(handle, bytes((n,))) for n in range(200) if n != 7
    ]


def test_threads_have_their_own_answers(writer: RemoteModule) -> None:
    handle = writer.generate(Purpose.QUOTE)
    here = build()
    here.import_block(writer.export_block(handle))

    def ask(turn: int) -> bool:
        message = turn.to_bytes(4, "big") * (1 + turn % 50)
        return writer.mac(handle, message) == here.mac(handle, message)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(2_000)))


def test_what_is_too_long_for_a_frame_is_refused_here(writer: RemoteModule) -> None:
    handle = writer.generate(Purpose.QUOTE)
    with pytest.raises(TooLarge):
        writer.mac(handle, bytes(words.MAX_FRAME))
    assert len(writer.mac(handle, b"m")) == 32


@pytest.mark.requirement("MFS-8.2.2-03")
def test_a_lost_process_is_unavailable_once_and_keys_with_blocks_come_back(tmp_path: Path) -> None:
    process = started(tmp_path, WRITER)
    module = process.module("writer")
    kept, wrap = module.generate(Purpose.QUOTE), module.generate(Purpose.SESSION_WRAP)
    gone = module.generate(Purpose.SUBJECT)
    block = module.export_block(gone)
    module.destroy(gone)
    tag = module.mac(kept, b"m")
    os.kill(process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(module.mac, kept, b"m") for _ in range(4)]
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGKILL)
        for one in waiting:
            with pytest.raises(Unavailable, match="does not answer"):
                one.result(20)
    with pytest.raises(Unavailable):
        module.mac(kept, b"m")
    process.close()
    again = started(tmp_path, WRITER)
    assert module.mac(kept, b"m") == tag
    with pytest.raises(NotFound):
        module.seal(wrap, NONCE, b"m", b"")
    with pytest.raises(NotFound):
        module.mac(gone, b"m")
    assert module.import_block(block) == gone
    module.close()
    again.close()


def test_a_link_that_died_while_idle_is_replaced_without_a_word(tmp_path: Path) -> None:
    process = started(tmp_path, WRITER)
    module = process.module("writer")
    handle = module.generate(Purpose.QUOTE)
    process.close()
    again = started(tmp_path, WRITER)
    assert len(module.mac(handle, b"m")) == 32
    module.close()
    again.close()


def test_an_answer_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    process = started(tmp_path, WRITER)
    patient, hasty = process.module("writer"), RemoteModule(process.path("writer"), patience_s=0.2)
    assert len(patient.random(4)) == 4
    os.kill(process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        hasty.random(4)
    assert time.monotonic() - begun < 5
    os.kill(process.pid, signal.SIGCONT)
    assert len(patient.random(4)) == 4, "it answers again"
    end = time.monotonic() + 20
    while True:  # who is hasty asks again
        try:
            assert len(hasty.random(4)) == 4
            break
        except Unavailable:
            assert time.monotonic() < end, "it is never asked again"
    for module in (patient, hasty):
        module.close()
    process.close()


@pytest.mark.requirement("MFS-8.2.3-03")
def test_the_process_ends_with_the_one_that_started_it() -> None:
    program = (
        "import os, sys\n"
        "from tallystick.infrastructure.modules.interface import Purpose\n"
        "from tallystick.infrastructure.modules.master import MasterKey\n"
        "from tallystick.infrastructure.modules.remote.starting import own_module\n"
        "module = own_module(MasterKey(bytes(32)).roots((Purpose.QUOTE,)), profile='test')\n"
        "module.generate(Purpose.QUOTE)\n"
        "print(module.held.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    environment = {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    with tempfile.TemporaryDirectory() as place:  # the name of a socket is short
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True, text=True, env={**environment, "TMPDIR": place}, check=False,
        )  # fmt: skip
    assert done.returncode == -9, done.stderr
    child = Path(f"/proc/{done.stdout.strip()}")
    end = time.monotonic() + 20
    while child.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not child.exists()


def test_a_module_of_ones_own_ends_when_it_is_zeroised() -> None:
    module = own_module(MasterKey(MASTER).roots((Purpose.QUOTE,)), profile="test")
    handle = module.generate(Purpose.QUOTE)
    assert set(module.capabilities().purposes) == {Purpose.QUOTE, *MEMORY_ONLY}
    folder = Path(module.held.path("x")).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    module.zeroise()
    with pytest.raises(Unavailable):
        module.mac(handle, b"m")
    assert not folder.exists()
    assert module.held.wait() == 0


def test_two_processes_do_not_share_a_door(tmp_path: Path) -> None:
    process = started(tmp_path, WRITER)
    with pytest.raises(Unavailable, match="cannot listen"):
        started(tmp_path, WRITER)
    process.close()


def test_a_process_that_is_handed_wrong_roots_says_so_and_does_not_start() -> None:
    broken = BlockRoots({Purpose.QUOTE: b"short"})
    with pytest.raises(Unavailable, match=r"did not start: .* 32 bytes"):
        own_module(broken, profile="test")


@pytest.mark.requirement("MFS-8.2.2-03")
def test_in_the_state_of_error_only_the_state_comes_out(served) -> None:
    def failing() -> None:
        raise Broken("wrong answer")

    module = served.behind_a_socket(build(known_answers={**KNOWN_ANSWERS, "ed25519": failing}))
    quote = module.generate(Purpose.QUOTE)
    with pytest.raises(Broken, match="ed25519"):
        module.generate(Purpose.TALLY)
    for call in (lambda: module.mac(quote, b"m"), lambda: module.random(4), module.self_test):
        with pytest.raises(Broken, match="ed25519"):
            call()
    module.zeroise()
    told = module.status()
    assert told.state is State.FAILED, "no way back, not even to zeroised"
    assert "ed25519" in told.refusal
    assert told.refused >= 4


def test_a_fault_inside_is_broken_and_says_no_more(served, monkeypatch) -> None:
    module = served.behind_a_socket(build())
    handle = module.generate(Purpose.QUOTE)
    monkeypatch.setattr(KeyTables, "prepare", lambda *_: 1 / 0)
    with pytest.raises(Broken, match="failed at a call") as caught:
        module.mac(handle, b"m")
    assert "division" not in str(caught.value)


def test_the_parts_have_the_services_of_the_parts(writer: RemoteModule) -> None:
    for part in (writer.pins, writer.chips, writer.key_blocks):
        with pytest.raises(AttributeError):
            part.admit("x")
    assert {one.part for one in words.SERVICES.values()} == {
        "", "doors", "states", "pins", "chips", "key_blocks", "data", "issuing",
    }  # fmt: skip
    assert repr(writer).startswith("RemoteModule(")
