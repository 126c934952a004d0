"""One connection of a caller to the module's process.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3; unix(7)
"""

import select
import socket
import struct
from time import perf_counter_ns
from typing import Final, NoReturn

from tallystick.infrastructure.modules.remote.polling import Polling
from tallystick.infrastructure.modules.remote.words import (
    LENGTH,
    VERSION,
    Answers,
    Greeting,
    length_of,
    read_answers,
    read_greeting,
)
from tallystick.kernel.errors import Malformed, MfsError, Unavailable

_CHUNK: Final = 1 << 16
_TIMEVAL: Final = struct.Struct("ll")


_GREETING_S: Final = 5.0


class Lost(ConnectionError):
    """The process was lost with a call, and with all that the call may have done.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """


class Link:
    """A connection that was greeted; used by one thread at a time.

    An answer is looked for for a moment before the thread sleeps until it comes.
    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    __slots__ = ("_polling", "_ready", "_socket", "greeting")

    def __init__(self, path: str, patience_s: float) -> None:
        """Connect to the socket file at `path`; an answer is waited for `patience_s` seconds.

        Raises Unavailable if nobody listens, or turns this process away.
        Source: unix(7)
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._wait_for(min(patience_s, _GREETING_S))
        try:
            self._socket.connect(path)
            self.greeting: Greeting = read_greeting(self._rest(self._socket.recv(_CHUNK)))
        except (OSError, MfsError) as error:
            self.close()
            raise away() from error
        if self.greeting.version != VERSION:
            self.close()
            raise Unavailable(
                "the module's process is of another version", remedy="restart it with the service"
            )
        self._wait_for(patience_s)
        self._polling = Polling()
        self._ready = select.poll()
        self._ready.register(self._socket, select.POLLIN)

    def exchange(self, asked: bytes, count: int) -> Answers | None:
        """The answers to a frame of `count` calls; None if the other end was gone before them.

        Raises Lost if the other end went away with them, Unavailable if it does not answer. After
        all three the link is of no more use.
        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        try:
            self._socket.sendall(asked)
        except BrokenPipeError:
            self.close()
            return None
        except OSError as error:
            self._give_up(error)
        try:
            answers = read_answers(self._rest(self._arrived()))
        except ConnectionError as error:
            self.close()
            raise Lost from error
        except (OSError, Malformed) as error:
            self._give_up(error)
        if len(answers) != count:
            self._give_up(None)
        return answers

    def close(self) -> None:
        """End the connection.

        Source: unix(7)
        """
        self._socket.close()

    def _wait_for(self, seconds: float) -> None:
        limit = _TIMEVAL.pack(int(seconds), int(seconds % 1 * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def _arrived(self) -> bytes:
        """What comes next, looked for for a moment and then waited for."""
        polling = self._polling
        if polling.found(self._ready.poll):
            return self._socket.recv(_CHUNK)
        begun = perf_counter_ns()
        octets = self._socket.recv(_CHUNK)
        polling.slept(perf_counter_ns() - begun)
        return octets

    def _rest(self, octets: bytes) -> bytes:
        """One frame that begins with `octets`, without its length."""
        while len(octets) < LENGTH:
            octets += self._more()
        end = LENGTH + length_of(octets)
        if len(octets) < end:
            arrived = bytearray(octets)
            while len(arrived) < end:
                arrived += self._more()
            octets = bytes(arrived)
        if len(octets) != end:
            raise Malformed("the module answered more than it was asked")
        return octets[LENGTH:]

    def _more(self) -> bytes:
        octets = self._socket.recv(_CHUNK)
        if not octets:
            raise ConnectionError
        return octets

    def _give_up(self, cause: Exception | None) -> NoReturn:
        self.close()
        raise away() from cause


def away() -> Unavailable:
    """What a caller meets while the module's process is not there.

    Source: ISO/TS 12812-2:2017, 8.2.3
    """
    return Unavailable(
        "the module's process does not answer",
        remedy="look whether it runs: tallystick module check; the same id may be tried again",
        retry_after_s=1,
    )
