"""What time does to devices: the unused rest once they were told, the ended are erased."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.property.application.test_device_life_walks import DEVICES, run_turn

from tallystick.application.devicelife import Act, By, Wipe
from tallystick.application.devices import Device, DeviceStatus
from tallystick.application.devices.model import COPIED
from tallystick.entry.lifepages import device_life_page, device_life_picture
from tallystick.entry.replay.parties import (
    Party,
    enrol_devices,
    establish_sessions,
    open_parties,
    replay_peer,
)
from tallystick.entry.replay.provider import ReplayProvider, replay_policy
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.language.reading import read_policy
from tallystick.protocol.devicelife import SignedWipe


class Scene:
    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(Instant(1_767_225_600_000))
        policy = replay_policy() + DEVICES
        self.provider = ReplayProvider(ProviderFolder(folder), self.clock, policy)
        self.peer = replay_peer(self.provider)
        self.party = Party("+254700000001", "Ann", "person", consents=True)
        open_parties(self.provider, [self.party])
        enrol_devices(self.provider, self.peer, [self.party])
        self.desks = self.provider.platform.desks
        self.id = self.party.phone().keystore.identity().device

    def device(self) -> Device:
        return self.desks.devices.get(self.id)

    def session(self) -> None:
        self.clock.advance(1_000)
        establish_sessions(self.provider, self.peer, [self.party])

    def act(self, act: Act, by: By, because: str = "said") -> int:
        return run_turn(
            self.provider, lambda turn: self.desks.life.act(turn, self.device(), act, by, because)
        )

    def days(self, count: int) -> list[str]:
        """So many days pass; the messages that this brought."""
        before = len(self.told())
        self.clock.advance(count * DAY_MS)
        for one in self.desks.life.due(self.clock.now()):
            run_turn(self.provider, lambda turn, id_=one: self.desks.life.tend(turn, id_).event)
        return self.told()[before:]

    def told(self) -> list[str]:
        rows = self.provider.platform.reader.rows("SELECT template FROM notice ORDER BY seq")
        return [str(row[0]) for row in rows]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    found = Scene(tmp_path / "p")
    yield found
    found.provider.platform.close()


@pytest.mark.requirement("MFS-7.4.5-03")
def test_an_unused_phone_is_told_and_rests_two_weeks_later(scene: Scene) -> None:
    assert scene.days(75) == []
    assert scene.days(2) == ["device-rests-soon"]
    assert scene.days(10) == []
    scene.session()
    assert scene.days(10) == [], "whoever used it again keeps it"
    assert scene.days(70) == ["device-rests-soon"]
    assert scene.days(13) == []
    assert scene.days(2) == ["device-dormant"]
    with pytest.raises(NotPermitted, match="dormant"):
        scene.session()
    with pytest.raises(NotPermitted):
        scene.act(Act.RESUME, By.PROVIDER)
    scene.act(Act.RESUME, By.CARE_DESK)
    assert scene.days(0) == ["device-rests-soon"], "it is told anew before it rests again"


@pytest.mark.requirement("MFS-7.4.5-02")
def test_a_phone_given_away_is_waited_out_and_then_erased(scene: Scene) -> None:
    keystore = scene.party.phone().keystore
    scene.act(Act.HAND_ON, By.THIS_DEVICE)
    with pytest.raises(NotPermitted, match="leaving"):
        scene.session()
    with pytest.raises(Conflict):
        scene.act(Act.RESUME, By.CARE_DESK)
    assert scene.days(2) == []
    assert scene.days(2) == ["device-removed"]
    assert scene.days(80) == []
    assert scene.days(12) == ["device-deleted"]
    stored = scene.device()
    assert (stored.customer, stored.because, stored.consent) == ("", "", b"")
    assert (stored.secret, stored.attestation) == (b"", b"")
    keys = keystore.possession_public(), keystore.consent_public()
    every = scene.provider.platform.reader.rows("SELECT possession, consent FROM device")
    assert not {bytes(one) for row in every for one in row} & set(keys)
    assert scene.desks.devices._known(*keys), "what is erased is denied for ever all the same"
    assert scene.desks.devices._known(b"\x04" + bytes(64), keys[1])
    with pytest.raises(NotAuthentic):
        scene.session()
    assert scene.desks.life.row(stored).wipe is Wipe.ORDERED, "nobody confirmed the wipe"


@pytest.mark.threat("THR-DEV-01")
def test_an_erased_device_says_nothing_about_a_wipe_any_more(scene: Scene) -> None:
    scene.act(Act.STEAL, By.CARE_DESK)
    scene.days(91)
    assert scene.device().status.value == "deleted"
    word: Any = SignedWipe(device=scene.id, word="e30.e30.AA")
    with pytest.raises(NotAuthentic):
        scene.desks.wiping.verify(word, scene.clock.now())


@pytest.mark.threat("THR-DEV-04")
def test_a_copied_phone_is_not_washed_clean_by_another_stop(scene: Scene) -> None:
    scene.act(Act.SUSPEND, By.PROVIDER, COPIED)
    for act in (Act.SUSPEND, Act.LOSE):
        scene.act(act, By.CARE_DESK, "he says that he lost it")
        with pytest.raises(NotPermitted, match="does not act again"):
            scene.act(Act.RESUME, By.CARE_DESK)
    scene.act(Act.DEACTIVATE, By.CARE_DESK)
    assert scene.device().because == "said"


def test_the_page_and_the_picture_are_those_of_the_table() -> None:
    docs = Path(__file__).parents[3] / "docs"
    assert (docs / "reference/device-life.md").read_text(encoding="utf-8") == device_life_page()
    picture = device_life_picture()
    assert (docs / "explanation/device-life.svg").read_text(encoding="utf-8") == picture
    assert all(f">{status.value}</text>" in picture for status in DeviceStatus)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("dormant: {after: P90D, told_before: P90D}", "told before"),
        ("at_most: {0: 0}", "at_most"),
        ("keep: P1D", "keep"),
        ("rest: P9D", "rest"),
    ],
)
def test_a_policy_that_says_nonsense_of_devices_is_refused(section: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_policy(f"{replay_policy()}\ndevices:\n  {section}\n  because: tried\n")


def test_a_policy_that_says_nothing_of_devices_limits_nothing() -> None:
    rule = read_policy(replay_policy()).devices
    assert rule.most(0) == rule.dormant_ms == rule.keep_ms == FOREVER
    said = read_policy(replay_policy() + DEVICES).devices
    assert [said.most(tier) for tier in (0, 1, 4)] == [1, 3, 3]
