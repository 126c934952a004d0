"""The server of the module's process: one thread, one loop, calls answered in the order they come.

Who connects is what the kernel says of the other end; everybody else is turned away before a
byte is read. A door gives the purposes that were fixed when it was made. What is no frame ends the
connection. Every state answers `status`; nothing else comes out of a module that does not serve.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; 8.2.3; ISO/IEC 19790; unix(7)
"""

import os
import select
import socket
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any, Final

from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.hardening import hardening
from tallystick.infrastructure.modules.interface import Capabilities, Purpose
from tallystick.infrastructure.modules.remote.child import ended_as, invited_as
from tallystick.infrastructure.modules.remote.polling import Polling
from tallystick.infrastructure.modules.remote.words import (
    CONTROL,
    LENGTH,
    MAX_FRAME,
    SERVICES,
    STATUS,
    VERSION,
    Answers,
    Greeting,
    Inviting,
    ModuleStatus,
    Service,
    frame,
    handle_in,
    length_of,
    read_calls,
    refused,
)
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.standing import State
from tallystick.kernel.codec import pack
from tallystick.kernel.errors import Broken, Malformed, MfsError, NotFound, NotPermitted
from tallystick.kernel.model import replace

_CREDENTIALS: Final = struct.Struct("3i")
_CHUNK: Final = 1 << 16
_MOST_WAITING: Final = 2 * MAX_FRAME
MOST_CONNECTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Door:
    """Where some callers connect: who they are, and what they may ask for.

    `listener` is a Unix socket that listens. `people` are user ids of the system, `processes` ids
    of processes, where nobody else of these users is let in; at a door `by_invitation` nobody is
    without them. `services` are the only ones here besides the state, where there are any.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 19790
    """

    name: str
    listener: socket.socket
    purposes: frozenset[Purpose]
    people: frozenset[int]
    processes: frozenset[int] = frozenset()
    may_control: bool = False
    services: frozenset[str] = frozenset()
    by_invitation: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """The how manieth process this is, how the last one ended, and the name of this one.

    Source: ISO/IEC 19790
    """

    starts: int = 1
    last_end: str = ""
    instance: str = ""


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    door: Door
    arrived: bytearray = field(default_factory=bytearray)
    leaving: bytearray = field(default_factory=bytearray)


_FIRST: Final = Past()
_OVER: Final = frozenset({State.FAILED, State.ZEROISED})


class ModuleServer:
    """Serves `module` at `doors` until `lifeline` ends or somebody stops it.

    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3
    """

    def __init__(
        self,
        module: SoftModule,
        doors: Sequence[Door],
        lifeline: socket.socket,
        *,
        isolated: bool = False,
        past: Past = _FIRST,
    ) -> None:
        """Prepare; `isolated` is said of a module that has a process to itself.

        The other end of the lifeline is told once when the module's service ends for good.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        self._module = module
        self._doors = {door.listener.fileno(): door for door in doors}
        self._lifeline = lifeline
        self._guests = {door.name: set(door.processes) for door in doors if door.by_invitation}
        self._isolated = isolated
        self._past = past
        self._instance = past.instance or module.random(16).hex()
        self._told = False
        self._connections: dict[int, _Connection] = {}
        self._calls = self._refused = self._turned_away = 0
        self._polling = Polling()

    def run(self) -> None:
        """Serve; when the other end of the lifeline is gone, zeroise and return.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        poll = select.epoll()
        ending = self._lifeline.fileno()
        poll.register(ending, select.EPOLLIN)
        for number, door in self._doors.items():
            door.listener.setblocking(False)
            poll.register(number, select.EPOLLIN)
        try:
            while True:
                for number, event in self._events(poll):
                    if number == ending:
                        if self._ended():
                            return
                        continue
                    if number in self._doors:
                        self._admit(self._doors[number], poll)
                    elif number in self._connections:
                        self._turn(number, event, poll)
        finally:
            self._module.zeroise()
            for connection in self._connections.values():
                connection.socket.close()
            poll.close()

    def _events(self, poll: select.epoll) -> list[tuple[int, int]]:
        """What comes next; often it comes within a moment, so that it is looked for first."""
        if self._polling.found(poll.poll):
            return poll.poll(0)
        begun = perf_counter_ns()
        events = poll.poll()
        self._polling.slept(perf_counter_ns() - begun)
        return events

    def _admit(self, door: Door, poll: select.epoll) -> None:
        """Take a caller whom the door knows; anybody else is turned away unheard."""
        with suppress(OSError):
            caller, _ = door.listener.accept()
            octets = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            process, person, _ = _CREDENTIALS.unpack(octets)
            guests = self._guests.get(door.name, door.processes)
            known = process in guests or not (guests or door.by_invitation)
            if person not in door.people or not known or len(self._connections) >= MOST_CONNECTIONS:
                self._turned_away += 1
                caller.close()
                return
            caller.setblocking(False)
            greeting = Greeting(
                version=VERSION,
                instance=self._instance,
                door=door.name,
                may_control=door.may_control,
            )
            caller.send(frame(greeting))
            self._connections[caller.fileno()] = _Connection(caller, door)
            poll.register(caller.fileno(), select.EPOLLIN)

    def _turn(self, number: int, event: int, poll: select.epoll) -> None:
        """Read what came, answer it, write what can be written."""
        connection = self._connections[number]
        try:
            if event & select.EPOLLIN:
                octets = connection.socket.recv(_CHUNK)
                if not octets:
                    raise ConnectionError
                connection.leaving += self._answered(connection, octets)
                if not self._told and self._module.standing.state in _OVER:
                    self._tell_end()
            elif event & (select.EPOLLHUP | select.EPOLLERR):
                raise ConnectionError
            if connection.leaving:
                del connection.leaving[: connection.socket.send(connection.leaving)]
        except BlockingIOError:
            pass
        except (OSError, Malformed):
            self._end(number, poll)
            return
        if len(connection.leaving) > _MOST_WAITING:
            self._end(number, poll)
            return
        if connection.leaving or event & select.EPOLLOUT:
            wanted = select.EPOLLIN | (select.EPOLLOUT if connection.leaving else 0)
            poll.modify(number, wanted)

    def _ended(self) -> bool:
        """Whether nobody holds the lifeline any more; a keeper that took over is told all again."""
        try:
            if not self._lifeline.recv(1):
                return True
        except OSError:
            return True
        if self._module.standing.state in _OVER:
            self._tell_end()
        with suppress(OSError):
            for door, guests in self._guests.items():
                self._lifeline.sendall(invited_as(door, guests))
        return False

    def _tell_end(self) -> None:
        """Tell the starter before any caller knows, so that nobody brings this module back."""
        self._told = True
        standing = self._module.standing
        with suppress(OSError):
            self._lifeline.sendall(ended_as(standing.state, standing.refusal))

    def _end(self, number: int, poll: select.epoll) -> None:
        poll.unregister(number)
        self._connections.pop(number).socket.close()

    def _answered(self, connection: _Connection, octets: bytes) -> bytes:
        """The frames that answer the whole frames among what arrived."""
        arrived = connection.arrived
        more = len(octets) - LENGTH
        if not arrived and more > 0 and length_of(octets) == more:
            calls = read_calls(octets[LENGTH:])
            return _framed([self._answer(connection.door, *one) for one in calls])
        arrived += octets
        start, answers = 0, b""
        while len(arrived) - start >= LENGTH:
            end = start + LENGTH + length_of(arrived[start : start + LENGTH])
            if len(arrived) < end:
                break
            calls = read_calls(bytes(arrived[start + LENGTH : end]))
            found: Answers = [self._answer(connection.door, *one) for one in calls]
            answers += _framed(found)
            start = end
        del arrived[:start]
        return answers

    def _answer(self, door: Door, name: str, octets: bytes) -> tuple[str, bytes]:
        self._calls += 1
        try:
            service = SERVICES.get(name)
            if service is None:
                return refused(Malformed("the module has no such service"))
            _check_service(door, service)
            return "", pack(self._serve(door, service, service.arguments.unpack(octets)))
        except MfsError as error:
            self._refused += 1
            return refused(error)
        except Exception:  # noqa: BLE001 - the module says that it failed, and no more
            self._refused += 1
            return refused(Broken("the module failed at a call", remedy="see its own checks"))

    def _serve(self, door: Door, service: Service, arguments: tuple[Any, ...]) -> Any:
        if service is STATUS:
            return self._status()
        if service.called in CONTROL and not door.may_control:
            raise NotPermitted(f"the door {door.name} does not control the module")
        self._check_purposes(door, service.called, arguments)
        module = self._module
        parts = self if service.part == "doors" else module
        owner = getattr(parts, service.part) if service.part else module
        result = service.run(owner, arguments)
        made = handle_in(result)
        if made is not None and made.purpose not in door.purposes:
            module.destroy(made)
            raise _closed(door, made.purpose)
        if isinstance(result, Capabilities):
            purposes = tuple(one for one in result.purposes if one in door.purposes)
            return replace(result, purposes=purposes, isolated_process=self._isolated)
        if service.called == "handles":
            held = self._module.handles()
            return tuple(one for one in held if one.purpose in door.purposes)
        return result

    def _check_purposes(self, door: Door, called: str, arguments: Iterable[Any]) -> None:
        """Return only if every key that the call touches is of a purpose of the door."""
        allowed = door.purposes
        for one in arguments:
            if isinstance(one, Purpose) and one not in allowed:
                raise _closed(door, one)
            handle = handle_in(one)
            held = None if handle is None else self._module.held(handle.id)
            if held is not None and held.purpose not in allowed:
                raise _closed(door, held.purpose)
        made = _MADE.get(called)
        if called == "import_block":
            made = _claimed(arguments)
        if made is not None and made not in allowed:
            raise _closed(door, made)

    @property
    def doors(self) -> Inviting:
        """Who is let in at doors by invitation.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return _Guests(self._guests, self._lifeline)

    def _status(self) -> ModuleStatus:
        standing = self._module.standing
        return ModuleStatus(
            instance=self._instance,
            process=os.getpid(),
            state=standing.state,
            refusal=standing.refusal,
            proved=tuple(sorted(standing.proved)),
            hardening=hardening(),
            calls=self._calls,
            refused=self._refused,
            turned_away=self._turned_away,
            starts=self._past.starts,
            last_end=self._past.last_end,
        )


class _Guests:
    """The processes that doors by invitation let in, as the starter hears of them too."""

    def __init__(self, guests: dict[str, set[int]], lifeline: socket.socket) -> None:
        self._guests = guests
        self._lifeline = lifeline

    def let_in(self, door: str, process: int) -> None:
        self._of(door).add(process)
        self._tell(door)

    def shut_out(self, door: str, process: int) -> None:
        self._of(door).discard(process)
        self._tell(door)

    def _of(self, door: str) -> set[int]:
        found = self._guests.get(door)
        if found is None:
            raise NotFound(f"the module has no door {door[:40]!r} by invitation")
        return found

    def _tell(self, door: str) -> None:
        with suppress(OSError):
            self._lifeline.sendall(invited_as(door, self._guests[door]))


_MADE: Final = {
    "kem_admit": Purpose.OTP_SEED,
    "key_blocks.derive_initial": Purpose.DUKPT_INITIAL,
}
"""Services that make a key of a purpose that their arguments do not name."""


def _check_service(door: Door, service: Service) -> None:
    """Return only if the service is one of the door, which is asked before its arguments are."""
    if door.services and service.called not in door.services and service is not STATUS:
        raise NotPermitted(f"the door {door.name} is not for {service.called}")


def _claimed(arguments: Iterable[Any]) -> Purpose | None:
    """The purpose that a block says; None for what is no block, which the module will refuse."""
    with suppress(MfsError):
        return peek(next(iter(arguments))).purpose
    return None


def _closed(door: Door, purpose: Purpose) -> NotPermitted:
    return NotPermitted(
        f"the door {door.name} of the module has no access to {purpose.value} keys",
        remedy="run the act in the process that holds them",
    )


def _framed(answers: Answers) -> bytes:
    """The answers in a frame; where they are too many together, each says so."""
    try:
        return frame(answers)
    except MfsError as error:
        return frame([refused(error)] * len(answers))
