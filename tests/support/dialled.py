"""A served provider with an aggregator in front, and two people who dial through it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.aggregator import Aggregator, AggregatorPhone, DialledSession
from tests.support.served import Person, Served, served

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import link_secret
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind

PIN = Secret("739164")
DIALLER = "+254722000001"
OTHER = "+254722000009"
FRIEND = "0700000001"
LINK = PartnerLink(name="menus-east")


@dataclass
class Dialled:
    """The provider, its aggregator, and the people."""

    provider: Served
    aggregator: Aggregator
    phone: AggregatorPhone
    agent: Person
    app: Person

    def balance(self) -> int:
        """What the friend who is paid has."""
        return self.app.wallet.account().available_minor

    def secret(self, link: PartnerLink) -> Secret[bytes]:
        """What the provider shares with a partner."""
        platform = self.provider.platform
        return link_secret(platform.module, platform.keys.newest(Purpose.PARTNER_LINK), link)

    def at_menu(self) -> DialledSession:
        """A new session that shows the menu."""
        session = self.aggregator.session(DIALLER)
        assert "1 Send money" in self.aggregator.call(session).text
        return session

    def at_terms(self, amount: str = "50") -> DialledSession:
        """A new session that shows terms and waits for the PIN."""
        session = self.at_menu()
        for typed in ("1", FRIEND, amount):
            page = self.aggregator.type(session, typed)
        assert "Enter PIN" in page.text
        return session


@contextmanager
def dialled(folder: Path, **changes: Any) -> Iterator[Dialled]:
    """Two people who only dial and one with an app, all with money."""
    with served(folder, aggregators=(LINK,), **changes) as provider:
        platform = provider.platform
        secret = link_secret(platform.module, platform.keys.newest(Purpose.PARTNER_LINK), LINK)
        aggregator = Aggregator(LINK.name, secret, provider.url, provider.clock)
        agent = provider.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=3_000_000, till="600200"
        )
        app = provider.person("+254700000001", "Ann App", funds=1_000_000)
        for number, name in ((DIALLER, "Dora Dial"), (OTHER, "Otto Dial")):
            agent.wallet.open_customer(
                OpenCustomer(name=name, msisdn=number, kind="person", tier=1)
            )
            code = provider.activation_code(number)
            assert "PIN is set" in AggregatorPhone(number, aggregator).set_pin(code, PIN)
            agent.wallet.pay(PaymentKind.CASH_IN, number, Money(500_000, "KES"))
        yield Dialled(provider, aggregator, AggregatorPhone(DIALLER, aggregator), agent, app)
