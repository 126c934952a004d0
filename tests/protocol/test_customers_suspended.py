"""A customer as a whole is suspended by one person and resumed by two, on a served provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.recovered import PAPERS, PIN, Recovered, recovered

from tallystick.kernel.errors import (
    Conflict,
    MfsError,
    NotFound,
    NotPermitted,
    Refused,
)
from tallystick.kernel.money import Money
from tallystick.protocol.channels import Language
from tallystick.protocol.operators import EraseSubject
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.recovery import (
    FreezeAccount,
    RecoveryState,
    ReleaseAccount,
    ResumeCustomer,
    SuspendCustomer,
    ViewFrozen,
)

WHY = "the police asked us to look"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Recovered]:
    with recovered(tmp_path / "p") as found:
        yield found


def suspended(scene: Recovered, number: str) -> str:
    return scene.care("suspend-customer", SuspendCustomer(number=number, because=WHY)).reference


@pytest.mark.requirement("MFS-7.4.5-03")
def test_the_next_message_of_the_app_is_refused_until_two_people_resume(scene: Recovered) -> None:
    person = scene.person()
    assert person.wallet.account().available_minor == 1_000_000
    running = scene.opened(person.number)
    case = suspended(scene, person.number)
    with pytest.raises(Refused):
        person.wallet.account()
    with pytest.raises(NotPermitted, match="is suspended") as found:
        person.session.establish()
    assert found.value.because == WHY
    assert WHY in scene.told(person.number, "is suspended")
    assert scene.row(running).state is RecoveryState.CANCELLED
    with pytest.raises(NotPermitted) as other:
        scene.friend.wallet.pay(PaymentKind.P2P, person.number, Money(1_000, "KES"))
    assert other.value.because == ""
    both = ResumeCustomer(number=person.number, because="it was a mistake")
    scene.both("care-desk", "resume-customer", both)
    scene.told(person.number, "open again")
    person.session.establish()
    person.wallet.pay(PaymentKind.P2P, scene.friend.number, Money(1_000, "KES"))
    assert scene.row(case).state is RecoveryState.RELEASED
    kinds = scene.events()
    assert kinds.count("customer.suspended") == kinds.count("customer.resumed") == 1
    shown = scene.life(person)
    assert [one.kind for one in shown.recoveries()][:1] == ["suspension"]


@pytest.mark.requirement("MFS-7.4.5-03")
def test_the_next_input_of_a_dialled_session_is_refused_and_says_so(scene: Recovered) -> None:
    phone = scene.dialler()
    assert "Available" in phone.balance(PIN)
    desks = scene.provider.platform.desks
    session = scene.gateway.open_session()
    for typed in ("", "5"):
        scene.gateway.send(session, phone.number, typed)
    suspended(scene, phone.number)
    assert "is over" in scene.gateway.send(session, phone.number, PIN.reveal()).text
    assert "is stopped" in phone.balance(PIN)
    assert desks.customers.by_alias(phone.number).status == "suspended"
    assert "is stopped" in phone.dial("1", scene.friend.number, "100", PIN.reveal())[-1]
    resume = ResumeCustomer(number=phone.number, because="identified anew")
    scene.both("care-desk", "resume-customer", resume)
    assert "Available" in phone.balance(PIN)


def test_who_pays_somebody_who_is_suspended_meanwhile_hears_nothing_of_an_account_of_their_own(
    scene: Recovered,
) -> None:
    phone, person = scene.dialler(), scene.person()
    scene.provider.fund(phone.number, 100_000)
    session = scene.gateway.open_session()
    for typed in ("", "1", person.number, "10"):
        scene.gateway.send(session, phone.number, typed)
    suspended(scene, person.number)
    reply = scene.gateway.send(session, phone.number, PIN.reveal())
    assert reply.ends
    assert "cannot be paid" in reply.text
    assert "Available" in phone.balance(PIN)


@pytest.mark.threat("THR-INS-01")
def test_nobody_resumes_alone_and_nobody_suspends_without_the_role(scene: Recovered) -> None:
    person = scene.person()
    suspended(scene, person.number)
    with pytest.raises(Conflict):
        suspended(scene, person.number)
    first = scene.provider.operators["care-desk"][0]
    resume = ResumeCustomer(number=person.number, because="she asked")
    waiting = first.act("resume-customer", resume)
    assert waiting.state == "waiting"
    with pytest.raises(NotPermitted, match="agree with themselves"):
        first.act("resume-customer", resume, approves=waiting.act)
    with pytest.raises(NotPermitted):
        person.session.establish()
    operations = scene.provider.operators["operations"][0]
    with pytest.raises(NotPermitted):
        operations.act("suspend-customer", SuspendCustomer(number=person.number, because=WHY))
    with pytest.raises(NotFound, match="not suspended"):
        scene.both(
            "care-desk",
            "resume-customer",
            ResumeCustomer(number=scene.friend.number, because="she asked"),
        )


@pytest.mark.requirement("MFS-7.4.5-03")
def test_a_freeze_over_a_suspension_ends_first_and_each_by_its_own_people(
    scene: Recovered,
) -> None:
    person = scene.person()
    officer = scene.provider.operators["security-officer"][0]
    suspended(scene, person.number)
    with pytest.raises(NotFound, match="not frozen"):
        officer.act("view-frozen", ViewFrozen(customer=person.customer))
    freeze = FreezeAccount(
        number=person.number, kind="legal-order", evidence=PAPERS, because="order 9"
    )
    scene.officer("freeze-account", freeze)
    with pytest.raises(Conflict, match="is frozen"):
        scene.officer("freeze-account", freeze)
    resume = ResumeCustomer(number=person.number, because="nothing was found")
    with pytest.raises(Conflict, match="frozen as well"):
        scene.both("care-desk", "resume-customer", resume)
    release = ReleaseAccount(customer=person.customer, evidence=PAPERS, because="order lifted")
    assert "suspended again" in scene.both("security-officer", "release-account", release).says
    with pytest.raises(MfsError):
        scene.both(
            "privacy-officer", "erase-subject",
            EraseSubject(customer=person.customer, because="asked"),
        )  # fmt: skip
    again = ResumeCustomer(number=person.number, because="nothing was found at all")
    assert "active again" in scene.both("care-desk", "resume-customer", again).says
    person.session.establish()
    told = scene.life(person).recoveries()
    assert [one.kind for one in told] == ["suspension"], "a freeze is not told, also afterwards"


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.FRENCH, "est suspendu"), (Language.SWAHILI, "imesimamishwa")],
)
def test_the_customer_is_told_in_their_own_language(
    scene: Recovered, language: Language, words: str
) -> None:
    phone = scene.dialler()
    phone.dial("7", {Language.FRENCH: "2", Language.SWAHILI: "3"}[language])
    suspended(scene, phone.number)
    assert WHY in scene.told(phone.number, words)
