"""The pepper of PINs gets a successor while people dial and pay; killed with -9, it goes on."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from simulators.cast import Cast
from simulators.feature_phone import FeaturePhone
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from simulators.ussd_gateway import UssdGateway
from tests.fault.test_store_key_succession import PAYEE, Paying
from tests.support.collectors import until
from tests.support.ports import held_port
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.rewrapping import progress, store_keys
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer

PIN, WRONG = Secret("7391"), Secret("1357")
NUMBERS = [f"+25472200000{number}" for number in range(1, 4)]


@dataclass
class Scene:
    provider: TourProvider
    cast: Cast
    key: Es256SigningKey
    phones: list[FeaturePhone] = field(default_factory=list)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Three customers who dial, each with a PIN."""
    key, smsc = Es256SigningKey.generate(), Smsc()
    provider = TourProvider(tmp_path, key, smsc, "")
    codes = provider.set_up()
    with ExitStack() as stack:
        port = stack.enter_context(held_port())
        url, settings = provider.serve(port), provider.folder.settings()
        cast = Cast(
            url, settings.provider, settings.origin, settings.root.verify_key(), smsc,
            SystemClock(),
        )  # fmt: skip
        for close in (smsc.close, provider.stop, cast.close):
            stack.callback(close)
        for role, code in codes:
            cast.join(role, Secret(code))
        made = Scene(provider, cast, key)
        agent = cast.person(
            "+254711000002", "Agent Mary", kind="agent", tier=3, funds=300_000, till="600200"
        )
        gateway = UssdGateway("gw1", key, url, SystemClock())
        for number in NUMBERS:
            agent.wallet.open_customer(
                OpenCustomer(name="Dora Dial", msisdn=number, kind="person", tier=1)
            )
            phone = FeaturePhone(number, gateway, smsc)
            phone.set_pin(phone.activation_code(), PIN)
            made.phones.append(phone)
        yield made


def left(provider: TourProvider) -> int:
    found = progress(provider.folder, (Purpose.PIN_PEPPER,))
    return sum(one.left for one in found)


def knows(phone: FeaturePhone, pin: Secret[str]) -> bool:
    return "KES" in phone.balance(pin)


@pytest.mark.requirement("MFS-7.4.2-07", "MFS-7.4.2-12")
def test_what_is_kept_of_a_pin_moves_when_it_is_entered(scene: Scene) -> None:
    provider, phones = scene.provider, scene.phones
    folder, secret = provider.folder.root, ("--secret-file", provider.folder.root.parent / "secret")
    of = ("--of", "pin-pepper")
    scene.cast.person(PAYEE, "Payee")
    paying = Paying(scene.cast)
    provider.stop()
    begun = tallystick("crypto", "rewrap", folder, *of, "--to", "hmac-sha256", *secret)
    assert begun.code == 0, begun.all
    again = tallystick("crypto", "rewrap", folder, *of, "--to", "hmac-sha256", *secret)
    assert again.out == begun.out, "a second successor was made"
    assert len(store_keys(provider.folder, Purpose.PIN_PEPPER)) == 2
    assert left(provider) == len(NUMBERS)

    provider.serve(provider.port)
    assert knows(phones[0], PIN)
    assert left(provider) == 2
    provider.kill()
    assert left(provider) == 2, "what was moved is durable"
    assert tallystick("crypto", "progress", folder).code == 4
    provider.serve(provider.port)
    with paying:
        assert not knows(phones[1], WRONG)
        assert left(provider) == 2
        assert knows(phones[1], PIN)
        assert knows(phones[0], PIN)
        until(lambda: paying.paid > 1)
    assert left(provider) == 1
    assert paying.wrong == []
    refused = tallystick("crypto", "rewrap", folder, *of, "--finish")
    assert refused.code == 1
    assert "1 things" in refused.all

    provider.stop()
    ended = tallystick("crypto", "rewrap", folder, *of, "--finish", "--forget")
    assert ended.code == 0, ended.all
    assert len(store_keys(provider.folder, Purpose.PIN_PEPPER)) == 1
    provider.serve(provider.port)
    assert [knows(phone, PIN) for phone in phones] == [True, True, False]
