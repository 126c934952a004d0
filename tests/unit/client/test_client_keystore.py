"""The software keystore: signs for a verified user only, keeps its file sealed and whole."""

import json
import random
import stat
from pathlib import Path

import pytest

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keystore import SOFTWARE_PROTECTION, DeviceKeystore, SoftwareKeystore
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.secret import Secret

PASSPHRASE = Secret("a passphrase")
PAIR = RenewalPair(counter=4, secret=Secret(b"p" * 32))
IDENTITY = EnrolledIdentity(
    provider="Test Provider",
    device="dev_" + "0" * 26,
    customer="cus_" + "0" * 26,
    accounts=("acc_" + "0" * 26,),
    certificate_id="crt_" + "0" * 26,
    certificate="a.b.c",
)
entropy = random.Random(1).randbytes


class Person:
    """Verifies, or does not, and remembers what was shown."""

    def __init__(self) -> None:
        self.here = True
        self.shown: list[str] = []

    def __call__(self, shown: str) -> None:
        self.shown.append(shown)
        if not self.here:
            raise NotPermitted("the user was not verified")


def created(path: Path) -> SoftwareKeystore:
    return SoftwareKeystore.create_file(path, PASSPHRASE, entropy=entropy, verify_user=Person())


def opened(path: Path, passphrase: Secret[str] = PASSPHRASE) -> SoftwareKeystore:
    return SoftwareKeystore.open_file(path, passphrase, entropy=entropy, verify_user=Person())


@pytest.mark.requirement("MFS-8.1.5-02")
def test_the_consent_key_signs_only_for_a_verified_user() -> None:
    person = Person()
    keystore: DeviceKeystore = SoftwareKeystore(person)
    consent = Es256VerifyKey(keystore.consent_public())
    consent.verify(keystore.consent_sign(b"order", shown="pay 400 to Amina"), b"order")
    assert person.shown == ["pay 400 to Amina"]
    person.here = False
    with pytest.raises(NotPermitted):
        keystore.consent_sign(b"order", shown="pay 400 to Amina")
    possession = Es256VerifyKey(keystore.possession_public())
    possession.verify(keystore.possession_sign(b"hello"), b"hello")
    assert len(person.shown) == 2
    assert possession != consent


def test_it_says_that_it_is_software_and_nothing_else() -> None:
    keystore = SoftwareKeystore(Person())
    assert keystore.protection == SOFTWARE_PROTECTION == "software, no hardware protection"
    assert repr(keystore) == "SoftwareKeystore(software, no hardware protection)"
    with pytest.raises(NotFound):
        keystore.identity()
    assert keystore.renewal_pairs() == ()
    assert keystore.checkpoint() == ""


def test_what_was_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "keystore"
    keystore = created(path)
    keystore.store_enrolment(IDENTITY, PAIR)
    keystore.store_checkpoint("a note\n")
    again = opened(path)
    assert again.identity() == IDENTITY
    assert again.renewal_pairs() == (PAIR,)
    assert again.checkpoint() == "a note\n"
    assert again.possession_public() == keystore.possession_public()
    assert again.consent_public() == keystore.consent_public()
    newer = RenewalPair(counter=5, secret=Secret(b"q" * 32))
    again.store_renewal_pairs([newer, PAIR])
    assert opened(path).renewal_pairs() == (newer, PAIR)


def test_the_file_is_private_whole_and_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keystore"
    keystore = created(path)
    keystore.store_enrolment(IDENTITY, PAIR)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["keystore"]
    text = path.read_text()
    assert "dev_" not in text
    assert "p" * 32 not in text
    before = json.loads(text)["nonce"]
    keystore.store_checkpoint("another\n")
    assert json.loads(path.read_text())["nonce"] != before


def test_another_passphrase_a_changed_file_and_no_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "keystore"
    with pytest.raises(NotFound):
        opened(path)
    created(path)
    with pytest.raises(Conflict):
        created(path)
    with pytest.raises(NotAuthentic):
        opened(path, Secret("another passphrase"))
    stored = json.loads(path.read_text())
    for change, error in (
        ({"sealed": stored["sealed"][:-8] + "AAAAAAAA"}, NotAuthentic),
        ({"nonce": "A" * 16}, NotAuthentic),
        ({"nonce": "A" * 12}, Malformed),
        ({"header": {**stored["header"], "format": "other"}}, Malformed),
        ({"header": {**stored["header"], "memory_kib": 2**40}}, Malformed),
        ({"header": {**stored["header"], "passes": 1}}, NotAuthentic),
        ({"header": {**stored["header"], "passes": 2**20}}, Malformed),
        ({"header": {**stored["header"], "salt": "A"}}, Malformed),
    ):
        path.write_text(json.dumps({**stored, **change}))
        with pytest.raises(error):
            opened(path)
    path.write_text("not json")
    with pytest.raises(Malformed):
        opened(path)


def test_a_disk_that_refuses_is_unavailable_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "keystore"
    keystore = created(path)
    before = path.read_bytes()
    (tmp_path / "keystore.new").mkdir()
    with pytest.raises(Unavailable):
        keystore.store_checkpoint("a note\n")
    assert path.read_bytes() == before
    with pytest.raises(Unavailable):
        opened(tmp_path)
