"""The lane, the ordinary routes and fronts of their own give the same answers: one suite."""

from collections.abc import Iterator

import pytest
from tests.support.served import Served, served

from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

_KINDS = {"lane": {}, "routes": {"lane": False}, "workers": {"workers": 2}}


@pytest.fixture(scope="module", params=["lane", "routes", "workers"])
def provider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("doors") / "p", **_KINDS[request.param]) as found:
        found.person("+254700000001", "Ann Payer", funds=100_000)
        yield found


def test_a_payment_and_its_repetition(provider: Served) -> None:
    payer = provider.person("+254700000003", "Cyd Payer", funds=10_000)
    order = payer.wallet.consent(
        payer.wallet.quote(PaymentKind.P2P, "+254700000001", Money(100, "KES"))
    )
    first = payer.wallet.place(order)
    assert first.balance_minor == 9_900
    assert payer.wallet.place(order).receipt == first.receipt
    with pytest.raises(Conflict):
        payer.wallet.quote(PaymentKind.P2P, payer.number, Money(1, "KES"))
    with pytest.raises(NotFound):
        payer.wallet.receipt("ord_01kdvdna000000000000000000")


def test_what_is_not_sealed_is_refused_in_clear(provider: Served) -> None:
    transport = provider.transport
    assert transport.post("/v1/payments", b"{}", "application/json").status == 415
    for body in (b"", b"\xd0", b"\x00" * 80, b"\xff" * 4096):
        reply = transport.post("/v1/payments", body, "application/cose")
        assert reply.status == 400
        assert reply.headers["content-type"].startswith("application/problem+json")
    too_large = transport.post("/v1/payments", b"\x00" * 70_000, "application/cose")
    assert too_large.status == 413


def test_public_pages(provider: Served) -> None:
    transport = provider.transport
    assert transport.get("/health/live").status == 200
    assert transport.get("/health/ready").status == 200
    assert b"tallystick_answers_total" in transport.get("/metrics").body
    assert transport.get("/v1/nowhere").status == 404
    assert transport.get("/v1/tally/consistency?old=x&new=1").status == 400
    assert transport.post("/health/live", b"", "text/plain").status == 404
