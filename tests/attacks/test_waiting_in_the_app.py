"""A request that waits in the app is seen by dialling, and no dialling agrees to it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from simulators.aggregator import Aggregator, AggregatorPhone
from tests.support.collectors import Stream, until
from tests.support.served import Person, Served, by_one_operator, served

from tallystick.client.approvals import Approvals
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import link_secret
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.protocol.approvals import ApprovalStage, BeginApproval, DeclineReason
from tallystick.protocol.operators import ActReply, IssueActivation
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.security_events import Severity

LINK = PartnerLink(name="menus-east")
NUMBER, TILL, PIN = "+254700000001", "554400", Secret("739164")
LINE = "Your app waits for your yes"


@dataclass
class Scene:
    provider: Served
    person: Person
    phone: AggregatorPhone
    device: Approvals
    listener: Stream

    def ask(self, number: str = NUMBER) -> ActReply:
        """Somebody at the desk begins an order of the person."""
        body = BeginApproval(
            payer=number, kind=PaymentKind.MERCHANT, payee=TILL, amount_minor=5_000,
            currency="KES", asked_by="Kiosk at the corner",
        )  # fmt: skip
        return self.provider.operators["care-desk"][0].act("begin-approval", body)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("waiting") / "p"
    with (
        Stream() as listener,
        served(
            folder,
            policy_text=by_one_operator(),
            more_roles=("care-desk",),
            aggregators=(LINK,),
            siem=(f"syslog+tcp://127.0.0.1:{listener.port}",),
        ) as provider,
    ):
        platform = provider.platform
        secret = link_secret(platform.module, platform.keys.newest(Purpose.PARTNER_LINK), LINK)
        aggregator = Aggregator(LINK.name, secret, provider.url, provider.clock)
        person = provider.person(NUMBER, "Ann App", funds=100_000)
        provider.person("+254700000099", "Kiosk", kind="merchant", tier=3, till=TILL)
        provider.operators["care-desk"][0].act("issue-activation", IssueActivation(number=NUMBER))
        phone = AggregatorPhone(NUMBER, aggregator)
        assert "PIN is set" in phone.set_pin(provider.activation_code(NUMBER, after=1), PIN)
        device = Approvals(person.session, person.keystore, person.wallet, provider.clock)
        yield Scene(provider, person, phone, device, listener)


def state_of(scene: Scene, approval: str) -> ApprovalStage:
    return scene.provider.platform.desks.approvals.kept.get(approval).stage


@pytest.mark.requirement("MFS-11.2.2-02")
@pytest.mark.threat("THR-SOC-01")
def test_what_waits_is_seen_by_dialling_and_never_agreed_to(scene: Scene) -> None:
    assert LINE not in scene.phone.dial()[0]
    begun = scene.ask()
    approval = begun.reference
    before = scene.person.wallet.account().available_minor
    assert scene.phone.dial()[0].endswith(LINE)
    for path in ((PIN.reveal(),), ("9",), ("1", PIN.reveal()), ("5", PIN.reveal()), ("8", "2")):
        scene.phone.dial(*path)
        scene.phone.dial("0")
    assert state_of(scene, approval) is ApprovalStage.PENDING
    assert scene.person.wallet.account().available_minor == before
    found = [one for one in scene.device.poll() if one.state.approval == approval][-1]
    wrong = "22" if not begun.says.endswith("22") else "33"
    with pytest.raises(NotAuthentic):
        scene.device.approve(found, wrong)
    scene.device.decline(found, DeclineReason.CHANGED_MIND)
    assert LINE not in scene.phone.dial()[0]
    assert LINE not in AggregatorPhone("+254799999999", scene.phone._aggregator).dial()[0]


@pytest.mark.threat("THR-SOC-02")
def test_it_was_not_me_reaches_security_monitoring_without_a_person(scene: Scene) -> None:
    bea = scene.provider.person("+254700000007", "Bea App", funds=100_000)
    device = Approvals(bea.session, bea.keystore, bea.wallet, scene.provider.clock)
    approval = scene.ask(bea.number).reference
    found = [one for one in device.poll() if one.state.approval == approval][-1]
    device.decline(found, DeclineReason.NOT_ME)
    until(lambda: "security.not-me" in {one.kind for one in scene.listener.messages()})
    told = [one for one in scene.listener.messages() if one.kind == "security.not-me"]
    assert len(told) == 1
    assert told[0].severity == Severity.WARNING.value
    text = repr(told)
    assert approval in text
    for personal in (bea.number, bea.number[1:], bea.customer, "Bea App"):
        assert personal not in text
