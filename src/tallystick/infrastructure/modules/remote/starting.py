"""Starts the module's process, and hands it what opens key blocks over a pipe without a name.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.card_interface import STRICT, CardRules
from tallystick.infrastructure.modules.interface import MEMORY_ONLY, Purpose
from tallystick.infrastructure.modules.remote.child import MOST_SAID, Child, keepers_in
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.process import PROGRAM, Beginning, DoorPlan
from tallystick.infrastructure.modules.remote.words import frame
from tallystick.kernel.errors import MfsError, Unavailable

_BACKLOG: Final = 16
_OWN: Final = "service"
_KEEPER: Final = "tallystick.infrastructure.modules.remote.keeping"


@dataclass(frozen=True, slots=True)
class DoorOf:
    """A door of the process: the socket file `name` in its folder, and who may come for what.

    `people` are user ids of the system; none stands for the user of this process. `processes` are
    ids of the only processes that are let in; none stands for all of these users, and at a door
    `by_invitation` for nobody until a door of control lets them in. `services` are the only ones
    that are served here besides the state; none stands for all.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    name: str
    purposes: frozenset[Purpose]
    people: frozenset[int] = frozenset()
    processes: frozenset[int] = frozenset()
    may_control: bool = False
    services: frozenset[str] = frozenset()
    by_invitation: bool = False


FRONTS: Final = DoorOf(
    name="fronts",
    purposes=frozenset({Purpose.QUOTE}),
    services=frozenset({"import_block", "verify_mac", "random"}),
    by_invitation=True,
)
"""Where fronts check quotes, and make none."""

WATCH: Final = DoorOf(name="watch", purposes=frozenset(), services=frozenset({"status"}))
"""Where commands of the same user ask for the state, and for nothing else."""


class ModuleProcess:
    """A process that holds keys, for as long as this side holds its lifeline.

    It ends when this process ends, however that comes.
    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    def __init__(self, folder: Path, child: Child, *, owns_folder: bool) -> None:
        self._folder = folder
        self._child = child
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
        kept: bool = False,
    ) -> "ModuleProcess":
        """A process that has proved itself and listens at `doors` in `folder`, a new one if None.

        One that is `kept` is started again when it is lost. Raises Broken if a mechanism did not
        prove itself, Unavailable if the process did not come up.
        Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
        """
        place = folder or Path(tempfile.mkdtemp(prefix="tallystick-module-"))
        made = not place.exists() or folder is None
        place.mkdir(mode=0o700, exist_ok=True)
        _check_own(place)
        listeners = [_listener(place / one.name) for one in doors]
        plans = tuple(_plan(one, at) for one, at in zip(doors, listeners, strict=True))
        begin = Beginning(
            profile=profile, roots=roots.to_octets().reveal(), rules=rules, doors=plans
        )
        program = _KEEPER if kept else PROGRAM
        try:
            child = Child.start(program, frame(begin), [one.fileno() for one in listeners])
        except MfsError:
            if made:
                shutil.rmtree(place, ignore_errors=True)
            raise
        finally:
            for one in listeners:
                one.close()
        return cls(place, child, owns_folder=made)

    @property
    def pid(self) -> int:
        """The id of the process, or of its keeper where it is kept.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        return self._child.process.pid

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

    def keepers(self) -> tuple[int, ...]:
        """The processes that took a lost keeper's place since this was asked last.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        with suppress(OSError):
            return keepers_in(self._child.line.recv(MOST_SAID, socket.MSG_DONTWAIT))
        return ()

    def wait(self) -> int:
        """Return when the process ended; its exit code.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        return self._child.process.wait()

    def close(self) -> None:
        """End the process: it zeroises and is gone.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        self._child.close()
        if self._owns_folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class OwnedModule(RemoteModule):
    """A module in a process that this one started, and that ends with it.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    def __init__(self, path: str, held: ModuleProcess) -> None:
        super().__init__(path)
        self.held = held

    def path_of(self, door: str) -> str:
        """The socket file of another `door`.

        Source: unix(7)
        """
        return self.held.path(door)

    def zeroise(self) -> None:
        """End service, and the process with it.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        super().zeroise()
        self.close()
        self.held.close()


def own_module(
    roots: BlockRoots,
    *,
    profile: str,
    rules: CardRules = STRICT,
    more: Sequence[DoorOf] = (),
    folder: Path | None = None,
) -> OwnedModule:
    """A module for this process alone, in a process of its own, with the purposes of `roots`.

    Others come in by the doors of `more`, in `folder`. Where the process is lost another one takes
    its place. Raises what `start` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
    """
    door = DoorOf(
        name=_OWN,
        purposes=frozenset((*roots.purposes(), *MEMORY_ONLY)),
        processes=frozenset({os.getpid()}),
        may_control=True,
    )
    held = ModuleProcess.start(
        roots, [door, *more], profile=profile, rules=rules, folder=folder, kept=True
    )
    return OwnedModule(held.path(_OWN), held)


def _check_own(place: Path) -> None:
    """Return only if the folder is of this user; in another's, another could listen."""
    if place.stat().st_uid != os.geteuid():
        raise Unavailable(
            f"the folder {place} of the module is of another user",
            remedy="remove it, or name another place",
        )


def _plan(door: DoorOf, listener: socket.socket) -> DoorPlan:
    return DoorPlan(
        name=door.name,
        descriptor=listener.fileno(),
        purposes=tuple(sorted(door.purposes)),
        people=tuple(door.people or {os.geteuid()}),
        processes=tuple(door.processes),
        may_control=door.may_control,
        services=tuple(sorted(door.services)),
        by_invitation=door.by_invitation,
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
