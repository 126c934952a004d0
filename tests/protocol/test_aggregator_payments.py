"""The phone that only dials, over an aggregator's callbacks, against a served provider."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from simulators.aggregator import Aggregator, AggregatorPhone, DialledSession
from tests.support.served import Person, Served, served

from tallystick.application.notices.model import NoticeState, Template
from tallystick.application.notices.senders import SenderRule
from tallystick.entry.partners import link_secret
from tallystick.entry.rechecking import Verifier
from tallystick.entry.settings import PartnerLink
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import Language, SmsState
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind

PIN = Secret("739164")
DIALLER = "+254722000001"
OTHER = "+254722000009"
FRIEND = "0700000001"
LINK = PartnerLink(name="menus-east")
RECEIPTS = PartnerLink(name="sms-east")
SENDERS = (
    SenderRule(sender="CODES", country="254", templates=(Template.ACTIVATION_CODE,)),
    SenderRule(sender="TALLY", country="254"),
)


@dataclass
class Scene:
    provider: Served
    aggregator: Aggregator
    phone: AggregatorPhone
    agent: Person
    app: Person

    def balance(self) -> int:
        return self.app.wallet.account().available_minor

    def secret(self, link: PartnerLink) -> Secret[bytes]:
        platform = self.provider.platform
        return link_secret(platform.module, platform.keys.newest(Purpose.PARTNER_LINK), link)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("aggregated") / "p"
    with served(folder, aggregators=(LINK,), sms_receipts=RECEIPTS, senders=SENDERS) as provider:
        platform = provider.platform
        secret = link_secret(platform.module, platform.keys.newest(Purpose.PARTNER_LINK), LINK)
        aggregator = Aggregator(LINK.name, secret, provider.url, provider.clock)
        agent = provider.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=3_000_000, till="600200"
        )
        app = provider.person("+254700000001", "Ann App", funds=1_000_000)
        phone = AggregatorPhone(DIALLER, aggregator)
        for number, name in ((DIALLER, "Dora Dial"), (OTHER, "Otto Dial")):
            agent.wallet.open_customer(
                OpenCustomer(name=name, msisdn=number, kind="person", tier=1)
            )
            code = provider.activation_code(number)
            assert "PIN is set" in AggregatorPhone(number, aggregator).set_pin(code, PIN)
        agent.wallet.pay(PaymentKind.CASH_IN, DIALLER, Money(1_000_000, "KES"))
        yield Scene(provider, aggregator, phone, agent, app)


@pytest.fixture(autouse=True)
def nothing_left_to_tell(scene: Scene) -> None:
    """Each test begins at the menu: what is told, or offered, is passed."""
    scene.phone.dial("0", "0")


def at_menu(scene: Scene) -> DialledSession:
    """A new session that shows the menu."""
    session = scene.aggregator.session(DIALLER)
    assert "1 Send money" in scene.aggregator.call(session).text
    return session


def test_a_payment_is_made_with_all_inputs_in_every_callback(scene: Scene) -> None:
    before = scene.balance()
    pages = scene.phone.send_money(FRIEND, "50", PIN)
    assert pages[0].startswith("test-wallet\n1 Send money")
    assert "Send KES 50.00 to Ann A., fee KES 0.00?" in pages[-2]
    assert pages[-1].startswith("Done. Receipt code ")
    assert scene.balance() == before + 5_000
    last = scene.aggregator.sent[-1].body
    assert b"text=1%2A0700000001%2A50%2A739164" in last


def test_the_same_callback_again_shows_the_same_page_and_pays_once(scene: Scene) -> None:
    before = scene.balance()
    session = at_menu(scene)
    for typed in ("1", FRIEND, "20"):
        page = scene.aggregator.type(session, typed)
        assert scene.aggregator.call(session) == page
    done = scene.aggregator.type(session, PIN.reveal())
    assert done.text.startswith("Done.")
    for _ in range(3):
        assert scene.aggregator.call(session) == done
        assert scene.aggregator.deliver(scene.aggregator.sent[-1]) == done
    assert scene.balance() == before + 2_000


def test_two_copies_at_once_pay_once(scene: Scene) -> None:
    before = scene.balance()
    session = at_menu(scene)
    for typed in ("1", FRIEND, "30"):
        scene.aggregator.type(session, typed)
    session.typed.append(PIN.reveal())
    pages: list[str] = []
    threads = [
        threading.Thread(target=lambda: pages.append(scene.aggregator.call(session).text))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(pages) == 4
    assert len(set(pages)) == 1
    assert scene.balance() == before + 3_000


def test_a_wrong_pin_ends_the_session_and_is_counted(scene: Scene) -> None:
    before = scene.balance()
    pages = scene.phone.send_money(FRIEND, "50", Secret("864209"))
    assert "not right" in pages[-1]
    assert pages[-1].endswith("Dial again.")
    assert scene.balance() == before
    assert scene.provider.platform.desks.customers.by_alias(DIALLER).pin_failures == 1
    assert "1 Send money" in scene.phone.dial()[0], "after a PIN nothing can be taken up again"
    assert "Available" in scene.phone.dial("5", PIN.reveal())[-1]
    assert scene.provider.platform.desks.customers.by_alias(DIALLER).pin_failures == 0


def test_a_dropped_session_is_taken_up_at_the_terms(scene: Scene) -> None:
    before = scene.balance()
    scene.phone.dial("1", FRIEND, "40")
    pages = scene.phone.dial("1", PIN.reveal())
    assert pages[0] == ("You had not finished: KES 40.00 to Ann A., fee KES 0.00.\n1 Go on\n0 Menu")
    assert "Send KES 40.00 to Ann A., fee KES 0.00? Enter PIN" in pages[1]
    assert pages[2].startswith("Done.")
    assert scene.balance() == before + 4_000


def test_who_does_not_go_on_is_at_the_menu_and_has_paid_nothing(scene: Scene) -> None:
    before = scene.balance()
    scene.phone.dial("1", FRIEND, "40")
    pages = scene.phone.dial("0", "0")
    assert "1 Send money" in pages[1]
    assert pages[2] == "Cancelled. Nothing was done."
    assert "1 Send money" in scene.phone.dial()[0]
    assert scene.balance() == before


def test_a_payment_whose_answer_was_lost_is_told_when_dialled_again(scene: Scene) -> None:
    before = scene.balance()
    pages = scene.phone.send_money(FRIEND, "60", PIN)
    code = pages[-1].removeprefix("Done. Receipt code ").split(". ")[0]
    session = scene.aggregator.session(DIALLER)
    told = scene.aggregator.call(session)
    assert told.text == (
        f"Your last payment is done: KES 60.00 to Ann A., receipt code {code}.\n1 Menu\n0 Exit"
    )
    again = scene.aggregator.session(DIALLER)
    assert scene.aggregator.call(again).text == told.text, "told until it was read"
    assert "1 Send money" in scene.aggregator.type(again, "1").text
    assert "1 Send money" in scene.aggregator.call(scene.aggregator.session(DIALLER)).text
    assert scene.balance() == before + 6_000


def test_the_language_is_kept_for_pages_and_messages(scene: Scene) -> None:
    assert scene.phone.dial("7")[-1].startswith("Language\n1 English\n2 Francais\n3 Kiswahili")
    pages = scene.phone.dial("7", "3", "5", PIN.reveal())
    assert "1 Tuma pesa" in pages[2]
    assert pages[-1].startswith("Salio: KES ")
    assert scene.phone.send_money("0700999999", "1", PIN)[-1] == "Hakuna mwenye namba hii hapa."
    scene.phone.send_money(FRIEND, "31", PIN)
    told = scene.provider.smsc.wait_for(DIALLER, lambda one: "31.00 imetumwa" in one.text, 10)
    assert told.sender == "TALLY"
    assert "Ni halali." in scene.phone.dial("4", _code_in(told.text))[-1]
    assert "1 Send money" in scene.phone.dial("7", "1")[-1]
    assert scene.provider.platform.desks.languages.of(_customer(scene)) is Language.ENGLISH


def _customer(scene: Scene) -> str:
    return scene.provider.platform.desks.customers.by_alias(DIALLER).id


def _code_in(text: str) -> str:
    return next(word.rstrip(".") for word in text.split() if word[:4].isdigit() and "-" in word)


def test_a_typed_star_is_asked_again_and_never_taken_for_two_inputs(scene: Scene) -> None:
    session = at_menu(scene)
    scene.aggregator.type(session, "1")
    page = scene.aggregator.type(session, "07000*")
    assert page.text.startswith("Not a valid number.")
    page = scene.aggregator.type(session, FRIEND)
    assert page.text.startswith("Amount in KES?")


def test_messages_go_out_under_registered_names_and_their_receipts_are_kept(
    scene: Scene,
) -> None:
    scene.phone.send_money(FRIEND, "22", PIN)
    message = scene.provider.smsc.wait_for(DIALLER, lambda one: "22.00 sent" in one.text, 10)
    first = scene.provider.smsc.inbox(DIALLER)[0]
    assert (first.sender, message.sender) == ("CODES", "TALLY")
    smsc, url, clock = scene.provider.smsc, scene.provider.url, scene.provider.clock
    secret, seq = scene.secret(RECEIPTS), int(message.id.removeprefix("notice-"))
    notices = scene.provider.platform.notices
    assert smsc.send_receipt(url, message.id, SmsState.EXPIRED, secret, clock) == 200
    assert notices.state(seq) is NoticeState.EXPIRED
    assert smsc.send_receipt(url, message.id, SmsState.DELIVERED, secret, clock) == 200
    assert smsc.send_receipt(url, message.id, SmsState.REJECTED, secret, clock) == 200
    assert notices.state(seq) is NoticeState.DELIVERED, "what arrived has arrived"
    assert smsc.send_receipt(url, "notice-999999", SmsState.DELIVERED, secret, clock) == 404
    assert smsc.send_receipt(url, message.id, SmsState.EXPIRED, Secret(b"x" * 32), clock) == 401
    assert any(b"did not deliver a notice" in line for line in _log(scene))


def _log(scene: Scene) -> list[bytes]:
    time.sleep(0.6)  # the log is flushed a few times a second
    return scene.provider.log


def test_every_order_over_an_aggregator_is_found_consented_to_again(scene: Scene) -> None:
    scene.phone.send_money(FRIEND, "20", PIN)
    provider = scene.provider
    with Verifier(provider.folder, provider.secret, provider.clock) as verifier:
        found = verifier.recheck()
    assert found.doubts == ()
    assert found.orders > 1
