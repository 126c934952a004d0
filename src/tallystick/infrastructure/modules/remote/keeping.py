"""Keeps a module's process going: starts another when it is lost, with the same roots and doors.

    serve --- lifeline ---> keeper --- lifeline ---> module's process
                            roots, listeners          roots, keys, calls
                                `--- state, lifeline ---> spare: roots, listeners

The keeper parses nothing: no caller reaches it, and from the process it takes two words. It waits
ever longer between starts that follow each other soon. Callers wait at the listeners meanwhile, and
are turned away while the wait is long.

A module whose service ended for good, because a test failed or somebody zeroised it, does not come
back: the keeper forgets the roots, and so does its spare; what is started after that has no key and
says why. A keeper that is lost is followed by its spare, which keeps the same process and starts a
spare of its own.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO/IEC 19790
"""

import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Final

from tallystick.infrastructure.modules.hardening import confine_module_process
from tallystick.infrastructure.modules.remote.child import (
    MOST_SAID,
    READY,
    STOP_S,
    Adopted,
    Child,
    ended_in,
    invited_in,
)
from tallystick.infrastructure.modules.remote.handing import SPARE, Handing, send_state
from tallystick.infrastructure.modules.remote.process import (
    PROGRAM,
    Beginning,
    read_beginning,
    said_of,
    without_roots,
)
from tallystick.infrastructure.modules.remote.words import frame
from tallystick.kernel.errors import Broken, MfsError, Unavailable
from tallystick.kernel.model import replace

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 10.0
SERVED_S: Final = 60.0
_LOOK_MS: Final = 5_000
"""How often a keeper without a spare tries to start one."""
_PATIENT_S: Final = 1.0
"""Callers are left waiting for a shorter pause, and turned away in a longer one."""


class Pauses:
    """How long to wait before each start: not at all, then twice as long as before.

    A process that served for a minute begins a new row.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self) -> None:
        self._next_s = 0.0

    def before_next(self, served_s: float) -> float:
        """The pause after a process that served for `served_s` seconds.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        pause_s = 0.0 if served_s >= SERVED_S else self._next_s
        self._next_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause_s))
        return pause_s


class Keeper:
    """Keeps one process going for as long as `lifeline` lives.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    def __init__(self, begin: Beginning, lifeline: socket.socket) -> None:
        self._begin = begin
        self._lifeline = lifeline
        self._listeners = [one.descriptor for one in begin.doors]
        self._pauses = Pauses()
        self._spare: Child | None = None

    def run(self) -> None:
        """Start the process, say so, and start it again whenever it is lost.

        Raises what the first start raises.
        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        child = self._started()
        self._lifeline.sendall(READY)
        self.go_on(child)

    def go_on(self, child: Child | Adopted | None) -> None:
        """Keep the process that runs, or start one where none does, until the lifeline ends.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        child = child or self._again(0.0)
        while child is not None:
            begun = time.monotonic()
            lost = self._watch(child)
            how = _said(child.close())
            if not lost:
                break
            self._begin = replace(self._begin, starts=self._begin.starts + 1, last_end=how)
            self._hand_on(None)
            child = self._again(time.monotonic() - begun)
        self._drop_spare()

    def _started(self) -> Child:
        return Child.start(PROGRAM, frame(self._begin), self._listeners)

    def _watch(self, child: Child | Adopted) -> bool:
        """Whether the process was lost; false once there is nobody to keep it for."""
        rest = b""
        self._hand_on(child)
        while True:
            poll = select.poll()
            spare = None if self._spare is None else self._spare.line
            for one in (self._lifeline, child.line, *(() if spare is None else (spare,))):
                poll.register(one, select.POLLIN)
            ready = {number for number, _ in poll.poll(_LOOK_MS if spare is None else None)}
            if self._lifeline.fileno() in ready:
                return False
            if spare is not None and spare.fileno() in ready:
                self._drop_spare()
            elif not ready:
                self._hand_on(child)
            if child.line.fileno() not in ready:
                continue
            said = b""
            with suppress(OSError):
                said = child.line.recv(MOST_SAID, socket.MSG_PEEK)
            if not said:
                return True
            *lines, rest = (rest + said).split(b"\n")
            for line in lines:
                self._hear(line)
                self._hand_on(child)
            child.line.recv(len(said))  # a keeper that is lost before leaves it to its spare

    def _hand_on(self, child: Child | Adopted | None) -> None:
        """Let the spare know what it takes to go on from here; one that is not there is started.

        Without a spare the process is kept all the same, and one is tried again every while.
        """
        state = Handing(
            begin=self._begin,
            lifeline=self._lifeline.fileno(),
            process=0 if child is None else child.number,
        )
        try:
            if self._spare is None:
                self._spare = Child.begin(SPARE, [*self._listeners, state.lifeline])
                self._spare.line.settimeout(STOP_S)
            send_state(self._spare.line, state, None if child is None else child.line)
        except OSError as error:
            sys.stderr.write(f"the module's keeper has no spare: {error}\n")
            self._drop_spare()

    def _drop_spare(self) -> None:
        """End the spare by force: it must not take over from a keeper that is there."""
        if self._spare is not None:
            self._spare.process.kill()
            self._spare.close()
        self._spare = None

    def _hear(self, line: bytes) -> None:
        """Take one of the two words of the process: its service ended, or a door has new guests."""
        refusal, invited = ended_in(line), invited_in(line)
        if refusal is not None:
            self._give_up(refusal)
        elif invited is not None:
            name, processes = invited
            doors = tuple(
                replace(one, processes=processes) if one.name == name else one
                for one in self._begin.doors
            )
            self._begin = replace(self._begin, doors=doors)

    def _again(self, served_s: float) -> Child | None:
        """Another process in the place of the lost one; None once nobody wants it any more."""
        while not self._is_over(self._pauses.before_next(served_s)):
            try:
                return self._started()
            except Broken as error:
                self._give_up(error)
                self._hand_on(None)
            except Unavailable as error:
                sys.stderr.write(f"the module's process was not started again: {error}\n")
            served_s = 0.0
        return None

    def _give_up(self, refusal: MfsError) -> None:
        """Forget what opens keys: from now on nothing is started that has any."""
        self._begin = without_roots(self._begin, refusal)

    def _is_over(self, pause_s: float) -> bool:
        """Wait; whether the lifeline ended meanwhile. In a long wait nobody is left waiting."""
        poll, over = select.poll(), self._lifeline.fileno()
        poll.register(over, select.POLLIN)
        if pause_s > _PATIENT_S:
            for number in self._listeners:
                poll.register(number, select.POLLIN)
        until = time.monotonic() + pause_s
        while True:
            left_ms = max(0.0, until - time.monotonic()) * 1000
            ready = {number for number, _ in poll.poll(left_ms)}
            if over in ready:
                return True
            if not ready:
                return False
            for number in ready:
                _turn_away(number)


def _turn_away(number: int) -> None:
    listener = socket.socket(fileno=number)
    try:
        with suppress(OSError):
            listener.accept()[0].close()
    finally:
        listener.detach()


def _said(code: int | None) -> str:
    """How a process ended, from its exit code; of one that another keeper started none is told."""
    if code is None:
        return "unknown"
    return f"signal {-code}" if code < 0 else f"exit {code}"


def _main() -> int:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    lifeline = socket.socket(fileno=int(sys.argv[1]))
    try:
        confine_module_process(starts=True)
        keeper = Keeper(read_beginning(lifeline), lifeline)
    except (MfsError, OSError) as error:
        sys.stderr.write(f"the module's keeper ended: {error}\n")
        return 1
    try:
        keeper.run()
    except MfsError as error:
        with suppress(OSError):
            lifeline.sendall(said_of(error))
        return 1
    except OSError as error:
        sys.stderr.write(f"the module's keeper ended: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
