"""Every byte of every signed or sealed message is changed once: none is taken, nothing happens."""

import pytest
from simulators.ussd_gateway import UssdGateway
from tests.support.looking import caused, leaves_of
from tests.support.served import served

from tallystick.client.operator import OperatorDesk
from tallystick.client.session import Reply
from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.cose import open_reply, seal_request
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.verify import verify_receipt
from tallystick.kernel.codec import Decoder, b64url, encode, encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.protocol.channels import SignedUssd, ussd_header
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.operators import SuspendDevice
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.tally_api import SignedKeyList

JSON = "application/json"
GATEWAY = Es256SigningKey.generate()
_receipts = Decoder(Receipt)


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    half = PublicHalf(algorithm="ES256", public=b64url(GATEWAY.public().octets()))
    folder = tmp_path_factory.mktemp("flipped") / "provider"
    with served(folder, gateways={"gw1": half}) as one:
        yield one


@pytest.fixture(scope="module")
def payer(provider):
    provider.person("+254700000902", "Payee")
    return provider.person("+254700000901", "Payer", funds=5_000_000)


def flips(message: bytes, step: int = 1):
    """`message` with one bit changed, at every `step`th byte."""
    for position in range(0, len(message), step):
        changed = bytearray(message)
        changed[position] ^= 1 << (position % 8)
        yield position, bytes(changed)


def ordered(payer):
    quoted = payer.wallet.quote(PaymentKind.P2P, "+254700000902", Money(100, "KES"))
    return payer.wallet.consent(quoted)


def live_of(person):
    person.session.establish()
    live = person.session._live
    assert live is not None
    return live


def sealed(live, operation: str, body: bytes) -> tuple[bytes, int]:
    live.sequence += 1
    return seal_request(live.keys, operation, live.sequence, body), live.sequence


@pytest.mark.requirement("MFS-7.3.3-02")
@pytest.mark.threat("THR-NET-01")
def test_no_changed_sealed_order_is_taken(provider, payer):
    order, live = ordered(payer), live_of(payer)
    size = len(leaves_of(provider))
    right, sequence = sealed(live, "payment.order", order.body)
    for position, changed in flips(right):
        reply = provider.transport.post("/v1/payments", changed, SEALED_MEDIA_TYPE)
        assert reply.status in {400, 401, 404}, (position, reply.status)
    assert caused(provider, size) == []
    reply = provider.transport.post("/v1/payments", right, SEALED_MEDIA_TYPE)
    assert reply.status == 200
    for _, changed in flips(reply.body):
        with pytest.raises(MfsError):
            open_reply(live.keys, "payment.order", sequence, 200, changed)
    for other in (("payment.quote", sequence, 200), ("payment.order", sequence + 1, 200)):
        with pytest.raises(MfsError):
            open_reply(live.keys, *other, reply.body)
    with pytest.raises(MfsError):
        open_reply(live.keys, "payment.order", sequence, 201, reply.body)


@pytest.mark.requirement("MFS-12.3-02")
@pytest.mark.requirement("MFS-7.3.3-01")
def test_no_changed_consent_is_taken_however_well_it_is_sealed(provider, payer):
    order, live = ordered(payer), live_of(payer)
    balance = payer.wallet.account().available_minor
    size = len(leaves_of(provider))
    for position, changed in flips(order.body):
        message, _ = sealed(live, "payment.order", changed)
        reply = provider.transport.post("/v1/payments", message, SEALED_MEDIA_TYPE)
        assert 400 <= reply.status < 500, position
    assert caused(provider, size) == []
    assert payer.wallet.account().available_minor == balance
    payer.wallet.place(order)
    assert payer.wallet.account().available_minor == balance - 100


def test_a_sealed_order_is_not_taken_by_another_operation(provider, payer):
    order, live = ordered(payer), live_of(payer)
    message, _ = sealed(live, "payment.order", order.body)
    for path in ("/v1/quotes", "/v1/receipts", "/v1/account", "/v1/session/end"):
        reply = provider.transport.post(path, message, SEALED_MEDIA_TYPE)
        assert reply.status in {400, 401}, path


def test_no_changed_handshake_opens_a_session(provider, payer):
    seen: list[tuple[str, bytes]] = []

    class Recording:
        def post(self, path: str, body: bytes, content_type: str) -> Reply:
            seen.append((path, body))
            return provider.transport.post(path, body, content_type)

    peer = payer.session._peer
    object.__setattr__(peer, "transport", Recording())
    payer.session.establish()
    object.__setattr__(peer, "transport", provider.transport)
    path, proof = seen[1]
    sessions = len(provider.platform.desks.sessions)
    for position, changed in flips(proof):
        reply = provider.transport.post(path, changed, JSON)
        assert 400 <= reply.status < 500, position
    assert len(provider.platform.desks.sessions) <= sessions
    payer.session.establish()


def test_no_changed_act_of_an_operator_is_done(provider, payer):
    desk: OperatorDesk = provider.operators["care-desk"][0]
    device = payer.keystore.identity().device
    signed = desk.signed(
        "suspend-device", SuspendDevice(device=device, suspend=True, because="flipped")
    )
    size = len(leaves_of(provider))
    for position, changed in flips(signed.body):
        reply = provider.transport.post("/v1/acts/suspend-device", changed, JSON)
        assert 400 <= reply.status < 500, position
    assert caused(provider, size) == []
    payer.wallet.account()


def test_no_changed_message_of_a_gateway_is_heard(provider):
    gateway = UssdGateway("gw1", GATEWAY, provider.url, SystemClock())
    session = gateway.open_session()
    gateway.send(session, "+254700000901", "")
    asked = gateway._message(session, "+254700000901", "1")
    message = encode(
        SignedUssd(message=sign_compact(GATEWAY, ussd_header("gw1"), encode_canonical(asked)))
    )
    for position, changed in flips(message):
        reply = provider.transport.post("/v1/ussd", changed, JSON)
        assert 400 <= reply.status < 500, position
    assert provider.transport.post("/v1/ussd", message, JSON).status == 200


@pytest.mark.requirement("MFS-7.3.3-07")
def test_no_changed_receipt_verifies_and_none_can_be_forged(provider, payer):
    receipt = payer.wallet.place(ordered(payer)).receipt
    key, origin = provider.tally_key(), provider.origin
    verify_receipt(receipt, key, origin=origin)
    octets = encode(receipt)
    for _, changed in flips(octets):
        with pytest.raises(MfsError):
            verify_receipt(_receipts.decode(changed), key, origin=origin)


def test_no_changed_key_list_is_believed(provider):
    listed = Decoder(SignedKeyList).decode(provider.transport.get("/v1/keys").body).key_list
    now = provider.clock.now()
    verify_key_list(listed, provider.root, now, 0)
    for _, changed in flips(listed.encode()):
        with pytest.raises(MfsError):
            verify_key_list(changed.decode("latin-1"), provider.root, now, 0)
