"""A served provider whose clock moves, with people who lose phones and operators who help."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.feature_phone import FeaturePhone
from simulators.mno import SimulatedMno
from simulators.ussd_gateway import UssdGateway
from tests.support.looking import leaves_of
from tests.support.partners import MovedClock
from tests.support.served import Person, Served, served

from tallystick.application.recovery import RecoveryRow
from tallystick.client.ownlife import OwnLife
from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.protocol.operators import ActReply, OpenCustomer
from tallystick.protocol.recovery import OpenRecovery, PlaceAgent, RecoveryKind

PAPERS = b64url(sha256(b"passport and person, seen together"))
PIN = Secret("7391")
TILL = "600200"
ZONE = "nairobi-3"
_LOCAL_NOON_MS = 9 * HOUR_MS
"""Noon of a provider three hours east, in UTC."""


@dataclass
class Recovered:
    provider: Served
    clock: MovedClock
    mno: SimulatedMno
    gateway: UssdGateway
    agent: Person
    friend: Person
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(254_722_300_001, 2**60)))

    def number(self) -> str:
        """A number that nobody has; its line is the network's."""
        number = f"+{next(self.numbers)}"
        self.mno.line(number)
        return number

    def person(self, funds: int = 1_000_000) -> Person:
        """Somebody new with an app and money."""
        return self.provider.person(self.number(), "Ann App", funds=funds)

    def phone(self, number: str) -> FeaturePhone:
        """Any phone with the SIM of `number`."""
        return FeaturePhone(number, self.gateway, self.provider.smsc)

    def dialler(self) -> FeaturePhone:
        """Somebody new who only dials."""
        number = self.number()
        self.agent.session.establish()
        asked = OpenCustomer(name="Dora Dial", msisdn=number, kind="person", tier=1, zone=ZONE)
        self.agent.wallet.open_customer(asked)
        phone = self.phone(number)
        assert "PIN is set" in phone.set_pin(self.code(number), PIN)
        return phone

    def code(self, number: str, after: int = 0) -> Secret[str]:
        return self.provider.activation_code(number, after)

    def life(self, person: Person) -> OwnLife:
        """What the app of `person` does, in a new session."""
        person.session.establish()
        return OwnLife(person.session, person.keystore, self.clock)

    def pass_time(self, ms: int) -> None:
        self.clock.off_ms += ms

    def at_noon(self, minutes: int = 0) -> None:
        """Go on to the next noon of the provider's day, and some minutes."""
        into = (self.clock.now() - _LOCAL_NOON_MS) % DAY_MS
        self.clock.off_ms += DAY_MS - into + minutes * 60_000

    def care(self, name: str, body: Any) -> ActReply:
        """An act of one person at the care desk."""
        return self.provider.operators["care-desk"][0].act(name, body)

    def both(self, role: str, name: str, body: Any) -> ActReply:
        """An act on which two people of a role agree."""
        first, second = self.provider.operators[role][:2]
        waiting = first.act(name, body)
        assert waiting.state == "waiting"
        return second.act(name, body, approves=waiting.act)

    def officer(self, name: str, body: Any) -> ActReply:
        return self.provider.operators["security-officer"][0].act(name, body)

    def opened(self, number: str, kind: str = "lost-phone", **more: str) -> str:
        """A recovery that two people of the care desk opened."""
        body = OpenRecovery(
            number=number, kind=kind, evidence=PAPERS, because="came with papers", **more
        )
        return self.both("care-desk", "open-recovery", body).reference

    def assist(self, does: str, number: str, zone: str = ZONE) -> Any:
        """What the agent does for the customer with `number`."""
        evidence = PAPERS if does == "open" else ""
        life = self.life(self.agent)
        return life.assist(does, RecoveryKind.LOST_PHONE, number, zone=zone, evidence=evidence)

    def row(self, recovery: str) -> RecoveryRow:
        return self.provider.platform.desks.recovery.find(recovery)

    def told(self, number: str, words: str) -> str:
        """The newest message to `number` with these words."""
        return self.provider.smsc.wait_for(number, lambda one: words in one.text, 10).text

    def events(self) -> list[str]:
        """The kinds of all events that are recorded, in order."""
        from tallystick.infrastructure.tally.leaf import decode_leaf  # noqa: PLC0415

        return [decode_leaf(leaf).kind for leaf in leaves_of(self.provider)]


@contextmanager
def recovered(folder: Path, **changes: Any) -> Iterator[Recovered]:
    """The scene; its agent is placed and trained for a year, and it is noon."""
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    clock = MovedClock()
    mno = SimulatedMno(clock)
    with served(
        folder,
        gateways={"gw1": half},
        clock=clock,
        mno=mno.access,
        more_roles=("care-desk",),
        **changes,
    ) as provider:
        gateway = UssdGateway("gw1", key, provider.url, clock)
        agent = provider.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=30_000_000, till=TILL
        )
        friend = provider.person("+254700000001", "Fay Friend")
        scene = Recovered(provider, clock, mno, gateway, agent, friend)
        scene.officer(
            "place-agent",
            PlaceAgent(number=TILL, zones=(ZONE,), trained_until="2099-01-01T00:00:00Z"),
        )
        scene.at_noon()
        yield scene
    mno.close()
