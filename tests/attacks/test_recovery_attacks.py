"""Nobody gets into an account by what they know, by a SIM alone, by an agent alone, or by haste."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.partners import MovedClock
from tests.support.recovered import PAPERS, PIN, TILL, ZONE, Recovered, recovered

from tallystick.application.commands import execute
from tallystick.application.recovery import DialledStop
from tallystick.application.turn import Turn
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    LimitExceeded,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.policy.language.reading import read_policy
from tallystick.protocol.operators import IssueActivation
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.recovery import (
    CancelRecovery,
    FinishRecovery,
    OpenRecovery,
    PlaceAgent,
    RecoveryAct,
    RecoveryKind,
    RecoveryState,
)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Recovered]:
    with recovered(tmp_path / "p") as found:
        yield found


def refused(act, kind: type[MfsError] = NotPermitted) -> MfsError:
    with pytest.raises(kind) as error:
        act()
    return error.value


@pytest.mark.threat("THR-SOC-01")
@pytest.mark.requirement("MFS-7.4.5-04")
def test_one_operator_who_knows_everything_of_a_customer_lets_nobody_in(scene: Recovered) -> None:
    victim = scene.person()
    error = refused(lambda: scene.care("issue-activation", IssueActivation(number=victim.number)))
    assert "recovery" in error.detail
    body = OpenRecovery(number=victim.number, kind="lost-phone", evidence=PAPERS, because="says so")
    assert scene.care("open-recovery", body).state == "waiting"
    first = scene.provider.operators["care-desk"][0]
    waiting = scene.care("open-recovery", body)
    refused(lambda: first.act("open-recovery", body, approves=waiting.act))
    assert scene.life(victim).recoveries() == ()
    assert victim.wallet.account().available_minor == 1_000_000


@pytest.mark.threat("THR-SOC-01")
def test_a_policy_that_asks_one_person_only_does_not_load() -> None:
    both = ", open-recovery, release-account"
    assert demo_policy().count(both) == 1
    alone = demo_policy().replace(both, ", release-account")
    with pytest.raises(Malformed, match="open-recovery"):
        read_policy(alone)


@pytest.mark.threat("THR-SIM-01")
@pytest.mark.requirement("MFS-7.3.2-10")
def test_a_stolen_number_alone_opens_nothing_and_its_codes_are_held(scene: Recovered) -> None:
    victim = scene.person()
    thief = scene.phone(victim.number)
    assert "1 Stop the recovery" in thief.dial("8")[-1]
    assert "open" not in thief.dial("8")[-1].lower()
    scene.pass_time(2 * HOUR_MS)
    scene.mno.swap_sim(victim.number, hours_ago=1)
    recovery = scene.opened(victim.number)
    scene.pass_time(DAY_MS + HOUR_MS)
    known = len([one for one in thief.inbox() if "activation code" in one.text])
    scene.care("finish-recovery", FinishRecovery(recovery=recovery))
    code = scene.code(victim.number, known)
    activation = scene.row(recovery).activation
    error = refused(lambda: scene.provider.enrol_phone(victim.number, activation, code))
    assert "72 hours" in error.because
    assert "72 hours" in thief.set_pin(code, Secret("8264"))
    assert scene.row(recovery).state is RecoveryState.CODE_SENT


@pytest.mark.threat("THR-AGT-03")
@pytest.mark.requirement("MFS-7.4.1-08")
def test_an_agent_helps_in_place_by_day_and_within_the_days_number_only(scene: Recovered) -> None:
    victim = scene.person()
    scene.at_noon()
    assert "place" in refused(lambda: scene.assist("open", victim.number, "mombasa-1")).detail
    scene.pass_time(12 * HOUR_MS)
    assert "by day" in refused(lambda: scene.assist("open", victim.number)).detail
    scene.at_noon()
    assert scene.assist("open", victim.number).state is RecoveryState.COOLING
    assert scene.life(victim).recoveries()[0].opener == "agent"


@pytest.mark.threat("THR-AGT-01")
@pytest.mark.requirement("MFS-7.3.6-05")
def test_an_agent_whose_training_is_over_is_refused_everything(scene: Recovered) -> None:
    victim = scene.person()
    scene.at_noon()
    place = PlaceAgent(number=TILL, zones=(ZONE,), trained_until="2020-01-01T00:00:00Z")
    scene.officer("place-agent", place)
    assert "training" in refused(lambda: scene.assist("open", victim.number)).detail
    with pytest.raises(NotPermitted, match="training"):
        scene.dialler()
    place = PlaceAgent(number=TILL, zones=(ZONE,), trained_until="2099-01-01T00:00:00Z")
    scene.officer("place-agent", place)


@pytest.mark.threat("THR-AGT-01")
@pytest.mark.requirement("MFS-7.4.1-08")
def test_no_reply_to_an_agent_has_the_secret_of_the_customer(scene: Recovered) -> None:
    scene.at_noon()
    phone = scene.dialler()
    opened = scene.assist("open", phone.number)
    scene.pass_time(DAY_MS)
    scene.at_noon()
    sent = scene.assist("finish", phone.number)
    code = scene.code(phone.number, 1).reveal()
    activation = scene.row(opened.recovery).activation
    for reply in (opened, sent):
        text = repr(reply).replace(reply.recovery, "")
        for moment in (reply.opened_at, reply.ready_at, reply.expires_at):
            text = text.replace(str(moment), "")
        assert code not in text
        assert code.replace("-", "") not in text
        assert activation not in text
        assert PIN.reveal() not in text
    assert set(type(opened).__struct_fields__) == {
        "recovery", "kind", "state", "opener", "opened_at", "ready_at", "expires_at",
    }  # fmt: skip
    assert "PIN is set" in phone.set_pin(Secret(code), Secret("8420"))
    assert scene.row(opened.recovery).state is RecoveryState.COMPLETED


@pytest.mark.threat("THR-SOC-01")
def test_nothing_is_finished_before_the_cooling_off_is_over_nor_after_its_end(
    scene: Recovered,
) -> None:
    victim = scene.person()
    recovery = scene.opened(victim.number)
    scene.pass_time(DAY_MS - HOUR_MS)
    error = refused(lambda: scene.care("finish-recovery", FinishRecovery(recovery=recovery)))
    assert error.retry_after_s is not None
    assert 0 < error.retry_after_s <= 3600
    scene.pass_time(9 * DAY_MS)
    refused(
        lambda: scene.care("finish-recovery", FinishRecovery(recovery=recovery)),
        MfsError,
    )
    assert scene.row(recovery).state in {RecoveryState.EXPIRED, RecoveryState.COOLING}


@pytest.mark.threat("THR-SOC-01")
def test_opening_again_never_shortens_a_cooling_off(scene: Recovered) -> None:
    victim = scene.person()
    first = scene.opened(victim.number)
    scene.pass_time(20 * HOUR_MS)
    with pytest.raises(Conflict):
        scene.opened(victim.number)
    scene.life(victim).cancel(first)
    second = scene.opened(victim.number)
    assert scene.row(second).ready_at - scene.row(second).opened_at == DAY_MS
    scene.pass_time(5 * HOUR_MS)
    refused(lambda: scene.care("finish-recovery", FinishRecovery(recovery=second)))
    scene.life(victim).cancel(second)
    scene.at_noon()
    error = refused(lambda: scene.assist("open", victim.number))
    assert error.because == "somebody said no"


@pytest.mark.threat("THR-SOC-01")
@pytest.mark.requirement("MFS-7.4.5-03")
def test_a_no_of_the_old_phone_wins_also_after_the_code_was_sent(scene: Recovered) -> None:
    victim = scene.person()
    recovery = scene.opened(victim.number)
    scene.pass_time(DAY_MS + HOUR_MS)
    scene.care("finish-recovery", FinishRecovery(recovery=recovery))
    code = scene.code(victim.number, 1)
    activation = scene.row(recovery).activation
    scene.life(victim).cancel(recovery)
    with pytest.raises(NotAuthentic):
        scene.provider.enrol_phone(victim.number, activation, code)
    assert scene.row(recovery).state is RecoveryState.CANCELLED
    victim.wallet.pay(PaymentKind.P2P, scene.friend.number, Money(300_000, "KES"))


@pytest.mark.threat("THR-SOC-01")
@pytest.mark.parametrize("order", ["finish, cancel", "cancel, finish"])
def test_in_one_batch_the_no_wins_in_either_order(tmp_path: Path, order: str) -> None:
    """Both commands in one turn, as if they had arrived together; no writer runs beside it."""
    with recovered(tmp_path / "p") as scene:
        victim = scene.person()
        recovery = scene.opened(victim.number)
        scene.pass_time(DAY_MS + HOUR_MS)
    platform = open_platform(scene.provider.folder, scene.provider.secret, scene.clock)
    try:
        desk, turn = platform.desks.recovery, turn_of(platform, scene.clock)
        steps = {
            "finish": lambda: desk.finish(turn, desk.find(recovery), "opr_test"),
            "cancel": lambda: execute(platform.desks, turn, DialledStop(victim.customer)),
        }
        first, second = order.split(", ")
        steps[first]()
        if second == "finish":
            refused(steps[second], Conflict)
        else:
            steps[second]()
        assert desk.find(recovery).state is RecoveryState.CANCELLED
        desk.reset(scene.clock.now())
        assert desk.find(recovery).state is RecoveryState.COOLING
    finally:
        platform.close()


def turn_of(platform: Platform, clock: MovedClock) -> Turn:
    return Turn(
        now=clock.now(),
        first_event=platform.archive.size,
        provider="test",
        entropy=platform.module.random,
    )


@pytest.mark.threat("THR-DEV-07")
def test_another_ones_recovery_is_not_cancelled_and_a_lost_phone_signs_nothing(
    scene: Recovered,
) -> None:
    victim, other = scene.person(), scene.person()
    recovery = scene.opened(victim.number)
    with pytest.raises(NotFound):
        scene.life(other).cancel(recovery)
    device = other.keystore.identity().device
    with pytest.raises(Conflict):
        scene.life(other).open(RecoveryKind.LOST_PHONE, lost=device)
    with pytest.raises(NotFound):
        scene.life(other).open(RecoveryKind.LOST_PHONE, lost=victim.keystore.identity().device)


@pytest.mark.threat("THR-SOC-01")
def test_a_signature_of_yesterday_opens_nothing(scene: Recovered) -> None:
    person = scene.person()
    act = RecoveryAct(does="open", kind=RecoveryKind.NEW_PHONE, at=scene.clock.now() - DAY_MS)
    with pytest.raises(Expired):
        scene.life(person).sign(act)


@pytest.mark.requirement("MFS-7.4.1-08")
def test_agents_do_not_assist_above_the_days_number(scene: Recovered) -> None:
    """Twenty a day; every one that is refused for its own reasons is not counted."""
    scene.at_noon()
    for _ in range(20):
        scene.dialler()
    with pytest.raises(LimitExceeded):
        scene.dialler()


@pytest.mark.threat("THR-SOC-02")
@pytest.mark.requirement("MFS-7.4.5-03")
@pytest.mark.parametrize("by", ["the app", "the old number", "an operator"])
def test_a_helpdesk_that_was_talked_into_another_number_moves_nothing_if_one_old_channel_says_no(
    scene: Recovered, by: str
) -> None:
    victim, thiefs = scene.person(), scene.number()
    alone = OpenRecovery(
        number=victim.number,
        kind="number-change",
        evidence=PAPERS,
        because="says so",
        new_number=thiefs,
    )
    assert scene.care("open-recovery", alone).state == "waiting"
    assert scene.life(victim).recoveries() == ()
    recovery = scene.opened(victim.number, "number-change", new_number=thiefs)
    with pytest.raises(NotPermitted, match="cooling off"):
        scene.care("finish-recovery", FinishRecovery(recovery=recovery))
    assert "choose 8" in scene.told(victim.number, "recovers your account")
    scene.pass_time(DAY_MS + HOUR_MS)
    if by == "the app":
        scene.life(victim).cancel(recovery)
    elif by == "the old number":
        assert "is stopped" in scene.phone(victim.number).dial("8", "1")[-1]
    else:
        scene.care("cancel-recovery", CancelRecovery(recovery=recovery, because="not the owner"))
    with pytest.raises(Conflict, match="is cancelled"):
        scene.care("finish-recovery", FinishRecovery(recovery=recovery))
    customers = scene.provider.platform.desks.customers
    assert customers.by_alias(victim.number).id == victim.customer
    with pytest.raises(NotFound):
        customers.by_alias(thiefs)
