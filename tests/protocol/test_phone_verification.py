"""Verifications that fail on the phone: counted there, told, counted with the tries."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.device import SimulatedPerson
from tests.support.looking import leaves_of
from tests.support.served import Person, Served, served

from tallystick.application.attempts import reported_by
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.live import Tries
from tallystick.client.session import ClientSession
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.authentication import ReportTries
from tallystick.protocol.payments import Empty, PaymentKind

FRIEND = "+254700000008"


@dataclass
class Scene:
    provider: Served
    count: int = 0

    def somebody(self) -> Person:
        """A new person with money and a phone that asks who is there."""
        self.count += 1
        person = self.provider.person(f"+25470100{self.count:04d}", "Vera Fied", funds=100_000)
        person.keystore._verify = SimulatedPerson()
        return person

    def row(self, name: str):
        """What is counted under `name`."""
        return self.provider.platform.desks.attempts._row(name)

    def kinds(self) -> list[tuple[str, dict]]:
        events = [decode_leaf(leaf) for leaf in leaves_of(self.provider)]
        return [(one.kind, dict(one.p)) for one in events]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    policy = demo_policy().replace("  backoff: PT1S", "  # backoff: PT1S")
    with served(tmp_path_factory.mktemp("verified") / "p", policy_text=policy) as provider:
        provider.open_customer(FRIEND, "Ben")
        yield Scene(provider)


def pay(person: Person) -> None:
    person.wallet.pay(PaymentKind.P2P, FRIEND, Money(100, "KES"))


def fail(person: Person, times: int) -> None:
    person.keystore._verify.stranger = True
    for _ in range(times):
        with pytest.raises(NotAuthentic, match="not the person"):
            pay(person)
    person.keystore._verify.stranger = False


def device_of(person: Person) -> str:
    return person.keystore.identity().device


@pytest.mark.requirement("MFS-7.3.2-02")
@pytest.mark.threat("THR-DEV-08")
def test_five_strangers_block_the_device_alike_for_orders_and_pins(scene: Scene) -> None:
    person = scene.somebody()
    pay(person)
    fail(person, 5)
    assert person.keystore.tries() == Tries(failed=5, in_row=5)
    with pytest.raises(NotAuthentic) as held:
        pay(person)
    with pytest.raises(NotAuthentic) as again:
        pay(person)
    assert "too many tries" in str(held.value)
    assert str(held.value) == str(again.value)
    assert held.value.args == again.value.args
    assert scene.row(reported_by(device_of(person))).failures == 5
    blocks = [public for kind, public in scene.kinds() if kind == "authentication.blocked"]
    assert blocks[-1]["reported"] == 5
    assert person.wallet.account(), "reading is no try"


def test_four_strangers_do_not_and_the_right_person_begins_the_row_anew(scene: Scene) -> None:
    person = scene.somebody()
    fail(person, 4)
    pay(person)
    assert person.keystore.tries() == Tries(failed=4)
    person.session.establish()
    fail(person, 2)
    pay(person)
    person.wallet.account()
    assert scene.row(reported_by(device_of(person))).failures == 6
    assert scene.row(device_of(person)).failures < 5


def test_a_person_who_says_no_is_no_stranger(scene: Scene) -> None:
    person = scene.somebody()
    person.keystore._verify.decide = lambda _: False
    for _ in range(6):
        with pytest.raises(NotPermitted):
            pay(person)
    person.keystore._verify.decide = lambda _: True
    pay(person)
    assert person.keystore.tries() == Tries()
    assert scene.row(reported_by(device_of(person))).tried_at == 0


@pytest.mark.threat("THR-DEV-08")
def test_neither_a_new_session_nor_a_lower_count_lifts_what_was_told(scene: Scene) -> None:
    person = scene.somebody()
    fail(person, 3)
    person.wallet.account()
    for lie in (Tries(), Tries(failed=1), Tries(failed=2, in_row=0)):
        person.keystore._tries = lie
        person.session.establish()
        person.session._live.reported = Tries(failed=99)
        person.wallet.account()
    device = device_of(person)
    assert scene.row(reported_by(device)).failures == 3
    assert scene.row(reported_by(device)).held == 3
    with pytest.raises(NotAuthentic, match="too many"):
        pay(person)
    person.keystore._tries = Tries(failed=9, in_row=0)
    person.session.establish()
    person.wallet.account()
    with pytest.raises(NotAuthentic, match="too many"):
        pay(person)


def test_a_phone_that_leaves_the_count_out_is_one_that_said_nothing(scene: Scene) -> None:
    person = scene.somebody()
    honest = person.keystore.tries
    person.keystore.tries = Tries  # an altered app
    fail(person, 4)
    pay(person)
    row = scene.row(reported_by(device_of(person)))
    assert (row.failures, row.tried_at) == (0, 0)
    person.keystore.tries = honest
    person.wallet.account()
    assert scene.row(reported_by(device_of(person))).failures == 4, "told as soon as it is honest"


def test_an_order_that_was_executed_is_answered_though_the_device_is_blocked(
    scene: Scene,
) -> None:
    person = scene.somebody()
    quoted = person.wallet.quote(PaymentKind.P2P, FRIEND, Money(100, "KES"))
    order = person.wallet.consent(quoted)
    first = person.wallet.place(order)
    fail(person, 5)
    person.wallet.account()
    with pytest.raises(NotAuthentic):
        pay(person)
    assert person.wallet.place(order).receipt.leaf == first.receipt.leaf


def test_more_in_a_row_than_in_all_is_malformed(scene: Scene) -> None:
    person = scene.somebody()
    with pytest.raises(Malformed):
        person.session.ask(
            "device.tries", "/v1/devices/tries", ReportTries(failed=1, in_row=2), _empty()
        )


def _empty():
    from tallystick.kernel.codec import Decoder  # noqa: PLC0415

    return Decoder(Empty)


def test_the_count_is_in_the_keystore_file_over_restarts(tmp_path: Path) -> None:
    path, secret, person = tmp_path / "k", Secret("a long passphrase"), SimulatedPerson()

    def opened() -> SoftwareKeystore:
        return SoftwareKeystore.open_file(
            path, secret, entropy=operating_system, verify_user=person
        )

    first = SoftwareKeystore.create_file(path, secret, entropy=operating_system, verify_user=person)
    person.stranger = True
    for _ in range(2):
        with pytest.raises(NotAuthentic):
            first.consent_sign(b"x", shown="x")
    second = opened()
    assert second.tries() == Tries(failed=2, in_row=2)
    with pytest.raises(NotAuthentic):
        second.consent_sign(b"x", shown="x")
    assert opened().tries() == Tries(failed=3, in_row=3)
    person.stranger = False
    opened().consent_sign(b"x", shown="x")
    assert opened().tries() == Tries(failed=3)


def test_the_session_tells_before_the_first_request(scene: Scene) -> None:
    person = scene.somebody()
    fail(person, 1)
    told: list[str] = []
    once = ClientSession._once

    def seen(session, live, operation, path, body):
        told.append(operation)
        return once(session, live, operation, path, body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientSession, "_once", seen)
        person.wallet.account()
        person.wallet.account()
    assert told[:2] == ["device.tries", "account.read"] or told[0] == "device.tries"
    assert told.count("device.tries") == 1
