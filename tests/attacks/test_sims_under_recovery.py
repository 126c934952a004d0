"""Where codes come by a recovery only, a SIM is bound by one too, and no SIM that was swapped."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from simulators.toolkit_phone import ToolkitPhone
from tests.protocol.test_sim_payments import LINK, change, row
from tests.support.networks import PIN, Network, network
from tests.support.partners import MovedClock
from tests.support.recovered import PAPERS

from tallystick.application.ordercodes import cap_of
from tallystick.application.sims import SimState
from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.policy.language.reading import read_policy
from tallystick.protocol.operators import IssueActivation, OpenCustomer
from tallystick.protocol.recovery import FinishRecovery, OpenRecovery, RecoveryState

HELD = "72 hours"
THIEFS_PIN = Secret("826413")


@dataclass
class Scene:
    network: Network
    clock: MovedClock
    sims: Iterator[int] = field(default_factory=lambda: iter(range(6)))
    count: int = 0

    def opened_customer(self) -> str:
        """The number of somebody new, who has neither PIN nor phone."""
        self.count += 1
        number = f"+2547240{self.count:05d}"
        self.network.agent.session.establish()
        self.network.agent.wallet.open_customer(
            OpenCustomer(name="Dora Dial", msisdn=number, kind="person", tier=1)
        )
        return number

    def dialler(self) -> str:
        """The number of somebody new with a PIN."""
        number = self.opened_customer()
        code = self.network.provider.activation_code(number).reveal()
        pages = self.network.centre.dial(number, "6", code, PIN.reveal(), PIN.reveal())
        assert "PIN is set" in pages[-1], pages
        return number

    def toolkit(self, number: str) -> tuple[int, ToolkitPhone]:
        """A handset with a SIM of the stock that nobody bound, and which one it is."""
        which = next(self.sims)
        return which, ToolkitPhone(number, self.network.sim(which), self.network.centre)

    def recovery(self, number: str) -> str:
        """A recovery that two people opened, after its cooling-off."""
        first, second = self.network.provider.operators["care-desk"][:2]
        body = OpenRecovery(
            number=number, kind="lost-phone", evidence=PAPERS, because="came with papers"
        )
        waiting = first.act("open-recovery", body)
        recovery = second.act("open-recovery", body, approves=waiting.act).reference
        self.clock.off_ms += DAY_MS + HOUR_MS
        return recovery

    def finished(self, number: str, recovery: str) -> Secret[str]:
        """The code that the end of a recovery sent."""
        texts = [one.text for one in self.network.centre.inbox(number)]
        known = len([text for text in texts if "activation code" in text])
        desk = self.network.provider.operators["care-desk"][0]
        desk.act("finish-recovery", FinishRecovery(recovery=recovery))
        return self.network.provider.activation_code(number, after=known)

    def state(self, recovery: str) -> RecoveryState:
        return self.network.provider.platform.desks.recovery.find(recovery).state


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    policy = demo_policy()
    assert read_policy(policy).recovery.codes == "recovery"
    folder, clock = tmp_path_factory.mktemp("bound") / "p", MovedClock()
    with network(
        folder, sim_changes=LINK, policy_text=policy, clock=clock, more_roles=("care-desk",)
    ) as found:
        yield Scene(found, clock)


@pytest.mark.requirement("MFS-7.3.2-10")
@pytest.mark.requirement("MFS-7.4.1-03")
def test_the_code_of_whoever_was_just_opened_binds_a_sim_and_no_order_takes_a_code(
    scene: Scene,
) -> None:
    number = scene.opened_customer()
    which, phone = scene.toolkit(number)
    assert "can order now" in phone.bind(scene.network.provider.activation_code(number), PIN)
    assert row(scene.network, which).state is SimState.BOUND
    assert cap_of(scene.network.provider.platform.desks.policy.compiled.policy) is None


@pytest.mark.threat("THR-SOC-01")
@pytest.mark.threat("THR-SIM-01")
@pytest.mark.requirement("MFS-7.4.5-04")
@pytest.mark.parametrize("has", ["a PIN", "a SIM that signs"])
def test_one_operator_sends_no_code_to_who_has_something_to_lose(scene: Scene, has: str) -> None:
    if has == "a PIN":
        number = scene.dialler()
    else:
        number = scene.opened_customer()
        _, phone = scene.toolkit(number)
        assert "can order now" in phone.bind(scene.network.provider.activation_code(number), PIN)
    known = len(scene.network.provider._codes(number))
    desk = scene.network.provider.operators["care-desk"][0]
    with pytest.raises(NotPermitted, match="by a recovery only"):
        desk.act("issue-activation", IssueActivation(number=number))
    assert len(scene.network.provider._codes(number)) == known


@pytest.mark.requirement("MFS-7.4.5-04")
@pytest.mark.requirement("MFS-7.3.2-10")
def test_a_sim_is_bound_by_the_code_of_a_recovery_which_ends_it(scene: Scene) -> None:
    number = scene.dialler()
    which, phone = scene.toolkit(number)
    recovery = scene.recovery(number)
    code = scene.finished(number, recovery)
    assert scene.state(recovery) is RecoveryState.CODE_SENT
    assert "can order now" in phone.bind(code, PIN)
    assert row(scene.network, which).state is SimState.BOUND
    assert scene.state(recovery) is RecoveryState.COMPLETED
    again, second = scene.toolkit(number)
    assert "not valid" in second.bind(code, PIN), "a code binds once"
    assert row(scene.network, again).state is SimState.STOCKED


@pytest.mark.threat("THR-SIM-01")
@pytest.mark.requirement("MFS-7.3.2-10")
@pytest.mark.requirement("MFS-7.3.2-08")
def test_a_code_of_a_recovery_sent_to_a_swapped_sim_binds_no_sim_and_sets_no_pin(
    scene: Scene,
) -> None:
    """The number was the thief's before the code came; the network said so only after."""
    number = scene.dialler()
    customers = scene.network.provider.platform.desks.customers
    before = customers.by_alias(number)
    recovery = scene.recovery(number)
    code = scene.finished(number, recovery)  # it went to the SIM that the thief has now
    assert change(scene.network, number) == 200
    which, thief = scene.toolkit(number)
    assert HELD in thief.bind(code, THIEFS_PIN)
    assert row(scene.network, which).state is SimState.STOCKED
    pages = scene.network.centre.dial(
        number, "6", code.reveal(), THIEFS_PIN.reveal(), THIEFS_PIN.reveal()
    )
    assert HELD in pages[-1], pages
    with pytest.raises(NotPermitted) as refused:
        scene.network.provider.enrol_phone(number, customers.by_alias(number).activation, code)
    assert HELD in refused.value.because
    after = customers.by_alias(number)
    assert (after.pin, after.devices) == (before.pin, 0)
    assert scene.state(recovery) is RecoveryState.CODE_SENT
    pages = scene.network.centre.dial(number, "1", "0700000001", "10", PIN.reveal())
    assert HELD in pages[-1], "the old PIN pays nothing from that SIM either"


@pytest.mark.threat("THR-SIM-01")
@pytest.mark.requirement("MFS-7.3.2-08")
def test_after_a_reported_swap_the_end_of_a_recovery_sends_no_code_for_three_days(
    scene: Scene,
) -> None:
    number = scene.dialler()
    recovery = scene.recovery(number)
    assert change(scene.network, number) == 200
    known = len(scene.network.centre.inbox(number))
    with pytest.raises(NotPermitted) as refused:
        scene.finished(number, recovery)
    assert HELD in refused.value.because
    texts = [one.text for one in scene.network.centre.inbox(number)[known:]]
    assert not any("activation code" in text for text in texts)
    scene.clock.off_ms += 72 * HOUR_MS
    which, phone = scene.toolkit(number)
    assert "can order now" in phone.bind(scene.finished(number, recovery), PIN)
    assert row(scene.network, which).state is SimState.BOUND
