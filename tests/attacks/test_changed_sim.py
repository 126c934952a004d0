"""Whoever had a SIM replaced an hour ago has the number, and gets nothing for three days."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.mno import SimulatedMno
from simulators.ussd_gateway import UssdGateway
from tests.support.looking import leaves_of
from tests.support.partners import MovedClock
from tests.support.served import Person, Served, by_one_operator, served

from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError, NotPermitted
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS
from tallystick.protocol.operators import IssueActivation, OpenCustomer
from tallystick.protocol.payments import PaymentKind

PIN = Secret("7391")
NUMBERS = iter(range(254_722_100_001, 254_722_200_000))


@dataclass
class Scene:
    provider: Served
    clock: MovedClock
    mno: SimulatedMno
    gateway: UssdGateway
    agent: Person
    app: Person

    def dialler(self, *, pin: bool = True) -> FeaturePhone:
        """Somebody new who only dials, with money."""
        number = f"+{next(NUMBERS)}"
        self.mno.line(number)
        self.agent.wallet.open_customer(
            OpenCustomer(name="Dora Dial", msisdn=number, kind="person", tier=1)
        )
        phone = FeaturePhone(number, self.gateway, self.provider.smsc)
        if pin:
            phone.set_pin(phone.activation_code(), PIN)
            self.agent.wallet.pay(PaymentKind.CASH_IN, number, Money(1_000_000, "KES"))
        return phone

    def balance(self) -> int:
        return self.app.wallet.account().available_minor

    def settled(self, phone: FeaturePhone, amount: str = "50") -> tuple[int, str]:
        before = self.balance()
        screens = phone.send_money("0700000001", amount, PIN)
        return self.balance() - before, screens[-1]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    clock = MovedClock()
    mno = SimulatedMno(clock)
    folder = tmp_path_factory.mktemp("swapped") / "p"
    gateways, policy = {"gw1": half}, by_one_operator()
    with served(
        folder, gateways=gateways, clock=clock, mno=mno.access, policy_text=policy
    ) as provider:
        agent = provider.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=30_000_000, till="600200"
        )
        app = provider.person("+254700000001", "Ann App", funds=1_000_000)
        gateway = UssdGateway("gw1", key, provider.url, clock)
        yield Scene(provider, clock, mno, gateway, agent, app)
    mno.close()


@pytest.mark.requirement("MFS-7.3.2-10")
def test_a_sim_that_the_network_vouches_for_pays_what_the_policy_allows(scene: Scene) -> None:
    """Above the cap of a missing signal, which holds where no network is asked."""
    phone = scene.dialler()
    assert scene.settled(phone, "3500")[0] == 350_000
    assert any(path.endswith("/sim-swap/v2/retrieve-date") for path in scene.mno.asked)


@pytest.mark.threat("THR-SIM-01")
def test_a_sim_swapped_an_hour_ago_pays_nothing_and_is_told_why(scene: Scene) -> None:
    phone = scene.dialler()
    scene.clock.off_ms += 2 * HOUR_MS
    scene.mno.swap_sim(phone.number, hours_ago=1)
    moved, page = scene.settled(phone)
    assert moved == 0
    assert "72 hours" in page
    told = phone.wait_for(lambda one: "your SIM was changed" in one.text, 10)
    assert phone.number not in told.text
    scene.clock.off_ms += 72 * HOUR_MS
    assert scene.settled(phone)[0] == 5_000


@pytest.mark.threat("THR-SIM-01")
def test_a_code_sent_to_a_swapped_sim_sets_no_pin_and_enrols_no_phone(scene: Scene) -> None:
    phone = scene.dialler()
    scene.clock.off_ms += 2 * HOUR_MS
    scene.mno.swap_sim(phone.number, hours_ago=1)
    desk = scene.provider.operators["care-desk"][0]
    activation = desk.act("issue-activation", IssueActivation(number=phone.number)).reference
    code = scene.provider.activation_code(phone.number, after=1)
    assert "72 hours" in phone.set_pin(code, Secret("8264"))
    with pytest.raises(NotPermitted) as refused:
        scene.provider.enrol_phone(phone.number, activation, code)
    assert "72 hours" in refused.value.because
    customer = scene.provider.platform.desks.customers.by_alias(phone.number)
    assert customer.devices == 0


@pytest.mark.threat("THR-CEL-02")
def test_who_signs_in_an_app_is_not_held_for_the_sim(scene: Scene) -> None:
    number = "+254733000009"
    scene.mno.line(number)
    payer = scene.provider.person(number, "Sue Signs", funds=1_000_000)
    scene.mno.swap_sim(number, hours_ago=0)
    before = scene.balance()
    payer.wallet.pay(PaymentKind.P2P, scene.app.number, Money(4_000, "KES"))
    assert scene.balance() - before == 4_000


@pytest.mark.threat("THR-SIM-02")
def test_a_number_that_somebody_else_got_reaches_no_old_account(scene: Scene) -> None:
    phone = scene.dialler()
    scene.clock.off_ms += 2 * HOUR_MS
    scene.mno.line(phone.number).recycled_at = scene.clock.now() - HOUR_MS
    assert scene.settled(phone)[0] == 0
    scene.mno.line(phone.number).recycled_at = 0
    scene.clock.off_ms += HOUR_MS
    assert scene.settled(phone)[0] == 5_000


@pytest.mark.threat("THR-SIM-04")
def test_a_stolen_sim_in_another_phone_pays_nothing(scene: Scene) -> None:
    phone = scene.dialler()
    scene.clock.off_ms += 2 * HOUR_MS
    scene.mno.line(phone.number).device_changed_at = scene.clock.now() - HOUR_MS
    assert scene.settled(phone)[0] == 0


@pytest.mark.parametrize("fault", ["silent", "error", "bearer", "limit", "nonsense", "null"])
def test_a_network_that_does_not_say_keeps_amounts_small(scene: Scene, fault: str) -> None:
    phone = scene.dialler()
    scene.clock.off_ms += HOUR_MS
    mno = scene.mno
    try:
        mno.silent = fault == "silent"
        mno.fails_with = {"error": 503, "bearer": 401, "limit": 429}.get(fault, 0)
        mno.says = {"nonsense": b"[", "null": b'{"latestSimChange":null}'}.get(fault)
        assert scene.settled(phone, "3500")[0] == 0
        assert scene.settled(phone, "20")[0] == 2_000
    finally:
        mno.silent, mno.fails_with, mno.says = False, 0, None
    scene.provider.platform.desks.policy.watch.answered("sim-signal", scene.clock.now())
    assert scene.settled(phone, "3500")[0] == 350_000


def test_the_record_says_that_something_happened_and_not_to_whom(scene: Scene) -> None:
    phone = scene.dialler()
    scene.clock.off_ms += 2 * HOUR_MS
    scene.mno.swap_sim(phone.number, hours_ago=1)
    scene.settled(phone)
    leaves = leaves_of(scene.provider)
    seen = [leaf for leaf in leaves if b'"signal.seen"' in leaf]
    assert seen
    assert all(phone.number[1:].encode() not in leaf for leaf in leaves)
    assert all(b"sim-swap" not in leaf for leaf in seen)


def test_one_session_asks_the_network_once(scene: Scene) -> None:
    phone = scene.dialler()
    scene.clock.off_ms += HOUR_MS
    scene.mno.asked.clear()
    scene.settled(phone, "10")
    scene.settled(phone, "10")
    assert scene.mno.asked.count("/sim-swap/v2/retrieve-date") == 1


def test_a_refusal_for_the_sim_does_not_use_up_the_code(scene: Scene) -> None:
    phone = scene.dialler(pin=False)
    scene.clock.off_ms += 1000
    scene.mno.swap_sim(phone.number)
    code = phone.activation_code()
    assert "72 hours" in phone.set_pin(code, PIN)
    line = scene.mno.line(phone.number)
    line.sim_changed_at = 0
    scene.clock.off_ms += 2 * 60_000
    phone.set_pin(code, PIN)
    assert scene.provider.platform.desks.customers.by_alias(phone.number).pin


def test_an_activation_that_nobody_knows_asks_nobody(scene: Scene) -> None:
    scene.mno.asked.clear()
    with pytest.raises(MfsError):
        scene.provider.enrol_phone("+254799999999", f"atv_{'0' * 26}", Secret("0000-0000"))
    assert not scene.mno.asked
