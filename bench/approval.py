"""Approvals end to end: begun, seen on the device, signed, decided, recorded, durable, per second.

    begin (challenge)  ->  inbox (the device sees it)  ->  approve (number, consent, order, tally)

Each of the three is a sealed request over HTTP, and each change is committed before it is answered.
What the person's device does in between (reading the reply, signing) is its own time and is not
counted.

The peer, privacyIDEA, does the same on this machine in the same run: rounds of ours, the peer as
shipped, rounds of ours, the peer with the hashing of PINs made trivial, rounds of ours. Each figure
is put beside the rounds before and after it. Where the peer cannot be installed, figures of its
codes that were published take its place, and every line says so.
"""

import selectors
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from simulators.cast import Person

from bench.approval_beside import SHIPPED, TRIVIAL, Done, measure
from bench.payment import Link
from bench.population import Population, populate
from bench.privacyidea import PeerMissing
from tallystick.client.consenting import signed_consent
from tallystick.client.session import ClientSession
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

BOUNDS = {SHIPPED: 300.0, TRIVIAL: 40.0}
"""How many times as fast an approval is to be."""

PUBLISHED = {
    SHIPPED: Done(1.54, 0.70, "codes, published, two workers"),
    TRIVIAL: Done(11.9, 0.093, "codes, published, two workers"),
}
"""What stands in for a peer that cannot be installed."""

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


@dataclass(frozen=True, slots=True)
class Ours:
    """Rounds of ours: of each its approvals a second, its seconds by step, and its latencies."""

    rates: list[float]
    cpu_us: list[float]
    steps: list[list[float]]
    latencies: list[float]

    def __add__(self, other: "Ours") -> "Ours":
        return Ours(
            self.rates + other.rates, self.cpu_us + other.cpu_us, self.steps + other.steps,
            self.latencies + other.latencies,
        )  # fmt: skip

    def load(self, devices: int) -> str:
        """What was done, and how it was spread."""
        columns = zip(*self.steps, strict=True)
        shares = ", ".join(f"{statistics.median(one):.0f} us" for one in columns)
        ranked = sorted(self.latencies)
        return (
            f"{devices} devices, {len(self.rates)} rounds, {CLIENTS} connections, one worker;"
            f" begin, inbox, approve take {shares}; slowest round"
            f" {min(self.rates):.0f}/s; approve p50 {statistics.median(ranked):.1f} ms,"
            f" p99 {ranked[int(len(ranked) * 0.99)]:.1f} ms"
        )


def rounds_of(population: Population, cursors: dict[str, int], count: int) -> Ours:
    """One round that is not counted, and `count` that are."""
    devices = len(population.people)
    for person in population.people:
        person.session.establish()
    one_round(population, cursors)
    before = population.server_cpu_s()
    found = [one_round(population, cursors) for _ in range(count)]
    cpu_us = (population.server_cpu_s() - before) / (devices * count) * 1e6
    return Ours(
        rates=[devices / one["seconds"] for one in found],
        cpu_us=[cpu_us],
        steps=[[part / devices * 1e6 for part in one["steps"]] for one in found],
        latencies=[ms for one in found for ms in one["latencies"]],
    )


def peer(which: str, quick: bool) -> tuple[Done, Done | None, str]:
    """Approvals and codes of the peer, and why they are not of this run if they are not."""
    try:
        return (*measure(which, quick=quick), "")
    except PeerMissing as error:
        print(f"privacyIDEA was NOT measured, published figures take its place: {error}")
        return PUBLISHED[which], None, f"NOT MEASURED HERE ({error}): "


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Approvals a second beside the peer's, and the CPU of one beside the CPU of its own."""
    devices, count = (32, 2) if quick else (128, 4)
    rows: list[dict[str, Any]] = []
    with populate(devices) as population:
        cursors: dict[str, int] = {}
        before = rounds_of(population, cursors, count)
        for which in BOUNDS:
            found = peer(which, quick)
            after = rounds_of(population, cursors, count)
            rows += _rows(which, before + after, devices, found)
            before = after
    return rows


def _rows(
    which: str, ours: Ours, devices: int, found: tuple[Done, Done | None, str]
) -> list[dict[str, Any]]:
    approvals, codes, missing = found
    load = ours.load(devices)
    rate, cpu = statistics.median(ours.rates), statistics.median(ours.cpu_us)
    rows: list[dict[str, Any]] = []
    for what, other, bound in (("approvals", approvals, BOUNDS[which]), ("codes", codes, None)):
        if other is None:
            continue
        beside = f"{what} of privacyIDEA, {which}"
        told = f"{load}; peer: {missing}{other.load}"
        for name, times, shown, floor in (
            (f"approvals beside {beside}", rate / other.rate, f"{rate:.0f}/s",
             f"{other.rate:.2f}/s"),
            (f"CPU of an approval beside {beside}", other.cpu_s / cpu * 1e6, f"{cpu:.0f} us",
             f"{other.cpu_s * 1000:.0f} ms"),
        ):  # fmt: skip
            rows.append({
                "name": name, "value": round(times, 1), "unit": f"x ({shown})", "bound": bound,
                "floor": floor, "load": told, "met": bound is None or times >= bound,
            })  # fmt: skip
    return rows


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print(row)
