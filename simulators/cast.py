"""The people around a served provider: operators who enrol, customers with phones, an agent, shops.

Everybody here is simulated; what they send and verify is real.

Source: ISO/TS 12812-2:2017, 7.4.1; 6.2.1
"""

import re
from dataclasses import dataclass, field

from simulators.device import SimulatedPerson, SimulatedTeeKeystore
from simulators.keymint import SimulatedFactory, prove_state
from simulators.smsc import Smsc
from tallystick.client.evidence import Prove
from tallystick.client.http import HttpTransport
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.client.provider import Provider
from tallystick.client.session import ClientSession, Peer
from tallystick.client.wallet import Wallet
from tallystick.infrastructure.crypto.signature import Es256SigningKey, VerifyKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.errors import NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock
from tallystick.protocol.enrolment import DeviceDescription
from tallystick.protocol.operators import ActReply, FundAccount, OpenCustomer

DESCRIPTION = DeviceDescription(
    platform="android", model="simulated phone", app_version="1", protection="simulated TEE"
)
_ACTIVATION = re.compile(r"activation code (\S+),")


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
    currency: str = "KES"
    reached: Provider = field(init=False)
    transport: HttpTransport = field(init=False)
    operators: dict[str, list[OperatorDesk]] = field(default_factory=dict)
    factory: SimulatedFactory | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self.reached = Provider(
            self.url,
            name=self.provider,
            origin=self.origin,
            root=self.root,
            clock=self.clock,
            entropy=operating_system,
        )
        self.transport = self.reached.transport

    def close(self) -> None:
        """Close every connection.

        Source: RFC 9112, 9.6
        """
        self.reached.close()

    def tally_key(self) -> VerifyKey:
        """The key that signs the tally.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.reached.tally_key()

    def peer(self) -> Peer:
        """The provider as a new device meets it.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self.reached.peer()

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
            number=number,
            amount_minor=amount_minor,
            currency=self.currency,
            bank_reference="bank 1",
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

        self.smsc.wait_for(number, is_new, 30)
        codes = self._codes(number)
        if not codes:
            raise NotFound("no activation code came")
        return Secret(codes[-1])

    def _codes(self, number: str) -> list[str]:
        texts = [one.text for one in self.smsc.inbox(number)]
        return [found.group(1) for text in texts if (found := _ACTIVATION.search(text))]

    def enrol_phone(self, number: str, activation: str, code: Secret[str]) -> Person:
        """Enrol a new simulated phone with an activation code, attested where there is a factory.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        human = SimulatedPerson()
        keystore = SimulatedTeeKeystore(human)
        factory = self.factory
        identity = self.reached.enrol(
            keystore,
            activation=activation,
            code=code,
            description=DESCRIPTION,
            attest=None if factory is None else lambda told: keystore.attest(told, factory),
        )
        prove = (
            None if factory is None else lambda told: prove_state(factory, told, factory.phone())
        )
        session = self.reached.session(keystore, prove=prove)
        wallet = self.wallet(session, keystore, prove)
        return Person(number, identity.customer, activation, keystore, human, session, wallet)

    def wallet(
        self,
        session: ClientSession,
        keystore: SimulatedTeeKeystore,
        prove: Prove | None = None,
    ) -> Wallet:
        """The wallet of a session; `prove` answers where a fresh proof of the phone is asked for.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        return self.reached.wallet(
            keystore, session=session, consistency=self.consistency, prove=prove
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
