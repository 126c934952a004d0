"""What the module's own process runs: it is handed what it needs, proves itself, and serves.

Nothing comes in by arguments or by the environment but the number of one descriptor.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO/IEC 19790
"""

import signal
import socket
import sys
from typing import Final

from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.card_interface import CardRules
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.hardening import confine_module_process
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.remote.service import Door, ModuleServer
from tallystick.infrastructure.modules.remote.words import LENGTH, length_of
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.codec import Unpacker
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.model import Record

READY: Final = b"ready\n"


class DoorPlan(Record, frozen=True, kw_only=True):
    """A door to be: the descriptor of its socket, and who may come for what.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    name: str
    descriptor: int
    purposes: tuple[Purpose, ...]
    people: tuple[int, ...]
    processes: tuple[int, ...]
    may_control: bool


class Beginning(Record, frozen=True, kw_only=True):
    """What the starter hands over, once: the roots of key blocks, the rules, and the doors.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    profile: str
    roots: bytes
    rules: CardRules
    doors: tuple[DoorPlan, ...]


_beginning = Unpacker[Beginning](Beginning)


def serve_on(lifeline: socket.socket) -> None:
    """Take the beginning from `lifeline`, prove every mechanism, say so, and serve until it ends.

    Raises Unavailable if the starter is gone, Broken if a mechanism does not prove itself.
    Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
    """
    begin = _beginning.unpack(_read(lifeline, length_of(_read(lifeline, LENGTH))))
    confine_module_process()
    try:
        server = _proved(begin, lifeline)
    except MfsError as error:
        lifeline.sendall(error.detail.encode())
        raise
    lifeline.sendall(READY)
    server.run()


def _proved(begin: Beginning, lifeline: socket.socket) -> ModuleServer:
    """The server of a module whose every mechanism has proved itself."""
    module = SoftModule(
        BlockRoots.from_octets(begin.roots),
        SystemClock(),
        profile=begin.profile,
        rules=begin.rules,
    )
    module.self_test()
    doors = [
        Door(
            name=one.name,
            listener=socket.socket(fileno=one.descriptor),
            purposes=frozenset(one.purposes),
            people=frozenset(one.people),
            processes=frozenset(one.processes),
            may_control=one.may_control,
        )
        for one in begin.doors
    ]
    return ModuleServer(module, doors, lifeline, isolated=True)


def _read(lifeline: socket.socket, length: int) -> bytes:
    octets = b""
    while len(octets) < length:
        more = lifeline.recv(length - len(octets))
        if not more:
            raise Unavailable("the starter of the module's process is gone")
        octets += more
    return octets


def _main() -> int:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        serve_on(socket.socket(fileno=int(sys.argv[1])))
    except (MfsError, OSError) as error:
        sys.stderr.write(f"the module's process ended: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
