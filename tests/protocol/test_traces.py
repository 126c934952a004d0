"""A served provider traces payments and acts: every step, the right share, nothing personal."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.collectors import until
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.client.wallet import Refusal
from tallystick.entry.siem import Destination
from tallystick.entry.tracing import Trace
from tallystick.entry.tracing.spans import Spans, spans_to
from tallystick.kernel.money import Money
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
STEPS = ["open", "verify", "wait for the batch", "commit", "answer"]


class Kept:
    """Keeps traces instead of making spans."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.closed = False

    def make(self, trace: Trace) -> None:
        self.traces.append(trace)

    def close(self) -> None:
        self.closed = True

    def payments(self) -> list[Trace]:
        return [one for one in self.traces if one.name == "payment.order"]


PERSONAL = ("+254700000001", "Annabel", "+254700000002", "Benedict")
"""Longer than what comes about by chance among ids of traces."""


def pay(provider: Served, count: int) -> list[str]:
    payer = provider.person(*PERSONAL[:2], funds=100_000)
    payee = provider.person(*PERSONAL[2:])
    paid = [
        payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES")) for _ in range(count)
    ]
    return [one.verified.event.id for one in paid]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("lane", [True, False])
def test_a_traced_payment_has_every_step(tmp_path: Path, workers: int, lane: bool) -> None:
    if workers > 1 and not lane:
        pytest.skip("several workers need the lane")
    kept = Kept()
    with served(
        tmp_path / "p", spans=kept, trace_share=1.0, workers=workers, lane=lane
    ) as provider:
        orders = pay(provider, 3)
        until(lambda: len(kept.payments()) == 3)
        now = provider.clock.now()
    assert kept.closed
    assert [one.order for one in kept.payments()] == orders
    for trace in kept.payments():
        assert [name for name, _ in trace.steps] == STEPS
        moments = [trace.began, *(moment for _, moment in trace.steps)]
        assert moments == sorted(moments)
        assert moments[-1] - moments[0] < 5
        assert (trace.status, trace.code) == (200, "")
        assert trace.event > 0
        assert abs(now - trace.received_at) < 30_000


def test_a_refused_payment_is_traced_with_its_code(tmp_path: Path) -> None:
    kept = Kept()
    with served(tmp_path / "p", spans=kept, trace_share=1.0) as provider:
        payer = provider.person("+254700000001", "Ann")
        payee = provider.person("+254700000002", "Ben")
        with pytest.raises(Refusal):
            payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES"))
        until(kept.payments)
    [trace] = kept.payments()
    assert (trace.status, trace.code) == (422, "insufficient-funds")
    assert [name for name, _ in trace.steps] == STEPS


@pytest.mark.parametrize("workers", [1, 2])
def test_only_the_share_that_was_asked_for_is_traced(tmp_path: Path, workers: int) -> None:
    kept = Kept()
    with served(tmp_path / "p", spans=kept, trace_share=0.1, workers=workers) as provider:
        orders = pay(provider, 40)
        until(lambda: len(kept.payments()) >= 2)
    assert 2 <= len(kept.payments()) <= 4
    assert {one.order for one in kept.payments()} <= set(orders)


def test_an_act_is_in_its_callers_trace_and_says_so(tmp_path: Path) -> None:
    kept = Kept()
    with served(tmp_path / "p", spans=kept) as provider:
        header = act(provider, "+254700000003", f"00-{TRACE}-{SPAN}-01")
        until(lambda: any(one.parent for one in kept.traces))
        fresh = act(provider, "+254700000004", "nonsense")
        assert act(provider, "+254700000005", f"00-{TRACE}-{SPAN}-00") is None
    [trace] = [one for one in kept.traces if one.parent is not None]
    assert header == f"00-{TRACE}-{trace.span}-01"
    assert trace.name == "open-customer"
    assert trace.parent.span == SPAN
    assert [name for name, _ in trace.steps] == STEPS[1:]
    assert fresh is not None
    assert TRACE not in fresh
    assert not kept.payments()


def act(provider: Served, number: str, header: str) -> str | None:
    """Open a customer under `header`; the header of the answer."""
    desk = provider.operators["care-desk"][0]
    body = OpenCustomer(name="Cem Personal", msisdn=number, kind="person", tier=1)
    signed = desk.signed("open-customer", body).body
    connection = http.client.HTTPConnection(provider.url.removeprefix("http://"))
    connection.request(
        "POST",
        "/v1/acts/open-customer",
        signed,
        {"content-type": "application/json", "traceparent": header},
    )
    response = connection.getresponse()
    assert response.status == 200, response.read()
    response.read()
    connection.close()
    return response.getheader("traceparent")


def test_without_tracing_no_header_is_given_and_nothing_is_kept(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        assert act(provider, "+254700000003", f"00-{TRACE}-{SPAN}-01") is None


def test_where_traces_go_is_asked_for_by_otlp_only(tmp_path: Path) -> None:
    assert (
        tallystick("init", "--no-analysis", tmp_path / "p", "--secret-out", tmp_path / "s").code
        == 0
    )
    ran = tallystick(
        "serve", tmp_path / "p", "--secret-file", tmp_path / "s", "--traces", "syslog+udp://[::1]"
    )
    assert ran.code == 1
    assert "OTLP" in ran.err


class _Collector(BaseHTTPRequestHandler):
    bodies: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        self.bodies.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_sdk_sends_spans_that_hang_together(tmp_path: Path) -> None:
    service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    to = Destination.parse(f"otlp+http://127.0.0.1:{server.server_port}", "/v1/traces")
    spans: Spans = spans_to(to, "test-wallet")
    with served(tmp_path / "p", spans=spans, trace_share=1.0) as provider:
        [order] = pay(provider, 1)
        act(provider, "+254700000003", f"00-{TRACE}-{SPAN}-01")
    server.shutdown()
    server.server_close()
    assert {path for path, _ in _Collector.bodies} == {"/v1/traces"}
    sent: list[Any] = []
    for _, body in _Collector.bodies:
        request = service.ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                sent += scope.spans
    [root] = [one for one in sent if one.name == "payment.order"]
    inside = [one for one in sent if one.parent_span_id == root.span_id]
    assert [one.name for one in sorted(inside, key=lambda one: one.start_time_unix_nano)] == STEPS
    assert root.trace_id == inside[0].trace_id
    assert min(one.start_time_unix_nano for one in inside) == root.start_time_unix_nano
    assert max(one.end_time_unix_nano for one in inside) == root.end_time_unix_nano
    attributes = {one.key: one.value for one in root.attributes}
    assert attributes["tallystick.order"].string_value == order
    assert set(attributes) == {"tallystick.order", "tallystick.event", "http.response.status_code"}
    [continued] = [one for one in sent if one.parent_span_id.hex() == SPAN]
    assert continued.trace_id.hex() == TRACE
    everything = b"".join(body for _, body in _Collector.bodies)
    for personal in (*PERSONAL, "+254700000003", "Cem Personal"):
        assert personal.encode() not in everything
        assert personal.removeprefix("+").encode() not in everything
