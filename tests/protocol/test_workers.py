"""Two fronts in processes of their own before one writer: the same answers, no shared nonce."""

import asyncio
import http.client
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bench.population import populate
from tests.support.collectors import until
from tests.support.metrics import exposition
from tests.support.processes import fronts
from tests.support.served import Person, Served, served

from tallystick.client.wallet import Refusal
from tallystick.entry.accounting import Accounting
from tallystick.entry.http.operations import operation
from tallystick.entry.http.server import Listening, check_listening
from tallystick.entry.http.workers.desk import FrontDesk, Hiring
from tallystick.entry.http.workers.place import Place, check_free, shared_place
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.envelope.cose import seal_request
from tallystick.kernel.errors import Malformed, Unauthenticated, Unavailable
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

ALICE, BOB = "+254700000001", "+254700000002"
SEALED = {"content-type": "application/cose"}
COPIES = 32
"""So many connections that one front alone gets all of them in one of a thousand million runs."""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "p", workers=2) as found:
        found.person(ALICE, "Alice", funds=1_000_00)
        found.open_customer(BOB, "Bob")
        yield found


@contextmanager
def links(
    url: str, count: int, source: str = "127.0.0.1"
) -> Iterator[list[http.client.HTTPConnection]]:
    parts = urlsplit(url)
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            link = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=20, source_address=(source, 0)
            )
            link.connect()
            found.append(stack.enter_context(closing(link)))
        yield found


def sealed_order(person: Person) -> bytes:
    quoted = person.wallet.quote(PaymentKind.P2P, BOB, Money(100, "KES"))
    order = person.wallet.consent(quoted)
    live = person.session._live
    live.sequence += 1
    return seal_request(live.keys, "payment.order", live.sequence, order.body)


def end(person: Person, link: http.client.HTTPConnection) -> None:
    live = person.session._live
    live.sequence += 1
    body = seal_request(live.keys, "session.end", live.sequence, b"{}")
    link.request("POST", operation("session.end").path, body, SEALED)
    reply = link.getresponse()
    assert (reply.status, bool(reply.read())) == (200, True)


def send_at_once(
    connections: list[http.client.HTTPConnection], body: bytes
) -> list[tuple[int, bytes]]:
    answers: list[tuple[int, bytes]] = []
    together = threading.Barrier(len(connections))

    def send(link: http.client.HTTPConnection) -> None:
        together.wait()
        link.request("POST", "/v1/payments", body, SEALED)
        reply = link.getresponse()
        answers.append((reply.status, reply.read()))

    threads = [threading.Thread(target=send, args=(link,)) for link in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


@pytest.mark.requirement("MFS-7.2.7-03")
@pytest.mark.threat("THR-NET-02")
def test_a_request_raced_on_two_processes_never_shares_a_nonce(provider: Served) -> None:
    alice = provider.person("+254700000003", "Cyd", funds=1_000_00)
    ivs: set[bytes] = set()
    with links(provider.url, COPIES) as connections:
        for _ in range(8):
            answers = send_at_once(connections, sealed_order(alice))
            statuses = sorted(status for status, _ in answers)
            replays = [409] * (COPIES - 1)
            assert statuses == [200, *replays], "one copy is executed, the others are replays"
            ivs |= {reply[27:39] for _, reply in answers}
    assert len(ivs) == 8 * COPIES, "no two replies have the same nonce, refusals included"
    assert len({iv[:5] for iv in ivs}) == 2, "both processes answered"
    assert len({iv[:4] for iv in ivs}) == 1


def test_both_fronts_serve_one_session_and_its_end_is_known_to_both(provider: Served) -> None:
    alice = provider.person("+254700000004", "Dan", funds=1_000_00)
    bodies = [sealed_order(alice) for _ in range(16)]
    with links(provider.url, 16) as connections:
        for link, body in zip(connections, bodies, strict=True):
            link.request("POST", "/v1/payments", body, SEALED)
            assert link.getresponse().read()
        late = sealed_order(alice)
        end(alice, connections[0])
        assert {status for status, _ in send_at_once(connections, late)} == {401}


def test_a_front_that_dies_is_replaced_and_nothing_is_lost(provider: Served) -> None:
    alice = provider.person("+254700000005", "Eve", funds=1_000_00)
    before = fronts(os.getpid())
    assert len(before) == 2
    paid, stop = [], threading.Event()

    def pay() -> None:
        order = None
        while not stop.is_set() or order is not None:
            try:
                if order is None:
                    quoted = alice.wallet.quote(PaymentKind.P2P, BOB, Money(100, "KES"))
                    order = alice.wallet.consent(quoted)
                paid.append(alice.wallet.place(order))
                order = None
            except Unavailable:
                time.sleep(0.01)

    payer = threading.Thread(target=pay)
    payer.start()
    try:
        for pid in before:
            os.kill(pid, signal.SIGKILL)
            limit = time.monotonic() + 20
            while len(fronts(os.getpid())) < 2 or pid in fronts(os.getpid()):
                assert time.monotonic() < limit, "no front came in its place"
                time.sleep(0.05)
    finally:
        count = len(paid)
        limit = time.monotonic() + 20
        while len(paid) < count + 5 and payer.is_alive() and time.monotonic() < limit:
            time.sleep(0.05)
        stop.set()
        payer.join(timeout=20)
    assert len(paid) >= count + 5
    assert len({one.receipt.index for one in paid}) == len(paid)
    assert alice.wallet.account().available_minor == 1_000_00 - 100 * len(paid)
    until(lambda: b"".join(provider.log).count(b"a front is gone") == 2)


def test_what_fronts_answer_is_counted_and_logged_in_one_place(provider: Served) -> None:
    alice = provider.person("+254700000006", "Fay", funds=1_000_00)
    alice.wallet.pay(PaymentKind.P2P, BOB, Money(100, "KES"))
    with pytest.raises(Refusal):
        alice.wallet.pay(PaymentKind.P2P, BOB, Money(999_999_00, "KES"))
    counted = (
        "tallystick_fronts 2\n",
        'tallystick_answers_total{operation="payment.order",status="200",refusal=""} 1\n',
        'operation="payment.order",status="4',
    )
    until(lambda: all(one in exposition(provider) for one in counted))
    until(lambda: b"".join(provider.log).count(b'"operation":"payment.order"') == 2)


def test_limits_by_source_see_the_true_source(tmp_path: Path) -> None:
    with (
        served(tmp_path / "p", workers=2, join=False, source_rate=4) as provider,
        links(provider.url, 1) as (mine,),
        links(provider.url, 1, "127.0.0.2") as (other,),
    ):
        statuses = [hello(mine) for _ in range(40)]
        assert statuses[0] == 400
        assert statuses[-1] == 429
        assert hello(other) == 400


def hello(link: http.client.HTTPConnection) -> int:
    link.request("POST", "/v1/sessions", b"{}", {"content-type": "application/json"})
    reply = link.getresponse()
    reply.read()
    return reply.status


def test_fronts_end_with_the_writer_and_cannot_be_dumped() -> None:
    with populate(1, "--workers", "2") as population:
        pids = list(fronts(population.process.pid))
        assert len(pids) == 2
        for pid in pids:
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"Max core file size\s+0\s+0", limits)
        population.process.kill()
        population.process.wait(timeout=20)
        limit = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            assert time.monotonic() < limit, "a front outlives its writer"
            time.sleep(0.02)


def test_a_port_that_is_taken_is_named(provider: Served) -> None:
    port = urlsplit(provider.url).port
    with pytest.raises(Unavailable, match=f"port {port}"), shared_place("127.0.0.1", port):
        pass
    with pytest.raises(Unavailable, match=f"port {port}"):
        check_free("127.0.0.1", port)
    check_free("127.0.0.1", 0)


@pytest.mark.parametrize("listening", [Listening(workers=0), Listening(workers=2, lane=False)])
def test_workers_that_cannot_be_are_refused(listening: Listening) -> None:
    with pytest.raises(Malformed, match="workers"):
        check_listening(listening)


def test_an_unknown_session_is_refused_in_clear(provider: Served) -> None:
    alice = provider.person("+254700000007", "Gil", funds=1_000_00)
    body = bytearray(sealed_order(alice))
    body[9:25] = os.urandom(16)
    reply = provider.transport.post("/v1/payments", bytes(body), "application/cose")
    assert reply.status == Unauthenticated.status
    assert b"establish a new session" in reply.body


def test_a_front_that_cannot_begin_ends_the_start_with_the_reason(
    provider: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    async def start() -> None:
        hiring = Hiring(Place("127.0.0.1", 0, ""), "", "", 1.0, 1.0)
        accounting = Accounting(provider.clock, lambda _: None)
        writer = WriterLoop(provider.platform.writer, asyncio.get_running_loop())
        desk = FrontDesk(provider.platform, writer, accounting, {}, hiring)
        with pytest.raises(Unavailable, match="ended at once"):
            await desk.start(2)
        assert desk.count() == 0
        await writer.close()

    asyncio.run(start())
