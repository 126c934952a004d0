"""Sessions that drop are taken up over a signed gateway and over SMPP as behind an aggregator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.support.networks import FRIEND, PIN, Network, network
from tests.support.partners import MovedClock

from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.money import Money
from tallystick.kernel.time import MINUTE_MS
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind

UNFINISHED = "You had not finished: KES 40.00 to Ann A., fee KES 0.00.\n1 Go on\n0 Menu"
TERMS = "Send KES 40.00 to Ann A., fee KES 0.00? Enter PIN"
MENU = "1 Send money"
WRONG = "864209"
NUMBERS = count(1)


@dataclass
class Scene:
    network: Network
    gateway: UssdGateway
    clock: MovedClock

    def dialler(self) -> str:
        """Somebody new who only dials, with a PIN and money."""
        number, centre = f"+2547250{next(NUMBERS):05d}", self.network.centre
        agent = self.network.agent
        agent.session.establish()
        agent.wallet.open_customer(
            OpenCustomer(name="Dora Dial", msisdn=number, kind="person", tier=1)
        )
        code = self.network.provider.activation_code(number).reveal()
        assert "PIN is set" in centre.dial(number, "6", code, PIN.reveal(), PIN.reveal())[-1]
        agent.wallet.pay(PaymentKind.CASH_IN, number, Money(20_000, "KES"))
        return number

    def over_gateway(self, number: str, *inputs: str) -> list[str]:
        """Every page of a new session, with what is told of a payment before."""
        session = self.gateway.open_session()
        pages = []
        for typed in ("", *inputs):
            reply = self.gateway.send(session, number, typed)
            pages.append(reply.text)
            if reply.ends:
                break
        return pages

    def over_smpp(self, number: str, *inputs: str) -> list[str]:
        return self.network.centre.dial(number, *inputs)


Way = Callable[..., list[str]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    key, clock = Es256SigningKey.generate(), MovedClock()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    with network(tmp_path_factory.mktemp("up") / "p", gateways={"gw1": half}, clock=clock) as on:
        yield Scene(on, UssdGateway("gw1", key, on.provider.url, clock), clock)


@pytest.fixture(params=["over_gateway", "over_smpp"])
def way(request: pytest.FixtureRequest, scene: Scene) -> Way:
    return getattr(scene, request.param)


@pytest.mark.requirement("MFS-7.3.3-03")
def test_terms_that_were_shown_are_offered_again_and_paid_once(scene: Scene, way: Way) -> None:
    number, before = scene.dialler(), scene.network.balance()
    assert TERMS in way(number, "1", FRIEND, "40")[-1]
    offered, terms, done = way(number, "1", PIN.reveal())
    assert offered == UNFINISHED
    assert TERMS in terms
    assert done.startswith("Done.")
    assert scene.network.balance() == before + 4_000


def test_who_does_not_go_on_is_at_the_menu_and_has_paid_nothing(scene: Scene, way: Way) -> None:
    number, before = scene.dialler(), scene.network.balance()
    way(number, "1", FRIEND, "40")
    assert MENU in way(number, "0")[1]
    assert MENU in way(number)[0]
    assert scene.network.balance() == before


@pytest.mark.threat("THR-USD-02")
def test_no_pin_is_taken_where_terms_are_offered(scene: Scene, way: Way) -> None:
    number, before = scene.dialler(), scene.network.balance()
    way(number, "1", FRIEND, "40")
    assert "Choose a number of the list" in way(number, PIN.reveal())[1]
    assert scene.network.balance() == before


@pytest.mark.threat("THR-USD-05")
def test_after_a_secret_was_typed_nothing_is_taken_up(scene: Scene, way: Way) -> None:
    number = scene.dialler()
    pages = way(number, "1", FRIEND, "40", WRONG)
    assert "not right" in pages[-1] or "Dial again" in pages[-1], pages
    assert MENU in way(number)[0]


@pytest.mark.threat("THR-USD-02")
def test_nobody_else_and_no_other_way_takes_it_up_and_not_after_its_time(scene: Scene) -> None:
    number, other = scene.dialler(), scene.dialler()
    for way, elsewhere in (
        (scene.over_gateway, scene.over_smpp),
        (scene.over_smpp, scene.over_gateway),
    ):
        way(number, "1", FRIEND, "40")
        assert MENU in way(other)[0]
        assert MENU in elsewhere(number)[0]
        scene.clock.off_ms += 4 * MINUTE_MS
        assert MENU in way(number)[0]


@pytest.mark.requirement("MFS-7.3.3-03")
def test_over_a_gateway_a_payment_is_told_until_it_was_read(scene: Scene) -> None:
    number, before = scene.dialler(), scene.network.balance()
    done = scene.over_gateway(number, "1", FRIEND, "40", PIN.reveal())[-1]
    code = done.removeprefix("Done. Receipt code ").split(". ")[0]
    for _ in range(2):
        told = scene.over_gateway(number)[0]
        assert told.startswith("Your last payment is done: KES 40.00 to Ann A.")
        assert code in told
    assert MENU in scene.over_gateway(number, "1")[1]
    assert MENU in scene.over_gateway(number)[0]
    assert scene.network.balance() == before + 4_000


@pytest.mark.requirement("MFS-7.3.3-03")
def test_over_smpp_a_payment_is_told_where_the_network_took_no_page_of_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, before, centre = scene.dialler(), scene.network.balance(), scene.network.centre
    assert scene.over_smpp(number, "1", FRIEND, "40", PIN.reveal())[-1].startswith("Done.")
    assert MENU in scene.over_smpp(number)[0], "its page was taken: nothing is left to tell"
    session = centre.open(number)
    centre.page(number, session, 1)
    for page, typed in enumerate(("1", FRIEND, "40"), start=1):
        centre.type(number, session, page, typed)
        centre.page(number, session, page + 1)

    async def lost(menus, heard, number, page, screen):
        raise Unavailable("the network took no page")

    with monkeypatch.context() as patch:
        patch.setattr("tallystick.entry.smpp.menus.SmppMenus._send", lost)
        centre.type(number, session, 4, PIN.reveal())
        with pytest.raises(Unavailable):
            centre.page(number, session, 5)
    assert scene.network.balance() == before + 8_000
    told, menu = scene.over_smpp(number, "1")
    assert told.startswith("Your last payment is done: KES 40.00 to Ann A.")
    assert MENU in menu
    assert MENU in scene.over_smpp(number)[0]


def test_a_number_has_one_session_at_a_time_over_each_way(scene: Scene) -> None:
    number, centre = scene.dialler(), scene.network.centre
    first = centre.open(number)
    centre.page(number, first, 1)
    centre.type(number, first, 1, "1")
    centre.page(number, first, 2)
    assert MENU in scene.over_smpp(number)[0]
    known = len(centre.pages(number))
    centre.type(number, first, 2, FRIEND)
    with pytest.raises(Unavailable):
        centre.page(number, first, 3)
    assert len(centre.pages(number)) == known
    phone = FeaturePhone(number, scene.gateway, scene.network.centre)
    assert "Available" in phone.balance(PIN)
