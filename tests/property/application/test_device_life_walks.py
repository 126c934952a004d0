"""Random walks over the life of devices, against a book of its own of what may never come back.

The platform is a real one in a folder of its own; each step is a turn of its writer. The book knows
only who did what; whether a device may act, what is recorded and who is told is asked of the store.
"""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tallystick.application.asking import Approving
from tallystick.application.devicelife import LIFE, Act, By, acts_for
from tallystick.application.devicelife.rules import ENDED, Follow, step_of
from tallystick.application.devicelife.store import DENIED
from tallystick.application.devices import DeviceStatus
from tallystick.application.devices.model import COPIED
from tallystick.application.devices.store import DEVICE, has_denied
from tallystick.application.turn import Outcome, Turn
from tallystick.entry.replay.parties import (
    Party,
    enrol_devices,
    establish_sessions,
    open_parties,
    replay_peer,
)
from tallystick.entry.replay.provider import ReplayProvider, replay_policy
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, MfsError, NotPermitted
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock
from tallystick.protocol.payments import Empty

DEVICES = """
devices:
  at_most: {0: 1, 1: 3}
  dormant: {after: P90D, told_before: P14D}
  leaving: P3D
  keep: P90D
  because: walked
"""
acts = st.sampled_from(list(Act))
whose = st.sampled_from(list(By))
which = st.integers(0, 2)


class Walk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SimulatedClock(Instant(1_767_225_600_000))
        folder = ProviderFolder(Path(self.folder.name) / "p")
        self.provider = ReplayProvider(folder, self.clock, replay_policy() + DEVICES)
        self.peer = replay_peer(self.provider)
        self.parties = [
            Party(f"+2547000000{n:02d}", f"Person {n}", "person", 10_000, consents=True)
            for n in range(3)
        ]
        open_parties(self.provider, self.parties)
        enrol_devices(self.provider, self.peer, self.parties)
        self.platform = self.provider.platform
        stores = [one.phone().keystore for one in self.parties]
        self.devices = [one.identity().device for one in stores]
        self.keys = {
            one.identity().device: (one.possession_public(), one.consent_public()) for one in stores
        }
        self.started = self.clock.now()
        self.ended: set[str] = set()

    def teardown(self) -> None:
        self.platform.close()
        self.folder.cleanup()

    def run(self, does: Any) -> Any:
        """What `does` comes to, as one durable turn of the real writer."""
        return run_turn(self.provider, does)

    def status(self, device: str) -> DeviceStatus:
        return self.platform.desks.devices.get(device).status

    def notices(self) -> int:
        return int(self.platform.reader.one("SELECT COUNT(*) FROM notice")[0])

    def events(self) -> int:
        return self.platform.archive.durable_size

    @rule(which=which, act=acts, by=whose)
    def step(self, which: int, act: Act, by: By) -> None:
        device = self.devices[which]
        before, told, events = self.status(device), self.notices(), self.events()
        life = self.platform.desks.life
        allowed = act in LIFE[before] and by in LIFE[before][act].who

        def does(turn: Turn) -> int:
            return life.act(turn, self.platform.desks.devices.get(device), act, by, "walked")

        try:
            index = self.run(does)
        except (Conflict, NotPermitted):
            assert not allowed
            assert self.status(device) is before
            assert (self.notices(), self.events()) == (told, events)
            return
        assert allowed
        assert self.notices() == told + 1, "each step is told on a channel that is not the device"
        assert self.events() == events + 1 == index + 1
        leaf = self.platform.archive.store.leaf(index)
        assert leaf is not None
        assert decode_leaf(leaf).kind == LIFE[before][act].event
        if self.status(device) in ENDED:
            self.ended.add(device)

    @rule(days=st.sampled_from([1, 4, 30, 100, 200]))
    def time_passes(self, days: int) -> None:
        self.clock.advance(days * DAY_MS)
        life = self.platform.desks.life
        for device in life.due(self.clock.now()):
            self.run(lambda turn, one=device: life.tend(turn, one).event)

    @rule(which=which)
    def opens_a_session(self, which: int) -> None:
        """A real handshake with the device's own keys: only an active device gets in."""
        self.clock.advance(1_000)
        active = self.status(self.devices[which]) is DeviceStatus.ACTIVE
        if active and self.clock.now() - self.started < 300 * DAY_MS:
            establish_sessions(self.provider, self.peer, [self.parties[which]])
        elif not active:
            with pytest.raises(MfsError):
                establish_sessions(self.provider, self.peer, [self.parties[which]])

    @rule(which=which)
    def comes_back_with_old_keys(self, which: int) -> None:
        """The keys of a device, whatever its state, enrol no second device, to nobody."""
        point, consent = self.keys[self.devices[which]]
        assert self.platform.desks.devices._known(point, consent)

    @invariant()
    def what_ended_never_acts_again(self) -> None:
        for device in self.ended:
            assert self.status(device) in ENDED
            for point in self.keys[device]:
                assert has_denied(self.platform.reader, b64url(sha256(point)))

    @invariant()
    def there_is_a_way_out(self) -> None:
        for device in self.devices:
            status = self.status(device)
            assert LIFE[status] or status is DeviceStatus.DELETED


def run_turn(provider: ReplayProvider, does: Any) -> Any:
    """Do `does` in a turn of the provider's own writer, and wait for the disk."""
    found: list[Any] = []

    def act(turn: Turn) -> Outcome:
        found.append(does(turn))
        return Outcome(Empty())

    (recorded,) = provider.platform.writer.run((Approving(act),))
    if isinstance(recorded.outcome.reply, MfsError):
        raise recorded.outcome.reply
    return found[-1]


TestWalk = pytest.mark.requirement("MFS-7.4.5-04")(pytest.mark.threat("THR-DEV-01")(Walk.TestCase))
TestWalk.settings = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_table_has_a_way_from_every_state_to_deleted() -> None:
    reached = {DeviceStatus.DELETED}
    while True:
        more = {
            status
            for status, ways in LIFE.items()
            if any(step.to in reached for step in ways.values())
        }
        if more <= reached:
            break
        reached |= more
    assert reached == set(DeviceStatus)


def test_nothing_leads_from_an_ended_state_to_one_that_acts() -> None:
    for status in ENDED:
        assert {step.to for step in LIFE[status].values()} <= ENDED
    into = [
        step
        for status, ways in LIFE.items()
        if status not in ENDED
        for step in ways.values()
        if step.to in ENDED
    ]
    assert into
    for step in into:
        assert {Follow.KEYS, Follow.SESSIONS, Follow.CODES, Follow.WIPE} <= step.follows


@pytest.mark.parametrize("by", list(By))
def test_only_two_people_or_fresh_factors_let_a_device_act_again(by: By) -> None:
    for status, ways in LIFE.items():
        for act, step in ways.items():
            if step.to is DeviceStatus.ACTIVE and by in step.who:
                assert act is Act.RESUME
                assert by in {By.OTHER_DEVICE, By.CARE_DESK}, status


def test_a_copied_device_is_not_let_act_again_by_anybody() -> None:

    with pytest.raises(NotPermitted, match="does not act again"):
        step_of(DeviceStatus.SUSPENDED, Act.RESUME, By.CARE_DESK, COPIED)
    assert Act.DEACTIVATE in acts_for(DeviceStatus.SUSPENDED, By.CARE_DESK)


def test_the_tables_of_the_store_name_their_keys() -> None:
    assert (DEVICE.key, DENIED.key) == ("id", "digest")
