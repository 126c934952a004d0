"""Keys rotate while people pay: every payment is taken, every receipt verifies."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.protocol.test_quote_key_change import Shifted
from tests.support.served import Served, served

from tallystick.application.quotekeys import IN_USE_MS
from tallystick.client.wiping import Wiper
from tallystick.entry.auditing import listed_keys
from tallystick.entry.cli.unlocking import open_root_key
from tallystick.entry.keyduties import PUBLISHED_MS
from tallystick.entry.renewing import renew_keys
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.money import Money
from tallystick.protocol.devicelife import EndDevice
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.payments import PaymentKind

WANTED = (Purpose.SESSION_SIGNATURE, Purpose.TALLY)


def until_noted(provider: Served, text: bytes, times: int) -> None:
    limit = time.monotonic() + 15
    while sum(text in line for line in provider.log) < times:
        assert time.monotonic() < limit, text
        time.sleep(0.05)


class Payer(threading.Thread):
    """Somebody who pays again and again, with a new session now and then."""

    def __init__(self, provider: Served, number: str) -> None:
        super().__init__(daemon=True)
        self.person = provider.person(number, "Ann", funds=1_000_000)
        self.provider = provider
        self.paid = 0
        self.still = threading.Lock()
        self.errors: list[Exception] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            try:
                with self.still:
                    if self.paid % 5 == 4:
                        self.person.session.close()
                    self.person.wallet.pay(PaymentKind.P2P, "+254700000009", Money(100, "KES"))
                self.paid += 1
            except Exception as error:  # noqa: BLE001
                self.errors.append(error)
            time.sleep(0.02)


def leap(clock: Shifted, payers: list[Payer], ms: int) -> None:
    """Move the clock between two payments of everybody; quotes live minutes, not hours."""
    with ExitStack() as stack:
        for payer in payers:
            stack.enter_context(payer.still)
        clock.ahead_ms += ms


@pytest.mark.requirement("MFS-7.4.2-07")
def test_keys_rotate_under_load_without_one_error(tmp_path: Path) -> None:
    clock = Shifted()
    with served(tmp_path / "p", clock=clock) as provider:
        provider.open_customer("+254700000009", "Ben")
        payers = [Payer(provider, f"+25470000000{number}") for number in (1, 2)]
        root = open_root_key(provider.folder.offline / "root.key", provider.secret)
        used = [provider.platform.keys.newest(one).id for one in WANTED]
        for payer in payers:
            payer.start()
        for turn in (1, 2):
            renew_keys(provider.folder, provider.secret, root, clock, wanted=WANTED)
            until_noted(provider, b"a new key list is served", turn)
            assert [provider.platform.keys.newest(one).id for one in WANTED] == used
            assert provider.platform.identity.kid == used[0]
            leap(clock, payers, PUBLISHED_MS + 1_000)
            until_noted(provider, b"keys of the list are new in use", turn)
            fresh = [provider.platform.keys.newest(one).id for one in WANTED]
            assert not set(fresh) & set(used)
            assert provider.platform.identity.kid == fresh[0]
            used = fresh
            before = sum(payer.paid for payer in payers)
            leap(clock, payers, IN_USE_MS)
            until_noted(provider, b"the quote key was replaced", turn)
            limit = time.monotonic() + 15
            while sum(payer.paid for payer in payers) < before + 10:
                assert time.monotonic() < limit, [payer.errors for payer in payers]
                time.sleep(0.05)
        for payer in payers:
            payer.over.set()
            payer.join(10)
        assert [payer.errors for payer in payers] == [[], []]
        assert listed_keys(provider.folder).version == 3


@pytest.mark.requirement("MFS-7.4.2-07")
@pytest.mark.requirement("MFS-7.4.5-04")
def test_a_phone_is_wiped_by_the_key_in_force_not_by_that_of_the_start(tmp_path: Path) -> None:
    clock = Shifted()
    with served(tmp_path / "p", clock=clock) as provider:
        ann = provider.person("+254700000001", "Ann", funds=0)
        root = open_root_key(provider.folder.offline / "root.key", provider.secret)
        first = provider.platform.identity.kid
        renew_keys(provider.folder, provider.secret, root, clock, wanted=WANTED)
        until_noted(provider, b"a new key list is served", 1)
        clock.ahead_ms += PUBLISHED_MS + 1_000
        until_noted(provider, b"keys of the list are new in use", 1)
        device = ann.keystore.identity().device
        body = EndDevice(device=device, how="steal", because="said at the desk")
        provider.operators["care-desk"][0].act("remove-device", body)
        reached = provider.reached

        def newest() -> dict[str, VerifyKey]:
            found = reached.keys(ListedPurpose.SESSION_SIGNATURE, fresh=True)
            return {kid: one for kid, one in found.items() if kid != first}

        wiper = Wiper(provider.transport, ann.keystore, newest, reached.name, clock)
        assert wiper.ask().device == device, "signed by the new key, and by no other"
        assert set(reached.message_keys()), "statements too are signed by a key of the list"


def test_a_list_of_another_root_is_told_and_not_served(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        before = provider.platform.key_list
        changed = before[:-2] + ("AA" if before[-2:] != "AA" else "BB")
        provider.folder.key_list_file.write_text(changed, encoding="utf-8")
        until_noted(provider, b"a new key list was refused", 1)
        assert provider.platform.key_list == before
