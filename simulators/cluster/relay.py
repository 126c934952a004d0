"""Carries frames between two interfaces and keeps each one back for a while.

`python -m simulators.cluster.relay ONE OTHER MILLISECONDS PID-FILE`, as root, until it is ended.

Source: packet(7)
"""

import heapq
import os
import select
import socket
import sys
import time
from pathlib import Path

EVERY_PROTOCOL = 0x0003
PACKET_OUTGOING = 4
SOL_PACKET = 263
PACKET_VNET_HDR = 15
LARGEST = 10 + 14 + 65536
QUEUED_AT_MOST = 20_000


def open_interface(name: str) -> socket.socket:
    """A raw socket on `name`; each frame comes with the header that says what its checksum lacks.

    Without that header a large or unfinished frame of a local peer would leave broken.
    Source: packet(7)
    """
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    opened.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    opened.bind((name, EVERY_PROTOCOL))
    opened.setblocking(False)
    return opened


def relay(one: socket.socket, other: socket.socket, delay_s: float) -> None:
    """Pass frames both ways, `delay_s` later, in their order; what does not fit is dropped.

    Source: packet(7)
    """
    opposite = {one: other, other: one}
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    count = 0
    while True:
        patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([one, other], [], [], patience)
        for source in ready:
            frame, sender = source.recvfrom(LARGEST)
            if sender[2] != PACKET_OUTGOING and len(waiting) < QUEUED_AT_MOST:
                count += 1
                due = time.monotonic() + delay_s
                heapq.heappush(waiting, (due, count, opposite[source], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, target, frame = heapq.heappop(waiting)
            try:
                target.send(frame)
            except OSError as error:
                print(f"a frame of {len(frame)} bytes was dropped: {error}", flush=True)


def main() -> None:
    """Relay between the two interfaces named on the command line; the pid is written once it does.

    Source: packet(7)
    """
    one, other, milliseconds, pid_file = sys.argv[1:]
    opened = open_interface(one), open_interface(other)
    part = Path(f"{pid_file}.part")
    part.write_text(str(os.getpid()), encoding="ascii")
    part.replace(pid_file)
    relay(*opened, int(milliseconds) / 1000)


if __name__ == "__main__":
    main()
