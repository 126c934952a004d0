"""One secured payment over HTTP: CPU of the server against one P-256 verify of the same run."""

import os
import pstats
import selectors
import signal
import socket
import statistics
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from bench.floor import VerifySampler
from bench.population import Population, populate, sealed_orders

ROUNDS = 3
HEAD = (
    b"POST /v1/payments HTTP/1.1\r\nhost: bench\r\ncontent-type: application/cose\r\n"
    b"content-length: %d\r\n\r\n"
)


class Link:
    """One connection in a closed loop."""

    __slots__ = ("buffer", "sent_at", "sock")

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.buffer = bytearray()
        self.sent_at = 0.0


def drive(url: str, orders: list[bytes], clients: int) -> tuple[float, list[float], dict[int, int]]:
    """Send all `orders` over `clients` connections; seconds, latencies (ms), answers by status."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 0)
    requests = iter([HEAD % len(order) + order for order in orders])
    selector = selectors.EpollSelector()
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    open_links = 0
    started = time.perf_counter()
    for _ in range(clients):
        request = next(requests, None)
        if request is None:
            break
        link = Link(address)
        selector.register(link.sock, selectors.EVENT_READ, link)
        link.sent_at = time.perf_counter()
        link.sock.sendall(request)
        open_links += 1
    while open_links:
        for key, _ in selector.select(timeout=30):
            link = key.data
            link.buffer += link.sock.recv(65536)
            end = link.buffer.find(b"\r\n\r\n")
            if end < 0:
                continue
            head = bytes(link.buffer[:end])
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            if len(link.buffer) < end + 4 + length:
                continue
            status = int(head[9:12])
            statuses[status] = statuses.get(status, 0) + 1
            latencies.append((time.perf_counter() - link.sent_at) * 1000)
            link.buffer.clear()
            request = next(requests, None)
            if request is None:
                selector.unregister(link.sock)
                link.sock.close()
                open_links -= 1
            else:
                link.sent_at = time.perf_counter()
                link.sock.sendall(request)
    return time.perf_counter() - started, latencies, statuses


def measure(population: Population, clients: int, count: int) -> dict[str, Any]:
    """CPU us a payment, ratio to a verify sampled meanwhile, rate, p50, p99."""
    orders, quote_us = sealed_orders(population, count)
    with VerifySampler() as floor:
        before = population.server_cpu_s()
        seconds, latencies, statuses = drive(population.url, orders, clients)
        cpu_us = (population.server_cpu_s() - before) / count * 1e6
    verify_us = floor.median_us()
    assert statuses == {200: count}, statuses
    latencies.sort()
    return {
        "clients": clients,
        "payments": count,
        "cpu_us": cpu_us,
        "verify_us": verify_us,
        "ratio": cpu_us / verify_us,
        "rate": count / seconds,
        "p50_ms": statistics.median(latencies),
        "p99_ms": latencies[int(len(latencies) * 0.99)],
        "quote_us": quote_us,
        "memory_mb": population.memory_mb(),
    }


def run(quick: bool = False) -> list[dict[str, Any]]:
    """The figures of the hot path: one worker with its bound at 64 clients, then two workers."""
    devices, count = (64, 2_000) if quick else (256, 8_000)
    results: list[dict[str, Any]] = []
    with populate(devices) as population:
        rounds = sorted(
            (measure(population, 64, count) for _ in range(ROUNDS)), key=lambda one: one["ratio"]
        )
        spread = f"; median of {ROUNDS}, {rounds[0]['ratio']:.2f} to {rounds[-1]['ratio']:.2f}"
        results.append(_row(rounds[ROUNDS // 2], devices, 1, spread))
        for clients, share in ((16, 0.5), (1, 0.1)):
            found = measure(population, clients, int(count * share))
            results.append(_row(found, devices, 1))
        results.append(
            {
                "name": "quote CPU",
                "value": round(found["quote_us"]),
                "unit": "us",
                "bound": None,
                "floor": "",
                "load": "one client, one at a time",
                "met": True,
            }
        )
    with populate(devices, "--workers", "2") as population:
        results += [_row(measure(population, clients, count), devices, 2) for clients in (64, 256)]
    return results


def _row(found: dict[str, Any], devices: int, workers: int, spread: str = "") -> dict[str, Any]:
    """A measurement as a line of the table; one worker at 64 clients has a bound."""
    clients = found["clients"]
    bound = 4.0 if (clients, workers) == (64, 1) else None
    many = "one worker" if workers == 1 else f"{workers} workers and the writer"
    return {
        "name": f"payment CPU at {clients} clients" + (f", {workers} workers" * (workers > 1)),
        "value": round(found["ratio"], 2),
        "unit": f"x P-256 verify ({found['cpu_us']:.0f} us)",
        "bound": bound,
        "floor": f"{found['verify_us']:.0f} us",
        "load": (
            f"{found['payments']} orders, {clients} clients, {devices} devices, {many};"
            f" {found['rate']:.0f}/s, p50 {found['p50_ms']:.1f} ms,"
            f" p99 {found['p99_ms']:.1f} ms{spread}"
        ),
        "met": bound is None or found["ratio"] <= bound,
    }


def profile(count: int = 4_000) -> pstats.Stats:
    """Where the time of a payment goes, function by function (the profiler itself adds to it)."""
    with populate(64) as population:
        orders, _ = sealed_orders(population, count)
        os.kill(population.process.pid, signal.SIGUSR1)
        drive(population.url, orders, 64)
        os.kill(population.process.pid, signal.SIGUSR2)
        target = population.folder / "profile.out"
        while not target.exists():
            time.sleep(0.05)
        time.sleep(0.3)
        return pstats.Stats(str(target))


if __name__ == "__main__":
    if "--profile" in sys.argv:
        profile().sort_stats("tottime").print_stats(60)
        sys.exit(0)
    for row in run(quick="--quick" in sys.argv):
        print(row)
