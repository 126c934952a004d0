"""What an agent can do with a customer's PIN or code: nothing, but on the customer's own phone."""

from collections.abc import Iterator

import pytest
from simulators.aggregator import AggregatorPhone
from tests.support.dialled import DIALLER, PIN, Dialled, dialled
from tests.support.looking import row_of
from tests.support.served import by_one_operator

from tallystick.client.ownfactors import OwnFactors
from tallystick.kernel.errors import MfsError, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.process.policy.facts import Channel
from tallystick.protocol.operators import OpenCustomer, ReversePayment
from tallystick.protocol.payments import PaymentKind, QuoteRequest

TILL = "600200"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialled]:
    quick = by_one_operator().replace("  backoff: PT1S", "  # backoff: PT1S")
    with dialled(tmp_path_factory.mktemp("agents") / "p", policy_text=quick) as found:
        yield found


def customer(scene: Dialled, number: str = DIALLER):
    return scene.provider.platform.desks.customers.by_alias(number)


def available(scene: Dialled, number: str = DIALLER) -> int:
    """What the customer has, by the provider's own book."""
    book = scene.provider.platform.desks.book
    return book.available(customer(scene, number).account)


@pytest.mark.threat("THR-AGT-01")
@pytest.mark.requirement("MFS-7.3.2-02")
def test_a_customers_pin_in_the_agents_own_app_or_on_the_agents_phone_does_nothing(
    scene: Dialled,
) -> None:
    before, agent = available(scene), AggregatorPhone(scene.agent.number, scene.aggregator)
    scene.agent.session.establish()
    with pytest.raises(NotAuthentic):
        OwnFactors(scene.agent.session).give_pin(PIN)
    last = agent.dial("2", TILL, "50", PIN.reveal())[-1]
    assert "Done" not in last
    assert "Available" not in agent.dial("5", PIN.reveal())[-1]
    assert available(scene) == before
    assert customer(scene).pin_failures == 0, "it counts against the agent"
    assert customer(scene, scene.agent.number).pin_failures > 0


@pytest.mark.threat("THR-AGT-01")
@pytest.mark.requirement("MFS-7.3.3-01")
def test_an_agents_phone_signs_no_order_of_a_customer_whose_pin_the_agent_knows(
    scene: Dialled,
) -> None:
    before, wallet = available(scene), scene.agent.wallet
    scene.agent.session.establish()
    quoted = scene.provider.platform.quoting.quote(
        customer(scene), _request(scene), scene.provider.clock.now(), Channel.APP.value
    )
    with pytest.raises(MfsError):
        wallet.place(wallet.consent(quoted))
    assert available(scene) == before


def _request(scene: Dialled) -> QuoteRequest:
    return QuoteRequest(
        kind=PaymentKind.P2P, payee=scene.app.number, amount_minor=5_000, currency="KES"
    )


@pytest.mark.threat("THR-AGT-01")
@pytest.mark.threat("THR-SMS-01")
@pytest.mark.requirement("MFS-7.4.1-08")
def test_a_code_read_over_a_shoulder_sets_no_pin_from_the_agents_phone(scene: Dialled) -> None:
    number = "+254722000031"
    scene.agent.session.establish()
    opened = scene.agent.wallet.open_customer(
        OpenCustomer(name="Nina New", msisdn=number, kind="person", tier=1)
    )
    code = scene.provider.activation_code(number)
    assert code.reveal() not in repr(opened)
    chosen = Secret("582937")
    agent = AggregatorPhone(scene.agent.number, scene.aggregator)
    assert "not valid" in agent.set_pin(code, chosen)
    assert not customer(scene, number).pin
    assert not customer(scene, scene.agent.number).pin
    assert "PIN is set" in AggregatorPhone(number, scene.aggregator).set_pin(code, chosen), (
        "the customer's code was not used up"
    )


@pytest.mark.threat("THR-AGT-01")
@pytest.mark.requirement("MFS-7.3.6-03")
def test_a_pin_keyed_by_an_agent_on_the_customers_phone_is_told_and_can_be_given_back(
    scene: Dialled,
) -> None:
    """Nobody can tell whose finger it was: the customer is told, and two operators give it back."""
    before = available(scene)
    assert scene.phone.dial("2", TILL, "50", PIN.reveal())[-1].startswith("Done.")
    told = scene.provider.smsc.wait_for(DIALLER, lambda one: "sent to Agent Mary" in one.text, 10)
    assert "KES 50.00" in told.text
    order = row_of(
        scene.provider,
        "SELECT id FROM payment_order WHERE payer = ? ORDER BY id DESC LIMIT 1",
        (customer(scene).account,),
    )
    first, second = scene.provider.operators["operations"][:2]
    body = ReversePayment(order=str(order[0]), because="the agent keyed the PIN")
    waiting = first.act("reverse-payment", body)
    assert waiting.state == "waiting"
    assert available(scene) < before
    second.act("reverse-payment", body, approves=waiting.act)
    assert available(scene) == before
