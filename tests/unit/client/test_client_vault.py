"""The vault: only its PIN opens the consent key, wrong ones are counted and end in erasure."""

import json
import random
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from tests.support.vaults import PIN, Typing, anchor_in, created, opened
from tests.unit.client.test_client_keystore import IDENTITY, PAIR

from tallystick.client.keystore import DeviceKeystore
from tallystick.client.live import Tries
from tallystick.client.vault.entering import check_pin
from tallystick.client.vault.keystore import MOST_TRIES, Vault
from tallystick.client.vault.places import MARK
from tallystick.client.vault.sealing import ProviderPin
from tallystick.infrastructure.crypto.kdf import argon2id, argon2id_into, hkdf_into, hkdf_sha256
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    TooLarge,
    Unavailable,
)
from tallystick.kernel.secret import Secret, SecretBuffer

BANK = ProviderPin(
    name="Bank", origin="bank/tally", algorithm="EdDSA", root="A" * 43, environment="test"
)


@pytest.mark.requirement("MFS-8.1.5-02")
@pytest.mark.requirement("MFS-8.1.2-04")
def test_a_signature_needs_the_pin_each_time_and_the_pin_is_cleared(tmp_path: Path) -> None:
    person = Typing()
    vault: DeviceKeystore = created(tmp_path, person)
    public = Es256VerifyKey(vault.consent_public())
    for text in ("Pay KES 5", "Pay KES 6"):
        public.verify(vault.consent_sign(b"order", shown=text), b"order")
    assert person.saw == ["Pay KES 5", "Pay KES 6"]
    assert all(bytes(one.reveal()) == bytes(len(PIN)) for one in person.given)
    person.willing = False
    with pytest.raises(NotPermitted, match="did not confirm"):
        vault.consent_sign(b"order", shown="Pay KES 7")
    assert vault.tries() == Tries()
    Es256VerifyKey(vault.possession_public()).verify(vault.possession_sign(b"here"), b"here")


@pytest.mark.requirement("MFS-8.1.2-04")
def test_an_answer_that_says_verified_cannot_unlock_the_signature(tmp_path: Path) -> None:
    vault = created(tmp_path)
    vault._ask = lambda shown: SecretBuffer(b"verified=true")
    with pytest.raises(NotAuthentic):
        vault.consent_sign(b"order", shown="Pay KES 5")
    held = [getattr(vault, name) for name in Vault.__slots__ if name != "_possession"]
    assert not any(isinstance(one, bytes) and b"PRIVATE" in one for one in held)


@pytest.mark.requirement("MFS-8.1.2-01")
def test_wrong_pins_are_counted_over_restarts_and_the_last_one_erases(tmp_path: Path) -> None:
    created(tmp_path)
    for number in range(1, MOST_TRIES):
        vault = opened(tmp_path, Typing(b"999998"))
        with pytest.raises(NotAuthentic):
            vault.consent_sign(b"order", shown="Pay")
        assert vault.tries() == Tries(failed=number, in_row=number)
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / "keys" / "vault", copy)
    with pytest.raises(NotPermitted, match="erased"):
        opened(tmp_path, Typing(b"999998")).consent_sign(b"order", shown="Pay")
    assert not (tmp_path / "keys" / "vault").exists()
    shutil.copy(copy, tmp_path / "keys" / "vault")
    (tmp_path / "keys" / "vault").chmod(0o600)
    with pytest.raises(NotPermitted, match="erased"):
        opened(tmp_path)


def test_a_right_pin_ends_the_row_and_a_kill_before_erasing_gives_no_more(tmp_path: Path) -> None:
    vault = created(tmp_path)
    person = vault._ask = Typing(b"999998")
    with pytest.raises(NotAuthentic):
        vault.consent_sign(b"order", shown="Pay")
    person.pin = PIN
    vault.consent_sign(b"order", shown="Pay")
    assert vault.tries() == opened(tmp_path).tries() == Tries(failed=1)
    vault = opened(tmp_path)
    vault._save(tries=Tries(failed=MOST_TRIES, in_row=MOST_TRIES))
    with pytest.raises(NotPermitted, match="erased"):
        vault.consent_sign(b"order", shown="even with the right PIN")


def test_the_try_is_on_disk_before_the_pin_is_tried(tmp_path: Path, monkeypatch) -> None:
    vault = created(tmp_path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tallystick.client.vault.keystore.consent_seal", killed)
    with pytest.raises(KeyboardInterrupt):
        vault.consent_sign(b"order", shown="Pay")
    assert opened(tmp_path).tries() == Tries(failed=1, in_row=1)


def test_the_pin_can_be_changed_by_who_knows_it(tmp_path: Path) -> None:
    vault = created(tmp_path)
    new = SecretBuffer(b"806315")
    vault.change_pin("a new PIN", new)
    assert not any(new.reveal())
    with pytest.raises(NotAuthentic):
        vault.consent_sign(b"order", shown="Pay")
    again = opened(tmp_path, Typing(b"806315"))
    Es256VerifyKey(vault.consent_public()).verify(again.consent_sign(b"x", shown="Pay"), b"x")
    vault = opened(tmp_path, Typing(b"111222"))
    with pytest.raises(NotAuthentic):
        vault.change_pin("a new PIN", SecretBuffer(b"555444333"))


@pytest.mark.parametrize("pin", [b"", b"12345", b"111111", b"123456", b"987654", b"7" * 65])
def test_a_pin_that_anybody_tries_first_is_refused(tmp_path: Path, pin: bytes) -> None:
    with pytest.raises(Malformed):
        check_pin(SecretBuffer(pin))
    check_pin(SecretBuffer(PIN))


def test_it_remembers_what_a_keystore_does(tmp_path: Path) -> None:
    vault = created(tmp_path)
    with pytest.raises(NotFound):
        vault.identity()
    vault.store_enrolment(IDENTITY, PAIR)
    vault.store_checkpoint("a note\n")
    newer = RenewalPair(counter=5, secret=Secret(b"q" * 32))
    vault.store_renewal_pairs([newer, PAIR])
    again = opened(tmp_path)
    assert (again.identity(), again.checkpoint()) == (IDENTITY, "a note\n")
    assert again.renewal_pairs() == (newer, PAIR)
    assert again.possession_public() == vault.possession_public()
    assert again.consent_public() == vault.consent_public()
    assert repr(again) == "Vault(software, bound to device and PIN)"
    text = (tmp_path / "keys" / "vault").read_text()
    assert "dev_" not in text
    assert "qqqq" not in text
    with pytest.raises(Conflict):
        created(tmp_path)


@pytest.mark.requirement("MFS-7.2.2-05")
def test_a_place_that_others_can_get_at_is_refused(tmp_path: Path) -> None:
    created(tmp_path)
    file = tmp_path / "keys" / "vault"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for mode in (0o640, 0o604, 0o620):
        file.chmod(mode)
        with pytest.raises(NotPermitted, match="others may read"):
            opened(tmp_path)
    file.chmod(0o600)
    opened(tmp_path)
    (tmp_path / "hard").hardlink_to(file)
    with pytest.raises(NotPermitted, match="second name"):
        opened(tmp_path)
    (tmp_path / "hard").unlink()
    for place in (tmp_path / "keys", tmp_path / "device"):
        place.chmod(0o777)
        with pytest.raises(NotPermitted, match="shared"):
            opened(tmp_path)
        place.chmod(0o700)
    moved = file.rename(tmp_path / "elsewhere")
    file.symlink_to(moved)
    with pytest.raises(NotPermitted, match="link"):
        opened(tmp_path)
    file.unlink()
    with pytest.raises(NotFound):
        opened(tmp_path)
    file.write_bytes(bytes(1024 * 1024 + 1))
    file.chmod(0o600)
    with pytest.raises(TooLarge):
        opened(tmp_path)


@pytest.mark.requirement("MFS-7.3.5-05")
@pytest.mark.skipif(shutil.which("tar") is None, reason="needs tar to see what it leaves out")
def test_an_archiver_never_takes_the_secret_of_the_device(tmp_path: Path) -> None:
    created(tmp_path)
    archive = tmp_path.parent / "backup.tar"
    subprocess.run(["tar", "--exclude-caches-all", "-cf", archive, "-C", tmp_path, "."], check=True)
    listed = subprocess.run(["tar", "-tf", archive], check=True, capture_output=True, text=True)
    assert "./keys/vault" in listed.stdout
    assert "anchor" not in listed.stdout
    assert (tmp_path / "device" / MARK).read_bytes().startswith(b"Signature: 8a477f597d28d172")
    assert anchor_in(tmp_path).marks[0] == "cachedir"


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    created(tmp_path)
    file = tmp_path / "keys" / "vault"
    stored = json.loads(file.read_text())
    header = stored["header"]
    for change, error in (
        ({"memory": stored["memory"][:-8] + "AAAAAAAA"}, NotAuthentic),
        ({"memory": "AAAA"}, NotAuthentic),
        ({"memory": stored["possession"]}, NotAuthentic),
        ({"possession": stored["memory"]}, NotAuthentic),
        ({"header": {**header, "id": "x"}}, NotAuthentic),
        ({"header": {**header, "format": "x"}}, Malformed),
        ({"header": {**header, "cost": {**header["cost"], "memory_kib": 2**30}}}, Malformed),
        ({"header": {**header, "cost": {**header["cost"], "passes": 0}}}, Malformed),
        ({"header": {**header, "cost": {**header["cost"], "passes": 2}}}, NotAuthentic),
    ):
        file.write_text(json.dumps({**stored, **change}))
        with pytest.raises(error):
            opened(tmp_path)


def test_a_disk_that_refuses_leaves_the_file_before(tmp_path: Path) -> None:
    vault = created(tmp_path)
    file = tmp_path / "keys" / "vault"
    before = file.read_bytes()
    (tmp_path / "keys" / "vault.new").mkdir()
    with pytest.raises(Unavailable):
        vault.store_checkpoint("a note\n")
    assert file.read_bytes() == before
    assert not vault.checkpoint()


def test_a_crash_between_file_and_counter_does_not_lock_the_person_out(
    tmp_path: Path, monkeypatch
) -> None:
    vault = created(tmp_path)

    def crash(self: object, after: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tallystick.client.vault.anchor.FolderAnchor.advance", crash)
        with pytest.raises(KeyboardInterrupt):
            vault.store_checkpoint("a note\n")
    assert opened(tmp_path).checkpoint() == "a note\n"
    opened(tmp_path).store_checkpoint("next\n")
    assert opened(tmp_path).checkpoint() == "next\n"


@pytest.mark.requirement("MFS-7.2.7-01")
def test_it_is_for_one_provider_and_root(tmp_path: Path) -> None:
    created(tmp_path).bind(BANK)
    opened(tmp_path).bind(BANK)
    other = ProviderPin(
        name="Bank", origin="bank/tally", algorithm="EdDSA", root="B" * 43, environment="test"
    )
    with pytest.raises(NotAuthentic, match="another provider"):
        opened(tmp_path).bind(other)


def test_a_locked_vault_does_nothing_until_it_is_opened(tmp_path: Path) -> None:
    vault = created(tmp_path)
    vault.store_enrolment(IDENTITY, PAIR)
    vault.lock()
    for act in (
        lambda: vault.possession_sign(b"x"),
        lambda: vault.consent_sign(b"x", shown="Pay"),
        lambda: vault.store_checkpoint("x"),
    ):
        with pytest.raises(NotPermitted, match="locked"):
            act()
    assert vault.renewal_pairs() == ()
    assert opened(tmp_path).renewal_pairs() == (PAIR,)


def test_buffers_derive_what_the_other_ways_do() -> None:
    chance = random.Random(5)
    for _ in range(5):
        secret, salt = chance.randbytes(20), chance.randbytes(16)
        target = bytearray(32)
        argon2id_into(target, bytearray(secret), salt=salt, memory_kib=64, passes=1, lanes=1)
        assert target == argon2id(secret, salt=salt, memory_kib=64, passes=1, lanes=1, length=32)
        hkdf_into(target, bytearray(secret), salt=salt, info=b"i")
        assert target == hkdf_sha256(secret, salt=salt, info=b"i", length=32)
    with pytest.raises(MfsError):
        hkdf_into(bytearray(), b"s", salt=b"", info=b"")


def test_a_secret_buffer_hides_and_clears() -> None:
    octets = bytearray(b"hidden")
    buffer = SecretBuffer(octets)
    assert f"{buffer}{buffer!r}{buffer!s}" == "SecretBuffer(***)" * 3
    with pytest.raises(TypeError):
        buffer.__reduce__()
    with buffer:
        assert len(buffer) == 6
        assert buffer.reveal() is octets
    assert octets == bytes(6)
