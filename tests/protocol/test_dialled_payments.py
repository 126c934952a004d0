"""The phone that only dials, over a signed gateway, against a served provider."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.support.served import Person, Served, served

from tallystick.entry.rechecking import Verifier
from tallystick.entry.settings import PublicHalf
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer, ReversePayment
from tallystick.protocol.payments import PaymentKind

PIN = Secret("7391")
DIALLER = "+254722000001"


@dataclass
class Scene:
    provider: Served
    gateway: UssdGateway
    phone: FeaturePhone
    agent: Person
    app: Person

    def comes_to_dial(self, phone: FeaturePhone, name: str) -> None:
        """Whoever has `phone` becomes a customer with a PIN and some money."""
        self.agent.wallet.open_customer(
            OpenCustomer(name=name, msisdn=phone.number, kind="person", tier=1)
        )
        phone.set_pin(phone.activation_code(), PIN)
        self.agent.wallet.pay(PaymentKind.CASH_IN, phone.number, Money(100_000, "KES"))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    folder = tmp_path_factory.mktemp("dialled") / "p"
    quick = demo_policy().replace("  backoff: PT1S", "  # backoff: PT1S")
    with served(folder, gateways={"gw1": half}, policy_text=quick) as provider:
        gateway = UssdGateway("gw1", key, provider.url, provider.clock)
        agent = provider.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=3_000_000, till="600200"
        )
        app = provider.person("+254700000001", "Ann App", funds=1_000_000)
        found = Scene(provider, gateway, FeaturePhone(DIALLER, gateway, provider.smsc), agent, app)
        found.comes_to_dial(found.phone, "Dora Dial")
        yield found


@pytest.mark.requirement("MFS-7.2.3-03")
def test_a_pin_confirms_an_order_and_the_receipt_prints_the_grade(scene: Scene) -> None:
    before = scene.app.wallet.account().available_minor
    screens = scene.phone.send_money("0700000001", "50", PIN)
    assert "Ann A." in screens[-2]
    assert "50.00" in screens[-2]
    assert scene.app.wallet.account().available_minor == before + 5_000
    said = re.sub(r"\b[0-9]{4,16}-[0-9]{6}\b", "", "".join(screens))  # a code may read like a PIN
    assert PIN.reveal() not in said


def test_a_wrong_pin_moves_nothing_and_is_counted(scene: Scene) -> None:
    before = scene.app.wallet.account().available_minor
    scene.phone.send_money("0700000001", "50", Secret("1357"))
    assert scene.app.wallet.account().available_minor == before
    customer = scene.provider.platform.desks.customers.by_alias(DIALLER)
    assert customer.pin_failures == 1
    scene.phone.send_money("0700000001", "1", PIN)
    assert scene.provider.platform.desks.customers.by_alias(DIALLER).pin_failures == 0


def test_what_the_sim_signal_cannot_say_keeps_amounts_small(scene: Scene) -> None:
    before = scene.app.wallet.account().available_minor
    screens = scene.phone.send_money("0700000001", "3500", PIN)
    assert scene.app.wallet.account().available_minor == before
    assert "PIN" not in screens[-1]


@pytest.mark.requirement("MFS-7.3.3-08")
def test_who_only_dials_gets_a_code_that_dialling_confirms(scene: Scene) -> None:
    scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(4_321, "KES"))
    told = scene.phone.wait_for(lambda one: "43.21" in one.text)
    assert scene.phone.is_genuine(told)


@pytest.mark.threat("THR-SMS-03")
def test_a_forged_receipt_is_unknown_when_dialled(scene: Scene) -> None:
    scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(700, "KES"))
    assert "not" in scene.phone.check_code("0012-123456").lower()


@pytest.mark.threat("THR-USD-02")
def test_a_replayed_and_a_forged_gateway_message_are_refused(scene: Scene) -> None:
    scene.phone.dial()
    with pytest.raises(MfsError) as replayed:
        scene.gateway.replay(1)
    assert replayed.value.code == "replayed"
    with pytest.raises(MfsError) as forged:
        scene.gateway.forge("gw1-s1-1", DIALLER, "1", Es256SigningKey.generate())
    assert forged.value.code == "not-authentic"


def test_who_only_dials_is_told_of_what_they_pay_get_and_lose_again(scene: Scene) -> None:
    screens = scene.phone.send_money("0700000001", "20", PIN)
    assert "20.00" in screens[-2]
    sent = scene.phone.wait_for(lambda one: "20.00 sent to Ann App" in one.text, 10)
    assert scene.phone.is_genuine(sent)
    paid = scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(3_300, "KES"))
    got = scene.phone.wait_for(lambda one: "33.00 from Ann App" in one.text, 10)
    assert scene.phone.is_genuine(got)
    first, second = scene.provider.operators["operations"]
    body = ReversePayment(order=paid.verified.event.id, because="the wrong number")
    second.act("reverse-payment", body, approves=first.act("reverse-payment", body).act)
    lost = scene.phone.wait_for(lambda one: "33.00 taken back from you" in one.text, 10)
    assert "Payment reversed" in lost.text


def test_who_has_an_app_is_sent_no_notice_of_payments(scene: Scene) -> None:
    other = scene.provider.person("+254700000007", "Bea App")
    scene.app.wallet.pay(PaymentKind.P2P, other.number, Money(4_400, "KES"))
    scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(5_500, "KES"))
    scene.phone.wait_for(lambda one: "55.00 from Ann App" in one.text, 10)
    inboxes = [scene.provider.smsc.inbox(one.number) for one in (scene.app, other)]
    assert not [one.text for inbox in inboxes for one in inbox if "Receipt" in one.text]


@pytest.mark.requirement("MFS-7.3.2-02")
@pytest.mark.threat("THR-USD-04")
def test_five_wrong_pins_block_and_the_sixth_is_refused_though_right(scene: Scene) -> None:
    phone = FeaturePhone("+254722000002", scene.gateway, scene.provider.smsc)
    scene.comes_to_dial(phone, "Otto Dial")
    before = scene.app.wallet.account().available_minor
    for guess in ("1357", "2468", "3690", "4826", "5937"):
        phone.send_money("0700000001", "1", Secret(guess))
    screens = phone.send_money("0700000001", "1", PIN)
    assert scene.app.wallet.account().available_minor == before
    assert "too many tries" in screens[-1]
    phone.wait_for(lambda one: "too many wrong PINs" in one.text)


@pytest.mark.requirement("MFS-7.3.4-06")
def test_the_pin_is_never_in_a_log_or_a_file(scene: Scene) -> None:
    octets = b""
    for path in scene.provider.folder.root.rglob("*"):
        with suppress(FileNotFoundError):  # what takes another's place is read under its name
            octets += path.read_bytes() if path.is_file() else b""
    assert b"Dora Dial" not in octets
    assert DIALLER.encode() not in octets
    assert not any(DIALLER.encode() in line for line in scene.provider.log)


def test_every_dialled_order_is_found_consented_to_again(scene: Scene) -> None:
    scene.phone.send_money("0700000001", "20", PIN)
    provider = scene.provider
    with Verifier(provider.folder, provider.secret, provider.clock) as verifier:
        found = verifier.recheck()
    assert found.doubts == ()
    assert found.orders > 1
