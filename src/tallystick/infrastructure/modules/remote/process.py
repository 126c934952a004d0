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
from tallystick.infrastructure.modules.remote.child import MOST_SAID, READY, ended_as, ended_in
from tallystick.infrastructure.modules.remote.service import Door, ModuleServer, Past
from tallystick.infrastructure.modules.remote.words import LENGTH, length_of
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.standing import State
from tallystick.kernel.codec import Unpacker
from tallystick.kernel.errors import Broken, MfsError, Unavailable
from tallystick.kernel.model import Record, replace

PROGRAM: Final = "tallystick.infrastructure.modules.remote.process"
_DID_NOT_START: Final = "the module's process did not start: "


class DoorPlan(Record, frozen=True, kw_only=True):
    """A door to be: the descriptor of its socket, and who may come for what; see `DoorOf`.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    name: str
    descriptor: int
    purposes: tuple[Purpose, ...]
    people: tuple[int, ...]
    processes: tuple[int, ...]
    may_control: bool
    services: tuple[str, ...] = ()
    by_invitation: bool = False


class Beginning(Record, frozen=True, kw_only=True):
    """What the starter hands over, once: the roots of key blocks, the rules, and the doors.

    `starts` counts this one and those before it, and `last_end` says how the last one ended.
    `ended` is set, and `roots` are empty, where service ended for good and only the state is told.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 19790
    """

    profile: str
    roots: bytes
    rules: CardRules
    doors: tuple[DoorPlan, ...]
    starts: int = 1
    last_end: str = ""
    ended: bytes = b""


_beginning = Unpacker[Beginning](Beginning)


def serve_on(lifeline: socket.socket) -> None:
    """Take the beginning from `lifeline`, prove every mechanism, say so, and serve until it ends.

    Raises Unavailable if the starter is gone, Broken if a mechanism does not prove itself.
    Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
    """
    confine_module_process()
    begin = read_beginning(lifeline)
    try:
        server = _proved(begin, lifeline)
    except MfsError as error:
        lifeline.sendall(said_of(error))
        raise
    lifeline.sendall(READY)
    server.run()


def read_beginning(lifeline: socket.socket) -> Beginning:
    """What the starter hands over; raises Unavailable if it is gone, Malformed for anything else.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return _beginning.unpack(_read(lifeline, length_of(_read(lifeline, LENGTH))))


def without_roots(begin: Beginning, refusal: MfsError) -> Beginning:
    """The beginning of a process that has no key, and answers every call with `refusal`.

    Source: ISO/IEC 19790
    """
    if begin.ended:
        return begin
    state = State.FAILED if isinstance(refusal, Broken) else State.ZEROISED
    return replace(begin, roots=b"", ended=ended_as(state, refusal.detail))


def said_of(error: MfsError) -> bytes:
    """What a process says to its starter that did not come up because of `error`.

    Source: ISO/IEC 19790
    """
    if isinstance(error, Broken):
        return ended_as(State.FAILED, error.detail)
    return error.detail.removeprefix(_DID_NOT_START).encode()[:MOST_SAID]


def _proved(begin: Beginning, lifeline: socket.socket) -> ModuleServer:
    """The server of a module whose every mechanism has proved itself, or that ended for good."""
    ended = ended_in(begin.ended)
    module = SoftModule(
        BlockRoots({}) if ended else BlockRoots.from_octets(begin.roots),
        SystemClock(),
        profile=begin.profile,
        rules=begin.rules,
    )
    if ended is None:
        module.self_test()
    past = Past(begin.starts, begin.last_end, module.random(16).hex())
    if ended is not None:
        module.standing.stop(ended)
    doors = [
        Door(
            name=one.name,
            listener=socket.socket(fileno=one.descriptor),
            purposes=frozenset(one.purposes),
            people=frozenset(one.people),
            processes=frozenset(one.processes),
            may_control=one.may_control,
            services=frozenset(one.services),
            by_invitation=one.by_invitation,
        )
        for one in begin.doors
    ]
    return ModuleServer(module, doors, lifeline, isolated=True, past=past)


def _read(lifeline: socket.socket, length: int) -> bytes:
    octets = b""
    while len(octets) < length:
        more = lifeline.recv(length - len(octets))
        if not more:
            raise Unavailable("the starter of the module's process is gone")
        octets += more
    return octets


def _main() -> int:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        serve_on(socket.socket(fileno=int(sys.argv[1])))
    except (MfsError, OSError) as error:
        sys.stderr.write(f"the module's process ended: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
