"""The path of a partner's certificate at the door: held as a whole, by authorities valid now."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from tests.support.paths import AT, MIDDLE, ROOT, SIGNS, UNKNOWN, Drawn, signed
from tests.support.paycrypt import settings
from tests.unit.infrastructure.modules.module_under_test import MASTER

from tallystick.application.paycrypt.model import COMPLETE, PUBLIC_HALF
from tallystick.entry.paycrypt.asking import Asking, Ground
from tallystick.entry.paycrypt.pairs import believe
from tallystick.entry.paycrypt.revoking import must_stand
from tallystick.entry.pki.partnerlists import ListFiles, PartnerLists, named
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.modules.card_interface import EVERYTHING
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.model import replace as changed
from tallystick.kernel.time import DAY_MS, SimulatedClock
from tallystick.protocol.paycrypt.exchange import RootCertificate
from tallystick.protocol.paycrypt.words import KeyAttributes, KeyModesOfUse

LEAF = Drawn("Leaf", usages=SIGNS, hosts=("pay.example.org",))
FAR = Drawn("Far", authority=True, usages=MIDDLE.usages)


class Door:
    """The ground of a door whose authorities publish no lists, as was declared."""

    def __init__(self, place: Path, *authorities: Certificate) -> None:
        self.clock = SimulatedClock(AT)
        module = SoftModule(
            MasterKey(MASTER).roots(Purpose), self.clock, profile="test", rules=EVERYTHING
        )
        self.keys: dict[str, Any] = {}
        self.ground = Ground(
            settings(), module, cast("Any", SimpleNamespace(keys=self.keys)), cast("Any", None),
            self.clock, cast("Any", None),
            PartnerLists(ListFiles(place), [named(one) for one in authorities]),
        )  # fmt: skip
        for one in authorities:
            self.believe(one)

    def believe(self, one: Certificate) -> None:
        handle = self.ground.module.pairs.trust(one.octets, "V")
        self.ground.handles[handle.id] = handle
        self.keys[handle.id] = SimpleNamespace(state=COMPLETE, enabled=1, sort=PUBLIC_HALF)

    def check(self, one: Certificate, issuer: Certificate | None = None) -> None:
        must_stand(Asking(self.ground, "program", "EncryptData"), one, issuer)


def made(*path: Drawn) -> list[Certificate]:
    """The certificates of a path, leaf first, which ends with its root."""
    return [
        read_certificate(signed(one, above))
        for one, above in zip(path, (*path[1:], path[-1]), strict=True)
    ]


def test_a_path_of_two_authorities_and_a_root_holds_and_a_longer_one_does_not(
    tmp_path: Path,
) -> None:
    leaf, *above = made(LEAF, MIDDLE, FAR, ROOT)
    door = Door(tmp_path, *above)
    door.check(leaf)
    door.check(leaf, above[0])
    assert set(door.ground.unlisted) == {named(one) for one in above}
    lowest = replace(MIDDLE, name="Lowest")
    leaf, *above = made(replace(LEAF, name="Low leaf"), lowest, MIDDLE, FAR, ROOT)
    with pytest.raises(NotAuthentic, match="too many"):
        Door(tmp_path, *above).check(leaf)


@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize("asked", ["named", "found"])
def test_what_a_root_limits_binds_whom_an_authority_below_it_certified(
    tmp_path: Path, asked: str
) -> None:
    names = x509.NameConstraints([x509.DNSName("example.net")], None)
    for root, why in (
        (replace(ROOT, depth=0), "may not issue"),
        (replace(ROOT, more=((names, True),)), "does not allow"),
    ):
        leaf, *above = made(LEAF, MIDDLE, root)
        with pytest.raises(NotAuthentic, match=why):
            Door(tmp_path, *above).check(leaf, above[0] if asked == "named" else None)


def test_a_path_that_held_is_refused_once_anything_on_it_ended(tmp_path: Path) -> None:
    for ends in range(3):
        path = [LEAF, MIDDLE, ROOT]
        path[ends] = replace(path[ends], days=(-20, 1))
        leaf, *above = made(*path)
        door = Door(tmp_path, *above)
        door.check(leaf)
        door.clock.advance(2 * DAY_MS)
        with pytest.raises(NotAuthentic, match="is not valid then"):
            door.check(leaf)


def test_an_authority_that_was_certified_anew_takes_the_place_of_its_old_certificate(
    tmp_path: Path,
) -> None:
    old, fresh = replace(ROOT, days=(-20, 1)), replace(ROOT, days=(-1, 20))
    leaf, before = made(LEAF, old)
    after = made(fresh)[0]
    door = Door(tmp_path, before, after)
    door.check(leaf)
    door.clock.advance(2 * DAY_MS)
    door.check(leaf)
    assert set(door.ground.unlisted) == {named(before), named(after)}


def test_a_root_whose_own_name_is_outside_its_limits_is_let_in_and_one_that_ended_is_not(
    tmp_path: Path,
) -> None:
    elsewhere = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Elsewhere")])
    limits = x509.NameConstraints([x509.DirectoryName(elsewhere)], None)
    door = Door(tmp_path)
    ask = Asking(door.ground, "program", "ImportKey")
    given = RootCertificate(
        key_attributes=KeyAttributes(
            key_usage="TR31_S0_ASYMMETRIC_KEY_FOR_DIGITAL_SIGNATURE", key_class="PUBLIC_KEY",
            key_algorithm="ECC_NIST_P256", key_modes_of_use=KeyModesOfUse(verify=True),
        ),
        public_key_certificate=pem_of(made(replace(ROOT, more=((limits, True),)))[0].octets),
    )  # fmt: skip
    assert believe(ask, given).purpose is Purpose.PARTNER_CERTIFICATE
    for broken in ({"days": (-20, -1)}, {"authority": False}, {"more": ((UNKNOWN, True),)}):
        text = pem_of(made(replace(ROOT, **cast("Any", broken)))[0].octets)
        with pytest.raises(NotAuthentic):
            believe(ask, changed(given, public_key_certificate=text))
