"""A provider whose tally and time-stamp keys are in a token: served, audited, lost and found."""

import threading
from pathlib import Path

import pytest
from tests.protocol.test_certificates_door import POLICY, authority, stamped_by
from tests.support.served import served
from tests.support.softhsm import LIBRARY, SoftToken, soft_token

from tallystick.entry.assembly import open_platform
from tallystick.entry.auditing import audit_provider
from tallystick.entry.cli.unlocking import open_root_key
from tallystick.entry.doctor import examine
from tallystick.entry.doctor.model import State
from tallystick.entry.module_settings import (
    ModuleKind,
    ModuleSettings,
    Pkcs11Settings,
    save_module,
)
from tallystick.entry.pki.making import making
from tallystick.entry.pki.places import CertificateFolder, CertificateSettings
from tallystick.entry.renewing import renew_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import is_reference, peek
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import (
    NotFound,
    Unavailable,
)
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import PaymentKind

INSIDE = (Purpose.TALLY, Purpose.TIME_STAMP)


def settings_for(token: SoftToken, **more) -> ModuleSettings:
    said = {
        "library": LIBRARY, "pin": f"file:{token.pin_file}", "label": token.label,
        "vendor": "softhsm", "purposes": INSIDE, **more,
    }  # fmt: skip
    return ModuleSettings(module=ModuleKind.PKCS11, pkcs11=Pkcs11Settings(**said))


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_provider_signs_its_tally_and_stamps_in_a_token(tmp_path: Path) -> None:
    with soft_token() as token:

        def prepare(provider: ProviderFolder, secret: Secret[bytes]) -> None:
            save_module(provider.root, settings_for(token))
            root = open_root_key(provider.offline / "root.key", secret)
            made = renew_keys(provider, secret, root, SystemClock()).made
            assert [one.purpose for one in made] == ["tally"]
            assert renew_keys(provider, secret, root, SystemClock()).made == ()
            folder = CertificateFolder(provider)
            folder.save_settings(CertificateSettings(policy=POLICY, clock="declared"))
            with making(folder, secret, SystemClock()) as work:
                work.hierarchy("Example Provider", ())
                work.stamping()

        with served(tmp_path / "p", prepare=prepare) as provider:
            references = {
                peek(one).purpose for one in provider.folder.blocks() if is_reference(one)
            }
            assert references == set(INSIDE)
            told = provider.platform.module.capabilities()
            assert set(told.in_device) == set(INSIDE)
            ann = provider.person("+254700000001", "Ann Wanjiru Payer", funds=5_000_000)
            ben = provider.person("+254700000002", "Ben Otieno Payee")
            paid = [
                ann.wallet.pay(PaymentKind.P2P, ben.number, Money(100 + n, "KES")) for n in range(3)
            ]
            stamped_by(provider, tmp_path, authority(provider, "root", tmp_path))
            token.lose()
            answers: list[object] = []

            def pay() -> None:
                try:
                    answers.append(ann.wallet.pay(PaymentKind.P2P, ben.number, Money(777, "KES")))
                except Exception as error:  # noqa: BLE001 - whatever it is, nobody was paid
                    answers.append(error)

            asking = threading.Thread(target=pay, daemon=True)
            asking.start()
            asking.join(3)
            assert not [one for one in answers if not isinstance(one, Exception)]
            token.come_back()
            asking.join(60)
            assert not asking.is_alive(), "it is answered, one way or the other"
            folder, secret, events = provider.folder, provider.secret, paid
        again = open_platform(folder, secret)
        try:
            for one in events:
                event = one.verified.event.id
                assert again.archive.store.index_of(event) is not None
        finally:
            again.close()
        assert not audit_provider(folder).findings
        assert {one.state for one in examine(folder, SystemClock()) if one.what == "device"} == {
            State.FINE
        }
        token.lose()
        try:
            (found,) = [one for one in examine(folder, SystemClock()) if one.what == "device"]
            assert found.state is State.WRONG
            with pytest.raises((Unavailable, NotFound)):
                open_platform(folder, secret)
        finally:
            token.come_back()
