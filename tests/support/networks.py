"""A served provider bound to a simulated network over SMPP, and people who only dial."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.smpp_centre import SmppCentre
from simulators.toolkit_phone import ToolkitPhone
from simulators.uicc import Uicc
from tests.support.served import Person, Served, served

from tallystick.entry.partner_settings import SmppBind
from tallystick.entry.simstock import PURPOSES, SimBatch, make_sims
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import IssueActivation, OpenCustomer
from tallystick.protocol.payments import PaymentKind

PIN = Secret("739164")
PASSWORD = Secret("qz7-pass")
DIALLER = "+254722000001"
OTHER = "+254722000009"
FRIEND = "0700000001"
ICCIDS = tuple(f"892540210000000{n:04d}" for n in range(8))


@dataclass
class Network:
    """The provider, the network it is bound to, and the people."""

    provider: Served
    centre: SmppCentre
    agent: Person
    app: Person
    batch: list[SimBatch]

    def balance(self) -> int:
        """What the friend who is paid has."""
        return self.app.wallet.account().available_minor

    def sim(self, which: int) -> Uicc:
        """A SIM of the stock, as the bureau personalised it."""
        roots = self.provider.folder.master(self.provider.secret).roots(PURPOSES)
        made = self.batch[0].sims[which]
        return Uicc(made.iccid, roots, b64url_decode(made.packet), b64url_decode(made.order))

    def toolkit(self, which: int, number: str) -> ToolkitPhone:
        """A handset with a SIM that is bound to the customer of `number`."""
        phone = ToolkitPhone(number, self.sim(which), self.centre)
        assert "can order now" in phone.bind(self.new_code(number), PIN)
        return phone

    def new_code(self, number: str) -> Secret[str]:
        """A new activation code for `number`, from the care desk."""
        before = len([one for one in self.centre.inbox(number) if "activation code" in one.text])
        desk = self.provider.operators["care-desk"][0]
        desk.act("issue-activation", IssueActivation(number=number))
        return self.provider.activation_code(number, after=before)


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
    batch: list[SimBatch] = []
    with (
        SmppCentre("tally", PASSWORD) as centre,
        served(
            folder,
            smpp=((bind_to(centre), PASSWORD),),
            before=lambda made, secret: batch.append(
                make_sims(made, secret, SystemClock(), "first", ICCIDS)
            ),
            **changes,
        ) as provider,
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
            agent.wallet.pay(PaymentKind.CASH_IN, number, Money(1_200_000, "KES"))
        yield Network(provider, centre, agent, app, batch)
