"""The phone that only dials, over an aggregator's callbacks, against a served provider."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from tests.support.collectors import until
from tests.support.dialled import DIALLER, FRIEND, PIN, Dialled, dialled

from tallystick.application.notices import Notices
from tallystick.application.notices.model import NoticeState, Template
from tallystick.application.notices.senders import SenderRule
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import open_platform
from tallystick.entry.hashing import HashingPool
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.dialogues import Called, Dialogues
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.rechecking import Verifier
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import Language, SmsState

RECEIPTS = PartnerLink(name="sms-east")
SENDERS = (
    SenderRule(sender="CODES", country="254", templates=(Template.ACTIVATION_CODE,)),
    SenderRule(sender="TALLY", country="254"),
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialled]:
    folder = tmp_path_factory.mktemp("aggregated") / "p"
    with dialled(folder, sms_receipts=RECEIPTS, senders=SENDERS) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_left_to_tell(scene: Dialled) -> None:
    """Each test begins at the menu: what is told, or offered, is passed."""
    scene.phone.dial("0", "0")


def test_a_payment_is_made_with_all_inputs_in_every_callback(scene: Dialled) -> None:
    before = scene.balance()
    pages = scene.phone.send_money(FRIEND, "50", PIN)
    assert pages[0].startswith("test-wallet\n1 Send money")
    assert "Send KES 50.00 to Ann A., fee KES 0.00?" in pages[-2]
    assert pages[-1].startswith("Done. Receipt code ")
    assert scene.balance() == before + 5_000
    last = scene.aggregator.sent[-1].body
    assert b"text=1%2A0700000001%2A50%2A739164" in last


def test_the_same_callback_again_shows_the_same_page_and_pays_once(scene: Dialled) -> None:
    before = scene.balance()
    session = scene.at_menu()
    for typed in ("1", FRIEND, "20"):
        page = scene.aggregator.type(session, typed)
        assert scene.aggregator.call(session) == page
    done = scene.aggregator.type(session, PIN.reveal())
    assert done.text.startswith("Done.")
    for _ in range(3):
        assert scene.aggregator.call(session) == done
        assert scene.aggregator.deliver(scene.aggregator.sent[-1]) == done
    assert scene.balance() == before + 2_000


def test_two_copies_at_once_pay_once(scene: Dialled) -> None:
    before = scene.balance()
    session = scene.at_menu()
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


def test_a_wrong_pin_ends_the_session_and_is_counted(scene: Dialled) -> None:
    before = scene.balance()
    pages = scene.phone.send_money(FRIEND, "50", Secret("864209"))
    assert "not right" in pages[-1]
    assert pages[-1].endswith("Dial again.")
    assert scene.balance() == before
    assert scene.provider.platform.desks.customers.by_alias(DIALLER).pin_failures == 1
    assert "1 Send money" in scene.phone.dial()[0], "after a PIN nothing can be taken up again"
    assert "Available" in scene.phone.dial("5", PIN.reveal())[-1]
    assert scene.provider.platform.desks.customers.by_alias(DIALLER).pin_failures == 0


def test_a_dropped_session_is_taken_up_at_the_terms(scene: Dialled) -> None:
    before = scene.balance()
    scene.phone.dial("1", FRIEND, "40")
    pages = scene.phone.dial("1", PIN.reveal())
    assert pages[0] == ("You had not finished: KES 40.00 to Ann A., fee KES 0.00.\n1 Go on\n0 Menu")
    assert "Send KES 40.00 to Ann A., fee KES 0.00? Enter PIN" in pages[1]
    assert pages[2].startswith("Done.")
    assert scene.balance() == before + 4_000


def test_who_does_not_go_on_is_at_the_menu_and_has_paid_nothing(scene: Dialled) -> None:
    before = scene.balance()
    scene.phone.dial("1", FRIEND, "40")
    pages = scene.phone.dial("0", "0")
    assert "1 Send money" in pages[1]
    assert pages[2] == "Cancelled. Nothing was done."
    assert "1 Send money" in scene.phone.dial()[0]
    assert scene.balance() == before


def test_the_last_payment_is_told_after_a_restart_too(tmp_path: Path) -> None:
    with dialled(tmp_path / "p") as first:
        first.phone.send_money(FRIEND, "60", PIN)
        folder, secret = first.provider.folder, first.provider.secret
    platform = open_platform(folder, secret)
    try:
        accounting, hashing = Accounting(platform.clock, lambda _: None), HashingPool()
        actions = DialledActions(platform, _no_writer(), accounting, hashing)
        dialogues = Dialogues(platform, actions, accounting, lambda one: sha256(b"k" + one))
        session = Called("menus-east", "s1", DIALLER, "*384#", "1", Secret(""))
        page = asyncio.run(dialogues.answer(session))
        assert page.text.startswith("Your last payment is done: KES 60.00 to Ann A., receipt code")
        going_on = Called("menus-east", "s1", DIALLER, "*384#", "1", Secret("1"))
        assert "1 Send money" in asyncio.run(dialogues.answer(going_on)).text
        hashing.close()
    finally:
        platform.close()


def _no_writer() -> WriterLoop:
    """The menu and what is told of the last payment ask the writer for nothing."""
    return cast("WriterLoop", None)


def test_a_payment_whose_answer_was_lost_is_told_when_dialled_again(scene: Dialled) -> None:
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


def test_the_language_is_kept_for_pages_and_messages(scene: Dialled) -> None:
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


def _customer(scene: Dialled) -> str:
    return scene.provider.platform.desks.customers.by_alias(DIALLER).id


def _code_in(text: str) -> str:
    return next(word.rstrip(".") for word in text.split() if word[:4].isdigit() and "-" in word)


def test_a_typed_star_is_asked_again_and_never_taken_for_two_inputs(scene: Dialled) -> None:
    session = scene.at_menu()
    scene.aggregator.type(session, "1")
    page = scene.aggregator.type(session, "07000*")
    assert page.text.startswith("Not a valid number.")
    page = scene.aggregator.type(session, FRIEND)
    assert page.text.startswith("Amount in KES?")


def test_messages_go_out_under_registered_names_and_their_receipts_are_kept(
    scene: Dialled,
) -> None:
    scene.phone.send_money(FRIEND, "22", PIN)
    message = scene.provider.smsc.wait_for(DIALLER, lambda one: "22.00 sent" in one.text, 10)
    first = scene.provider.smsc.inbox(DIALLER)[0]
    assert (first.sender, message.sender) == ("CODES", "TALLY")
    smsc, url, clock = scene.provider.smsc, scene.provider.url, scene.provider.clock
    secret, seq = scene.secret(RECEIPTS), int(message.id.removeprefix("notice-"))
    assert smsc.send_receipt(url, message.id, SmsState.EXPIRED, secret, clock) == 200
    assert state(scene, seq) is NoticeState.EXPIRED
    assert smsc.send_receipt(url, message.id, SmsState.DELIVERED, secret, clock) == 200
    assert smsc.send_receipt(url, message.id, SmsState.REJECTED, secret, clock) == 200
    assert state(scene, seq) is NoticeState.DELIVERED, "what arrived has arrived"
    assert smsc.send_receipt(url, "notice-999999", SmsState.DELIVERED, secret, clock) == 404
    assert smsc.send_receipt(url, message.id, SmsState.EXPIRED, Secret(b"x" * 32), clock) == 401
    until(lambda: b"did not deliver a notice" in b"".join(scene.provider.log))


def state(scene: Dialled, seq: int) -> NoticeState:
    """How far a notice has come, by what is durable."""
    with open_reader(scene.provider.folder.stored()) as reader:
        return Notices(reader).state(seq)


def test_every_order_over_an_aggregator_is_found_consented_to_again(scene: Dialled) -> None:
    scene.phone.send_money(FRIEND, "20", PIN)
    provider = scene.provider
    with Verifier(provider.folder, provider.secret, provider.clock) as verifier:
        found = verifier.recheck()
    assert found.doubts == ()
    assert found.orders > 1
