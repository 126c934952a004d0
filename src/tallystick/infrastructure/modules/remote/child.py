"""A process that was started here and is spoken to over a pair of sockets without a name.

    starter --- beginning: frame ---> process        once
    starter <-- "ready", or why not -- process       once
    starter <-- "failed: ..." or "zeroised: ..." --- when its service ended for good
    starter <-- "invited: ..." --- process           whom a door lets in from now on
    either end closes                                the other ends too

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO/IEC 19790
"""

import os
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
_INVITED: Final = "invited"
_ENDED: Final = {State.FAILED: Broken, State.ZEROISED: Unavailable}


class Child:
    """A process of this program, and the line to it.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.process = process
        self.line = line

    @classmethod
    def start(cls, program: str, beginning: bytes, listeners: Sequence[int]) -> "Child":
        """Run the module `program` with the `listeners`, hand it its `beginning`, await its word.

        Raises Broken for a module that did not prove itself, Unavailable for all else.
        Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
        """
        ours, theirs = socket.socketpair()
        with theirs:
            started = cls(_spawned(program, theirs.fileno(), listeners), ours)
        said = started._handed(beginning)
        if said == READY:
            ours.settimeout(None)
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
        self.line.close()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _handed(self, beginning: bytes) -> bytes:
        self.line.settimeout(START_S)
        with suppress(OSError):
            self.line.sendall(beginning)
            return self.line.recv(MOST_SAID)
        return b""


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
