"""Approvals end to end: begun, seen on the device, signed, decided, recorded, durable, per second.

    begin (challenge)  ->  inbox (the device sees it)  ->  approve (number, consent, order, tally)

Each of the three is a sealed request over HTTP, and each change is committed before it is answered.
What the person's device does in between (reading the reply, signing) is its own time and is not
counted: the published figures that stand beside count the server's side as well.

Published, on two workers: 1.54 checks of a challenge a second by default, 11.9 a second with the
hashing of PINs made trivial (0.70 s and 93 ms of CPU each).
"""

import selectors
import statistics
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from simulators.cast import Person

from bench.payment import Link
from bench.population import Population, populate
from tallystick.client.session import ClientSession
from tallystick.client.wallet import signed_consent
from tallystick.infrastructure.envelope.cose import open_reply, seal_request
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.model import Wire
from tallystick.protocol.approvals import (
    ApprovalBegun,
    ApprovalItem,
    ApprovalStage,
    ApprovalState,
    Approve,
    BeginApproval,
    Inbox,
    InboxAsked,
)
from tallystick.protocol.payments import PaymentKind

PUBLISHED = {"as shipped": (1.54, 0.70, 300.0), "with trivial hashing": (11.9, 0.093, 40.0)}
"""Checks a second, CPU seconds of one, and how many times as fast an approval is to be."""

CLIENTS = 64
_begun = Decoder(ApprovalBegun)
_inboxes = Decoder(Inbox, limit=1 << 20)
_states = Decoder(ApprovalState)


class Sealed:
    """One sealed request of a person, and what opens its reply."""

    def __init__(self, person: Person, operation: str, asked: Wire) -> None:
        live = _live(person.session)
        live.sequence += 1
        live.last = int(time.time() * 1000)
        self.operation, self.sequence, self.keys = operation, live.sequence, live.keys
        self.body = seal_request(live.keys, operation, live.sequence, encode_canonical(asked))

    def open(self, reply: bytes) -> bytes:
        """The content of a good reply."""
        return open_reply(self.keys, self.operation, self.sequence, 200, reply)


def _live(session: ClientSession) -> Any:
    if session._live is None:
        session.establish()
    return session._live


def drive(url: str, path: str, asked: list[Sealed]) -> tuple[float, list[float], list[bytes]]:
    """Send all of `asked` over several connections: seconds, latencies (ms), opened replies."""
    parts = urlsplit(url)
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/cose\r\n"
        "content-length: %d\r\n\r\n"
    )
    waiting = iter(range(len(asked)))
    replies: list[bytes] = [b""] * len(asked)
    latencies: list[float] = []
    selector = selectors.EpollSelector()
    began = time.perf_counter()

    def send(link: Link) -> bool:
        index = next(waiting, -1)
        if index < 0:
            return False
        request = (head % len(asked[index].body)).encode() + asked[index].body
        selector.register(link.sock, selectors.EVENT_READ, (link, index))
        link.sent_at = time.perf_counter()
        link.sock.sendall(request)
        return True

    links = [Link((parts.hostname or "", parts.port or 0)) for _ in range(CLIENTS)]
    working = sum(map(send, links))
    while working:
        for event, _ in selector.select(timeout=30):
            link, index = event.data
            link.buffer += link.sock.recv(65536)
            end = link.buffer.find(b"\r\n\r\n")
            if end < 0:
                continue
            length = int(bytes(link.buffer[:end]).split(b"content-length: ")[1].split(b"\r\n")[0])
            if len(link.buffer) < end + 4 + length:
                continue
            assert link.buffer[9:12] == b"200", bytes(link.buffer)
            latencies.append((time.perf_counter() - link.sent_at) * 1000)
            replies[index] = bytes(link.buffer[end + 4 :])
            link.buffer.clear()
            selector.unregister(link.sock)
            working -= 0 if send(link) else 1
    seconds = time.perf_counter() - began
    for link in links:
        link.sock.close()
    return seconds, latencies, [one.open(reply) for one, reply in zip(asked, replies, strict=True)]


def one_round(population: Population, cursors: dict[str, int]) -> dict[str, Any]:
    """Everybody begins an order, sees it, and approves it; seconds and latencies of the steps."""
    people, url = population.people, population.url
    begins = [
        Sealed(one, "approval.begin", _order(one, people[(place + 1) % len(people)]))
        for place, one in enumerate(people)
    ]
    first_s, _, replies = drive(url, "/v1/approvals/begin", begins)
    numbers = [_begun.decode(one) for one in replies]
    polls = [
        Sealed(one, "approval.inbox", InboxAsked(after=cursors.get(one.customer, 0)))
        for one in people
    ]
    second_s, _, replies = drive(url, "/v1/approvals/inbox", polls)
    items = [_inboxes.decode(one) for one in replies]
    approves: list[Sealed] = []
    for person, begun, inbox in zip(people, numbers, items, strict=True):
        cursors[person.customer] = inbox.cursor
        item = next(one for one in inbox.items if one.state.approval == begun.approval)
        approves.append(Sealed(person, "approval.approve", _signed(person, item, begun.number)))
    third_s, latencies, replies = drive(url, "/v1/approvals/approve", approves)
    states = [_states.decode(one) for one in replies]
    assert all(one.stage is ApprovalStage.APPROVED for one in states)
    assert all(one.receipt is not None and not one.outcome for one in states)
    return {
        "seconds": first_s + second_s + third_s, "steps": (first_s, second_s, third_s),
        "latencies": latencies,
    }  # fmt: skip


def _order(payer: Person, payee: Person) -> BeginApproval:
    return BeginApproval(
        payer=payer.number, kind=PaymentKind.P2P, payee=payee.number, amount_minor=100,
        currency="KES", asked_by="a web shop",
    )  # fmt: skip


def _signed(person: Person, item: ApprovalItem, number: str) -> Approve:
    now = int(time.time() * 1000)
    consent = signed_consent(item.quote, person.keystore, now, shown=item.text)  # type: ignore[arg-type]
    return Approve(approval=item.state.approval, number=number, consent=consent, proof=item.proof)


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Approvals a second beside the two published figures, with the CPU of one."""
    devices, rounds = (32, 4) if quick else (128, 8)
    with populate(devices) as population:
        cursors: dict[str, int] = {}
        one_round(population, cursors)
        before = population.server_cpu_s()
        found = [one_round(population, cursors) for _ in range(rounds)]
        cpu_us = (population.server_cpu_s() - before) / (devices * rounds) * 1e6
    rate = statistics.median(devices / one["seconds"] for one in found)
    slowest = min(devices / one["seconds"] for one in found)
    latencies = sorted(ms for one in found for ms in one["latencies"])
    steps = [
        statistics.median(column) for column in zip(*(one["steps"] for one in found), strict=True)
    ]
    shares = ", ".join(f"{part / devices * 1e6:.0f} us" for part in steps)
    load = (
        f"{devices} devices, {rounds} rounds, {CLIENTS} connections, one worker; begin, inbox,"
        f" approve take {shares}; {cpu_us:.0f} us of CPU; slowest round {slowest:.0f}/s; approve"
        f" p50 {statistics.median(latencies):.1f} ms,"
        f" p99 {latencies[int(len(latencies) * 0.99)]:.1f} ms"
    )
    rows: list[dict[str, Any]] = []
    for label, (published, cpu_s, bound) in PUBLISHED.items():
        for what, times, shown, floor in (
            ("approvals", rate / published, f"{rate:.0f}/s", f"{published}/s"),
            ("CPU of an approval", cpu_s / cpu_us * 1e6, f"{cpu_us:.0f} us", f"{cpu_s} s"),
        ):
            rows.append(
                {
                    "name": f"{what} beside {floor}, {label}",
                    "value": round(times, 1),
                    "unit": f"x ({shown})",
                    "bound": bound,
                    "floor": floor,
                    "load": load,
                    "met": times >= bound,
                }
            )
    return rows


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print(row)
