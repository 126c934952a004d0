"""What a flood of guesses does to payments: `python -m bench.hashing [--quick]`.

    alone, beside, alone, beside, ..., alone

Payments come in an open loop at a quarter of what the service carries, alone and beside guesses of
PINs from another process, many times more than can be hashed. What was measured beside is put over
the mean of what was alone before and after, and the median of the rounds is the figure, so that a
machine that others use changes both alike. A round ends when every guess was answered: none is
hashed while the payments are alone. How long the service's threads were ready and waited for a core
is told too: it shows who else used the machine, and whether the flood took cores from payments.
"""

import multiprocessing
import selectors
import socket
import statistics
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulators.cast import Person

from bench.overload import OpenLoop, p99
from bench.payment import drive
from bench.population import Population, populate, sealed_orders
from tallystick.infrastructure.envelope.cose import seal_request
from tallystick.kernel.codec import encode_canonical
from tallystick.protocol.authentication import GivePin

PAYERS, GUESSERS, LINKS = 96, 64, 256
SHARE, FLOOD_RATE = 0.25, 320
CLOSED, CLIENTS, SECONDS, SETTLING_S, ROUNDS = 2_000, 32, 4.0, 1.0, 5
DRAINED_S = 30.0
MOST_MEDIAN, MOST_P99 = 1.2, 2.0
_HEAD = (
    b"POST /v1/factors/pin HTTP/1.1\r\nhost: bench\r\ncontent-type: application/cose\r\n"
    b"content-length: %d\r\n\r\n"
)
Rows = list[dict[str, Any]]


def sealed_guesses(person: Person, count: int) -> list[bytes]:
    """`count` guesses of the PIN of `person`, in the order of their numbers."""
    live = person.session._live
    assert live is not None
    found = []
    for number in range(count):
        live.sequence += 1
        body = encode_canonical(GivePin(pin=f"{number % 10_000:04d}"))
        found.append(seal_request(live.keys, "factor.pin", live.sequence, body))
    return found


def flood(url: str, guesses: list[list[bytes]], seconds: float, told: Any) -> None:
    """Send guesses of many people at `FLOOD_RATE`, wait for the last answer; tell by status."""
    parts = urlsplit(url)
    waiting = [iter(one) for one in guesses]
    links = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in guesses]
    free = deque(range(len(links)))
    statuses: dict[int, int] = {}
    began, number = time.perf_counter(), 0
    with selectors.DefaultSelector() as selector:
        for place, link in enumerate(links):
            selector.register(link, selectors.EVENT_READ, place)
        while (now := time.perf_counter()) < began + seconds + DRAINED_S:
            due = (now - began) * FLOOD_RATE if now < began + seconds else 0.0
            while free and number < due:
                place = free.popleft()
                guess = next(waiting[place])
                links[place].sendall(_HEAD % len(guess) + guess)
                number += 1
            number = max(number, int(due) - 1)  # what found no link is not sent later
            if not due and len(free) == len(links):
                break
            for picked, _ in selector.select(1 / FLOOD_RATE):
                status = int(links[picked.data].recv(65536)[9:12] or 0)
                statuses[status] = statuses.get(status, 0) + 1
                free.append(picked.data)
    for link in links:
        link.close()
    told.put(statuses)


@dataclass(frozen=True, slots=True)
class Seen:
    """Payments of a while: median and 99th percentile (ms), and how much the service waited."""

    p50: float
    p99: float
    waited: float
    answered: dict[int, int]


def waited_s(pid: int) -> float:
    """Seconds for which the threads of `pid` were ready to run and another had their core."""
    found = 0
    for one in Path(f"/proc/{pid}/task").iterdir():
        found += int((one / "schedstat").read_text(encoding="ascii").split()[1])
    return found / 1e9


def _sealed(population: Population, payers: list[Person], rate: float) -> list[bytes]:
    everybody, population.people = population.people, payers
    try:
        return sealed_orders(population, int(rate * (SECONDS + SETTLING_S) * 1.3) + LINKS)[0]
    finally:
        population.people = everybody


def _paid(population: Population, orders: list[bytes], rate: float) -> Seen:
    """Payments at `rate`."""
    pid, began = population.process.pid, time.perf_counter()
    before = waited_s(pid)
    answers = OpenLoop(population.url, orders, LINKS).run(rate, SECONDS)
    waited = (waited_s(pid) - before) / (time.perf_counter() - began)
    return Seen(statistics.median(answers.accepted), p99(answers.accepted), waited, {})


def _beside(population: Population, people: tuple[list[Person], list[Person]], rate: float) -> Seen:
    """Payments at `rate` beside guesses."""
    payers, guessers = people
    most = int(FLOOD_RATE * (SECONDS + 30) / len(guessers))
    guesses = [sealed_guesses(one, most) for one in guessers]
    told: Any = multiprocessing.Queue()
    orders = _sealed(population, payers, rate)
    length = SECONDS + SETTLING_S + 1.0
    other = multiprocessing.Process(target=flood, args=(population.url, guesses, length, told))
    other.start()
    time.sleep(0.5)
    seen = _paid(population, orders, rate)
    answered: dict[int, int] = told.get(timeout=DRAINED_S + 30)
    other.join(60)
    return Seen(seen.p50, seen.p99, seen.waited, answered)


def run(quick: bool = False) -> Rows:
    """Both figures, as medians of the rounds' ratios."""
    alone: list[Seen] = []
    beside: list[Seen] = []
    with populate(PAYERS + GUESSERS) as population:
        payers, guessers = population.people[:PAYERS], population.people[PAYERS:]
        for one in guessers:
            one.session.establish()
        orders, _ = sealed_orders(population, CLOSED)
        seconds, _, statuses = drive(population.url, orders, CLIENTS)
        rate = statuses[200] / seconds * SHARE
        alone.append(_paid(population, _sealed(population, payers, rate), rate))
        for _ in range(1 if quick else ROUNDS):
            beside.append(_beside(population, (payers, guessers), rate))
            alone.append(_paid(population, _sealed(population, payers, rate), rate))
    load = f"{rate:.0f} payments/s, {FLOOD_RATE} guesses/s offered; {_told(alone, beside)}"
    return [
        _row(f"{name} payment beside guessing", times(of(alone), of(beside)), most, load)
        for name, of, most in (("median", _p50, MOST_MEDIAN), ("p99", _p99, MOST_P99))
    ]


def times(alone: list[float], beside: list[float]) -> float:
    """The median of what was beside over the mean of what was just before and after it."""
    pairs = enumerate(beside)
    return statistics.median(one / statistics.fmean(alone[at : at + 2]) for at, one in pairs)


def _p50(seen: list[Seen]) -> list[float]:
    return [one.p50 for one in seen]


def _p99(seen: list[Seen]) -> list[float]:
    return [one.p99 for one in seen]


def _told(alone: list[Seen], beside: list[Seen]) -> str:
    def many(found: list[float]) -> str:
        return ", ".join(f"{one:.1f}" for one in found)

    hashed = sum(one.answered.get(401, 0) for one in beside)
    away = sum(one.answered.get(429, 0) for one in beside)
    waits = [statistics.median(one.waited for one in seen) for seen in (alone, beside)]
    return (
        f"alone p50 {many(_p50(alone))}, p99 {many(_p99(alone))} ms; beside p50"
        f" {many(_p50(beside))}, p99 {many(_p99(beside))} ms; guesses {hashed} hashed, {away}"
        f" sent away; the service's threads waited for a core {waits[0]:.2f} s a second alone,"
        f" {waits[1]:.2f} beside"
    )


def _row(name: str, value: float, bound: float, load: str) -> dict[str, Any]:
    return {
        "name": name, "value": round(value, 2), "unit": "x alone", "bound": bound, "floor": "",
        "load": load, "met": value <= bound,
    }  # fmt: skip


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "|", row["load"])
