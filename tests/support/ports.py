"""A port of loopback that stays of the test that took it, before somebody listens and between."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """A port that nobody else is given until the block ends; whoever is told it may listen there.

    It is kept by a socket that is bound and does not listen: the kernel gives such a port to nobody
    who asks for any, and lets servers have it, which bind with SO_REUSEADDR, one after the other.
    """
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])
