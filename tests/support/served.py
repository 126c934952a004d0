"""A provider that is really served, in a thread of the test, with operators, an SMSC and people."""

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from simulators.device import SimulatedPerson, SimulatedTeeKeystore
from simulators.smsc import Smsc
from tallystick.application.core.model import DEFAULT_PATIENCE, Patience
from tallystick.client.http import HttpTransport
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.client.session import ClientSession, Peer, enrol
from tallystick.client.wallet import Wallet
from tallystick.entry.assembly import Platform, SystemClock, open_platform
from tallystick.entry.http.server import Listening, serve
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.setup import Done, Plan, demo_policy, set_up
from tallystick.infrastructure.crypto.key_list import (
    keys_in_force,
    signature_key,
    verify_key_list,
)
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import Decoder
from tallystick.kernel.secret import Secret
from tallystick.protocol.enrolment import DeviceDescription
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.operators import FundAccount, OpenCustomer
from tallystick.protocol.tally_api import SignedKeyList

PROVIDER = "test-wallet"
ORIGIN = f"{PROVIDER}/tally/1"
ROLES = (
    "security-officer",
    "security-officer",
    "operations",
    "operations",
    "care-desk",
    "privacy-officer",
    "privacy-officer",
)
DESCRIPTION = DeviceDescription(
    platform="android", model="test", app_version="1", protection="simulated"
)


@dataclass(slots=True)
class Person:
    """A customer with an enrolled device."""

    number: str
    customer: str
    activation: str
    keystore: SimulatedTeeKeystore
    human: SimulatedPerson
    session: ClientSession
    wallet: Wallet


@dataclass(slots=True)
class Served:
    """A served provider, its simulated neighbours, and ways to meet it."""

    folder: ProviderFolder
    platform: Platform
    done: Done
    url: str
    smsc: Smsc
    transport: HttpTransport
    operators: dict[str, list[OperatorDesk]] = field(default_factory=dict)
    log: list[bytes] = field(default_factory=list)
    links: list[HttpTransport] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)

    def keys(self, purpose: ListedPurpose) -> dict[str, Any]:
        """The provider's verifying keys of a purpose, out of its verified key list."""
        listed = Decoder(SignedKeyList).decode(self.transport.get("/v1/keys").body).key_list
        now = self.clock.now()
        found = verify_key_list(listed, self.done.root.verify_key(), now, 0)
        return {one.kid: signature_key(one) for one in keys_in_force(found, purpose, now)}

    def tally_key(self) -> Any:
        """The key of the tally."""
        return next(iter(self.keys(ListedPurpose.TALLY).values()))

    def peer(self) -> Peer:
        """The provider as a device meets it."""
        signatures = self.keys(ListedPurpose.SESSION_SIGNATURE)
        link = HttpTransport(self.url)
        self.links.append(link)
        return Peer(link, PROVIDER, lambda: signatures, os.urandom)

    def activation_code(self, number: str, after: int = 0) -> Secret[str]:
        """The newest activation code that an SMS brought to `number`."""
        message = self.smsc.wait_for(number, lambda one: "activation code" in one.text, 10)
        found = [one for one in self.smsc.inbox(number) if "activation code" in one.text]
        text = found[-1].text if len(found) > after else message.text
        match = re.search(r"code (\S+),", text)
        assert match is not None
        return Secret(match.group(1))

    def open_customer(
        self, number: str, name: str, kind: str = "person", tier: int = 2, till: str = ""
    ) -> str:
        """Open a customer at the care desk; gives the activation's id."""
        body = OpenCustomer(name=name, msisdn=number, kind=kind, tier=tier, till=till)
        return self.operators["care-desk"][0].act("open-customer", body).reference

    def person(
        self,
        number: str,
        name: str,
        *,
        kind: str = "person",
        tier: int = 2,
        funds: int = 0,
        till: str = "",
    ) -> Person:
        """A customer with an enrolled device and, if asked, money."""
        activation = self.open_customer(number, name, kind, tier, till)
        if funds:
            self.fund(number, funds)
        human = SimulatedPerson()
        keystore = SimulatedTeeKeystore(human)
        peer = self.peer()
        identity = enrol(
            peer,
            keystore,
            activation=activation,
            code=self.activation_code(number),
            description=DESCRIPTION,
            shown="enrol this phone",
        )
        session = ClientSession(peer, keystore, self.clock)
        key = self.tally_key()
        wallet = Wallet(
            session,
            keystore,
            self.transport,
            lambda: key,
            origin=ORIGIN,
            clock=self.clock,
        )
        return Person(number, identity.customer, activation, keystore, human, session, wallet)

    def fund(self, number: str, amount_minor: int) -> None:
        """Issue money to a number, by two operators."""
        first, second = self.operators["operations"]
        body = FundAccount(
            number=number, amount_minor=amount_minor, currency="KES", bank_reference="test"
        )
        waiting = first.act("fund-account", body)
        second.act("fund-account", body, approves=waiting.act)


@contextmanager
def served(
    folder: Path,
    *,
    core_url: str = "",
    gateways: dict[str, PublicHalf] | None = None,
    lane: bool = True,
    patience: Patience = DEFAULT_PATIENCE,
) -> Iterator[Served]:
    """Set up a provider in `folder` and serve it until the block ends."""
    secret = Secret(os.urandom(32))
    smsc = Smsc()
    provider = ProviderFolder(folder)
    plan = Plan(
        provider=PROVIDER,
        currency="KES",
        country="254",
        profile="demo",
        policy_text=demo_policy(),
        roles=ROLES,
        sms_url=smsc.url + "/v1/messages",
        core_url=core_url,
        gateways=gateways or {},
        pin_memory_kib=8 * 1024,
        pin_passes=1,
    )
    done = set_up(provider, plan, secret, SystemClock())
    platform = open_platform(provider, secret)
    ready, stop_box, port = threading.Event(), [], [0]
    log: list[bytes] = []

    def started(number: int) -> None:
        port[0] = number
        ready.set()

    async def main() -> None:
        stop = asyncio.Event()
        stop_box.append((asyncio.get_running_loop(), stop))
        listening = Listening(port=0, session_rate=1e6, source_rate=1e6, lane=lane)
        await serve(
            platform, listening, log=log.append, started=started, stop=stop, patience=patience
        )

    thread = threading.Thread(target=lambda: uvloop.run(main()), daemon=True)
    thread.start()
    assert ready.wait(20)
    url = f"http://127.0.0.1:{port[0]}"
    transport = HttpTransport(url)
    found = Served(provider, platform, done, url, smsc, transport, log=log)
    for invited in done.invited:
        key = Es256SigningKey.generate()
        enrolled = enrol_operator(transport, invited.code, f"{invited.role} person", key)
        desk = OperatorDesk(transport, enrolled.operator, key, found.clock, os.urandom)
        found.operators.setdefault(enrolled.role, []).append(desk)
    try:
        yield found
    finally:
        for link in (transport, *found.links):
            link.close()
        loop, stop = stop_box[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=20)
        platform.close()
        smsc.close()
