"""What a flood of guesses does to payments: `python -m bench.hashing [--quick]`.

Payments come in an open loop at a quarter of what the service carries, first alone and then beside
guesses of PINs from another process, many times more than can be hashed. Rounds alternate, so that
a machine that others use changes both alike.
"""

import multiprocessing
import socket
import statistics
import sys
import time
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
CLOSED, CLIENTS, SECONDS, SETTLING_S, ROUNDS = 2_000, 32, 4.0, 1.0, 3
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
    """Send guesses of many people at `FLOOD_RATE`; tell how many were answered, by status."""
    parts = urlsplit(url)
    links = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in guesses]
    waiting = [iter(one) for one in guesses]
    busy: dict[int, float] = {}
    statuses: dict[int, int] = {}
    began, number = time.perf_counter(), 0
    for link in links:
        link.setblocking(False)
    while (now := time.perf_counter()) < began + seconds:
        for place, link in enumerate(links):
            if place in busy:
                try:
                    answer = link.recv(65536)
                except BlockingIOError:
                    continue
                status = int(answer[9:12] or 0)
                statuses[status] = statuses.get(status, 0) + 1
                del busy[place]
        free = [place for place in range(len(links)) if place not in busy]
        while free and number < (now - began) * FLOOD_RATE:
            place = free.pop()
            guess = next(waiting[place], None)
            if guess is not None:
                links[place].sendall(_HEAD % len(guess) + guess)
                busy[place] = now
            number += 1
        time.sleep(0.002)
    for link in links:
        link.close()
    told.put(statuses)


def _measured(population: Population, payers: list[Person], rate: float) -> tuple[float, float]:
    """Median and 99th percentile (ms) of payments at `rate`."""
    everybody, population.people = population.people, payers
    try:
        orders, _ = sealed_orders(population, int(rate * (SECONDS + SETTLING_S) * 1.3) + LINKS)
    finally:
        population.people = everybody
    answers = OpenLoop(population.url, orders, LINKS).run(rate, SECONDS)
    return statistics.median(answers.accepted), p99(answers.accepted)


def _beside(
    population: Population, people: tuple[list[Person], list[Person]], rate: float
) -> tuple[float, float, dict[int, int]]:
    payers, guessers = people
    most = int(FLOOD_RATE * (SECONDS + 30) / len(guessers))
    guesses = [sealed_guesses(one, most) for one in guessers]
    told: Any = multiprocessing.Queue()
    everybody, population.people = population.people, payers
    try:
        orders, _ = sealed_orders(population, int(rate * (SECONDS + SETTLING_S) * 1.3) + LINKS)
    finally:
        population.people = everybody
    length = SECONDS + SETTLING_S + 1.0
    other = multiprocessing.Process(target=flood, args=(population.url, guesses, length, told))
    other.start()
    time.sleep(0.5)
    answers = OpenLoop(population.url, orders, LINKS).run(rate, SECONDS)
    statuses: dict[int, int] = told.get(timeout=60)
    other.join(60)
    return statistics.median(answers.accepted), p99(answers.accepted), statuses


def run(quick: bool = False) -> Rows:
    """Both figures, as medians of the rounds' ratios."""
    rounds = 1 if quick else ROUNDS
    medians, nines, texts = [], [], []
    with populate(PAYERS + GUESSERS) as population:
        payers, guessers = population.people[:PAYERS], population.people[PAYERS:]
        for one in guessers:
            one.session.establish()
        orders, _ = sealed_orders(population, CLOSED)
        seconds, _, statuses = drive(population.url, orders, CLIENTS)
        rate = statuses[200] / seconds * SHARE
        for _ in range(rounds):
            alone = _measured(population, payers, rate)
            with_flood = _beside(population, (payers, guessers), rate)
            medians.append(with_flood[0] / alone[0])
            nines.append(with_flood[1] / alone[1])
            answered = with_flood[2]
            texts.append(
                f"p50 {alone[0]:.1f} -> {with_flood[0]:.1f}, p99 {alone[1]:.1f} ->"
                f" {with_flood[1]:.1f} ms, guesses {answered.get(401, 0)} hashed,"
                f" {answered.get(429, 0)} sent away"
            )
    load = f"{rate:.0f} payments/s, {FLOOD_RATE} guesses/s offered; " + "; ".join(texts)
    return [
        _row("median payment beside guessing", statistics.median(medians), MOST_MEDIAN, load),
        _row("p99 payment beside guessing", statistics.median(nines), MOST_P99, load),
    ]


def _row(name: str, value: float, bound: float, load: str) -> dict[str, Any]:
    return {
        "name": name, "value": round(value, 2), "unit": "x alone", "bound": bound, "floor": "",
        "load": load, "met": value <= bound,
    }  # fmt: skip


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "|", row["load"])
