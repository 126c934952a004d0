"""The kit's own provider: really served on loopback, with customers, money and activation codes.

Its short messages go to the kit, which reads the codes out of them as a customer would.

Source: ISO/TS 12812-2:2017, 6.2; 7.4.1; 7.4.2
"""

import re
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.client.keyfile import KeyFile
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.client.provider import Provider
from tallystick.client.wallet import Wallet
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.attesting import POLICY
from tallystick.entry.auditing import listed_keys
from tallystick.entry.conforming.appstore import PACKAGE, KitStore
from tallystick.entry.conforming.relay import Answered, Asked, LoopbackDoor
from tallystick.entry.http.server import Listening
from tallystick.entry.serving import served_beside
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.setup import Done, Plan, demo_policy, set_up
from tallystick.entry.verdictkeys import take_verdict_keys
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder, b64url, encode
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.secret import Secret
from tallystick.protocol.approvals import BEGIN, BeginApproval
from tallystick.protocol.channels import SmsAccepted, SmsMessage
from tallystick.protocol.enrolment import DeviceDescription
from tallystick.protocol.keylist import KeyList
from tallystick.protocol.operators import FundAccount, OpenCustomer
from tallystick.protocol.payments import PaymentKind

NAME = "conformance"
ORIGIN = f"{NAME}/tally/1"
CURRENCY = "KES"
PAYEE = "+254700999999"
_LARGE = "  large: 1_000_000 "
_ROLES = ("operations", "operations", "care-desk")
_CODE = re.compile(r"activation code (\S+),")
_START_S = 60.0
_PLENTY = 1e6
_messages = Decoder(SmsMessage, limit=4096)
_SOFT = DeviceDescription(
    platform="other", model="the payee of the kit", app_version="1", protection="software"
)


@dataclass(slots=True)
class Stage:
    """A provider that the kit serves and knows everything of.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    url: str
    folder: ProviderFolder
    done: Done
    root: Ed25519SigningKey
    store: KitStore
    store_url: str
    _codes: "Codes"
    _operators: list[OperatorDesk] = field(default_factory=list[OperatorDesk])
    _payee: Wallet | None = None
    _reached: Provider | None = None
    _numbered: int = 0
    _numbers: dict[str, str] = field(default_factory=dict[str, str])
    _ready: dict[int, list[tuple[str, Secret[str]]]] = field(
        default_factory=dict[int, list[tuple[str, Secret[str]]]]
    )

    @property
    def pinned(self) -> PublicHalf:
        """The root that devices pin.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.done.root

    def reached(self) -> Provider:
        """The provider as the kit's own client meets it, past the relay.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return Provider(
            self.url,
            name=NAME,
            origin=ORIGIN,
            root=self.pinned.verify_key(),
            clock=SystemClock(),
            entropy=operating_system,
        )

    def listed(self) -> KeyList:
        """The key list as it is served.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return listed_keys(self.folder)

    def customer(self, funds_minor: int, beside: int = 0) -> tuple[str, Secret[str]]:
        """A new customer with money: the activation of their first device, and its code.

        With `beside`, so many more are made ready at once, since short messages take their time.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        ready = self._ready.setdefault(funds_minor, [])
        if not ready:
            numbers = [self._next_number() for _ in range(1 + beside)]
            opened = [(one, self._opened(one, "Ann Conforming", funds_minor)) for one in numbers]
            self._numbers.update((told, number) for number, told in opened)
            ready.extend((told, self._codes.of(number)) for number, told in opened)
        return ready.pop()

    def begun(self, activation: str, amount_minor: int) -> tuple[str, str]:
        """A request to whom `activation` was given: pay the payee. Its id, and its number.

        Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        asked = BeginApproval(
            payer=self._numbers[activation],
            kind=PaymentKind.P2P,
            payee=PAYEE,
            amount_minor=amount_minor,
            currency=CURRENCY,
            asked_by="the kit",
        )
        done = self._operators[-1].act(BEGIN, asked)
        return done.reference, done.says.split()[-1]

    def _next_number(self) -> str:
        self._numbered += 1
        return f"+2547001{self._numbered:05}"

    def arrived_minor(self) -> int:
        """What the payee has now.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        if self._payee is None:
            raise Unavailable("the stage is not set")
        return self._payee.account().available_minor

    def set_the_stage(self) -> None:
        """Enrol the operators, and the payee with a device of the kit's own.

        Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.1
        """
        provider = self._reached = self.reached()
        for invited in self.done.invited:
            signer = Es256SigningKey.generate()
            name = f"{invited.role} of the kit"
            enrolled = enrol_operator(provider.transport, invited.code, name, signer)
            self._operators.append(
                OperatorDesk(
                    provider.transport, enrolled.operator, signer, SystemClock(), operating_system
                )
            )
        activation = self._opened(PAYEE, "Ben Conforming", 0)
        code = self._codes.of(PAYEE)
        keystore = SoftwareKeystore(_agree)
        provider.enrol(keystore, activation=activation, code=code, description=_SOFT)
        self._payee = provider.wallet(keystore)

    def close(self) -> None:
        """Close the kit's own connections.

        Source: RFC 9112, 9.6
        """
        if self._reached is not None:
            self._reached.close()

    def _opened(self, number: str, name: str, funds_minor: int) -> str:
        first, second, care = self._operators
        opened = care.act(
            "open-customer", OpenCustomer(name=name, msisdn=number, kind="person", tier=2)
        )
        if funds_minor:
            body = FundAccount(
                number=number, amount_minor=funds_minor, currency=CURRENCY, bank_reference="kit"
            )
            second.act("fund-account", body, approves=first.act("fund-account", body).act)
        return opened.reference


class Codes:
    """Takes the provider's short messages and gives the code that came to a number.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    def __init__(self) -> None:
        self._found: dict[str, Secret[str]] = {}
        self._came = threading.Condition()

    def take(self, asked: Asked) -> Answered:
        """Keep the code that a message has, and say that it was taken.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        message = _messages.decode(asked.body)
        if found := _CODE.search(message.text):
            with self._came:
                self._found[message.to] = Secret(found.group(1))
                self._came.notify_all()
        return Answered(200, encode(SmsAccepted(id=message.id)))

    def of(self, number: str) -> Secret[str]:
        """The code that came to `number`, or comes.

        Raises Unavailable if none does.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        with self._came:
            if not self._came.wait_for(lambda: number in self._found, _START_S):
                raise Unavailable("no activation code came")
            return self._found.pop(number)


def policy_text() -> str:
    """The demonstration policy, but that a steered phone and urgency are acknowledged.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return demo_policy().replace(_LARGE, f"  acknowledge: [remote-tool, urgency]\n{_LARGE}")


def _agree(shown: str) -> None:
    """The kit's payee agrees to everything; nobody is asked."""


@contextmanager
def staged(folder: Path) -> Generator[Stage]:
    """Set a provider up in the empty `folder` and serve it until the block ends.

    Raises Unavailable if it does not come up.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """
    codes = Codes()
    messages = LoopbackDoor(codes.take)
    store = KitStore()
    asked = LoopbackDoor(store.take)
    provider, secret = ProviderFolder(folder), Secret(operating_system(32))
    plan = Plan(
        provider=NAME,
        currency=CURRENCY,
        country="254",
        profile="demo",
        policy_text=policy_text(),
        roles=_ROLES,
        sms_url=f"{messages.url}/v1/messages",
    )
    try:
        done = set_up(provider, plan, secret, SystemClock())
        given = store.console()
        take_verdict_keys(provider, secret, SystemClock(), PACKAGE, given, simulated=True)
        (folder / POLICY).write_text(store.policy_text(), encoding="utf-8")
        phrase = Secret(b64url(secret.reveal()))
        _, sealed = KeyFile.open(provider.offline / "root.key", phrase, operating_system)
        root = Ed25519SigningKey.from_pkcs8(sealed)
        platform = open_platform(provider, secret)
        try:
            with _served(platform) as url:
                stage = Stage(url, provider, done, root, store, asked.url, codes)
                try:
                    stage.set_the_stage()
                    yield stage
                finally:
                    stage.close()
        finally:
            platform.close()
    finally:
        asked.close()
        messages.close()


def _served(platform: Platform) -> AbstractContextManager[str]:
    listening = Listening(port=0, session_rate=_PLENTY, source_rate=_PLENTY)
    return served_beside(
        platform, listening, _unheard, within_s=_START_S, what="the kit's provider"
    )


def _unheard(_: bytes) -> None:
    """Nobody reads the log of the kit's provider."""
