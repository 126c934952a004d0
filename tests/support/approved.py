"""A served provider with a shop that begins orders, people who approve them, and two desks."""

import http.client
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from simulators.push import SimulatedPushService
from tests.support.looking import leaves_of
from tests.support.served import Person, Served, by_one_operator, served

from tallystick.client.approvals import Approvals
from tallystick.client.beginning import Beginner
from tallystick.client.offline import SUITE
from tallystick.client.session import Reply
from tallystick.infrastructure.crypto.digest import PreparedHmac, sha256
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.modules.interface import SEED_INFO, Purpose
from tallystick.infrastructure.otp import Mac
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.codec import b64url
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock, Instant
from tallystick.protocol.approvals import ApprovalItem, BeginApproval
from tallystick.protocol.authentication import EnrolAuthenticator
from tallystick.protocol.desk import IssueWorkload
from tallystick.protocol.operators import ActReply
from tallystick.protocol.payments import PaymentKind

TILL = "554400"
SEED = bytes(range(32))
_SIGNED = "grade: [device-signed, passkey], account_status: active}\n    outcome: allow"
_ALSO_TYPED = _SIGNED.replace("passkey]", "passkey, sim-signed, pin-verified]")
_OCRA = "  ocra: {category: possession, carried_by: separate"
OCRA_KNOWS = re.sub(
    r"  (?:hotp|totp): .*\n",
    "",
    by_one_operator()
    .replace(_SIGNED, _ALSO_TYPED)
    .replace(_OCRA, _OCRA.replace("possession", "knowledge"))
    .replace("  backoff: PT1S", "  # backoff: PT1S"),
)
"""The answering device asks for its own PIN first: what it answers shows that somebody knew it."""


class Moved(Clock):
    """A clock that tests set forward."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self.ahead_ms = 0

    def now(self) -> Instant:
        return Instant(self._real.now() + self.ahead_ms)


class Company:
    """What a phone notices of others."""

    def __init__(self) -> None:
        self.remote = self.call = False

    def remote_access(self) -> bool:
        return self.remote

    def on_call(self) -> bool:
        return self.call


@dataclass
class Scene:
    provider: Served
    shop: Beginner
    other_shop: Beginner
    push: SimulatedPushService
    clock: Moved
    till: Person
    _numbers: int = 10

    def customer(self, name: str = "Ann App", funds: int = 1_000_000) -> Person:
        self._numbers += 1
        return self.provider.person(f"+2547000001{self._numbers:02d}", name, funds=funds)

    def device(self, person: Person, company: Company | None = None) -> Approvals:
        return Approvals(person.session, person.keystore, person.wallet, self.clock, company)

    def asked(self, payer: str, amount: int = 5_000, **more) -> BeginApproval:
        return BeginApproval(
            payer=payer, kind=PaymentKind.MERCHANT, payee=TILL, amount_minor=amount,
            currency="KES", asked_by="Kiosk at the corner", **more,
        )  # fmt: skip

    def both(self, role: str, name: str, body) -> ActReply:
        first, second = self.provider.operators[role][:2]
        waiting = first.act(name, body)
        return second.act(name, body, approves=waiting.act)

    def balance(self, person: Person) -> int:
        return person.wallet.account().available_minor

    def kinds(self) -> list[str]:
        return [decode_leaf(leaf).kind for leaf in leaves_of(self.provider)]


def newest(device: Approvals, approval: str) -> ApprovalItem:
    """The newest state of a request in the inbox."""
    found = [one for one in device.poll() if one.state.approval == approval]
    assert found, "the request is not in the inbox"
    return found[-1]


def poster(url: str):
    """Posts with headers, as a shop's program does."""
    parts = urlsplit(url)

    def post(path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            link.request("POST", path, body, dict(headers))
            reply = link.getresponse()
            fields = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, reply.read(), fields)
        finally:
            link.close()

    return post


def program(provider: Served, label: str) -> Beginner:
    """A program that may begin approvals."""
    secret = f"a secret of {label} that is long"
    body = IssueWorkload(
        label=label, scope="begin-approval", way="secret",
        verifier=b64url(sha256(secret.encode())), days=30,
    )  # fmt: skip
    first, second = provider.operators["security-officer"][:2]
    waiting = first.act("issue-workload", body)
    reply = second.act("issue-workload", body, approves=waiting.act)
    return Beginner(poster(provider.url), Secret(f"{reply.reference}.{secret}"))


def answering(scene: Scene, person: Person) -> Mac:
    """An authenticator of `person` that answers requests without a network."""
    module = scene.provider.platform.module
    handle = scene.provider.platform.keys.newest(Purpose.OTP_TRANSPORT)
    recipient = KemPublicKey(KemSuite(handle.mechanism), module.public_octets(handle))
    sealed = recipient.seal(SEED, info=SEED_INFO + b"hmac-sha256")
    body = EnrolAuthenticator(
        number=person.number, kind="ocra", suite=SUITE, mechanism="hmac-sha256",
        sealed_to=handle.id, sealed=b64url(sealed),
    )  # fmt: skip
    assert scene.both("care-desk", "enrol-authenticator", body).state == "done"
    return PreparedHmac(SEED, "hmac-sha256").mac


@contextmanager
def approving(
    folder: Path, clock: Clock, *, workers: int = 1, policy_text: str = OCRA_KNOWS
) -> Iterator[Scene]:
    """Serve a provider whose customers are asked by two shops and two desks."""
    moved = Moved(clock)
    push = SimulatedPushService()
    with served(
        folder, clock=moved, policy_text=policy_text, more_roles=("care-desk",), workers=workers,
        push=push.url,
    ) as provider:  # fmt: skip
        till = provider.person("+254700000099", "Kiosk", kind="merchant", tier=3, till=TILL)
        shops = program(provider, "kiosk"), program(provider, "other")
        yield Scene(provider, *shops, push, moved, till)
    push.close()
