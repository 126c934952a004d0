"""A process that was started here and is spoken to over a pair of sockets without a name.

    starter --- beginning: frame ---> process        once
    starter <-- "ready", or why not -- process       once
    starter <-- "failed: ..." or "zeroised: ..." --- when its service ended for good
    starter <-- "invited: ..." --- process           whom a door lets in from now on
    starter --- "?" --------------------> process    say again what was said: another starter asks
    starter <-- "keeper: ..." --- keeper             another keeper has taken over
    either end closes                                the other ends too

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO/IEC 19790
"""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from tallystick.infrastructure.modules.standing import State
from tallystick.kernel.errors import Broken, MfsError, Unavailable

READY: Final = b"ready\n"
START_S: Final = 30.0
STOP_S: Final = 5.0
MOST_SAID: Final = 1024
AGAIN: Final = b"?"
_INVITED: Final = "invited"
_KEEPER: Final = "keeper"
_ENDED: Final = {State.FAILED: Broken, State.ZEROISED: Unavailable}


class Child:
    """A process of this program, and the line to it.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.process = process
        self.line = line

    @classmethod
    def begin(cls, program: str, listeners: Sequence[int]) -> "Child":
        """Run the module `program` with the `listeners`; nothing is handed over or awaited yet.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        ours, theirs = socket.socketpair()
        with theirs:
            return cls(_spawned(program, theirs.fileno(), listeners), ours)

    @classmethod
    def start(cls, program: str, beginning: bytes, listeners: Sequence[int]) -> "Child":
        """Run the module `program` with the `listeners`, hand it its `beginning`, await its word.

        Raises Broken for a module that did not prove itself, Unavailable for all else.
        Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
        """
        started = cls.begin(program, listeners)
        said = started.hand(beginning)
        if said == READY:
            started.line.settimeout(None)
            return started
        started.close()
        refusal = ended_in(said)
        if isinstance(refusal, Broken):
            raise refusal
        why = f": {said.decode()}" if said else ""
        raise Unavailable(
            f"the module's process did not start{why}", remedy="see its standard error"
        )

    def close(self) -> int:
        """End the process, by force where it does not go by itself; its exit code.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        with suppress(OSError):
            self.line.shutdown(socket.SHUT_WR)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        _await_end(self.line)
        return code

    @property
    def number(self) -> int:
        """The id of the process.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        return self.process.pid

    def hand(self, beginning: bytes) -> bytes:
        """Hand its `beginning` over; the line that it says to that, nothing if none comes in time.

        What it says after that line, such as that its service has ended, is left to be read.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.line.settimeout(START_S)
        said = b""
        with suppress(OSError):
            self.line.sendall(beginning)
            while len(said) < MOST_SAID and not said.endswith(b"\n"):
                octet = self.line.recv(1)
                if not octet:
                    break
                said += octet
        return said


class Adopted:
    """A process that another one started: the line to it, and how it is ended.

    Source: ISO/TS 12812-2:2017, 8.2.3; pidfd_open(2)
    """

    def __init__(self, number: int, line: socket.socket) -> None:
        """Take over the process with the id `number`, which lives as long as its starter does.

        Source: pidfd_open(2)
        """
        self.number = number
        self.line = line
        self._held = -1
        with suppress(OSError):
            self._held = os.pidfd_open(number)

    def close(self) -> None:
        """End the process, by force where it does not go by itself.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        with suppress(OSError):
            self.line.shutdown(socket.SHUT_WR)
        if self._held >= 0:
            if not select.select([self._held], [], [], STOP_S)[0]:
                with suppress(OSError):
                    signal.pidfd_send_signal(self._held, signal.SIGKILL)
            os.close(self._held)
        self.line.close()

    def leave(self) -> None:
        """Let go of it without ending it: who started it has it still.

        Source: close(2)
        """
        if self._held >= 0:
            os.close(self._held)
        self.line.close()


def taken_over_by(number: int) -> bytes:
    """The line that says which process keeps the module's process from now on.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """
    return f"{_KEEPER}: {number}\n".encode()


def keepers_in(said: bytes) -> tuple[int, ...]:
    """The processes that such lines name; what says something else is left aside.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """
    words = [one.partition(": ") for one in said.decode(errors="replace").splitlines()]
    found = [number for word, _, number in words if word == _KEEPER]
    return tuple(int(one) for one in found if one.isascii() and one.isdigit())


def ended_as(state: State, refusal: str) -> bytes:
    """What a process says once its service ended for good: one line that fits into one reading.

    Source: ISO/IEC 19790
    """
    line = " ".join(f"{state.value}: {refusal}".split())
    return line.encode()[: MOST_SAID - 1] + b"\n"


def ended_in(said: bytes) -> MfsError | None:
    """What every call of a module meets that said so; None for what says something else.

    Source: ISO/IEC 19790
    """
    word, _, refusal = said.decode(errors="replace").strip().partition(": ")
    for state, error in _ENDED.items():
        if word == state.value:
            return error(refusal, remedy="stop; look why, and start the service again")
    return None


def invited_as(door: str, processes: Iterable[int]) -> bytes:
    """The line that says which processes a door lets in from now on.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return f"{_INVITED}: {door} {' '.join(map(str, sorted(processes)))}\n".encode()


def invited_in(said: bytes) -> tuple[str, tuple[int, ...]] | None:
    """The door and the processes of such a line; None for a line that says something else.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    word, _, rest = said.decode(errors="replace").partition(": ")
    door, *processes = rest.split() or [""]
    if word != _INVITED or not all(one.isascii() and one.isdigit() for one in processes):
        return None
    return door, tuple(map(int, processes))


def _await_end(line: socket.socket) -> None:
    """Wait until nobody holds the other end: a process may have left it to another one."""
    with suppress(OSError):
        line.settimeout(STOP_S)
        while line.recv(MOST_SAID):
            pass
    line.close()


def _spawned(program: str, line: int, listeners: Sequence[int]) -> subprocess.Popen[bytes]:
    """The process, with no environment but the way to this program."""
    return subprocess.Popen(  # noqa: S603 - our own program, our own descriptors
        [sys.executable, "-P", "-m", program, str(line)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
        cwd="/",
        pass_fds=(line, *listeners),
    )
