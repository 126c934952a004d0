"""Far more than the service can carry: what the accepted wait, what is refused, and how.

`python -m bench.overload`. An open loop: a request is sent when it is due, whether or not earlier
ones were answered, so a slow service is not spared. Requests are sealed beforehand. One that was
refused unread is as good as new and goes back into the pool, byte for byte.
"""

import contextlib
import random
import selectors
import socket
import statistics
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bench.payment import HEAD, drive
from bench.population import Population, populate, sealed_orders
from tallystick.entry.admission import LONGEST_WAIT_S

ROUNDS, SETTLING_S, SECONDS, LINKS, DEVICES = 3, 1.0, 2.0, 1536, 256
CLOSED, CLIENTS = 3_000, 64
FULL, OVER = 0.95, 5.0
MOST_RATIO, LEAST_GOODPUT = 2.0, 0.7
BOUND = ("--longest-wait-ms", str(int(LONGEST_WAIT_S * 1000)))
_BURST = 64
Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Answers:
    """What came back; latencies in ms, from the moment when a request was due."""

    seconds: float = 0.0
    sent: int = 0
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others: dict[int, int] = field(default_factory=dict)
    without_pause: int = 0

    def rate(self) -> float:
        """How many were accepted a second."""
        return len(self.accepted) / self.seconds


def p99(latencies: list[float]) -> float:
    """The 99th percentile; 0 of nothing."""
    return sorted(latencies)[int(len(latencies) * 0.99)] if latencies else 0.0


class Dry(Exception):
    """More was accepted than the capacity that was measured before: the machine was busy then."""


class _Link:
    __slots__ = ("due", "found", "order", "sock")

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.due = 0.0
        self.order = b""
        self.found = Answers()


class OpenLoop:
    """Sends requests at a rate, over links that each carry one at a time."""

    def __init__(self, url: str, orders: list[bytes], links: int = LINKS) -> None:
        parts = urlsplit(url)
        address = (parts.hostname or "", parts.port or 0)
        self._pool = deque(HEAD % len(order) + order for order in orders)
        self._free = deque(_Link(address) for _ in range(links))
        self._links = tuple(self._free)
        self._epoll = selectors.EpollSelector()
        for link in self._links:
            self._epoll.register(link.sock, selectors.EVENT_READ, link)
        self._dice = random.Random(5)

    def run(self, rate: float, seconds: float) -> Answers:
        """Send at `rate` a second with random gaps; what is due after it settled is counted."""
        try:
            self._send_for(rate, SETTLING_S)
            found = self._send_for(rate, seconds)
            limit = time.perf_counter() + 20
            while len(self._free) < len(self._links) and time.perf_counter() < limit:
                self._wait(0.1)
        finally:
            for link in self._links:
                link.sock.close()
            self._epoll.close()
        return found

    def _send_for(self, rate: float, seconds: float) -> Answers:
        found, clock, gap = Answers(), time.perf_counter, self._dice.expovariate
        due = began = clock()
        while due < began + seconds:
            now = clock()
            burst = _BURST
            while due <= now and self._free and burst:
                if not self._pool:
                    raise Dry
                link = self._free.popleft()
                link.due, link.found, link.order = due, found, self._pool.popleft()
                link.sock.send(link.order)
                found.sent += 1
                burst -= 1
                due += gap(rate)
            self._wait(min(max(due - now, 0.0), 0.001) if self._free else 0.001)
        found.seconds = clock() - began
        return found

    def _wait(self, seconds: float) -> None:
        for key, _ in self._epoll.select(seconds):
            link: _Link = key.data
            answer, found = link.sock.recv(65536), link.found
            took = (time.perf_counter() - link.due) * 1000
            status = answer[9:12]
            if status == b"200":
                found.accepted.append(took)
            elif status == b"503":
                found.refused.append(took)
                found.without_pause += b"\r\nretry-after: " not in answer
                self._pool.append(link.order)
            else:
                code = int(status or 0)
                found.others[code] = found.others.get(code, 0) + 1
            self._free.append(link)


def measure(population: Population, clients: int) -> dict[str, float]:
    """Capacity in a closed loop, then an open one just below it and one far above."""
    orders, _ = sealed_orders(population, CLOSED)
    seconds, _, statuses = drive(population.url, orders, clients)
    capacity = statuses[200] / seconds
    spare = int(capacity * (SETTLING_S + SECONDS) * 1.6) + LINKS
    found = []
    for times in (FULL, OVER):
        orders, _ = sealed_orders(population, spare)
        answers = OpenLoop(population.url, orders).run(capacity * times, SECONDS)
        # An order that was refused is sent again as it was; where the session's replay window has
        # passed it meanwhile the answer is 409, and a wallet would seal it anew.
        assert set(answers.others) <= {409}, answers.others
        found.append(answers)
    full, over = found
    return {
        "capacity": capacity,
        "full_p99": p99(full.accepted),
        "full_refused": len(full.refused) / full.sent,
        "over_p50": statistics.median(over.accepted),
        "over_p99": p99(over.accepted),
        "offered": over.sent / over.seconds / capacity,
        "ratio": p99(over.accepted) / p99(full.accepted),
        "goodput": over.rate() / capacity,
        "refused_p99": p99(over.refused),
        "without_pause": full.without_pause + over.without_pause,
        "stale": over.others.get(409, 0) / over.sent,
    }


def _rounds(population: Population, clients: int, rounds: int) -> list[dict[str, float]]:
    """Some rounds; one during which the machine became much faster is done again."""
    found: list[dict[str, float]] = []
    for _ in range(3 * rounds):
        with contextlib.suppress(Dry):
            found.append(measure(population, clients))
        if len(found) == rounds:
            break
    assert found, "the machine is too busy to measure its capacity"
    return found


def _rows(rounds: list[dict[str, float]], workers: int) -> Rows:
    """Medians of some rounds; one worker has bounds."""
    mid = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    many = "one worker" if workers == 1 else f"{workers} workers and the writer"
    load = (
        f"open loop at {mid['offered']:.1f} x {mid['capacity']:.0f}/s, {LINKS} links, {many}:"
        f" accepted p50 {mid['over_p50']:.0f}, p99 {mid['over_p99']:.0f} ms,"
        f" refusals p99 {mid['refused_p99']:.0f} ms; at {FULL} x p99 {mid['full_p99']:.0f} ms,"
        f" {mid['full_refused']:.1%} refused; {mid['stale']:.1%} sent again too late for the"
        f" session; medians of {len(rounds)} rounds"
    )
    of = "" if workers == 1 else f", {workers} workers"
    bounded = workers == 1
    return [
        {
            "name": f"p99 at {OVER:.0f} x over p99 at full load{of}",
            "value": round(mid["ratio"], 2),
            "unit": "x",
            "bound": MOST_RATIO if bounded else None,
            "floor": "",
            "load": load,
            "met": not bounded or mid["ratio"] <= MOST_RATIO,
        },
        {
            "name": f"goodput at {OVER:.0f} x{of}",
            "value": round(mid["goodput"], 2),
            "unit": "of the capacity",
            "bound": LEAST_GOODPUT if bounded else None,
            "floor": "",
            "load": f"{mid['capacity']:.0f}/s in a closed loop of {CLIENTS * workers} clients",
            "met": not bounded or mid["goodput"] >= LEAST_GOODPUT,
        },
        {
            "name": f"refusals that do not say when to return{of}",
            "value": int(sum(one["without_pause"] for one in rounds)),
            "unit": "answers",
            "bound": 0,
            "floor": "",
            "load": "every 503 of the rounds",
            "met": not any(one["without_pause"] for one in rounds),
        },
    ]


def run(quick: bool = False) -> Rows:
    """The figures of overload, for one worker and for two."""
    rows: Rows = []
    for workers in (1, 2):
        with populate(DEVICES, *BOUND, "--workers", str(workers)) as population:
            rounds = _rounds(population, CLIENTS * workers, 1 if quick else ROUNDS)
            rows += _rows(rounds, workers)
    return rows


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "|", row["load"])
