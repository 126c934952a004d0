"""A kind of payment or a channel is suspended for everybody by one operator, resumed by two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.recovered import PIN, Recovered, recovered
from tests.support.served import Person

from tallystick.client.http import HttpTransport
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Conflict, NotFound, NotPermitted, ServiceSuspended
from tallystick.kernel.money import Money
from tallystick.protocol.operators import ResumeService, SuspendService
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.tally_api import HealthReply

WHY = "the menus are being repaired"
_health = Decoder(HealthReply)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Recovered]:
    with recovered(tmp_path / "p") as found:
        yield found


def suspend(scene: Recovered, kind: str, channel: str) -> None:
    body = SuspendService(kind=kind, channel=channel, because=WHY)
    scene.provider.operators["operations"][0].act("suspend-service", body)


def resume(scene: Recovered, kind: str, channel: str) -> str:
    body = ResumeService(kind=kind, channel=channel, because="repaired")
    return scene.both("operations", "resume-service", body).says


def pay(payer: Person, payee: str, minor: int = 1_000) -> None:
    payer.wallet.pay(PaymentKind.P2P, payee, Money(minor, "KES"))


def health(scene: Recovered) -> HealthReply:
    transport = HttpTransport(scene.provider.url, timeout_s=5.0)
    try:
        ready = transport.get("/health/ready")
    finally:
        transport.close()
    assert ready.status == 200
    return _health.decode(ready.body)


@pytest.mark.requirement("MFS-7.4.5-01")
def test_the_next_quote_and_the_next_order_are_refused_and_the_same_order_is_good_later(
    scene: Recovered,
) -> None:
    person = scene.person()
    pay(person, scene.friend.number)
    quoted = person.wallet.quote(PaymentKind.P2P, scene.friend.number, Money(2_000, "KES"))
    order = person.wallet.consent(quoted)
    suspend(scene, "p2p", "all")
    with pytest.raises(ServiceSuspended) as found:
        person.wallet.place(order)
    assert found.value.because == WHY
    with pytest.raises(ServiceSuspended):
        pay(person, scene.friend.number)
    assert person.wallet.account().available_minor < 1_000_000, "accounts are read"
    assert health(scene).suspended == ("p2p by all",)
    kinds = scene.events()
    assert kinds.count("payment") == 1, "nothing of a refused order is kept"
    assert "taken again" in resume(scene, "p2p", "all")
    person.wallet.place(order)
    assert health(scene).suspended == ()
    assert scene.events().count("payment") == 2


@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_closed_menu_takes_no_pin_and_still_stops_a_recovery(scene: Recovered) -> None:
    phone = scene.dialler()
    session = scene.gateway.open_session()
    for typed in ("", "5"):
        scene.gateway.send(session, phone.number, typed)
    suspend(scene, "all", "ussd")
    reply = scene.gateway.send(session, phone.number, PIN.reveal())
    assert reply.ends
    assert WHY in reply.text
    for choice in ("1", "2", "3", "5", "6"):
        pages = phone.dial(choice)
        assert "suspended" in pages[-1], choice
        assert "PIN" not in pages[-1]
    phone.dial("7", "2")
    assert "Suspendu" in phone.dial("5")[-1]
    recovery = scene.opened(phone.number)
    phone.dial("8", "1")
    assert scene.row(recovery).state == "cancelled"
    person = scene.person()
    pay(person, scene.friend.number)
    resume(scene, "all", "ussd")
    phone.dial("7", "1")
    assert "Available" in phone.balance(PIN)


def test_only_the_kind_and_channel_that_were_named_are_refused(scene: Recovered) -> None:
    person, phone = scene.person(), scene.dialler()
    scene.provider.fund(phone.number, 100_000)
    suspend(scene, "p2p", "ussd")
    pay(person, scene.friend.number)
    assert "Available" in phone.balance(PIN)
    assert WHY in phone.send_money(scene.friend.number, "10", PIN)[-1]
    resume(scene, "p2p", "ussd")
    suspend(scene, "cash-out", "all")
    pay(person, scene.friend.number)
    assert "Receipt" in phone.send_money(scene.friend.number, "10", PIN)[-1]


@pytest.mark.threat("THR-INS-01")
def test_one_suspends_two_resume_and_others_neither(scene: Recovered) -> None:
    suspend(scene, "all", "all")
    with pytest.raises(Conflict):
        suspend(scene, "all", "all")
    first = scene.provider.operators["operations"][0]
    body = ResumeService(kind="all", channel="all", because="repaired")
    waiting = first.act("resume-service", body)
    assert waiting.state == "waiting"
    with pytest.raises(NotPermitted, match="agree with themselves"):
        first.act("resume-service", body, approves=waiting.act)
    with pytest.raises(NotPermitted):
        scene.care("suspend-service", SuspendService(kind="p2p", channel="all", because=WHY))
    with pytest.raises(ServiceSuspended):
        pay(scene.friend, scene.person().number)
    with pytest.raises(NotFound):
        resume(scene, "p2p", "all")
    scene.provider.operators["operations"][1].act("resume-service", body, approves=waiting.act)
    assert scene.events().count("service.resumed") == 1


def test_what_is_suspended_is_read_again_from_the_store(scene: Recovered) -> None:
    suspend(scene, "merchant", "app")
    services = scene.provider.platform.desks.policy.services
    before = services.current
    services.load()
    assert services.current == before
    assert [one.what() for one in before] == ["merchant by app"]
