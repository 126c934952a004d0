"""Starts the module's process, and hands it what opens key blocks over a pipe without a name.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.card_interface import STRICT, CardRules
from tallystick.infrastructure.modules.interface import MEMORY_ONLY, Purpose
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.process import READY, Beginning, DoorPlan
from tallystick.infrastructure.modules.remote.words import frame
from tallystick.kernel.errors import Unavailable

START_S: Final = 30.0
STOP_S: Final = 5.0
_BACKLOG: Final = 16
_MOST_SAID: Final = 1024
_OWN: Final = "service"
_PROGRAM: Final = "tallystick.infrastructure.modules.remote.process"


@dataclass(frozen=True, slots=True)
class DoorOf:
    """A door of the process: the socket file `name` in its folder, and who may come for what.

    `people` are user ids of the system; none stands for the user of this process. `processes` are
    ids of the only processes that are let in; none stands for all of these users.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    name: str
    purposes: frozenset[Purpose]
    people: frozenset[int] = frozenset()
    processes: frozenset[int] = frozenset()
    may_control: bool = False


class ModuleProcess:
    """A process that holds keys, for as long as this side holds its lifeline.

    It ends when this process ends, however that comes.
    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    def __init__(
        self,
        folder: Path,
        process: subprocess.Popen[bytes],
        line: socket.socket,
        *,
        owns_folder: bool,
    ) -> None:
        self._folder = folder
        self._process = process
        self._line = line
        self._owns_folder = owns_folder

    @classmethod
    def start(
        cls,
        roots: BlockRoots,
        doors: Sequence[DoorOf],
        *,
        profile: str,
        rules: CardRules = STRICT,
        folder: Path | None = None,
    ) -> "ModuleProcess":
        """A process that has proved itself and listens at `doors` in `folder`, a new one if None.

        Raises Unavailable if it did not come up.
        Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
        """
        place = folder or Path(tempfile.mkdtemp(prefix="tallystick-module-"))
        place.mkdir(mode=0o700, exist_ok=True)
        listeners = [_listener(place / one.name) for one in doors]
        ours, theirs = socket.socketpair()
        try:
            process = _spawned(theirs.fileno(), [one.fileno() for one in listeners])
            plans = tuple(
                _plan(one, listener) for one, listener in zip(doors, listeners, strict=True)
            )
            begin = Beginning(
                profile=profile, roots=roots.to_octets().reveal(), rules=rules, doors=plans
            )
        finally:
            theirs.close()
            for one in listeners:
                one.close()
        started = cls(place, process, ours, owns_folder=folder is None)
        started._await(frame(begin))
        return started

    @property
    def pid(self) -> int:
        """The id of the process.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        return self._process.pid

    def path(self, door: str) -> str:
        """The socket file of `door`.

        Source: unix(7)
        """
        return str(self._folder / door)

    def module(self, door: str) -> RemoteModule:
        """The module as callers at `door` see it.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        return RemoteModule(self.path(door))

    def wait(self) -> int:
        """Return when the process ended; its exit code.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        return self._process.wait()

    def close(self) -> None:
        """End the process: it zeroises and is gone.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        self._line.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._owns_folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _await(self, beginning: bytes) -> None:
        self._line.settimeout(START_S)
        said = b""
        with suppress(OSError):
            self._line.sendall(beginning)
            said = self._line.recv(_MOST_SAID)
        if said != READY:
            self.close()
            why = f": {said.decode()}" if said else ""
            raise Unavailable(
                f"the module's process did not start{why}", remedy="see its standard error"
            )
        self._line.settimeout(None)


class OwnedModule(RemoteModule):
    """A module in a process that this one started, and that ends with it.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    def __init__(self, path: str, held: ModuleProcess) -> None:
        super().__init__(path)
        self.held = held

    def zeroise(self) -> None:
        """End service, and the process with it.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        super().zeroise()
        self.close()
        self.held.close()


def own_module(roots: BlockRoots, *, profile: str, rules: CardRules = STRICT) -> OwnedModule:
    """A module for this process alone, in a process of its own, with the purposes of `roots`.

    Raises Unavailable if it did not come up.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
    """
    door = DoorOf(
        name=_OWN,
        purposes=frozenset((*roots.purposes(), *MEMORY_ONLY)),
        processes=frozenset({os.getpid()}),
        may_control=True,
    )
    held = ModuleProcess.start(roots, [door], profile=profile, rules=rules)
    return OwnedModule(held.path(_OWN), held)


def _plan(door: DoorOf, listener: socket.socket) -> DoorPlan:
    return DoorPlan(
        name=door.name,
        descriptor=listener.fileno(),
        purposes=tuple(sorted(door.purposes)),
        people=tuple(door.people or {os.geteuid()}),
        processes=tuple(door.processes),
        may_control=door.may_control,
    )


def _listener(path: Path) -> socket.socket:
    """A socket file that listens, in the place of one that a dead process left.

    Raises Unavailable where a process still listens, or the file cannot be made.
    Source: unix(7)
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                if probe.connect_ex(str(path)) == 0:
                    raise FileExistsError(str(path))
            path.unlink()
        made.bind(str(path))
        path.chmod(0o600)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise Unavailable(
            f"the module cannot listen at {path}", remedy="end the other process, or name another"
        ) from error
    return made


def _spawned(line: int, listeners: Sequence[int]) -> subprocess.Popen[bytes]:
    """The process, with no environment but the way to this program."""
    return subprocess.Popen(  # noqa: S603 - our own program, our own descriptors
        [sys.executable, "-P", "-m", _PROGRAM, str(line)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
        cwd="/",
        pass_fds=(line, *listeners),
    )
