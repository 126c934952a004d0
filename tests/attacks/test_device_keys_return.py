"""Phones that were ended and come back: with old keys, old sessions, copies, and false words."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from tests.support.lived import Lived, lived
from tests.support.served import by_one_operator, served

from tallystick.client.http import HttpTransport
from tallystick.client.ownfactors import OwnFactors
from tallystick.client.wiping import Wiper
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unauthenticated,
)
from tallystick.kernel.time import MINUTE_MS
from tallystick.protocol.devicelife import EndDevice, WipeOrder, wipe_order_header

WITHIN_S = 5.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with lived(tmp_path_factory.mktemp("lived") / "p") as found:
        yield found


def enrols(town: Lived, keystore: SimulatedTeeKeystore, number: str) -> None:
    """Enrol with these keys, and with a right code."""
    activation, code = town.code(number)
    town.scene.provider.reached.enrol(
        keystore, activation=activation, code=code, description=DESCRIPTION
    )


@pytest.mark.requirement("MFS-7.4.5-04")
@pytest.mark.threat("THR-DEV-01")
@pytest.mark.parametrize("how", ["steal", "deactivate", "hand-on"])
def test_an_ended_phone_comes_back_with_new_keys_only(town: Lived, how: str) -> None:
    thief = town.person()
    copy = thief.keystore.clone()
    thief.session.establish()
    town.remove(thief, how)
    with pytest.raises((Unauthenticated, NotPermitted)):
        thief.wallet.account()
    with pytest.raises(NotPermitted):
        thief.session.establish()
    with pytest.raises((Conflict, NotPermitted)):
        town.resume(thief)
    for number in (thief.number, town.person().number):
        with pytest.raises(Conflict, match="belongs to a device already"):
            enrols(town, copy.clone(), number)
    half = SimulatedTeeKeystore()
    half._consent = copy._consent
    with pytest.raises(Conflict, match="belongs to a device already"):
        enrols(town, half, thief.number)
    enrols(town, SimulatedTeeKeystore(), thief.number)


@pytest.mark.threat("THR-DEV-01")
def test_nobody_steers_the_phone_of_another_or_more_than_the_table_gives(town: Lived) -> None:
    mine, other = town.person(), town.person()
    with pytest.raises(NotFound):
        town.own(mine, fresh=True).steer(town.name(other), "steal")
    with pytest.raises(NotPermitted):
        town.own(mine, fresh=True).steer(town.name(mine), "lose")
    town.own(mine).steer(town.name(mine), "suspend")
    with pytest.raises(NotPermitted):
        mine.session.establish()
    assert town.device(other).status.value == "active"


@pytest.mark.requirement("MFS-7.4.5-02")
def test_a_wipe_is_ordered_obeyed_and_confirmed_and_the_keys_stay_denied(town: Lived) -> None:
    person = town.person()
    with pytest.raises(Conflict, match="no wipe"):
        town.wiper(person).ask()
    town.remove(person, "deactivate")
    gone: list[str] = []
    order = town.wiper(person).obey(lambda: gone.append("erased"))
    assert gone == ["erased"]
    assert order.device == town.name(person)
    assert town.events("device.wiped")[-1]["wipe_order"] == order.order
    town.told(person, "erased our app's keys")
    with pytest.raises(Conflict, match="belongs to a device already"):
        enrols(town, person.keystore.clone(), person.number)


@pytest.mark.threat("THR-DEV-01")
def test_a_wipe_is_not_forged_by_either_side(town: Lived) -> None:
    person, other = town.person(), town.person()
    for one in (person, other):
        town.remove(one, "steal")
    wiper = town.wiper(person)
    order = wiper.ask()
    with pytest.raises(Conflict, match="another order"):
        wiper._say("done", town.wiper(other).ask().order)
    rogue = person.keystore.clone()
    rogue._possession = other.keystore._possession
    with pytest.raises(NotAuthentic):
        Wiper(wiper._transport, rogue, wiper._keys, wiper._provider, wiper._clock).ask()
    forger = Es256SigningKey.generate()
    for kid, verifier in wiper._keys().items():
        false = WipeOrder(provider="test-wallet", device=order.device, order=order.order, at=0)
        header = wipe_order_header(verifier.algorithm, kid)
        with pytest.raises(MfsError):
            wiper._read(sign_compact(forger, header, encode_canonical(false)))
    with pytest.raises(NotAuthentic):
        wiper._read(town.wiper(other)._say("ask", "").order)


@pytest.mark.threat("THR-DEV-01")
def test_a_word_of_another_time_is_not_heard(town: Lived) -> None:
    person = town.person()
    town.remove(person, "steal")
    wiper = town.wiper(person)

    class Slow:
        def now(self) -> int:
            return town.scene.clock.now() - 6 * MINUTE_MS

    wiper._clock = Slow()
    with pytest.raises(Expired):
        wiper.ask()


@pytest.mark.requirement("MFS-7.4.5-01")
@pytest.mark.threat("THR-DEV-01")
def test_two_fronts_refuse_an_ended_phone_within_five_seconds(tmp_path: Path) -> None:
    with served(tmp_path / "p", workers=2, policy_text=by_one_operator()) as provider:
        person = provider.person("+254700000003", "Cyd", funds=100_000)
        person.session.establish()
        reached = [provider.reached.link() for _ in range(8)]
        own = OwnFactors(person.session)

        def by(link: HttpTransport) -> None:
            """The same session over another connection, to whichever front takes it."""
            person.session._peer = replace(person.session._peer, transport=link)
            own.devices()

        for link in reached:
            by(link)
        device = person.keystore.identity().device
        body = EndDevice(device=device, how="steal", because="robbed")
        began = monotonic()
        assert provider.operators["care-desk"][0].act("remove-device", body).state == "done"
        for link in reached:
            with pytest.raises((Unauthenticated, NotPermitted)):
                by(link)
        assert monotonic() - began < WITHIN_S
        for link in reached:
            person.session._peer = replace(person.session._peer, transport=link)
            with pytest.raises(NotPermitted):
                person.session.establish()
