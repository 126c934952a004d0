"""The life of devices against a served provider: who may what, and what follows."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from tests.support.lived import Lived, lived
from tests.support.recovered import PIN
from tests.support.served import Person

from tallystick.kernel.errors import (
    LimitExceeded,
    MfsError,
    NotPermitted,
    StepUpRequired,
    Unauthenticated,
)
from tallystick.kernel.money import Money
from tallystick.protocol.operators import SuspendDevice
from tallystick.protocol.payments import PaymentKind

WITHIN_S = 5.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with lived(tmp_path_factory.mktemp("lived") / "p") as found:
        yield found


def refused(person: Person) -> MfsError:
    """What the old session and a new handshake are both refused with; the handshake's."""
    with pytest.raises((Unauthenticated, NotPermitted)):
        person.wallet.account()
    with pytest.raises(MfsError) as found:
        person.session.establish()
    assert isinstance(found.value, NotPermitted)
    return found.value


@pytest.mark.requirement("MFS-7.4.5-01")
@pytest.mark.requirement("MFS-7.4.5-03")
def test_a_lost_phone_stops_at_once_and_acts_again_only_with_fresh_factors(town: Lived) -> None:
    first = town.person()
    second = town.another(first)
    assert "further phone" in town.told(first, "further phone")
    first.session.establish()
    began = monotonic()
    town.own(second).steer(town.name(first), "lose")
    assert "lost" in str(refused(first))
    assert monotonic() - began < WITHIN_S
    town.told(first, "blocked as lost")
    shown = {one.device: one for one in town.own(second).devices()}
    assert shown[town.name(first)].status == "lost"
    assert set(shown[town.name(first)].may) == {"resume", "steal", "deactivate"}
    assert shown[town.name(second)].this
    with pytest.raises(StepUpRequired):
        town.own(second).steer(town.name(first), "resume")
    town.own(second, fresh=True).steer(town.name(first), "resume")
    first.session.establish()
    town.told(first, "may pay again")
    told = town.events("device.lost")[-1]
    assert (told["device_act"], told["done_by"]) == ("lose", "other-device")


@pytest.mark.requirement("MFS-7.4.5-01")
@pytest.mark.threat("THR-DEV-01")
def test_whoever_dials_the_pin_blocks_every_phone_and_keeps_the_money(town: Lived) -> None:
    first = town.person()
    second = town.another(first)
    for one in (first, second):
        one.session.establish()
    dialled = town.scene.phone(first.number)
    pages = dialled.dial("8", "3", "0000")
    assert "blocked" not in pages[-1], "a wrong PIN blocks nothing"
    first.session.establish()
    began = monotonic()
    assert "phones are blocked" in dialled.block(PIN)
    for one in (first, second):
        assert "lost" in str(refused(one))
    assert monotonic() - began < WITHIN_S
    town.told(first, "blocked as lost")
    assert "5,000.00" in dialled.balance(PIN), "the balance stays the customer's"
    assert town.resume(first).state == "done"
    assert first.wallet.account().available_minor == 500_000


@pytest.mark.threat("THR-INS-01")
def test_one_operator_alone_lets_no_device_act_again(tmp_path: Path) -> None:
    def loose(text: str) -> str:
        return text.replace("clear-risk, resume-device, open", "clear-risk, open")

    with lived(tmp_path / "p", loose) as town:
        person = town.person()
        town.remove(person, "lose")
        body = SuspendDevice(device=town.name(person), suspend=False, because="he asked nicely")
        with pytest.raises(NotPermitted, match="two people let a device act again"):
            town.scene.care("resume-device", body)
        assert town.device(person).status.value == "lost"


@pytest.mark.requirement("MFS-7.4.1-07")
def test_a_tier_has_so_many_devices_and_one_that_ends_makes_room(town: Lived) -> None:
    first = town.person()
    phones = [first, *(town.another(first) for _ in range(3))]
    activation, code = town.code(first.number)
    enrol = town.scene.provider.enrol_phone
    with pytest.raises(LimitExceeded, match="at most 4"):
        enrol(first.number, activation, code)
    town.own(phones[1], fresh=True).steer(town.name(phones[3]), "deactivate")
    with pytest.raises(MfsError, match="not valid"):
        enrol(first.number, activation, code)
    found = town.another(first)
    assert found.wallet.account().available_minor == 500_000
    with pytest.raises(NotPermitted):
        phones[3].session.establish()


@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_stopped_phone_takes_codes_requests_and_sessions_with_it(town: Lived) -> None:
    person = town.person()
    activation, code = town.code(person.number)
    town.remove(person, "steal", "robbed on the bus")
    with pytest.raises(MfsError, match="not valid"):
        town.scene.provider.enrol_phone(person.number, activation, code)
    assert (
        town.scene.provider.platform.desks.sessions.of(person.customer, town.scene.clock.now())
        == []
    )
    assert town.device(person).because == "robbed on the bus"
    again = town.another(person)
    again.wallet.pay(PaymentKind.P2P, town.scene.friend.number, Money(100, "KES"))
