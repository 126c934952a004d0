"""A keystore file is copied with its passphrase: the provider notices at the second use."""

import random
import shutil
from pathlib import Path

import pytest
from tests.protocol.session_parties import Phone, Provider, verified

from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.session import ClientSession
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.kernel.errors import NotPermitted, Unavailable
from tallystick.kernel.secret import Secret

PASSPHRASE = Secret("correct horse battery staple")
entropy = random.Random(3).randbytes


def opened(path: Path) -> SoftwareKeystore:
    return SoftwareKeystore.open_file(path, PASSPHRASE, entropy=entropy, verify_user=verified)


def enrolled_and_copied(folder: Path) -> tuple[Phone, ClientSession]:
    """An enrolled phone, and a session on a copy of its keystore file."""
    phone = Phone(Provider(), suites=(KemSuite.X25519,))
    path = folder / "keystore"
    phone.keystore = SoftwareKeystore.create_file(
        path, PASSPHRASE, entropy=entropy, verify_user=verified
    )
    phone.session = ClientSession(phone.peer, phone.keystore, phone.provider.clock)
    phone.enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"before the copy")
    copy = Path(shutil.copy(path, folder / "copy"))
    return phone, ClientSession(phone.peer, opened(copy), phone.provider.clock)


@pytest.mark.requirement("MFS-7.3.5-05")
@pytest.mark.requirement("MFS-8.1.2-01")
@pytest.mark.requirement("MFS-7.2.7-01")
@pytest.mark.threat("THR-DEV-04")
@pytest.mark.parametrize("thief_first", [True, False])
def test_the_second_of_two_copies_is_refused_and_the_device_suspended(
    tmp_path: Path, *, thief_first: bool
) -> None:
    phone, thief = enrolled_and_copied(tmp_path)
    first, second = (thief, phone.session) if thief_first else (phone.session, thief)
    assert first.establish().open
    with pytest.raises(NotPermitted, match="suspended"):
        second.establish()
    assert phone.record.suspended
    for either in (first, second):
        with pytest.raises(NotPermitted):
            either.establish()


def test_an_old_backup_of_the_own_keystore_is_a_copy_too(tmp_path: Path) -> None:
    phone, backup = enrolled_and_copied(tmp_path)
    for _ in range(3):
        phone.session.establish()
    with pytest.raises(NotPermitted):
        backup.establish()


def test_losses_after_a_restart_from_the_file_do_not_suspend(tmp_path: Path) -> None:
    phone, _ = enrolled_and_copied(tmp_path)
    for _ in range(5):
        phone.wire.lose_reply = lambda path: path.startswith("/v1/sessions/")
        session = ClientSession(phone.peer, opened(tmp_path / "keystore"), phone.provider.clock)
        with pytest.raises(Unavailable):
            session.establish()
        phone.wire.lose_reply = lambda path: False
    session = ClientSession(phone.peer, opened(tmp_path / "keystore"), phone.provider.clock)
    assert session.establish().open
    assert not phone.record.suspended
