"""Refused is what would wait too long: a burst may take longer than a wait that stands."""

import asyncio

import httptools
import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from tallystick.entry import admission as admitting
from tallystick.entry.accounting import Accounting
from tallystick.entry.admission import BEGINNINGS, STANDING_S, Admission, Pace, Standing
from tallystick.entry.http.early import EarlyRefusal, is_whole
from tallystick.entry.http.lane import LaneProtocol
from tallystick.entry.http.operations import OPERATIONS, operation
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import Decoder
from tallystick.protocol.problems import Problem

LONGEST_S = 0.02
ORDERS, READS = operation("payment.order").path, operation("account.read").path


def request(path: str, body: bytes = b"x" * 40, *more: bytes) -> bytes:
    head = [
        b"POST %b HTTP/1.1" % path.encode(),
        b"host: here",
        b"Content-Type: application/cose",
        b"Content-Length: %d" % len(body),
        *more,
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class TestStanding:
    def test_what_is_short_is_never_refused(self) -> None:
        standing = Standing(LONGEST_S)
        assert not any(standing.is_too_long(LONGEST_S, at / 10) for at in range(100))

    def test_a_burst_may_take_five_times_as_long_and_no_more(self) -> None:
        standing = Standing(LONGEST_S)
        assert not standing.is_too_long(LONGEST_S * 4.9, 10.0)
        assert standing.is_too_long(LONGEST_S * 5.1, 10.0)

    def test_a_wait_that_stands_is_refused_beyond_the_bound(self) -> None:
        standing, now = Standing(LONGEST_S), 10.0
        while now < 10.0 + STANDING_S:
            assert not standing.is_too_long(LONGEST_S * 1.1, now)
            now += 0.05
        assert standing.is_too_long(LONGEST_S * 1.1, now)
        assert not standing.is_too_long(LONGEST_S * 0.9, now + 0.06)
        assert standing.is_too_long(LONGEST_S * 1.1, now + 0.07), "a short moment ends nothing"

    def test_a_wait_that_went_away_begins_anew(self) -> None:
        standing = Standing(LONGEST_S)
        for at in range(12):
            standing.is_too_long(LONGEST_S * 2, 10.0 + at * 0.05)
        assert standing.is_too_long(LONGEST_S * 2, 10.6)
        assert not standing.is_too_long(LONGEST_S * 2, 10.8)


class TestPace:
    def test_small_batches_say_nothing(self) -> None:
        pace = Pace()
        pace.note(1, 5.0)
        assert pace.each_s == 0.0

    def test_the_last_full_batches_count_most(self) -> None:
        pace = Pace()
        pace.note(100, 0.01)
        assert pace.each_s == pytest.approx(1e-4)
        for _ in range(30):
            pace.note(100, 0.02)
        assert pace.each_s == pytest.approx(2e-4, rel=0.01)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(admitting, "monotonic", lambda: now[0])
    return now


def test_a_long_turn_of_the_loop_refuses_and_the_next_does_not(clock: list[float]) -> None:
    soon: list = []
    admission = Admission(LONGEST_S, soon.append, lambda: 0.0)
    assert not admission.full()
    clock[0] += LONGEST_S * 6
    assert admission.full()
    assert len(soon) == 1, "asked for once a turn"
    soon.pop()()
    assert not admission.full()


def test_work_that_waits_for_the_writer_refuses(clock: list[float]) -> None:
    ahead = [0.0]
    admission = Admission(LONGEST_S, lambda _: None, lambda: ahead[0])
    assert not admission.full()
    ahead[0] = LONGEST_S * 6
    assert admission.full()


def test_only_what_begins_something_is_refused_early() -> None:
    accounting = Accounting(SystemClock(), lambda _: None)
    early = EarlyRefusal(Admission(LONGEST_S, lambda _: None, lambda: 1e9), accounting)
    refused = {one.name for one in OPERATIONS if early.of(one.path.encode())}
    assert refused == BEGINNINGS
    assert accounting.shed == len(BEGINNINGS)
    assert accounting.answers() == {(name, 503, "unavailable"): 1 for name in BEGINNINGS}


def test_the_answers_say_when_to_return_and_not_all_the_same() -> None:
    early = EarlyRefusal(
        Admission(LONGEST_S, lambda _: None, lambda: 1e9),
        Accounting(SystemClock(), lambda _: None),
    )
    pauses = set()
    for _ in range(6):
        found = early.of(ORDERS.encode())
        assert found is not None
        answer = Parsed(found[1])
        problem = Decoder(Problem).decode(answer.body)
        assert answer.status == 503
        assert int(answer.headers[b"retry-after"]) == problem.retry_after_s
        pauses.add(problem.retry_after_s)
    assert pauses == {1, 2, 3}


class Parsed:
    """An answer as a client reads it."""

    def __init__(self, octets: bytes) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.complete = False
        parser = httptools.HttpResponseParser(self)
        parser.feed_data(octets)
        self.status = parser.get_status_code()
        assert self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


@pytest.mark.parametrize(
    ("octets", "whole"),
    [
        (request(ORDERS), True),
        (request(ORDERS)[:-1], False),
        (request(ORDERS) + b"P", False),
        (request(ORDERS, b"x", b"Transfer-Encoding: chunked"), False),
        (request(ORDERS, b"x", b"Connection: close"), False),
        (request(ORDERS).replace(b"Content-Length: 40", b"Content-Length: 4x"), False),
        (request(ORDERS).replace(b"Content-Length: 40\r\n", b""), False),
        (b"POST /v1/payments HTTP/1.1\r\n", False),
    ],
)
def test_what_is_a_whole_request(octets: bytes, *, whole: bool) -> None:
    assert is_whole(octets) is whole


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


def lane(ahead_s: float, handled: list[bytes]) -> tuple[LaneProtocol, Transport]:
    def handle(body, _peer, respond) -> None:
        handled.append(body)
        respond(200, b"application/cose", b"done", 0)

    early = EarlyRefusal(
        Admission(LONGEST_S, lambda _: None, lambda: ahead_s),
        Accounting(SystemClock(), lambda _: None),
    )
    lanes = {path.encode(): handle for path in (ORDERS, READS)}
    made = type("Lane", (LaneProtocol,), {"lanes": lanes, "early": early})
    loop = asyncio.new_event_loop()
    try:
        protocol = made(Config(app=""), ServerState(), {}, loop)
    finally:
        loop.close()
    transport = Transport()
    protocol.connection_made(transport)
    return protocol, transport


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_lane_refuses_orders_and_serves_reads(pieces: int) -> None:
    handled: list[bytes] = []
    protocol, transport = lane(1e9, handled)
    order = request(ORDERS)
    step = -(-len(order) // pieces)
    for at in range(0, len(order), step):
        protocol.data_received(order[at : at + step])
    answer = Parsed(transport.written)
    assert (answer.status, handled, transport.closed) == (503, [], False)
    assert int(answer.headers[b"retry-after"]) in {1, 2, 3}
    transport.written = b""
    protocol.data_received(request(READS))
    assert Parsed(transport.written).status == 200
    assert len(handled) == 1


def test_a_refused_request_that_asks_to_close_is_refused_and_closed() -> None:
    protocol, transport = lane(1e9, [])
    protocol.data_received(request(ORDERS, b"x", b"Connection: close"))
    assert Parsed(transport.written).status == 503
    assert transport.closed


def test_a_lane_with_time_serves_orders() -> None:
    handled: list[bytes] = []
    protocol, transport = lane(0.0, handled)
    protocol.data_received(request(ORDERS))
    assert Parsed(transport.written).status == 200
    assert handled == [b"x" * 40]
