"""What a thief could do with what hangs on a phone: requests that wait, codes made in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.approved import Scene, approving
from tests.support.lived import lived

from tallystick.infrastructure.crypto.digest import PreparedHmac
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import SEED_INFO, Purpose
from tallystick.infrastructure.otp import code_at
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.protocol.authentication import EnrolAuthenticator
from tallystick.protocol.devicelife import EndDevice

SEED = b"a seed of twenty oct"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with approving(tmp_path_factory.mktemp("stops") / "p", SystemClock()) as found:
        yield found


@pytest.mark.requirement("MFS-7.4.5-01")
@pytest.mark.threat("THR-DEV-01")
def test_what_waits_for_a_lost_phone_alone_is_cancelled_in_the_same_turn(scene: Scene) -> None:
    ann = scene.customer()
    device = ann.keystore.identity().device
    only = scene.shop.begin(scene.asked(ann.number, devices=(device,)))
    scene.clock.ahead_ms += 30_000
    anywhere = scene.other_shop.begin(scene.asked(ann.number))
    body = EndDevice(device=device, how="lose", because="left on the bus")
    index = scene.provider.operators["care-desk"][0].act("remove-device", body).event
    kept = scene.provider.platform.desks.approvals.kept
    assert kept.get(only.approval).stage.value == "cancelled"
    assert kept.get(anywhere.approval).stage.value == "pending", "another phone may answer it"
    assert abs(kept.get(only.approval).event - index) == 1, "one turn"


@pytest.mark.requirement("MFS-7.4.5-02")
@pytest.mark.threat("THR-DEV-01")
def test_a_code_maker_in_a_stolen_handset_makes_nothing_any_more(tmp_path: Path) -> None:
    def carried(text: str) -> str:
        here, there = "possession, carried_by: separate", "possession, carried_by: handset"
        return text.replace(f"hotp: {{category: {here}", f"hotp: {{category: {there}")

    with lived(tmp_path / "p", carried) as town:
        person = town.person()
        platform = town.scene.provider.platform
        handle = platform.keys.newest(Purpose.OTP_TRANSPORT)
        to = KemPublicKey(KemSuite(handle.mechanism), platform.module.public_octets(handle))
        sealed = to.seal(SEED, info=SEED_INFO + b"hmac-sha1")
        body = EnrolAuthenticator(
            number=person.number, kind="hotp", mechanism="hmac-sha1", sealed_to=handle.id,
            sealed=b64url(sealed),
        )  # fmt: skip
        town.scene.both("care-desk", "enrol-authenticator", body)

        def code(counter: int) -> Secret[str]:
            return Secret(code_at(PreparedHmac(SEED, "hmac-sha1").mac, counter, 6))

        second = town.another(person)
        town.own(second).give_code(code(0))
        town.remove(person, "steal")
        for counter in (1, 2):
            with pytest.raises(NotAuthentic):
                town.own(second).give_code(code(counter))
