"""Menus and messages over SMPP, against a served provider, with the faults of real networks."""

import time
from collections.abc import Iterator

import pytest
from simulators.smpp_parts import Taken
from tests.attacks.test_canaries import everything_kept
from tests.support.collectors import until
from tests.support.looking import log_of
from tests.support.metrics import exposition
from tests.support.networks import DIALLER, FRIEND, OTHER, PIN, Network, network
from tests.support.written import is_written

from tallystick.application.notices import Notices
from tallystick.application.notices.model import NoticeState
from tallystick.entry.rechecking import Verifier
from tallystick.entry.smpp.pdus import Command, Pdu, Status
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with network(tmp_path_factory.mktemp("smpp") / "p") as found:
        yield found


@pytest.mark.requirement("MFS-7.2.3-03")
def test_a_payment_is_made_by_dialling_over_smpp(scene: Network) -> None:
    before = scene.balance()
    pages = scene.centre.dial(DIALLER, "1", FRIEND, "50", PIN.reveal())
    assert "Ann A." in pages[-2]
    assert pages[-1].startswith("Done.")
    assert scene.balance() == before + 5_000
    assert PIN.reveal() not in "".join(pages)


def test_a_wrong_pin_moves_nothing(scene: Network) -> None:
    before = scene.balance()
    pages = scene.centre.dial(DIALLER, "1", FRIEND, "50", "482615")
    assert "PIN" in pages[-1]
    assert scene.balance() == before
    assert scene.centre.dial(DIALLER, "1", FRIEND, "1", PIN.reveal())[-1].startswith("Done.")


@pytest.mark.threat("THR-USD-02")
@pytest.mark.requirement("MFS-7.3.3-03")
def test_repeated_messages_of_the_network_pay_once(scene: Network) -> None:
    before = scene.balance()
    scene.centre.faults.repeat = True
    try:
        pages = scene.centre.dial(DIALLER, "1", FRIEND, "20", PIN.reveal())
    finally:
        scene.centre.faults.repeat = False
    assert pages[-1].startswith("Done.")
    assert scene.balance() == before + 2_000


@pytest.mark.threat("THR-USD-02")
def test_a_copy_beside_the_next_input_brings_no_page_in_its_place(scene: Network) -> None:
    """Both are read at once: the page that was answered is not sent under the next number."""
    centre, before = scene.centre, scene.balance()
    session = centre.open(DIALLER)
    for page, typed in enumerate(("1", FRIEND, "20"), start=1):
        centre.page(DIALLER, session, page)
        centre.type(DIALLER, session, page, typed)
    centre.page(DIALLER, session, 4)
    centre.faults.swap = True
    centre.type(DIALLER, session, 4, PIN.reveal())
    centre.type(DIALLER, session, 3, "20")
    assert centre.page(DIALLER, session, 5).text.startswith("Done.")
    assert scene.balance() == before + 2_000


def test_a_late_copy_brings_the_page_once_more_and_an_old_one_nothing(scene: Network) -> None:
    centre = scene.centre
    session = centre.open(OTHER)
    centre.page(OTHER, session, 1)
    centre.type(OTHER, session, 1, "1")
    asked = centre.page(OTHER, session, 2)
    centre.type(OTHER, session, 2, FRIEND)
    amount = centre.page(OTHER, session, 3)
    centre.type(OTHER, session, 2, FRIEND)
    until(lambda: len([one for one in centre.pages(OTHER) if one.number == 3]) == 2)
    centre.type(OTHER, session, 1, "2")
    time.sleep(0.2)
    assert [one for one in centre.pages(OTHER) if one.number == 3] == [amount, amount]
    assert asked.text != amount.text
    centre.type(OTHER, session, 3, "0")
    assert centre.page(OTHER, session, 4).text == asked.text


@pytest.mark.threat("THR-USD-02")
def test_reordered_inputs_end_the_session_and_move_nothing(scene: Network) -> None:
    before, centre = scene.balance(), scene.centre
    known = log_of(scene.provider).count(b'"why":"skipped"')
    session = centre.open(OTHER)
    centre.page(OTHER, session, 1)
    centre.faults.swap = True
    centre.type(OTHER, session, 1, "1")
    centre.type(OTHER, session, 2, FRIEND)
    last = centre.page(OTHER, session, 2)
    assert last.ends
    assert last.text == "This session is over. Dial again."
    assert log_of(scene.provider).count(b'"why":"skipped"') > known
    assert scene.balance() == before


@pytest.mark.requirement("MFS-7.3.2-09")
def test_a_session_over_smpp_is_listed_and_ended_from_elsewhere(scene: Network) -> None:
    desks = scene.provider.platform.desks
    sessions, customer = desks.sessions, desks.customers.by_alias(DIALLER).id
    before = {one.id for one in sessions.of(customer, scene.provider.clock.now())}
    session = scene.centre.open(DIALLER)
    scene.centre.page(DIALLER, session, 1)
    now = scene.provider.clock.now()
    (opened,) = {one.id for one in sessions.of(customer, now)} - before
    assert opened.startswith("smpp:")
    sessions.end(opened, now)
    scene.centre.type(DIALLER, session, 1, "1")
    last = scene.centre.page(DIALLER, session, 2)
    assert last.ends
    assert last.text == "This session is over. Dial again."
    assert {one.id for one in sessions.of(customer, now)} == before


@pytest.mark.threat("THR-USD-02")
def test_an_order_behind_the_code_that_a_page_dialled_is_not_taken(scene: Network) -> None:
    before = scene.balance()
    pages = scene.centre.dial(DIALLER, code=f"*384*57*1*{FRIEND}*50*{PIN.reveal()}#")
    assert pages == ["This session is over. Dial again."]
    assert scene.balance() == before


@pytest.mark.threat("THR-USD-02")
def test_what_another_number_types_is_no_step_of_a_session(scene: Network) -> None:
    before, centre = scene.balance(), scene.centre
    session = centre.open(DIALLER)
    for page, typed in enumerate(("1", FRIEND, "70"), start=1):
        centre.page(DIALLER, session, page)
        centre.type(DIALLER, session, page, typed)
    assert "Ann A." in centre.page(DIALLER, session, 4).text
    centre.type(OTHER, session, 4, PIN.reveal())
    assert centre.page(OTHER, session, 5).text == "This session is over. Dial again."
    assert scene.balance() == before
    centre.type(DIALLER, session, 4, "00")
    assert "1 Send money" in centre.page(DIALLER, session, 5).text


def test_an_answer_to_a_session_that_nobody_knows_is_told_so(scene: Network) -> None:
    scene.centre.type(OTHER, 254, 3, PIN.reveal())
    assert scene.centre.page(OTHER, 254, 4).ends


@pytest.mark.requirement("MFS-7.3.3-08")
def test_a_notice_goes_out_and_its_receipt_is_kept(scene: Network) -> None:
    scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(4_321, "KES"))
    told = scene.centre.wait_for(DIALLER, lambda one: "43.21" in one.text)
    assert until_answered(scene, told, "DELIVRD") == Status.OK
    assert state_of(scene, told) is NoticeState.DELIVERED
    assert scene.centre.receipt(told, "EXPIRED") == Status.OK
    assert state_of(scene, told) is NoticeState.DELIVERED


def test_a_receipt_with_only_the_reference_is_matched_by_number(scene: Network) -> None:
    scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(4_422, "KES"))
    told = scene.centre.wait_for(DIALLER, lambda one: "44.22" in one.text)
    assert until_answered(scene, told, "UNDELIV", only_reference=True) == Status.OK
    assert state_of(scene, told) is NoticeState.REJECTED


def test_a_lost_and_a_late_answer_send_a_notice_at_most_once_more(scene: Network) -> None:
    scene.centre.faults.late_answers, scene.centre.faults.late_s = 1, 2.0
    scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(4_523, "KES"))
    told = scene.centre.wait_for(DIALLER, lambda one: "45.23" in one.text)
    # the answer comes late, and is known when the notice would be tried again
    until(lambda: state_of(scene, told) is NoticeState.TAKEN, 30)
    assert len([one for one in scene.centre.inbox(DIALLER) if "45.23" in one.text]) == 1


def test_a_network_that_wants_less_is_sent_the_rest_later(scene: Network) -> None:
    before = counted(exposition(scene.provider), "throttled")
    scene.centre.faults.throttle = 2
    scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(4_624, "KES"))
    told = scene.centre.wait_for(DIALLER, lambda one: "46.24" in one.text)
    assert scene.centre.faults.throttle == 0
    assert told.message.registered == 1
    until(lambda: counted(exposition(scene.provider), "throttled") == before + 2)


def test_after_a_broken_session_the_service_binds_again(scene: Network) -> None:
    noted = b'"network":"mno-east"'
    before, lines = exposition(scene.provider), log_of(scene.provider).count(noted)
    scene.centre.end_session()
    scene.centre.wait_bound()
    until(lambda: counted(exposition(scene.provider), "binds") == counted(before, "binds") + 1)
    assert 'tallystick_smpp_bound{network="mno-east"} 1\n' in exposition(scene.provider)
    assert log_of(scene.provider).count(noted) > lines
    assert "1 Send money" in scene.centre.dial(DIALLER)[0]
    until(lambda: counted(exposition(scene.provider), "taken") > counted(before, "taken"))


def test_a_centre_that_says_nothing_any_more_is_left(scene: Network) -> None:
    scene.centre.faults.deaf = True
    until(lambda: scene.centre._writer is None)  # no answer came to enquire_link: it is left
    scene.centre.faults.deaf = False
    scene.centre.wait_bound()
    assert "1 Send money" in scene.centre.dial(DIALLER)[0]


def test_what_is_no_message_is_refused_and_the_session_goes_on(scene: Network) -> None:
    scene.centre.raw(Pdu(Command.DELIVER_SM, 0, 900_001, b"\x00\x01").octets())
    scene.centre.raw(Pdu(0x00000021, 0, 900_002, b"\x00").octets())
    assert "1 Send money" in scene.centre.dial(DIALLER)[0]


@pytest.mark.requirement("MFS-7.2.3-03")
@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-USD-01")
def test_the_pin_is_in_no_log_and_no_file(scene: Network) -> None:
    kept = everything_kept(scene.provider.folder.root, scene.provider.log)
    for secret in (PIN.reveal().encode(), DIALLER.encode(), b"qz7-pass"):
        for place, octets in kept.items():
            assert not is_written(secret, octets), place


@pytest.mark.requirement("MFS-11.2.2-01")
def test_every_order_dialled_over_smpp_is_found_consented_to_again(scene: Network) -> None:
    provider = scene.provider
    with Verifier(provider.folder, provider.secret, provider.clock) as verifier:
        found = verifier.recheck()
    assert found.doubts == ()
    assert found.orders > 1


def state_of(scene: Network, told: Taken) -> NoticeState:
    """How far the notice that came as `told` is."""
    with open_reader(scene.provider.folder.stored()) as reader:
        return Notices(reader).state(told.reference)


def counted(shown: str, what: str) -> int:
    """A count of the bind, as it is exposed."""
    _, found, rest = shown.partition(f'tallystick_smpp_{what}_total{{network="mno-east"}} ')
    assert found
    return int(rest.partition("\n")[0])


def until_answered(scene: Network, told, word: str, *, only_reference: bool = False) -> int:
    """The answer to a receipt, given again as long as the service asks for that."""
    given: list[int] = []

    def is_answered() -> bool:
        given.append(scene.centre.receipt(told, word, only_reference=only_reference))
        return given[-1] != Status.TRY_AGAIN

    until(is_answered)
    return given[-1]
