"""Each way of recovery from its opening to its end, against a served provider whose clock moves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.collectors import until
from tests.support.recovered import PAPERS, PIN, Recovered, recovered
from tests.support.served import Person

from tallystick.client.approvals import Approvals
from tallystick.client.wallet import Refusal
from tallystick.kernel.errors import (
    Conflict,
    LimitExceeded,
    MfsError,
    NotFound,
    NotPermitted,
    Unauthenticated,
)
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.protocol.approvals import BeginApproval
from tallystick.protocol.operators import EraseSubject
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.recovery import (
    FinishRecovery,
    FreezeAccount,
    RecoveryKind,
    RecoveryState,
    ReleaseAccount,
    RestAccount,
    ViewFrozen,
)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Recovered]:
    with recovered(tmp_path / "p") as found:
        yield found


def pay(scene: Recovered, person: Person, minor: int) -> None:
    person.wallet.pay(PaymentKind.P2P, scene.friend.number, Money(minor, "KES"))


def why_not(act: Callable[[], object]) -> MfsError:
    """What an order was refused with, for good or for now."""
    with pytest.raises((Refusal, MfsError)) as found:
        act()
    error = found.value
    return error.error if isinstance(error, Refusal) else error


@pytest.mark.requirement("MFS-7.4.5-04")
@pytest.mark.requirement("MFS-7.4.5-03")
def test_a_lost_phone_is_replaced_after_a_day_and_the_old_one_is_gone(scene: Recovered) -> None:
    person = scene.person()
    recovery = scene.opened(person.number)
    assert "24 h" in scene.told(person.number, "recovers your account")
    scene.pass_time(12 * HOUR_MS + 60_000)
    assert "12 h left" in scene.told(person.number, "still being recovered")
    assert scene.life(person).recoveries()[0].state is RecoveryState.COOLING
    scene.pass_time(12 * HOUR_MS)
    assert scene.care("finish-recovery", FinishRecovery(recovery=recovery)).state == "done"
    activation = scene.row(recovery).activation
    new = scene.provider.enrol_phone(person.number, activation, scene.code(person.number, 1))
    scene.told(person.number, "was recovered")
    with pytest.raises((NotPermitted, Unauthenticated)):
        person.session.establish()
    assert new.wallet.account().available_minor == 1_000_000
    assert scene.row(recovery).ended_by == new.keystore.identity().device
    kinds = [kind for kind in scene.events() if kind.startswith("recovery.")]
    assert kinds == [
        "recovery.opened", "recovery.half-told", "recovery.code-sent", "recovery.completed",
    ]  # fmt: skip


@pytest.mark.requirement("MFS-7.4.5-03")
def test_limits_are_lowered_while_it_runs_and_three_days_after(scene: Recovered) -> None:
    person = scene.person(funds=5_000_000)
    pay(scene, person, 300_000)
    recovery = scene.opened(person.number, "new-phone")
    error = why_not(lambda: pay(scene, person, 200_001))
    assert isinstance(error, LimitExceeded)
    assert "may not be its owner" in error.because
    pay(scene, person, 200_000)
    pay(scene, person, 200_000)
    assert isinstance(why_not(lambda: pay(scene, person, 200_000)), LimitExceeded)
    scene.pass_time(DAY_MS + HOUR_MS)
    scene.care("finish-recovery", FinishRecovery(recovery=recovery))
    activation = scene.row(recovery).activation
    new = scene.provider.enrol_phone(person.number, activation, scene.code(person.number, 1))
    assert isinstance(why_not(lambda: pay(scene, new, 250_000)), LimitExceeded)
    assert isinstance(why_not(lambda: pay(scene, person, 250_000)), LimitExceeded)
    scene.pass_time(3 * DAY_MS + HOUR_MS)
    pay(scene, new, 250_000)
    pay(scene, person, 250_000)


@pytest.mark.requirement("MFS-7.4.5-03")
@pytest.mark.threat("THR-SOC-01")
def test_a_request_that_one_begins_for_oneself_is_bound_by_the_lowered_limits(
    scene: Recovered,
) -> None:
    person = scene.person(funds=5_000_000)
    device = Approvals(person.session, person.keystore, person.wallet, scene.clock)

    def asked(minor: int) -> None:
        begun = device.begin(
            BeginApproval(
                payer=person.number, kind=PaymentKind.P2P, payee=scene.friend.number,
                amount_minor=minor, currency="KES", asked_by="oneself",
            )
        )  # fmt: skip
        (item,) = (one for one in device.poll() if one.state.approval == begun.approval)
        device.approve(item, begun.number)

    scene.opened(person.number, "new-phone")
    error = why_not(lambda: asked(200_001))
    assert isinstance(error, LimitExceeded)
    assert "may not be its owner" in error.because
    assert person.wallet.account().available_minor == 5_000_000
    asked(200_000)
    assert person.wallet.account().available_minor == 4_800_000


@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_second_phone_stops_the_lost_one_at_once_and_recovers_alone(scene: Recovered) -> None:
    person = scene.person()
    opened = scene.life(person).open(RecoveryKind.NEW_PHONE)
    scene.pass_time(DAY_MS + HOUR_MS)
    assert scene.life(person).finish(RecoveryKind.NEW_PHONE).state is RecoveryState.CODE_SENT
    activation = scene.row(opened.recovery).activation
    second = scene.provider.enrol_phone(person.number, activation, scene.code(person.number, 1))
    lost = person.keystore.identity().device
    scene.life(second).open(RecoveryKind.LOST_PHONE, lost=lost)
    with pytest.raises(NotPermitted, match="is lost"):
        person.session.establish()
    assert second.wallet.account().available_minor == 1_000_000


@pytest.mark.requirement("MFS-7.4.5-03")
def test_a_changed_number_leads_to_the_account_and_the_old_number_is_told(
    scene: Recovered,
) -> None:
    person = scene.person()
    new = scene.number()
    with pytest.raises(Conflict):
        scene.life(person).open(RecoveryKind.NUMBER_CHANGE, new_number=scene.friend.number)
    scene.life(person).open(RecoveryKind.NUMBER_CHANGE, new_number=new)
    scene.told(person.number, "recovers your account")
    scene.pass_time(DAY_MS + HOUR_MS)
    done = scene.life(person).finish(RecoveryKind.NUMBER_CHANGE)
    assert done.state is RecoveryState.COMPLETED
    scene.told(person.number, "was recovered")
    assert scene.provider.smsc.inbox(new) == []
    customers = scene.provider.platform.desks.customers
    assert customers.by_alias(new).id == person.customer
    with pytest.raises(NotFound):
        customers.by_alias(person.number)


@pytest.mark.requirement("MFS-7.3.6-03")
def test_whoever_only_dials_says_no_in_the_menu(scene: Recovered) -> None:
    phone = scene.dialler()
    recovery = scene.opened(phone.number)
    assert "choose 8" in scene.told(phone.number, "recovers your account")
    assert "is stopped" in phone.dial("8", "1")[-1]
    assert scene.row(recovery).state is RecoveryState.CANCELLED
    assert scene.row(recovery).ended_by == "ussd"
    scene.told(phone.number, "was stopped")
    assert "Nobody recovers" in phone.dial("8", "1")[-1]


@pytest.mark.requirement("MFS-7.4.5-03")
def test_nobody_finishes_and_it_expires(scene: Recovered) -> None:
    person = scene.person()
    recovery = scene.opened(person.number)
    scene.pass_time(8 * DAY_MS + HOUR_MS)
    until(lambda: scene.row(recovery).state is RecoveryState.EXPIRED)
    with pytest.raises((Conflict, NotPermitted)):
        scene.care("finish-recovery", FinishRecovery(recovery=recovery))


@pytest.mark.requirement("MFS-7.4.5-03")
def test_an_account_that_rests_pays_nothing_until_it_is_woken(scene: Recovered) -> None:
    phone = scene.dialler()
    scene.care("rest-account", RestAccount(number=phone.number, because="unused for a year"))
    assert "account is stopped" in phone.dial("5", PIN.reveal())[-1]
    recovery = scene.opened(phone.number, "dormant")
    scene.pass_time(DAY_MS + HOUR_MS)
    scene.care("finish-recovery", FinishRecovery(recovery=recovery))
    assert "Available" in phone.balance(PIN)


@pytest.mark.requirement("MFS-7.4.5-03")
@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_death_freezes_the_account_until_two_people_release_it(scene: Recovered) -> None:
    person = scene.person()
    officer = scene.provider.operators["security-officer"][0]
    second = scene.provider.operators["security-officer"][1]
    running = scene.opened(person.number)
    freeze = FreezeAccount(
        number=person.number,
        kind="death",
        evidence=PAPERS,
        because="certificate 77",
        operators=(officer._operator,),
    )
    scene.officer("freeze-account", freeze)
    assert scene.row(running).state is RecoveryState.CANCELLED
    why_not(lambda: pay(scene, person, 1_000))
    with pytest.raises(MfsError):
        scene.friend.wallet.pay(PaymentKind.P2P, person.number, Money(1_000, "KES"))
    with pytest.raises(MfsError):
        scene.opened(person.number)
    seen = officer.act("view-frozen", ViewFrozen(customer=person.customer))
    assert '"available_minor":1000000' in seen.says
    with pytest.raises(NotPermitted, match="does not name"):
        second.act("view-frozen", ViewFrozen(customer=person.customer))
    erase = EraseSubject(customer=person.customer, because="asked")
    with pytest.raises(Conflict, match="frozen"):
        scene.both("privacy-officer", "erase-subject", erase)
    release = ReleaseAccount(customer=person.customer, evidence=PAPERS, because="a mistake")
    scene.both("security-officer", "release-account", release)
    scene.life(person)
    pay(scene, person, 1_000)


@pytest.mark.requirement("MFS-7.4.5-03")
def test_what_runs_is_read_again_from_the_store(scene: Recovered) -> None:
    person = scene.person()
    recovery = scene.opened(person.number)
    before = scene.row(recovery)
    desk = scene.provider.platform.desks.recovery
    desk.reset(scene.clock.now())
    assert desk.find(recovery) == before
    assert desk.since(person.customer, scene.clock.now()) == 0
    assert desk.number(recovery) == person.number
    assert Secret(before.numbers) != Secret(person.number.encode())
