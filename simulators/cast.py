"""The people around a served provider: operators who enrol, customers with phones, an agent, shops.

Everybody here is simulated; what they send and verify is real.

Source: ISO/TS 12812-2:2017, 7.4.1; 6.2.1
"""

import re
from dataclasses import dataclass, field

from simulators.device import SimulatedPerson, SimulatedTeeKeystore
from simulators.smsc import Smsc
from tallystick.client.http import HttpTransport
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.client.session import ClientSession, Peer, enrol
from tallystick.client.wallet import Wallet
from tallystick.infrastructure.crypto.key_list import (
    keys_in_force,
    signature_key,
    verify_key_list,
)
from tallystick.infrastructure.crypto.signature import Es256SigningKey, VerifyKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock
from tallystick.protocol.enrolment import DeviceDescription
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.operators import ActReply, FundAccount, OpenCustomer
from tallystick.protocol.tally_api import SignedKeyList

DESCRIPTION = DeviceDescription(
    platform="android", model="simulated phone", app_version="1", protection="simulated TEE"
)
_ACTIVATION = re.compile(r"activation code (\S+),")
_lists = Decoder(SignedKeyList)


@dataclass(slots=True)
class Person:
    """A customer with an enrolled device, and the person who looks at its screen.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    number: str
    customer: str
    activation: str
    keystore: SimulatedTeeKeystore
    human: SimulatedPerson
    session: ClientSession
    wallet: Wallet


@dataclass(slots=True)
class Cast:
    """Everybody who meets the provider at `url`, whose root key they have pinned.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    url: str
    provider: str
    origin: str
    root: VerifyKey
    smsc: Smsc
    clock: Clock
    consistency: bool = True
    transport: HttpTransport = field(init=False)
    operators: dict[str, list[OperatorDesk]] = field(default_factory=dict)
    links: list[HttpTransport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transport = self._link()

    def close(self) -> None:
        """Close every connection.

        Source: RFC 9112, 9.6
        """
        for link in self.links:
            link.close()

    def keys(self, purpose: ListedPurpose) -> dict[str, VerifyKey]:
        """The provider's keys of a purpose, out of the list that the pinned root signed.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        listed = _lists.decode(self.transport.get("/v1/keys").body).key_list
        now = self.clock.now()
        found = verify_key_list(listed, self.root, now, 0)
        return {one.kid: signature_key(one) for one in keys_in_force(found, purpose, now)}

    def tally_key(self) -> VerifyKey:
        """The key that signs the tally.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return next(iter(self.keys(ListedPurpose.TALLY).values()))

    def peer(self) -> Peer:
        """The provider as a new device meets it.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        signatures = self.keys(ListedPurpose.SESSION_SIGNATURE)
        return Peer(self._link(), self.provider, lambda: signatures, operating_system)

    def join(self, role: str, code: Secret[str]) -> OperatorDesk:
        """Enrol an operator with a one-time code.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        key = Es256SigningKey.generate()
        enrolled = enrol_operator(self.transport, code, f"{role} person", key)
        desk = OperatorDesk(self.transport, enrolled.operator, key, self.clock, operating_system)
        self.operators.setdefault(enrolled.role, []).append(desk)
        return desk

    def open_customer(
        self, number: str, name: str, kind: str = "person", tier: int = 2, till: str = ""
    ) -> ActReply:
        """Open a customer at the care desk.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        body = OpenCustomer(name=name, msisdn=number, kind=kind, tier=tier, till=till)
        return self.operators["care-desk"][0].act("open-customer", body)

    def fund(self, number: str, amount_minor: int) -> ActReply:
        """Issue money to a number; two operators sign.

        Source: ISO/TS 12812-2:2017, 13.3
        """
        first, second = self.operators["operations"][:2]
        body = FundAccount(
            number=number, amount_minor=amount_minor, currency="KES", bank_reference="bank 1"
        )
        waiting = first.act("fund-account", body)
        return second.act("fund-account", body, approves=waiting.act)

    def activation_code(self, number: str, after: int = 0) -> Secret[str]:
        """The newest activation code that an SMS brought to `number`, beyond the first `after`.

        Raises NotFound if none came in time.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """

        def is_new(_: object) -> bool:
            return len(self._codes(number)) > after

        self.smsc.wait_for(number, is_new, 10)
        codes = self._codes(number)
        if not codes:
            raise NotFound("no activation code came")
        return Secret(codes[-1])

    def _codes(self, number: str) -> list[str]:
        texts = [one.text for one in self.smsc.inbox(number)]
        return [found.group(1) for text in texts if (found := _ACTIVATION.search(text))]

    def enrol_phone(self, number: str, activation: str, code: Secret[str]) -> Person:
        """Enrol a new simulated phone with an activation code.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        human = SimulatedPerson()
        keystore = SimulatedTeeKeystore(human)
        peer = self.peer()
        identity = enrol(
            peer,
            keystore,
            activation=activation,
            code=code,
            description=DESCRIPTION,
            shown="enrol this phone",
        )
        session = ClientSession(peer, keystore, self.clock)
        return Person(
            number,
            identity.customer,
            activation,
            keystore,
            human,
            session,
            self.wallet(session, keystore),
        )

    def wallet(self, session: ClientSession, keystore: SimulatedTeeKeystore) -> Wallet:
        """The wallet of a session.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        key = self.tally_key()
        return Wallet(
            session,
            keystore,
            self.transport,
            lambda: key,
            origin=self.origin,
            clock=self.clock,
            consistency=self.consistency,
        )

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
        """A customer with an enrolled device and, if asked, money.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        activation = self.open_customer(number, name, kind, tier, till).reference
        if funds:
            self.fund(number, funds)
        return self.enrol_phone(number, activation, self.activation_code(number))

    def _link(self) -> HttpTransport:
        link = HttpTransport(self.url)
        self.links.append(link)
        return link
