"""Traces: whose header is believed, which payments are traced, what a trace has in it."""

from itertools import pairwise
from time import monotonic

import pytest

from tallystick.entry.tracing import Parent, Tracing, read_parent, write_parent
from tallystick.entry.tracing.recording import MOST_WAITING

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def entropy(length: int) -> bytes:
    return bytes(range(1, length + 1))


@pytest.mark.parametrize(
    ("header", "parent"),
    [
        (f"00-{TRACE}-{SPAN}-01", Parent(TRACE, SPAN, True)),
        (f" 00-{TRACE}-{SPAN}-00 ", Parent(TRACE, SPAN, False)),
        (f"00-{TRACE}-{SPAN}-03", Parent(TRACE, SPAN, True)),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", Parent(TRACE, SPAN, True)),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-1", None),
        (f"00-{TRACE}{SPAN}-01", None),
        ("", None),
        ("00-" + "x" * 5_000, None),
    ],
)
def test_a_header_is_read_by_the_letter(header: str, parent: Parent | None) -> None:
    assert read_parent(header) == parent
    if parent is not None:
        assert read_parent(write_parent(parent)) == parent


@pytest.mark.parametrize(("share", "traced"), [(0.0, 0), (0.01, 10), (0.25, 250), (1.0, 1_000)])
def test_the_share_of_payments_is_traced_evenly(share: float, traced: int) -> None:
    tracing = Tracing(share, entropy)
    chosen = [
        number
        for number in range(1_000)
        if tracing.payment("payment.order", monotonic(), 0) is not None
    ]
    assert abs(len(chosen) - traced) <= 1
    gaps = {after - before for before, after in pairwise(chosen)}
    assert len(gaps) <= 2


def test_the_steps_of_a_payment_follow_each_other() -> None:
    batch = [0.0, 0.0]
    tracing = Tracing(1.0, entropy, lambda: (batch[0], batch[1]))
    trace = tracing.payment("payment.order", monotonic(), 5_000)
    assert trace is not None
    trace.opened()
    trace.verified("ord_1")
    batch[:] = [monotonic(), monotonic() + 0.001]
    trace.durable(17)
    trace.answered(200, "")
    names = [name for name, _ in trace.steps]
    assert names == ["open", "verify", "wait for the batch", "commit", "answer"]
    moments = [moment for _, moment in trace.steps[:4]]
    assert moments == sorted(moments)
    assert (trace.order, trace.event, trace.status) == ("ord_1", 17, 200)
    assert tracing.taken() == [trace]
    assert tracing.taken() == []


def test_what_no_batch_took_has_no_such_step() -> None:
    tracing = Tracing(1.0, entropy, lambda: (1.0, 2.0))
    trace = tracing.payment("payment.order", monotonic(), 0)
    assert trace is not None
    trace.opened()
    trace.verified("ord_1")
    trace.durable(-1)
    trace.answered(503, "unavailable")
    assert [name for name, _ in trace.steps] == ["open", "verify", "answer"]


def test_a_trace_goes_on_in_another_process() -> None:
    front, writer = Tracing(1.0, entropy), Tracing(1.0, entropy)
    trace = front.payment("payment.order", monotonic() - 0.01, 0)
    assert trace is not None
    trace.opened()
    trace.verified()
    spent = trace.spent_us()
    assert len(spent) == 2
    assert spent[0] >= 10_000
    resumed = writer.resumed("payment.order", spent, 5_000)
    assert resumed.spent_us() == pytest.approx(spent, abs=2)
    assert resumed.received_at == 5_000 - sum(spent) // 1_000
    assert [name for name, _ in resumed.steps] == ["open", "verify"]


def test_an_act_continues_its_callers_trace_or_begins_one_or_is_not_wanted() -> None:
    tracing = Tracing(0.0, entropy)
    began = monotonic()
    continued = tracing.act("close-day", Parent(TRACE, SPAN, True), began, 0)
    assert continued is not None
    assert continued.named().trace == TRACE
    assert continued.named().span == entropy(8).hex() != SPAN
    begun = tracing.act("close-day", None, began, 0)
    assert begun is not None
    assert begun.named() == Parent(entropy(16).hex(), entropy(8).hex(), True)
    assert tracing.act("close-day", Parent(TRACE, SPAN, False), began, 0) is None


@pytest.mark.threat("THR-NET-04")
def test_traces_that_nobody_takes_are_bounded() -> None:
    tracing = Tracing(1.0, entropy)
    for _ in range(MOST_WAITING + 10):
        trace = tracing.payment("payment.order", monotonic(), 0)
        assert trace is not None
        trace.answered(200, "")
    assert tracing.dropped == 10
    assert len(tracing.taken()) == MOST_WAITING
