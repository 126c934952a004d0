"""A gateway that signs HTTP messages, and a receiver of signed events, at a served provider."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.loopback import LoopbackServer, Request, Response, exchange
from simulators.signed_gateway import SignedGateway
from simulators.ussd_gateway import USSD
from tests.support.partners import MovedClock
from tests.support.served import PROVIDER, Person, Served, served

from tallystick.client.partner import PartnerSigner
from tallystick.client.webhooks import WebhookReceiver
from tallystick.entry.http.partners import Partners
from tallystick.entry.partner_settings import Partner
from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.httpsig import ReplyHead, RequestHead
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import MINUTE_MS, Instant, SimulatedClock
from tallystick.protocol.operators import AddWebhook, OpenCustomer
from tallystick.protocol.payments import PaymentKind

PIN = Secret("7391")
DIALLER = "+254722000001"
KEYID = f"{PROVIDER}/gw1"
AHEAD_MS = 6_000


def partner(
    name: str, key, *, doors: tuple[str, ...] = ("ussd.message",), keyid: str = ""
) -> Partner:
    algorithm = "ed25519" if isinstance(key, Ed25519SigningKey) else "ecdsa-p256-sha256"
    return Partner(
        name=name,
        keyid=keyid or f"{PROVIDER}/{name}",
        algorithm=algorithm,
        public=b64url(key.public().octets()),
        doors=doors,
    )


@dataclass
class Scene:
    provider: Served
    gateway: SignedGateway
    other: SignedGateway
    outsider: SignedGateway
    phone: FeaturePhone
    app: Person
    signer: PartnerSigner


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    key, other, outsider = (
        Ed25519SigningKey.generate(),
        Es256SigningKey.generate(),
        Ed25519SigningKey.generate(),
    )
    known = (partner("gw1", key), partner("gw2", other), partner("desk", outsider, doors=()))
    clock = MovedClock()
    folder = tmp_path_factory.mktemp("signed") / "p"
    with served(folder, partners=known, clock=clock) as provider:
        clock.off_ms = AHEAD_MS
        keys = provider.reached.message_keys

        def gateway(name: str, signer) -> SignedGateway:
            keyid = f"{PROVIDER}/{name}"
            return SignedGateway(name, keyid, signer, provider.url, clock, keys, os.urandom)

        agent = provider.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=3_000_000, till="600200"
        )
        app = provider.person("+254700000001", "Ann App", funds=1_000_000)
        agent.wallet.open_customer(
            OpenCustomer(name="Dora Dial", msisdn=DIALLER, kind="person", tier=1)
        )
        one = gateway("gw1", key)
        phone = FeaturePhone(DIALLER, one, provider.smsc)
        phone.set_pin(phone.activation_code(), PIN)
        agent.wallet.pay(PaymentKind.CASH_IN, DIALLER, Money(100_000, "KES"))
        signer = PartnerSigner(KEYID, key, clock, os.urandom)
        yield Scene(
            provider, one, gateway("gw2", other), gateway("desk", outsider), phone, app, signer
        )


@pytest.mark.requirement("MFS-11.2.3-01")
def test_a_payment_is_dialled_over_signed_messages_and_signed_replies(scene: Scene) -> None:
    before = scene.app.wallet.account().available_minor
    screens = scene.phone.send_money("0700000001", "50", PIN)
    assert "50.00" in screens[-2]
    assert scene.app.wallet.account().available_minor == before + 5_000
    assert scene.other.dial(DIALLER)


def refused(scene: Scene, head: RequestHead, body: bytes) -> tuple[str, Response]:
    reply = exchange(scene.provider.url, head.method, head.target, body, fields=head.fields)
    assert reply.status != 200
    with pytest.raises(MfsError) as caught:
        scene.gateway.knock(head, body, scene.signer)
    return caught.value.code, reply


@pytest.mark.threat("THR-BE-06")
def test_a_message_is_taken_once_and_not_changed(scene: Scene) -> None:
    scene.gateway.send(scene.gateway.open_session(), DIALLER, "")
    head, body = scene.gateway.sent[-1]
    assert refused(scene, head, body)[0] == "replayed"
    fresh = scene.signer.request("POST", scene.provider.url + USSD, body, "application/json")
    changed = body.replace(b'"input":""', b'"input":"1"')
    assert changed != body
    code, reply = refused(scene, fresh, changed)
    assert code == "not-authentic"
    assert "signature" not in dict(reply.fields)


@pytest.mark.threat("THR-BE-06")
def test_a_partner_speaks_for_itself_and_at_its_own_doors_only(scene: Scene) -> None:
    scene.gateway.send(scene.gateway.open_session(), DIALLER, "")
    body = scene.gateway.sent[-1][1].replace(b"gw1-m", b"gw1-n")
    borrowed = PartnerSigner(
        f"{PROVIDER}/gw2", Ed25519SigningKey.generate(), scene.provider.clock, os.urandom
    ).request("POST", scene.provider.url + USSD, body, "application/json")
    assert refused(scene, borrowed, body)[0] == "not-authentic"
    with pytest.raises(MfsError) as outside:
        scene.outsider.dial(DIALLER)
    assert outside.value.code == "not-permitted"
    scene.other.name = "gw1"
    try:
        with pytest.raises(MfsError) as other:
            scene.other.dial(DIALLER)
        assert other.value.code == "not-authentic"
    finally:
        scene.other.name = "gw2"


def test_a_refusal_of_a_known_partner_is_signed_too(scene: Scene) -> None:
    body = b'{"not":"a message"}'
    head = scene.signer.request("POST", scene.provider.url + USSD, body, "application/json")
    reply = exchange(scene.provider.url, "POST", USSD, body, fields=head.fields)
    assert reply.status == 400
    keys = scene.provider.reached.message_keys()
    scene.signer.check(ReplyHead(400, reply.fields, head), reply.body, keys)
    with pytest.raises(NotAuthentic):
        scene.signer.check(ReplyHead(200, reply.fields, head), reply.body, keys)


def test_a_request_to_another_host_is_refused(scene: Scene) -> None:
    body = b"{}"
    head = scene.signer.request("POST", "http://other.example/v1/ussd", body, "application/json")
    assert refused(scene, head, body)[0] == "not-authentic"


def test_events_arrive_signed_for_their_address(scene: Scene) -> None:
    received: list[Request] = []
    enough = threading.Event()

    def take(request: Request) -> Response:
        received.append(request)
        if len(received) >= 2:
            enough.set()
        return Response(204, b"")

    with LoopbackServer(take) as server:
        url = f"{server.url}/events?of=payments"
        operations = scene.provider.operators["operations"][0]
        operations.act("add-webhook", AddWebhook(url=url, kinds=("payment",)))
        for minor in (11, 12):
            scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(minor, "KES"))
        assert enough.wait(15)
    receiver = WebhookReceiver(url, scene.provider.reached.message_keys, scene.provider.clock)
    taken = [receiver.delivery(one.method, one.fields, one.body) for one in received]
    assert [one.index for one in taken] == sorted({one.index for one in taken})
    assert all(one.path == "/events?of=payments" for one in received)
    elsewhere = WebhookReceiver(
        f"{server.url}/other", scene.provider.reached.message_keys, scene.provider.clock
    )
    with pytest.raises(NotAuthentic):
        elsewhere.delivery(received[0].method, received[0].fields, received[0].body)
    with pytest.raises(NotAuthentic):
        receiver.delivery("POST", received[0].fields, received[1].body)


def test_the_first_seconds_of_a_process_take_nothing_that_may_have_come_before(
    tmp_path: Path,
) -> None:
    key = Ed25519SigningKey.generate()
    clock = SimulatedClock(Instant(SystemClock().now() + MINUTE_MS))  # its first second lasts
    known = (partner("gw1", key),)
    with served(tmp_path / "p", partners=known, join=False, clock=clock) as provider:
        keys = provider.reached.message_keys
        gateway = SignedGateway("gw1", KEYID, key, provider.url, clock, keys, os.urandom)
        with pytest.raises(MfsError) as caught:
            gateway.dial(DIALLER)
        assert caught.value.code == "unavailable"
        assert 0 < (caught.value.retry_after_s or 0) <= AHEAD_MS // 1000


def test_behind_several_fronts_a_request_is_what_the_partner_signed(tmp_path: Path) -> None:
    key, clock = Ed25519SigningKey.generate(), MovedClock()
    known = (partner("gw1", key),)
    with served(tmp_path / "p", partners=known, clock=clock, join=False, workers=2) as provider:
        clock.off_ms = AHEAD_MS
        keys = provider.reached.message_keys
        gateway = SignedGateway("gw1", KEYID, key, provider.url, clock, keys, os.urandom)
        assert gateway.dial(DIALLER)[0].startswith(PROVIDER)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("another-provider/gw1", ("ussd.message",)), "not of this provider"),
        ((KEYID, ("anything",)), "a door that is none"),
    ],
)
def test_partners_that_cannot_be_are_refused_at_the_start(wrong, says: str) -> None:
    key = Ed25519SigningKey.generate()
    keyid, doors = wrong
    with pytest.raises(Malformed, match=says):
        Partners(
            (partner("gw1", key, doors=doors, keyid=keyid),),
            PROVIDER,
            MovedClock(),
            keyid="k",
            sign=key.sign,
            secure=True,
        )


def test_two_partners_of_one_key_id_are_refused() -> None:
    key = Ed25519SigningKey.generate()
    with pytest.raises(Malformed, match="two partners"):
        Partners(
            (partner("gw1", key), partner("gw2", key, keyid=KEYID)),
            PROVIDER,
            MovedClock(),
            keyid="k",
            sign=key.sign,
            secure=True,
        )
