"""Devices that show again what they are: on risk, by counters, and after their state changed."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from simulators.appattest import SimulatedAppKey, SimulatedApple
from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from simulators.keymint import Phone, SimulatedFactory, changed, prove_state
from tests.support.served import Served, served

from tallystick.application.deviceproofs import DeviceProofs
from tallystick.application.devices import Device
from tallystick.application.turn import Turn
from tallystick.client.approvals import Approvals
from tallystick.client.evidence import FreshEvidence, Prove, report
from tallystick.client.session import ClientSession
from tallystick.client.wallet import Wallet
from tallystick.entry.fleet import fleet_of
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    NotPermitted,
    StepUpRequired,
)
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import HOUR_MS, Instant
from tallystick.process.attestation.model import read_appraisals
from tallystick.process.attestation.signals import ALONE, Signal
from tallystick.protocol.approvals import BeginApproval
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.payments import PaymentKind

PAYEE = "+254700000009"
NUMBERS = (f"+2547333{place:05}" for place in range(1, 100))


class Ahead(SystemClock):
    """A clock that a test puts forward."""

    def __init__(self) -> None:
        super().__init__()
        self.by = 0

    def now(self) -> Instant:
        return Instant(super().now() + self.by)


@dataclass
class Scene:
    provider: Served
    factory: SimulatedFactory
    apple: SimulatedApple
    clock: Ahead


@dataclass
class Phoned:
    keystore: SimulatedTeeKeystore
    session: ClientSession
    device: str
    number: str

    def evidence(self, prove: Prove) -> FreshEvidence:
        return FreshEvidence(self.session, lambda: self.device, prove)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    now = SystemClock().now()
    factory, apple, clock = SimulatedFactory(now), SimulatedApple(now), Ahead()
    text = apple.believed(factory.policy_text())
    folder = tmp_path_factory.mktemp("proofs") / "provider"
    strict = demo_policy().replace(", lowered: PT72H}", "}")
    with served(folder, appraisal=text, clock=clock, policy_text=strict) as found:
        found.open_customer(PAYEE, "Payee")
        yield Scene(found, factory, apple, clock)


def enrolled(scene: Scene, apple: SimulatedAppKey | None = None, funds: int = 0) -> Phoned:
    to, provider = next(NUMBERS), scene.provider
    reply = provider.open_customer(to, "Test Person")
    if funds:
        provider.fund(to, funds)
    keystore = SimulatedTeeKeystore()
    keys = keystore.possession_public(), keystore.consent_public()
    provider.reached.enrol(
        keystore,
        activation=reply.reference,
        code=provider.activation_code(to),
        description=DESCRIPTION,
        attest=lambda told: (
            keystore.attest(told, scene.factory)
            if apple is None
            else apple.attest(scene.apple, told, *keys)
        ),
    )
    return Phoned(keystore, provider.reached.session(keystore), keystore.identity().device, to)


def row(scene: Scene, one: Phoned) -> Device:
    return scene.provider.platform.desks.devices.get(one.device)


def wallet(scene: Scene, one: Phoned, prove: Prove | None) -> Wallet:
    return scene.provider.reached.wallet(one.keystore, session=one.session, prove=prove)


@pytest.mark.requirement("MFS-7.3.5-01")
def test_a_counter_that_grows_is_taken_and_one_that_does_not_stops_the_device(
    scene: Scene,
) -> None:
    original = SimulatedAppKey()
    one = enrolled(scene, original)
    clone = original.copy()
    assert one.evidence(original.prove).renew().trust == "attested-hardware"
    assert one.evidence(original.prove).renew().trust == "attested-hardware"
    with pytest.raises(NotPermitted, match="suspended"):
        one.evidence(clone.prove).renew()
    found = row(scene, one)
    assert (found.status.value, found.because) == ("suspended", "a copy of this device was used")
    with pytest.raises(MfsError):
        one.evidence(original.prove).renew()


@pytest.mark.requirement("MFS-7.3.5-01")
def test_a_false_assertion_stops_nobody(scene: Scene) -> None:
    original = SimulatedAppKey()
    one = enrolled(scene, original)
    with pytest.raises(NotAuthentic):
        one.evidence(SimulatedAppKey().prove).renew()
    with pytest.raises(NotAuthentic):
        one.evidence(lambda _: original.prove(b"o" * 32)).renew()
    with pytest.raises(Conflict, match="another form"):
        one.evidence(lambda told: prove_state(scene.factory, told, scene.factory.phone())).renew()
    assert row(scene, one).status.value == "active"
    assert one.evidence(original.prove).renew().trust == "attested-hardware"


@pytest.mark.requirement("MFS-7.3.5-01")
def test_a_challenge_is_answered_once_and_in_time(scene: Scene) -> None:
    original = SimulatedAppKey()
    one = enrolled(scene, original)
    seen: list[DeviceProof] = []

    def remembered(told: bytes) -> DeviceProof:
        seen.append(original.prove(told))
        return seen[0]

    one.evidence(remembered).renew()
    with pytest.raises(NotAuthentic):
        one.evidence(remembered).renew()

    def late(told: bytes) -> DeviceProof:
        scene.clock.by += 121_000
        return original.prove(told)

    with pytest.raises(Expired):
        one.evidence(late).renew()
    assert row(scene, one).status.value == "active"


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_phone_whose_state_changed_loses_its_trust_and_gets_it_back(scene: Scene) -> None:
    one = enrolled(scene)
    now: list[Phone] = [scene.factory.phone()]
    evidence = one.evidence(lambda told: prove_state(scene.factory, told, now[-1]))
    assert evidence.renew().trust == "attested-hardware"
    assert len(read_appraisals(row(scene, one).attestation)) == 3
    now.append(changed(scene.factory.phone(), locked=False))
    assert evidence.renew().trust == "unknown"
    kept = read_appraisals(row(scene, one).attestation)
    assert [each.verdict.outcome.value for each in kept] == ["accepted", "accepted", "refused"]
    assert {each.rule for each in kept[-1].verdict.reasons} == {"boot-lock"}
    now.append(scene.factory.phone())
    assert evidence.renew().trust == "attested-hardware"
    replayed = one.evidence(lambda _: prove_state(scene.factory, b"o" * 32, now[-1]))
    assert replayed.renew().trust == "unknown", "it answers another challenge"


@pytest.mark.requirement("MFS-7.3.5-01")
@pytest.mark.requirement("MFS-7.3.2-01")
def test_a_payment_with_a_stale_proof_is_asked_for_one_and_the_wallet_gives_it(
    scene: Scene,
) -> None:
    original = SimulatedAppKey()
    one = enrolled(scene, original, funds=1_000_000)
    amount = Money(1_000, "KES")
    bare = wallet(scene, one, None)
    bare.pay(PaymentKind.P2P, PAYEE, amount)
    scene.clock.by += 25 * HOUR_MS
    with pytest.raises(StepUpRequired) as refused:
        bare.pay(PaymentKind.P2P, PAYEE, amount)
    assert refused.value.suffices == ("evidence:86400",)
    before = original.counter
    wallet(scene, one, original.prove).pay(PaymentKind.P2P, PAYEE, amount)
    assert original.counter == before + 1
    bare.pay(PaymentKind.P2P, PAYEE, amount)
    assert original.counter == before + 1, "a fresh proof serves until it is old"


def risk_of(scene: Scene, order: str) -> int:
    """The risk that an order was decided on."""
    payments = scene.provider.platform.desks.payments
    kept = payments.find(order)
    assert kept is not None
    score: int = json.loads(payments.proofs.evidence(kept).facts)["risk_score"]
    return score


@pytest.mark.requirement("MFS-8.1.3-01")
def test_what_speaks_against_a_phone_counts_for_what_is_approved_on_it_as_well(
    scene: Scene,
) -> None:
    one = enrolled(scene, SimulatedAppKey(), funds=1_000_000)
    bare = wallet(scene, one, None)
    report(one.session, ["hooked", "rooted"])
    device = Approvals(one.session, one.keystore, bare, scene.clock)
    begun = device.begin(
        BeginApproval(
            payer=one.number, kind=PaymentKind.P2P, payee=PAYEE, amount_minor=1_000,
            currency="KES", asked_by="oneself",
        )
    )  # fmt: skip
    (item,) = (each for each in device.poll() if each.state.approval == begun.approval)
    device.approve(item, begun.number)
    own = bare.pay(PaymentKind.P2P, PAYEE, Money(1_000, "KES")).verified.event.id
    assert risk_of(scene, begun.order) == risk_of(scene, own) == ALONE


@pytest.mark.requirement("MFS-8.1.3-01")
def test_what_an_app_notices_makes_the_provider_ask_and_no_more(scene: Scene) -> None:
    original = SimulatedAppKey()
    one = enrolled(scene, original, funds=1_000_000)
    amount = Money(1_000, "KES")
    bare = wallet(scene, one, None)
    bare.pay(PaymentKind.P2P, PAYEE, amount)
    report(one.session, ["hooked", "rooted"])
    bare.pay(PaymentKind.P2P, PAYEE, amount)
    scene.clock.by += 2 * HOUR_MS
    with pytest.raises(StepUpRequired) as refused:
        bare.pay(PaymentKind.P2P, PAYEE, amount)
    assert refused.value.suffices == ("evidence:3600",), "signals make it the raised risk"
    report(one.session, [])
    with pytest.raises(StepUpRequired):
        bare.pay(PaymentKind.P2P, PAYEE, amount)
    wallet(scene, one, original.prove).pay(PaymentKind.P2P, PAYEE, amount)
    with pytest.raises(Malformed):
        report(one.session, ["haunted"])


@pytest.mark.requirement("MFS-8.1.3-01")
def test_ten_thousand_forged_reports_change_only_the_devices_that_made_them(scene: Scene) -> None:
    mine = enrolled(scene, SimulatedAppKey())
    platform = scene.provider.platform
    report(mine.session, ["overlaid"])
    now = scene.clock.now()
    proofs, device = platform.desks.proofs, row(scene, mine)
    before = proofs.score(device, now)
    assert before == 200
    own = open_reader(scene.provider.folder.stored())  # the platform's is of the writer's thread
    forged = DeviceProofs(own, capacity=20_000)
    turn = Turn(now=now, first_event=0, provider="x", entropy=os.urandom)
    names = [f"dev_{place:026}" for place in range(10_000)]
    for name in names:
        forged.report(turn, name, tuple(Signal))
    assert forged.score(device, now) == before
    assert forged.score(replace(device, id=names[0]), now) == 599
    seen = fleet_of(own, now)
    own.close()
    (told,) = [one for one in seen.signals if one.signal == "overlaid"]
    assert (told.devices, told.established) == (1, 0), "a young device counts for no trend"
