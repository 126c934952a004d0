"""PINs are stretched in processes of their own, which take what nobody else wants of the machine.

    block, salt, cost  ->  leftover: SCHED_IDLE  ->  stretched
                            |  not done in time
                            `->  share: SCHED_BATCH, nice 10  ->  whichever is first

A thread of the service that stands back can still stop it: it holds the lock of the interpreter
while others run in its place, and what it allocates and frees is the memory of all. A process
cannot. The first one gives way at once to whoever wakes up; the second one has a share that is
small but sure, so that dialled payments are checked also while every core is busy.

What goes there is a block of format 4 under a key of that process, bound to the number of the job.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2; 7.3.4; ISO 9564-1, 9.4; RFC 9106, 4
"""

import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Final

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.modules.hardening import harden_process
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import FILL_LENGTH, decipher_4, encipher_4
from tallystick.infrastructure.pin.wallet import STRETCHED, PinCost, stretched
from tallystick.kernel.errors import Malformed, MfsError, Unavailable

LEFTOVER, SHARE = "leftover", "share"
NICENESS: Final = 10
"""How far the second process stands back: it keeps about a tenth of a core that others want."""

PATIENCE_S: Final = 0.25
PATIENCE: Final = 4.0
"""How long the first process may take before the second one begins: never shorter than the first
figure, else so many times the shortest that this cost ever took."""

GIVEN_UP_S: Final = 30.0
_SALT, _KEY = 16, 16
_JOB: Final = struct.Struct(f">QIB{_SALT}s16s")
_DONE: Final = struct.Struct(f">QB{STRETCHED}s")
_WORKED: Final = 1

Draw = Callable[[int], bytes]
"""Gives so many random bytes."""


class StretchingApart:
    """Stretches one PIN at a time in other processes, which begin with the first and end with this.

    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2
    """

    def __init__(self, draw: Draw, *, patience_s: float = PATIENCE_S) -> None:
        """Take the keys of the processes, and the fill of blocks, from `draw`.

        Source: ISO 9564-1, 9.4
        """
        self._draw = draw
        self._patience_s = patience_s
        self._least: dict[PinCost, float] = {}
        self._lanes: dict[str, _Lane] = {}
        self._job = 0
        self._lock = Lock()
        self.hurried = 0

    def stretch(self, pin: ClearPin, salt: bytes, cost: PinCost) -> bytes:
        """What `stretched` gives of the same.

        Raises Malformed for another salt or cost than that takes, Unavailable if no process works.
        Source: RFC 9106, 3; ISO/TS 12812-2:2017, 7.3.2
        """
        if len(salt) != _SALT:
            raise Malformed(f"the salt of a PIN has {_SALT} bytes")
        with self._lock:
            for last in (False, True):
                try:
                    return self._stretched(pin, salt, cost)
                except OSError as error:
                    self._end()
                    if last:
                        raise Unavailable(
                            "no process that checks PINs can be started",
                            remedy="see how many processes and how much memory are allowed",
                        ) from error
        raise AssertionError  # the loop returns or raises

    def pids(self) -> dict[str, int]:
        """The ids of the processes that run now, by what they take.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return {name: lane.pid for name, lane in self._lanes.items()}

    def close(self) -> None:
        """End the processes.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        with self._lock:
            self._end()

    def _end(self) -> None:
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()

    def _stretched(self, pin: ClearPin, salt: bytes, cost: PinCost) -> bytes:
        self._job += 1
        began = monotonic()
        first = self._lane(LEFTOVER)
        if first.free():
            first.begin(self._job, pin, salt, cost, self._draw(FILL_LENGTH))
            patience = max(self._patience_s, PATIENCE * self._least.get(cost, 0.0))
            if _ready((first,), patience):
                found = first.result(self._job)
                took = monotonic() - began
                self._least[cost] = min(took, self._least.get(cost, took))
                return found
        self.hurried += 1
        second = self._lane(SHARE)
        if not second.free() and not (_ready((second,), GIVEN_UP_S) and second.free()):
            raise TimeoutError
        second.begin(self._job, pin, salt, cost, self._draw(FILL_LENGTH))
        return self._whichever(first, second, began + GIVEN_UP_S)

    def _whichever(self, first: "_Lane", second: "_Lane", until: float) -> bytes:
        """What either of them answers to this job; one that ends an earlier job is heard out."""
        while True:
            ready = _ready((first, second), max(0.0, until - monotonic()))
            if not ready:
                raise TimeoutError
            for lane in ready:
                if lane.at == self._job:
                    return lane.result(self._job)
                lane.free()

    def _lane(self, name: str) -> "_Lane":
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name, self._draw(_KEY))
        return lane


class _Lane:
    """One process: the job that it is at, 0 for none."""

    def __init__(self, name: str, octets: bytes) -> None:
        self._cipher = Aes(octets)
        self._sock, theirs = socket.socketpair()
        self.at = 0
        with theirs:
            try:
                self._process = _spawned(theirs.fileno(), name)
            except OSError:
                self._sock.close()
                raise
        self.pid = self._process.pid
        self._sock.sendall(octets)

    def fileno(self) -> int:
        return self._sock.fileno()

    def free(self) -> bool:
        """Whether it can begin; an answer that came too late is taken and dropped."""
        if self.at and _ready((self,), 0.0):
            self._answer()
        return not self.at

    def begin(self, job: int, pin: ClearPin, salt: bytes, cost: PinCost, fill: bytes) -> None:
        block = encipher_4(self._cipher, pin, _bound(job), fill)
        self._sock.sendall(_JOB.pack(job, cost.memory_kib, cost.passes, salt, block))
        self.at = job

    def result(self, job: int) -> bytes:
        """The answer to `job`, which is there."""
        found, worked, octets = self._answer()
        if found != job:
            raise ConnectionError
        if worked != _WORKED:
            raise Malformed("Argon2id does not take what a PIN is to cost here")
        return octets

    def _answer(self) -> tuple[int, int, bytes]:
        found, worked, octets = _DONE.unpack(_exactly(self._sock, _DONE.size))
        self.at = 0
        return found, worked, octets

    def close(self) -> None:
        self._sock.close()
        self._process.kill()
        self._process.wait()


def _ready(lanes: tuple[_Lane, ...], seconds: float) -> list[_Lane]:
    """Those that are at a job and have something to say, within `seconds`."""
    with selectors.DefaultSelector() as selector:
        for lane in lanes:
            if lane.at:
                selector.register(lane, selectors.EVENT_READ, lane)
        return [picked.data for picked, _ in selector.select(seconds)]


def _exactly(sock: socket.socket, count: int) -> bytes:
    octets = sock.recv(count, socket.MSG_WAITALL)
    if len(octets) != count:
        raise ConnectionError
    return octets


def _bound(job: int) -> str:
    return f"{job % 10**12:012d}"


def _spawned(line: int, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program, our own descriptor
        [sys.executable, "-P", "-m", __name__, str(line), name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
        cwd="/",
        pass_fds=(line,),
    )


def stand_back(name: str) -> None:
    """Let this process take only what `name` says, where the system knows such classes.

    Source: sched(7); setpriority(2)
    """
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        policy = os.SCHED_IDLE if name == LEFTOVER else os.SCHED_BATCH
        os.sched_setscheduler(0, policy, os.sched_param(0))


def serve_on(line: socket.socket) -> None:
    """Answer every job of `line` until it ends.

    Source: RFC 9106, 3; ISO/TS 12812-2:2017, 7.3.4
    """
    with suppress(ConnectionError):
        cipher = Aes(_exactly(line, _KEY))
        while True:
            job, memory_kib, passes, salt, block = _JOB.unpack(_exactly(line, _JOB.size))
            try:
                pin = decipher_4(cipher, block, _bound(job))
                found = stretched(pin, salt, PinCost(memory_kib, passes))
            except MfsError:
                line.sendall(_DONE.pack(job, 0, bytes(STRETCHED)))
            else:
                line.sendall(_DONE.pack(job, _WORKED, found))


if __name__ == "__main__":
    for one in (signal.SIGINT, signal.SIGTERM):  # its line says when it is over
        signal.signal(one, signal.SIG_IGN)
    harden_process()
    stand_back(sys.argv[2])
    with socket.socket(fileno=int(sys.argv[1])) as lifeline:
        serve_on(lifeline)
