"""What a keeper hands to its spare, again and again: all that it takes to keep the process going.

    keeper --- state, line to the process ---> spare     at its start, and when anything changes
    keeper is gone, the lifeline is not                  the spare is the keeper

The line goes along as a descriptor. So the process that holds the keys does not end with its
keeper: as long as one of the two is there, its lifeline is.

Source: ISO/TS 12812-2:2017, 8.2.3; unix(7), SCM_RIGHTS
"""

import os
import socket
from typing import Final

from tallystick.infrastructure.modules.remote.child import Adopted
from tallystick.infrastructure.modules.remote.process import Beginning
from tallystick.infrastructure.modules.remote.words import LENGTH, frame, length_of
from tallystick.kernel.codec import Unpacker
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.model import Record

SPARE: Final = "tallystick.infrastructure.modules.remote.spare"


class Handing(Record, frozen=True, kw_only=True):
    """The state of a keeper: what it starts a process with, and the one that runs (0 for none).

    `lifeline` is the descriptor of the line to whoever started the first keeper.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
    """

    begin: Beginning
    lifeline: int
    process: int = 0


_handings = Unpacker[Handing](Handing)


def send_state(line: socket.socket, state: Handing, process: socket.socket | None) -> None:
    """Hand `state` on, with the line to the `process` that runs; raises OSError.

    Source: unix(7)
    """
    octets = frame(state)
    passed = [] if process is None else [process.fileno()]
    sent = socket.send_fds(line, [octets], passed)
    line.sendall(octets[sent:])


def receive_state(line: socket.socket) -> tuple[Handing, Adopted | None]:
    """The next state, and the process that runs; raises Unavailable once the keeper is gone.

    Source: unix(7)
    """
    octets, passed, _, _ = socket.recv_fds(line, LENGTH, 1)
    try:
        while len(octets) < LENGTH:
            octets += _more(line, LENGTH - len(octets))
        left, content = length_of(octets), b""
        while len(content) < left:
            content += _more(line, left - len(content))
        state = _handings.unpack(content)
    except BaseException:
        for one in passed:
            os.close(one)
        raise
    if not passed:
        return state, None
    return state, Adopted(state.process, socket.socket(fileno=passed[0]))


def _more(line: socket.socket, length: int) -> bytes:
    octets = line.recv(length)
    if not octets:
        raise Unavailable("the keeper of the module's process is gone")
    return octets
