"""A customer whose phone is gone goes to an agent: the phones stop, and nothing more happens."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.desks import events
from tests.support.looking import rows_of
from tests.support.recovered import TILL, ZONE, Recovered, recovered

from tallystick.client.ownlife import OwnLife
from tallystick.client.wallet import Refusal
from tallystick.kernel.errors import (
    Conflict,
    LimitExceeded,
    MfsError,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.money import Money
from tallystick.kernel.time import HOUR_MS
from tallystick.protocol.operators import SuspendDevice
from tallystick.protocol.payments import PaymentKind


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recovered]:
    with recovered(tmp_path_factory.mktemp("stops") / "p") as found:
        yield found


def agent(scene: Recovered) -> OwnLife:
    return OwnLife(scene.agent.session, scene.agent.keystore, scene.clock)


@pytest.mark.requirement("MFS-7.3.5-04")
@pytest.mark.requirement("MFS-7.4.5-01")
@pytest.mark.threat("THR-DEV-01")
def test_the_phone_stops_at_once_and_its_customer_is_told(scene: Recovered) -> None:
    ann = scene.provider.person("+254700000011", "Ann", funds=1_000_000)
    ann.session.establish()
    agent(scene).stop_devices(ann.number, "stolen", zone=ZONE)
    device = scene.provider.platform.desks.devices.get(ann.keystore.identity().device)
    assert (device.status.value, device.because) == ("suspended", "reported stolen to an agent")
    with pytest.raises((Refusal, MfsError)):
        ann.wallet.pay(PaymentKind.P2P, scene.friend.number, Money(100, "KES"))
    scene.provider.smsc.wait_for(
        ann.number, lambda one: "you told an agent that it was stolen" in one.text, 10
    )
    told = events(scene.provider, "agent.stopped-devices")[-1]
    assert (told["p"]["how"], told["p"]["zone"]) == ("stolen", ZONE)
    assert told["p"]["agent"] == scene.agent.customer
    assert ann.customer not in json.dumps(told)
    with pytest.raises(Conflict):
        agent(scene).stop_devices(ann.number, "lost", zone=ZONE)


@pytest.mark.requirement("MFS-7.4.5-01")
def test_an_agent_never_ends_a_phone_and_never_lets_one_act_again(scene: Recovered) -> None:
    ben = scene.provider.person("+254700000012", "Ben")
    agent(scene).stop_devices(ben.number, "stolen", zone=ZONE)
    device = ben.keystore.identity().device
    row = scene.provider.platform.desks.devices.get(device)
    assert row.status.value == "suspended", "stolen would end it for good; an agent's word does not"
    for name in ("resume", "steal", "deactivate"):
        with pytest.raises(MfsError):
            scene.agent.session.ask(
                "device.steer", "/v1/devices/steer", _steer(device, name), _empty
            )
    assert scene.provider.platform.desks.devices.get(device).status.value == "suspended"
    first, second = scene.provider.operators["care-desk"][:2]
    body = SuspendDevice(device=device, suspend=False, because="found at home")
    waiting = first.act("resume-device", body)
    second.act("resume-device", body, approves=waiting.act)
    assert scene.provider.platform.desks.devices.get(device).status.value == "active"


@pytest.mark.requirement("MFS-7.4.1-08")
@pytest.mark.threat("THR-DEV-01")
def test_whoever_is_no_agent_or_out_of_bounds_stops_nothing(scene: Recovered) -> None:
    cleo = scene.provider.person("+254700000013", "Cleo")
    friend = OwnLife(scene.friend.session, scene.friend.keystore, scene.clock)
    with pytest.raises(NotPermitted):
        friend.stop_devices(cleo.number, "lost", zone=ZONE)
    with pytest.raises(NotPermitted, match="place"):
        agent(scene).stop_devices(cleo.number, "lost", zone="elsewhere-9")
    with pytest.raises(NotPermitted, match="themselves"):
        agent(scene).stop_devices(TILL, "lost", zone=ZONE)
    with pytest.raises(NotFound):
        agent(scene).stop_devices("+254799999999", "lost", zone=ZONE)
    scene.clock.off_ms += 11 * HOUR_MS
    try:
        with pytest.raises(NotPermitted, match="by day"):
            agent(scene).stop_devices(cleo.number, "lost", zone=ZONE)
    finally:
        scene.clock.off_ms -= 11 * HOUR_MS
    row = scene.provider.platform.desks.devices.get(cleo.keystore.identity().device)
    assert row.status.value == "active"


@pytest.mark.requirement("MFS-7.4.1-08")
def test_an_agent_stops_no_more_in_a_day_than_the_policy_says(scene: Recovered) -> None:
    dan = scene.provider.person("+254700000014", "Dan")
    seen: list[type[MfsError]] = []
    for _ in range(21):
        try:
            agent(scene).stop_devices("+254700000015", "lost", zone=ZONE)
        except MfsError as refusal:
            seen.append(type(refusal))
    assert set(seen) == {NotFound, LimitExceeded}, "who asks about strangers uses up their day"
    with pytest.raises(LimitExceeded):
        agent(scene).stop_devices(dan.number, "lost", zone=ZONE)
    scene.at_noon()  # the day is over, for whoever comes next
    row = scene.provider.platform.desks.devices.get(dan.keystore.identity().device)
    assert row.status.value == "active"


@pytest.mark.requirement("MFS-7.4.1-08")
def test_what_was_refused_about_strangers_is_counted_in_the_store(tmp_path: Path) -> None:
    with recovered(tmp_path / "p") as scene:
        for _ in range(3):
            with pytest.raises(NotFound):
                agent(scene).stop_devices("+254799999999", "lost", zone=ZONE)
        assert looked(scene) == 3
        bounds = scene.provider.platform.desks.bounds
        bounds.reset()
        with pytest.raises(NotFound):
            agent(scene).stop_devices("+254799999999", "lost", zone=ZONE)
        assert looked(scene) == 4, "who begins again goes on counting"


def looked(scene: Recovered) -> int:
    """How often the agent has assisted today, as the store has it."""
    ((assisted,),) = rows_of(scene.provider, "SELECT assisted FROM agent_place")
    return int(assisted)


def _steer(device: str, act: str):
    from tallystick.protocol.devicelife import SteerDevice  # noqa: PLC0415 - beside its use

    return SteerDevice(device=device, act=act)


def _decoder():
    from tallystick.kernel.codec import Decoder  # noqa: PLC0415 - beside its use
    from tallystick.protocol.payments import Empty  # noqa: PLC0415 - beside its use

    return Decoder(Empty)


_empty = _decoder()
