"""A second keeper, which does nothing until the first is lost, and then is the keeper.

It parses nothing but what its keeper hands it. It has no caller, no key and no process; it has the
roots, as its keeper does, and forgets them when its keeper does.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO/IEC 19790
"""

import os
import select
import signal
import socket
import sys
from contextlib import suppress

from tallystick.infrastructure.modules.hardening import confine_module_process
from tallystick.infrastructure.modules.remote.child import AGAIN, Adopted, taken_over_by
from tallystick.infrastructure.modules.remote.handing import Handing, receive_state
from tallystick.infrastructure.modules.remote.keeping import Keeper
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.model import replace


def stand_by(line: socket.socket) -> tuple[Handing, Adopted | None] | None:
    """Wait until the keeper at `line` is lost: its last state; None if nobody needs one any more.

    Raises Unavailable for a keeper that is lost before it handed anything.
    Source: ISO/TS 12812-2:2017, 8.2.3
    """
    state, process = receive_state(line)
    poll = select.poll()
    for one in (line.fileno(), state.lifeline):
        poll.register(one, select.POLLIN)
    while True:
        ready = {number for number, _ in poll.poll()}
        if state.lifeline in ready:
            return None
        try:
            fresh = receive_state(line)
        except (Unavailable, OSError):
            return state, process
        if process is not None:
            process.leave()
        state, process = fresh


def take_over(state: Handing, process: Adopted | None) -> None:
    """Be the keeper from now on, and say so at the lifeline.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """
    lifeline, begin = socket.socket(fileno=state.lifeline), state.begin
    if process is None:
        begin = replace(begin, starts=begin.starts + 1, last_end="unknown")
    with suppress(OSError):
        lifeline.sendall(taken_over_by(os.getpid()))
    if process is not None:
        with suppress(OSError):
            process.line.sendall(AGAIN)
    Keeper(begin, lifeline).go_on(process)


def _main() -> int:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        confine_module_process(starts=True)
        found = stand_by(socket.socket(fileno=int(sys.argv[1])))
        if found is not None:
            take_over(*found)
    except (MfsError, OSError) as error:
        sys.stderr.write(f"the module's spare keeper ended: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
