"""A served provider bound to a simulated network over SMPP, and people who only dial."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.smpp_centre import SmppCentre
from tests.support.served import Person, Served, served

from tallystick.entry.settings import SmppBind
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind

PIN = Secret("739164")
PASSWORD = Secret("qz7-pass")
DIALLER = "+254722000001"
OTHER = "+254722000009"
FRIEND = "0700000001"


@dataclass
class Network:
    """The provider, the network it is bound to, and the people."""

    provider: Served
    centre: SmppCentre
    agent: Person
    app: Person

    def balance(self) -> int:
        """What the friend who is paid has."""
        return self.app.wallet.account().available_minor


def bind_to(centre: SmppCentre, **changes: Any) -> SmppBind:
    """The bind of the service to `centre`."""
    chosen: dict[str, Any] = {
        "name": "mno-east", "host": "127.0.0.1", "port": centre.port, "system_id": "tally",
        "password": "", "number": "38457", "tls": False, "service_code": "*384*57#",
        "messages": True, "window": 4, "enquire_ms": 300, "answer_ms": 1_500,
    }  # fmt: skip
    return SmppBind(**(chosen | changes))


@contextmanager
def network(folder: Path, **changes: Any) -> Iterator[Network]:
    """Two people who only dial and one with an app, all with money."""
    with (
        SmppCentre("tally", PASSWORD) as centre,
        served(folder, smpp=((bind_to(centre), PASSWORD),), **changes) as provider,
    ):
        centre.wait_bound()
        provider.smsc = centre  # an inbox like the other's
        agent = provider.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=3_000_000, till="600200"
        )
        app = provider.person("+254700000001", "Ann App", funds=1_000_000)
        for number, name in ((DIALLER, "Dora Dial"), (OTHER, "Otto Dial")):
            agent.wallet.open_customer(
                OpenCustomer(name=name, msisdn=number, kind="person", tier=1)
            )
            code = provider.activation_code(number).reveal()
            pages = centre.dial(number, "6", code, PIN.reveal(), PIN.reveal())
            assert "PIN is set" in pages[-1], pages
            agent.wallet.pay(PaymentKind.CASH_IN, number, Money(500_000, "KES"))
        yield Network(provider, centre, agent, app)
