"""What the module's own process costs, and how long a module takes to prove itself.

`python -m bench --only module`. The same calls go to the module in this process and to the one
behind the socket, in turns of one round each, so that a busy machine bears on both alike; the
figure is the difference of the medians of all calls. Load is printed with each figure.

After a pause both processes and their cores have gone to sleep. How long waking takes is the
machine's affair, so that a bare echo over such a socket is taken in the same turns, and the figure
is the module's part over the echo.
"""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import DoorOf, ModuleProcess
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.time import Instant, SimulatedClock

Rows = list[dict[str, Any]]
Module = SoftModule | RemoteModule
MESSAGE = bytes(range(256))
NONCE = bytes(12)
MOST_US = 40.0
MOST_TEST_MS = 150.0
MOST_OVER_ECHO = 4.0
BATCH = 64
PAUSE_S = 0.002
ECHO = (
    "import socket, sys\n"
    "line = socket.socket(fileno=int(sys.argv[1]))\n"
    "while octets := line.recv(4096):\n"
    "    line.sendall(octets)\n"
)


def run(quick: bool = False) -> Rows:
    """Every figure with its bound."""
    rounds, calls = (20, 100) if quick else (60, 200)
    roots = MasterKey(bytes(range(32))).roots(Purpose)
    here = SoftModule(roots, SimulatedClock(Instant(0)))
    rows = [_self_test(roots, 5 if quick else 20)]
    held = ModuleProcess.start(
        roots, [DoorOf(name="bench", purposes=frozenset(Purpose))], profile="production"
    )
    try:
        there = held.module("bench")
        for name, purpose, call in _calls():
            near, far = _both(here, there, purpose, call, rounds, calls)
            rows.append(_row(f"isolation of {name}, p50", far - near, "us a call", MOST_US))
            rows[-1]["floor"] = f"{near:.1f} us in process, {far:.1f} us behind the socket"
        rows.append(_batched(there, rounds))
        with _echo() as echo:
            rows += [
                _after_pauses(here, there, echo, one, (rounds // 4, 20 if quick else 40))
                for one in _calls()
            ]
        there.close()
    finally:
        held.close()
    return rows


Call = Callable[[Module, KeyHandle], object]


def _calls() -> list[tuple[str, Purpose, Call]]:
    return [
        ("MAC", Purpose.QUOTE, lambda module, handle: module.mac(handle, MESSAGE)),
        ("seal", Purpose.STORE, lambda module, handle: module.seal(handle, NONCE, MESSAGE, b"")),
        ("sign", Purpose.SESSION_SIGNATURE, lambda module, handle: module.sign(handle, MESSAGE)),
    ]


def _both(
    here: SoftModule, there: RemoteModule, purpose: Purpose, call: Call, rounds: int, calls: int
) -> tuple[float, float]:
    """The medians, in microseconds: in this process, and behind the socket."""
    taken: tuple[list[int], list[int]] = ([], [])
    pairs: tuple[tuple[Module, KeyHandle], ...] = (
        (here, here.generate(purpose)),
        (there, there.generate(purpose)),
    )
    for _ in range(rounds):
        for times, (module, handle) in zip(taken, pairs, strict=True):
            for _ in range(calls):
                begun = perf_counter_ns()
                call(module, handle)
                times.append(perf_counter_ns() - begun)
    return statistics.median(taken[0]) / 1e3, statistics.median(taken[1]) / 1e3


def _after_pauses(
    here: SoftModule,
    there: RemoteModule,
    echo: Callable[[], object],
    of: tuple[str, Purpose, Call],
    size: tuple[int, int],
) -> dict[str, Any]:
    """What the process costs a call that comes when everything sleeps, by what an echo costs."""
    name, purpose, call = of
    near, far = here.generate(purpose), there.generate(purpose)
    ways: list[Callable[[], object]] = [
        lambda: call(here, near),
        lambda: call(there, far),
        echo,
    ]
    taken: list[list[int]] = [[], [], []]
    for _ in range(size[0]):
        for times, way in zip(taken, ways, strict=True):
            for _ in range(size[1]):
                time.sleep(PAUSE_S)
                begun = perf_counter_ns()
                way()
                times.append(perf_counter_ns() - begun)
    inside, outside, bare = (statistics.median(one) / 1e3 for one in taken)
    part = outside - inside
    row = _row(f"isolation of {name} after a pause, p50", part / bare, "x echo", MOST_OVER_ECHO)
    row["value"] = round(part / bare, 2)
    row["floor"] = f"{part:.1f} us a call; a bare echo {bare:.1f} us after the same pause"
    return row


@contextmanager
def _echo() -> Generator[Callable[[], object]]:
    """A round trip to another process that gives back what it gets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-c", ECHO, str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=(theirs.fileno(),))

        def ask() -> object:
            ours.sendall(MESSAGE)
            return ours.recv(4096)

        ask()
        try:
            yield ask
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            process.wait(5)


def _batched(there: RemoteModule, rounds: int) -> dict[str, Any]:
    """MACs that go in one frame, by call."""
    asked = [("mac", (there.generate(Purpose.QUOTE), MESSAGE))] * BATCH
    times = []
    for _ in range(rounds):
        begun = perf_counter_ns()
        there.together(asked)
        times.append((perf_counter_ns() - begun) / BATCH)
    us = statistics.median(times) / 1e3
    return _row(f"MAC behind the socket, {BATCH} together", us, "us a call", MOST_US)


def _self_test(roots: Any, rounds: int) -> dict[str, Any]:
    """Every known answer of a fresh module, as at a start."""
    times = []
    for _ in range(rounds):
        module = SoftModule(roots, SimulatedClock(Instant(0)))
        begun = perf_counter_ns()
        module.self_test()
        times.append(perf_counter_ns() - begun)
    row = _row("self-tests", statistics.median(times) / 1e6, "ms", MOST_TEST_MS)
    return {**row, "load": f"{len(KNOWN_ANSWERS)} known answers, {row['load']}"}


def _row(name: str, value: float, unit: str, bound: float) -> dict[str, Any]:
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "bound": bound,
        "floor": "",
        "load": f"load {load}",
    }
