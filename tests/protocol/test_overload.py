"""More is asked than can be done in time: some are refused, told when to return, served then."""

import http.client
import threading
import time
from pathlib import Path

import pytest
from tests.protocol.test_workers import BOB, SEALED, links, sealed_order
from tests.support.collectors import until
from tests.support.metrics import exposition
from tests.support.served import Served, served

from tallystick.entry.auditing import audit_provider
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

PAYERS = 24
PENNY = Money(100, "KES")


def together(
    connections: list[http.client.HTTPConnection], bodies: list[bytes]
) -> list[tuple[int, str | None]]:
    """Status and Retry-After of bodies that are sent at the same moment."""
    for link, body in zip(connections, bodies, strict=False):
        link.request("POST", "/v1/payments", body, SEALED)
    found = []
    for link, _ in zip(connections, bodies, strict=False):
        reply = link.getresponse()
        reply.read()
        found.append((reply.status, reply.headers["retry-after"]))
    return found


def shed(provider: Served) -> int:
    """How many requests were refused for overload, as it is exposed."""
    text = exposition(provider).partition("\ntallystick_refused_for_overload_total ")[2]
    return int(text.partition("\n")[0])


@pytest.mark.requirement("MFS-6.2.3-04")
@pytest.mark.threat("THR-NET-04")
@pytest.mark.parametrize(("workers", "lane"), [(1, True), (1, False), (2, True)])
def test_refused_orders_are_told_when_to_return_and_accepted_as_they_are(
    tmp_path: Path, workers: int, *, lane: bool
) -> None:
    with served(tmp_path / "p", workers=workers, lane=lane, longest_wait_s=1e-9) as provider:
        provider.open_customer(BOB, "Bob")
        ann = provider.person("+254700000021", "Ann", funds=1_000_00)
        bodies, rounds, refused = [], 0, 0
        with links(provider.url, PAYERS) as connections:
            while len(bodies) < PAYERS:
                bodies.append(sealed_order(ann))
            time.sleep(0.5)  # fronts tell a few times a second whom they refused until now
            before = shed(provider)
            while bodies and rounds < 200:
                rounds += 1
                answers = together(connections, bodies)
                assert {status for status, _ in answers} <= {200, 503}
                assert all((after is None) == (status == 200) for status, after in answers)
                bodies = [
                    body for body, (status, _) in zip(bodies, answers, strict=True) if status == 503
                ]
                refused += len(bodies)
                time.sleep(0.01 * (rounds % 7))
        assert not bodies, "every order gets through at last"
        assert refused, "so short a bound refuses some of those who come together"
        until(lambda: shed(provider) == before + refused)
        assert ann.wallet.account().available_minor == 1_000_00 - 100 * PAYERS
    assert not audit_provider(provider.folder).findings


@pytest.mark.requirement("MFS-7.3.3-01")
def test_wallets_that_follow_the_contract_get_through_and_pay_once(tmp_path: Path) -> None:
    with served(tmp_path / "p", longest_wait_s=1e-9) as provider:
        provider.open_customer(BOB, "Bob")
        people = [
            provider.person(f"+2547000001{at:02}", f"P{at}", funds=1_000_00) for at in range(8)
        ]
        asked_for: list[float] = []
        failed: list[Exception] = []

        def pause(seconds: float) -> None:
            asked_for.append(seconds)
            time.sleep(0.02 * seconds)

        def pay(person) -> None:
            person.wallet._pause = pause
            person.wallet.attempts = (
                600  # a second lasts a fiftieth here: as often as in 12 of them
            )
            try:
                for _ in range(5):
                    person.wallet.pay(PaymentKind.P2P, BOB, PENNY)
            except Exception as error:  # noqa: BLE001
                failed.append(error)

        threads = [threading.Thread(target=pay, args=(one,)) for one in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)
        assert not failed
        assert asked_for, "so short a bound refuses somebody"
        assert min(asked_for) >= 1.0, "the pause is the one that the service asked for"
        left = {one.wallet.account().available_minor for one in people}
    assert left == {1_000_00 - 500}
    assert not audit_provider(provider.folder).findings
