"""Taps at the nodes between a phone and the provider: what each could read, by recorded traffic."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from simulators.cast import Cast
from simulators.core_system import CoreSystem
from tests.support.collectors import until
from tests.support.served import Served, served

from tallystick.client.http import HttpTransport
from tallystick.kernel.codec import to_plain
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.flow import Node
from tallystick.kernel.money import Money
from tallystick.kernel.time import Instant
from tallystick.process.conformance import FlowProbe
from tallystick.protocol.flows import FLOW
from tallystick.protocol.payments import PaymentKind

ANN, BEN = "+254700000001", "+254700000002"
AMOUNT = 123_457


class Tap:
    """Stands where TLS ends: copies both ways and keeps every octet."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._kept = bytearray()
        self._links: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def taken(self) -> bytes:
        """What passed since the last call."""
        taken = bytes(self._kept)
        self._kept.clear()
        return taken

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        for link in self._links:
            link.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._links += [near, far]
                for source, target in ((near, far), (far, near)):
                    copier = threading.Thread(target=self._copy, args=(source, target), daemon=True)
                    self._threads.append(copier)
                    copier.start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while octets := source.recv(65536):
                self._kept += octets
                target.sendall(octets)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def tapped(provider: Served) -> Iterator[tuple[Tap, Cast]]:
    """The same provider, reached through a tap by whoever enrols from now on."""
    tap = Tap(provider.url)
    cast = Cast(
        tap.url, provider.provider, provider.origin, provider.root, provider.smsc, provider.clock
    )
    cast.operators = provider.operators
    try:
        yield tap, cast
    finally:
        cast.close()
        tap.close()


@pytest.mark.requirement("MFS-7.1-03")
@pytest.mark.requirement("MFS-7.1-02")
@pytest.mark.requirement("MFS-7.2.7-02")
@pytest.mark.requirement("MFS-6.2.2-04")
@pytest.mark.threat("THR-NET-01")
def test_who_terminates_tls_can_never_read_a_session(tmp_path: Path) -> None:
    probe = FlowProbe(FLOW)
    with served(tmp_path / "p") as provider:
        provider.person(BEN, "Benjamin Kamau")
        activation = provider.open_customer(ANN, "Annabel Otieno").reference
        provider.fund(ANN, 1_000_000)
        code = provider.activation_code(ANN)
        with tapped(provider) as (tap, cast):
            ann = cast.enrol_phone(ANN, activation, code)
            identity = ann.keystore.identity()
            enrolled = {
                "activation": activation,
                "code": code.reveal(),
                "customer": identity.customer,
                "account": identity.accounts[0],
                "certificate": identity.certificate,
            }
            octets = tap.taken()
            assert len(octets) > 1_000, "the tap is in the way"
            probe.saw("enrolment.complete", Node.TLS_TERMINATOR, octets, enrolled)
            ann.session.establish()
            probe.saw("session.establish", Node.TLS_TERMINATOR, tap.taken(), enrolled)
            quoted = ann.wallet.quote(PaymentKind.P2P, BEN, Money(AMOUNT, "KES"))
            terms = {**to_plain(quoted.quote), "proof": quoted.proof, "asked": BEN}
            hidden = {name: terms[name] for name in terms if name not in {"provider", "currency"}}
            probe.saw("payment.quote", Node.TLS_TERMINATOR, tap.taken(), hidden)
            order = ann.wallet.consent(quoted)
            paid = ann.wallet.place(order)
            sent = {**hidden, "consent": order.body.decode()[12:80], "leaf": paid.receipt.leaf[:80]}
            probe.saw("payment.order", Node.TLS_TERMINATOR, tap.taken(), sent)
            account = to_plain(ann.wallet.account())
            del account["currency"]
            probe.saw("account.read", Node.TLS_TERMINATOR, tap.taken(), account)
            evidence = probe.observe(Instant(0))
            assert evidence.verdict is Verdict.PASS, evidence.summary
            assert evidence.measured["fields"] > 25

            bare = HttpTransport(tap.url)
            bare.post("/v1/quotes", f'{{"payee":"{BEN}"}}'.encode(), "application/cose")
            bare.close()
            seen = probe.saw("payment.quote", Node.TLS_TERMINATOR, tap.taken(), {"payee": BEN})
            assert seen, "sent in clear, it is seen"


@pytest.mark.requirement("MFS-6.2.2-04")
def test_a_core_system_can_never_read_more_than_it_books(tmp_path: Path) -> None:
    probe = FlowProbe(FLOW)
    core = CoreSystem()
    tap = Tap(core.url)
    try:
        with served(tmp_path / "p", core_url=tap.url) as provider:
            ann = provider.person(ANN, "Annabel Otieno")
            ben = provider.person(BEN, "Benjamin Kamau")
            paid = ann.wallet.pay(PaymentKind.P2P, BEN, Money(AMOUNT, "KES"))
            order = paid.receipt.index
            until(lambda: str(AMOUNT).encode() in core_octets(tap))
            octets = tap.taken()
            fields = {
                "amount_minor": AMOUNT,
                "debit": ann.keystore.identity().accounts[0],
                "payer_number": ANN,
                "payee_number": BEN,
                "payer_name": "Annabel",
                "payee_name": "Benjamin",
                "device": ann.keystore.identity().device,
                "customer": ben.customer,
            }
            assert str(AMOUNT).encode() in octets, "the core was asked to book it"
            assert probe.saw("core.transfer", Node.CORE, octets, fields) == [], order
            assert probe.observe(Instant(0)).verdict is Verdict.PASS
    finally:
        tap.close()
        core.close()


def core_octets(tap: Tap) -> bytes:
    return bytes(tap._kept)
