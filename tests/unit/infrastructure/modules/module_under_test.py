"""A software module for tests: fixed master key, simulated clock, seeded secrets.

The same tests run on the module in this process and on the one behind a socket (`conftest`): there
the server is a thread of the test, so that planted faults and fixed draws reach the module as well.
"""

import os
import random
import socket
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from tallystick.infrastructure.modules.card_interface import EVERYTHING
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.service import Door, ModuleServer
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.time import SimulatedClock

MASTER = bytes(range(32))


class Beside(RemoteModule):
    """A module behind a socket, with the one that serves it within reach of the test."""

    def __init__(self, path: str, inner: SoftModule) -> None:
        super().__init__(path)
        self._inner = inner
        self._take = inner._take
        self._keys = inner._keys


class Backend:
    """Builds modules, and ends what serves them."""

    def __init__(self) -> None:
        self.remote = False
        self._ends = []

    def wrap(self, module: SoftModule) -> SoftModule | Beside:
        return self.behind_a_socket(module) if self.remote else module

    def behind_a_socket(self, module: SoftModule, **door) -> Beside:
        folder = tempfile.TemporaryDirectory(prefix="tally-")
        path = str(Path(folder.name) / "door")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(8)
        ours, theirs = socket.socketpair()
        given = {
            "purposes": frozenset(Purpose),
            "people": frozenset({os.geteuid()}),
            "may_control": True,
            **door,
        }
        source = module._entropy
        module._entropy = random.Random(99).randbytes  # the name of the instance is no draw of it
        server = ModuleServer(module, [Door(name="door", listener=listener, **given)], theirs)
        module._entropy = source
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        caller = Beside(path, module)
        self._ends.append((caller, ours, thread, (theirs, listener), folder))
        return caller

    def end(self) -> None:
        for caller, ours, thread, sockets, folder in self._ends:
            caller.close()
            ours.close()
            thread.join(5)
            for one in sockets:
                one.close()
            folder.cleanup()
        self._ends.clear()


BACKEND = Backend()


def build(
    purposes: Iterable[Purpose] = tuple(Purpose),
    *,
    master: bytes = MASTER,
    profile: str = "test",
    seed: int = 1,
    **more,
) -> SoftModule | Beside:
    return BACKEND.wrap(
        SoftModule(
            MasterKey(master).roots(purposes),
            SimulatedClock(),
            profile=profile,
            entropy=more.pop("entropy", random.Random(seed).randbytes),
            rules=more.pop("rules", EVERYTHING),
            **more,
        )
    )
