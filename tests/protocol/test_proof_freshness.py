"""How fresh proofs of devices are is the policy's word: on every message, over two fronts.

Old: less trust for a while, then a proof is asked for, which the SDK gives by itself. The vendor's
list grows old: the table of dependencies says for how long that may pass.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.cast import Person
from simulators.keymint import Phone, SimulatedFactory, attest_pair, changed, prove_state
from tests.support.collectors import until
from tests.support.served import Served, by_one_operator, served
from tests.support.typescript import built, customer
from tests.support.typescript_device import NodeDevice

from tallystick.client.approvals import Approvals
from tallystick.client.ownfactors import OwnFactors
from tallystick.client.wallet import Refusal, Wallet
from tallystick.entry.conforming.relay import Answered, Asked, LoopbackDoor
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import MfsError, OutOfReach, StepUpRequired
from tallystick.kernel.model import Wire
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from tallystick.protocol.approvals import BeginApproval
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.payments import PaymentKind

PAYEE = "+254700000009"
SMALL, LARGE = Money(1_000, "KES"), Money(6_000_000, "KES")
NUMBERS = (f"+2547444{place:05}" for place in range(1, 100))


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
    clock: Ahead

    def person(self) -> Person:
        return self.provider.person(next(NUMBERS), "Test Person", funds=40_000_000)

    def prover(self, phones: list[Phone], asked: list[bytes]) -> Callable[[bytes], DeviceProof]:
        def prove(told: bytes) -> DeviceProof:
            asked.append(told)
            return prove_state(self.factory, told, phones[-1])

        return prove

    def wallet(self, one: Person, prove: Callable[[bytes], DeviceProof] | None) -> Wallet:
        return self.provider.reached.wallet(one.keystore, prove=prove)

    def facts(self, paid) -> dict[str, object]:
        payments = self.provider.platform.desks.payments
        order = json.loads(_plain(paid.receipt.leaf))["p"]["order"]
        row = payments.find(order)
        assert row is not None
        return json.loads(payments.proofs.evidence(row).facts)


def _plain(text: str) -> bytes:
    import base64  # noqa: PLC0415 - beside its only use

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(folder: Path, workers: int, appraisal=lambda text: text, listed: str = ""):
    now = SystemClock().now()
    factory, clock = SimulatedFactory(now), Ahead()
    return factory, clock, served(
        folder, appraisal=appraisal(factory.policy_text()), clock=clock, workers=workers,
        policy_text=by_one_operator(),
    )  # fmt: skip


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    factory, clock, serving = opened(tmp_path / "p", 1)
    with serving as found:
        found.factory = factory
        found.open_customer(PAYEE, "Payee")
        yield Scene(found, factory, clock)


def pay(wallet: Wallet, amount: Money):
    return wallet.pay(PaymentKind.P2P, PAYEE, amount)


@pytest.mark.requirement("MFS-7.3.5-02")
@pytest.mark.requirement("MFS-8.1.1-01")
def test_an_old_proof_means_lower_limits_before_it_means_no(scene: Scene) -> None:
    one = scene.person()
    bare = scene.wallet(one, None)
    scene.clock.by += DAY_MS + MINUTE_MS  # a new device sends small amounts only on its first day
    asked: list[bytes] = []
    proving = scene.wallet(one, scene.prover([scene.factory.phone()], asked))
    fresh = scene.facts(pay(proving, LARGE))
    assert (fresh["device_trust"], fresh["grade"]) == (
        "attested-hardware", "device-signed-attested",
    )  # fmt: skip
    scene.clock.by += DAY_MS + MINUTE_MS
    old = scene.facts(pay(bare, SMALL))
    assert (old["device_trust"], old["grade"]) == ("unknown", "device-signed")
    for _ in range(2):  # nothing of the refusal stays: the same order may be sent after a proof
        with pytest.raises(StepUpRequired) as refused:
            pay(bare, LARGE)
        assert refused.value.suffices == ("evidence:86400",)
    assert len(asked) == 1
    paid = scene.facts(pay(proving, LARGE))
    assert paid["device_trust"] == "attested-hardware"
    assert len(asked) == 2, "once, by itself"
    assert scene.facts(pay(bare, LARGE))["device_trust"] == "attested-hardware"


@pytest.mark.requirement("MFS-7.3.5-02")
def test_beyond_the_lowered_time_nothing_is_paid_without_a_proof(scene: Scene) -> None:
    one = scene.person()
    bare = scene.wallet(one, None)
    scene.clock.by += DAY_MS + 3 * DAY_MS + MINUTE_MS
    with pytest.raises(StepUpRequired) as refused:
        pay(bare, SMALL)
    assert refused.value.suffices == ("evidence:86400",)
    assert bare.account().available_minor == 40_000_000, "one may read one's account, and prove"


@pytest.mark.requirement("MFS-7.3.5-02")
@pytest.mark.threat("THR-DEV-02")
def test_a_phone_that_was_unlocked_meanwhile_loses_its_limits_with_the_proof(scene: Scene) -> None:
    one = scene.person()
    asked: list[bytes] = []
    phones = [changed(scene.factory.phone(), locked=False)]
    wallet = scene.wallet(one, scene.prover(phones, asked))
    scene.clock.by += DAY_MS + MINUTE_MS
    with pytest.raises((Refusal, MfsError)):
        pay(wallet, LARGE)
    assert len(asked) == 1, "a proof that shows the wrong state is not asked for again and again"
    assert scene.facts(pay(wallet, SMALL))["device_trust"] == "unknown"
    device = scene.provider.platform.desks.devices.get(one.keystore.identity().device)
    assert device.trust == "unknown"


@pytest.mark.requirement("MFS-7.3.2-01")
@pytest.mark.requirement("MFS-7.3.5-02")
def test_what_changes_who_can_pay_takes_a_proof_of_the_hour(scene: Scene) -> None:
    one = scene.person()
    scene.clock.by += HOUR_MS + MINUTE_MS
    bare = scene.provider.reached.session(one.keystore)
    for act in (
        lambda own: own.add_payee(PAYEE),
        lambda own: own.remove_device(one.keystore.identity().device),
    ):
        with pytest.raises(StepUpRequired) as refused:
            act(OwnFactors(bare))
        assert refused.value.suffices == ("evidence:3600",), "raised: never at less trust"
    asked: list[bytes] = []
    prove = scene.prover([scene.factory.phone()], asked)
    proving = scene.provider.reached.session(one.keystore, prove=prove)
    with pytest.raises(StepUpRequired) as lacking:
        OwnFactors(proving).add_payee(PAYEE)
    assert not [word for word in lacking.value.suffices if word.startswith("evidence")], (
        "the device is shown; what lacks now is the person's own factor"
    )
    assert len(asked) == 1


@pytest.mark.requirement("MFS-7.3.5-02")
@pytest.mark.requirement("MFS-11.2.2-01")
def test_an_approval_takes_a_fresh_proof_and_the_session_gives_it(scene: Scene) -> None:
    one = scene.person()
    scene.clock.by += DAY_MS + MINUTE_MS
    bare = scene.provider.reached.session(one.keystore)
    asked: list[bytes] = []
    prove = scene.prover([scene.factory.phone()], asked)
    proving = scene.provider.reached.session(one.keystore, prove=prove)
    order = BeginApproval(
        payer=one.number, kind=PaymentKind.P2P, payee=PAYEE, amount_minor=5_000, currency="KES",
        asked_by="own",
    )  # fmt: skip
    begun = Approvals(bare, one.keystore, one.wallet, scene.clock).begin(order)
    inbox = Approvals(bare, one.keystore, one.wallet, scene.clock)
    (item,) = [each for each in inbox.poll() if each.state.approval == begun.approval]
    with pytest.raises(StepUpRequired) as refused:
        inbox.approve(item, begun.number)
    assert refused.value.suffices == ("evidence:86400",)
    done = Approvals(proving, one.keystore, one.wallet, scene.clock).approve(item, begun.number)
    assert done.receipt is not None
    assert done.receipt.event.stage == "settled"
    assert len(asked) == 1


@pytest.mark.requirement("MFS-6.2.3-04")
@pytest.mark.requirement("MFS-7.3.5-02")
def test_a_proof_at_one_front_counts_at_the_other(tmp_path: Path) -> None:
    factory, clock, serving = opened(tmp_path / "p", 2)
    with serving as provider:
        provider.factory = factory
        provider.open_customer(PAYEE, "Payee")
        scene = Scene(provider, factory, clock)
        one = scene.person()
        clock.by += 5 * DAY_MS
        for _ in range(4):  # each wallet has links of its own, which the kernel gives to a front
            with pytest.raises(StepUpRequired):
                pay(scene.wallet(one, None), SMALL)
        asked: list[bytes] = []
        pay(scene.wallet(one, scene.prover([factory.phone()], asked)), SMALL)
        for _ in range(6):
            pay(scene.wallet(one, None), SMALL)
        assert len(asked) == 1


@pytest.mark.requirement("MFS-6.2.3-04")
@pytest.mark.requirement("MFS-7.2.6-02")
def test_an_outage_of_the_vendors_list_passes_for_as_long_as_the_table_says(
    tmp_path: Path,
) -> None:
    def listed(text: str) -> str:
        text = text.replace("list-age: P7D", "list-age: P2D", 1)
        return text.replace("without-list: allowed", "without-list: refused", 1)

    factory, clock, serving = opened(tmp_path / "p", 1, listed)
    with serving as provider:
        provider.factory = factory
        watch = provider.platform.desks.policy.watch

        def fails_as_time_goes_on() -> bool:
            """An old list counts as failing once it was found old for some seconds."""
            clock.by += 1_000
            return watch.states()["revocation"] == 1

        file = provider.folder.root / "attestation-revoked.json"
        file.write_text('{"entries": {}}')
        until(lambda: watch.states().get("revocation") == 0)
        provider.open_customer(PAYEE, "Payee")
        scene = Scene(provider, factory, clock)
        one = scene.person()
        asked: list[bytes] = []
        wallet = scene.wallet(one, scene.prover([factory.phone()], asked))
        clock.by += DAY_MS + MINUTE_MS
        assert scene.facts(pay(wallet, LARGE))["device_trust"] == "attested-hardware"
        clock.by += DAY_MS + MINUTE_MS
        until(fails_as_time_goes_on)
        kept = scene.facts(pay(wallet, LARGE))
        assert kept["device_trust"] == "attested-hardware", "the proof is taken, the trust stays"
        assert len(asked) == 2
        assert [name for name, _ in kept["degraded"]] == ["revocation"]
        clock.by += HOUR_MS
        with pytest.raises(OutOfReach):
            pay(wallet, SMALL)
        os.utime(file, ((clock.now() // 1000), clock.now() // 1000))
        until(lambda: watch.states()["revocation"] == 0)
        assert scene.facts(pay(wallet, LARGE))["device_trust"] == "attested-hardware"


@pytest.mark.requirement("MFS-7.3.2-01")
@pytest.mark.requirement("MFS-8.1.1-01")
def test_a_key_in_plain_software_counts_one_factor_where_the_policy_counts_what_is_shown(
    tmp_path: Path,
) -> None:
    text = by_one_operator().replace("  proofs: {", "  factors: as-shown\n  proofs: {", 1)
    with served(tmp_path / "p", policy_text=text) as provider:
        provider.open_customer(PAYEE, "Payee")
        one = provider.person(next(NUMBERS), "Soft Key", funds=1_000_000)
        with pytest.raises(StepUpRequired) as refused:
            pay(one.wallet, SMALL)
        assert not [word for word in refused.value.suffices if word.startswith("evidence")]
        desks = provider.platform.desks
        device = desks.devices.get(one.keystore.identity().device)
        assert desks.proofs.factors(device, ()) == ("possession",)
        given = desks.proofs.factors(device, ("knowledge", "possession"))
        assert given == ("knowledge", "possession"), "a PIN in the session makes two of it"


@pytest.mark.requirement("MFS-7.3.5-02")
def test_a_second_client_gives_the_proof_that_is_asked_for(scene: Scene, tmp_path: Path) -> None:
    """The TypeScript client; the platform under it is simulated, over HTTP."""
    built()
    asked: list[str] = []

    def platform(one: Asked) -> Answered:
        said = {name: bytes.fromhex(value) for name, value in json.loads(one.body).items()}
        asked.append(one.path)
        if one.path == "/prove":
            found: Wire = prove_state(scene.factory, said["told"], scene.factory.phone())
        else:
            keys = (said["possession"], said["consent"])
            found = attest_pair(scene.factory, said["challenge"], *keys, scene.factory.phone())
        return Answered(200, encode_canonical(found), "application/json")

    door, number = LoopbackDoor(platform), next(NUMBERS)
    told = customer(scene.provider, number)
    scene.provider.fund(number, 40_000_000)
    large = {"kind": "p2p", "payee": PAYEE, "amountMinor": LARGE.minor, "currency": "KES"}
    try:
        with NodeDevice(scene.provider, tmp_path / "d.json", {**told, "platform": door.url}) as one:
            scene.clock.by += 2 * DAY_MS
            one.ask("later", ms=2 * DAY_MS)
            paid = one.ask("pay", asked=large, acknowledged=[])
            assert asked == ["/attest", "/prove"], "once, by itself"
            one.ask("pay", asked=large, acknowledged=[])
            assert asked == ["/attest", "/prove"]
    finally:
        door.close()
    row = scene.provider.platform.desks.payments.find(paid["order"])
    assert row is not None
    facts = json.loads(scene.provider.platform.desks.payments.proofs.evidence(row).facts)
    assert facts["grade"] == "device-signed-attested"
