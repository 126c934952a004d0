"""The SDK of this package, driven by the conformance kit: a JSON object a line, an answer a line.

    python -m simulators.driven

Its keystore is software in a file; its user agrees to everything. Nothing else is simulated.

Source: ISO/TS 12812-2:2017, 7.2.5
"""

import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tallystick.client.approvals import Approvals
from tallystick.client.consenting import Order, warnings_of
from tallystick.client.evidence import FreshEvidence
from tallystick.client.http import HttpTransport
from tallystick.client.keystore import SOFTWARE_PROTECTION, SoftwareKeystore
from tallystick.client.provider import SUITES, Provider
from tallystick.client.session import ClientSession
from tallystick.client.wallet import Paid, Refusal, Wallet
from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.envelope.schedule import keys_challenge
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.tally.verify import verify_receipt
from tallystick.kernel.codec import Decoder, b64url, encode, from_plain, to_plain
from tallystick.kernel.errors import Malformed, MfsError, NotPermitted, Unavailable
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SECOND_MS, Instant
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.enrolment import Attestation, DeviceDescription
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Receipt

_FORM = "play-integrity"
_PASSPHRASE = Secret("of a device under test")
_lines: Decoder[dict[str, Any]] = Decoder(dict[str, Any])


@dataclass(slots=True)
class MovedClock:
    """The machine's clock, moved ahead by what the kit said.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    ahead_ms: int = 0

    def now(self) -> Instant:
        """The machine's time and what was added.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return Instant(SystemClock().now() + self.ahead_ms)


@dataclass(slots=True)
class Driven:
    """One device; what it does for each word of the line protocol is a method of that name.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    clock: MovedClock = field(default_factory=MovedClock)
    provider: Provider = field(init=False)
    keystore: SoftwareKeystore = field(init=False)
    session: ClientSession = field(init=False)
    wallet: Wallet = field(init=False)
    store: str = ""
    agrees: bool = True
    order: Order = field(init=False)
    approvals: Approvals = field(init=False)

    def start(self, asked: Mapping[str, Any]) -> object:
        """Know a provider, and open or make the keystore in the state folder.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        self.provider = Provider(
            asked["url"],
            name=asked["provider"],
            origin=asked["origin"],
            root=from_plain(asked["root"], PublicHalf).verify_key(),
            clock=self.clock,
            entropy=operating_system,
        )
        self.store = asked.get("store", "")
        file = Path(asked["state"]) / "keystore"
        opened = SoftwareKeystore.open_file if file.exists() else SoftwareKeystore.create_file
        self.keystore = opened(
            file, _PASSPHRASE, entropy=operating_system, verify_user=self._asked_user
        )
        self.session = self.provider.session(self.keystore)
        self.wallet = self.provider.wallet(self.keystore, session=self.session)
        self.approvals = Approvals(self.session, self.keystore, self.wallet, self.clock)
        suites = [one.value for one in SUITES]
        said = {"client": "tallystick.client", "suites": suites, "vouches": [_FORM]}
        return {**said, "approves": True}

    def enrol(self, asked: Mapping[str, Any]) -> object:
        """Enrol with a code.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        described = DeviceDescription(
            platform="other", model="driven", app_version="1", protection=SOFTWARE_PROTECTION
        )
        identity = self.provider.enrol(
            self.keystore,
            activation=asked["activation"],
            code=Secret(asked["code"]),
            description=described,
            attest=self._attested if self.store else None,
        )
        return {"device": identity.device, "customer": identity.customer}

    def prove(self, _: Mapping[str, Any]) -> object:
        """Show again what the device is, by what the store says.

        Source: RFC 9334, 10
        """
        evidence = FreshEvidence(self.session, lambda: self.keystore.identity().device, self._says)
        return {"trust": evidence.renew().trust}

    def _attested(self, told: bytes) -> Attestation:
        keys = self.keystore.possession_public(), self.keystore.consent_public()
        bare = Attestation(format="none", statement="")
        try:
            return replace(bare, verdict=self._asked(keys_challenge(told, *keys)))
        except Unavailable:
            return bare

    def _says(self, told: bytes) -> DeviceProof:
        return DeviceProof(format=_FORM, statement=self._asked(told))

    def _asked(self, told: bytes) -> str:
        """What the kit's store says for 32 octets."""
        body = encode({"request_hash": b64url(told)})
        with closing(HttpTransport(self.store)) as link:
            reply = link.post("/verdict", body, "application/json")
        if reply.status != 200:
            raise Unavailable("the store says nothing")
        return str(_lines.decode(reply.body)["verdict"])

    def open(self, _: Mapping[str, Any]) -> object:
        """Open a new session.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return {"session": self.session.establish().session}

    def account(self, _: Mapping[str, Any]) -> object:
        """Ask for the balance.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return {"available_minor": self.wallet.account().available_minor}

    def pay(self, asked: Mapping[str, Any]) -> object:
        """Quote, consent and order.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        amount = Money(asked["amount_minor"], asked["currency"])
        self.order = self.wallet.consent(self.wallet.quote(PaymentKind.P2P, asked["payee"], amount))
        return self._paid(self.wallet.place(self.order))

    def again(self, _: Mapping[str, Any]) -> object:
        """Send the last order again.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._paid(self.wallet.place(self.order))

    def approve(self, asked: Mapping[str, Any]) -> object:
        """Approve a request of the inbox with what the phone notices, if the user agrees.

        Source: ISO/TS 12812-2:2017, 7.3.6; 11.2.2
        """
        (item,) = (one for one in self.approvals.poll() if one.state.approval == asked["approval"])
        seen = tuple(asked["seen"])
        bound, beside = warnings_of(item.quote, item.shown or (), seen)
        self.agrees = bool(asked["agrees"])
        try:
            done = self.approvals.approve(item, asked["number"], seen=seen)
        finally:
            self.agrees = True
        return {"stage": done.state.stage.value, "shown": [*bound, *beside]}

    def _asked_user(self, shown: str) -> None:
        """The user agrees to everything, but where the kit says otherwise."""
        if not self.agrees:
            raise NotPermitted("the user does not agree")

    def verify(self, asked: Mapping[str, Any]) -> object:
        """Verify a receipt.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        tally = from_plain(asked["tally_key"], PublicHalf).verify_key()
        verify_receipt(from_plain(asked["receipt"], Receipt), tally, origin=asked["origin"])
        return {}

    def later(self, asked: Mapping[str, Any]) -> object:
        """Move the device's clock ahead.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        self.clock.ahead_ms += asked["seconds"] * SECOND_MS
        return {}

    def _paid(self, paid: Paid) -> object:
        quote = self.order.quote
        return {
            "order": quote.order,
            "receipt": to_plain(paid.receipt),
            "balance_minor": paid.balance_minor,
            "shown": {
                "payee_name": quote.payee_name,
                "amount_minor": quote.amount_minor,
                "fee_minor": quote.fee_minor,
                "currency": quote.currency,
            },
        }


_WORDS = (
    "start",
    "enrol",
    "open",
    "account",
    "pay",
    "again",
    "verify",
    "later",
    "prove",
    "approve",
)


def _done(driven: Driven, asked: Mapping[str, Any]) -> object:
    if asked["do"] not in _WORDS:
        raise Malformed("an unknown word")
    return getattr(driven, asked["do"])(asked)


def answer(driven: Driven, line: bytes) -> bytes:
    """The line that answers `line`.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    asked = _lines.decode(line)
    said: dict[str, object] = {"id": asked["id"]}
    try:
        said["ok"] = _done(driven, asked)
    except Refusal as refused:
        receipt = to_plain(refused.receipt)
        said |= {"error": refused.error.code, "detail": str(refused.error), "receipt": receipt}
    except MfsError as error:
        said |= {"error": error.code, "detail": error.detail}
    except Exception as error:  # noqa: BLE001 - the kit is told whatever happens
        said |= {"error": "crashed", "detail": repr(error)[:200]}
    return encode(said) + b"\n"


def main() -> None:
    """Answer line by line until the input ends.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    driven = Driven()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(answer(driven, line))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
