"""A vault is stolen, guessed at, put back, copied, restored and carried away: nothing opens it."""

import io
import json
import logging
import random
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from tests.attacks.test_canaries import forms, scalar_of
from tests.protocol.session_parties import Phone, Provider
from tests.support.vaults import LIGHT, MACHINE, PIN, Typing, anchor_in, created, entropy, opened

from tallystick.client.session import ClientSession
from tallystick.client.vault.anchor import FolderAnchor
from tallystick.client.vault.entering import Cost, consent_seal
from tallystick.client.vault.keystore import MOST_TRIES, Vault
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Conflict, MfsError, NotAuthentic, NotPermitted
from tallystick.kernel.secret import SecretBuffer


def stolen(folder: Path, to: Path) -> Path:
    """A thief's copy of a folder with everything in it, modes included."""
    shutil.copytree(folder, to)
    return to


# --- guessing -------------------------------------------------------------------------------------


@pytest.mark.requirement("MFS-8.1.2-01")
@pytest.mark.requirement("MFS-7.3.2-04")
@pytest.mark.threat("THR-APP-03")
def test_a_stolen_file_cannot_be_guessed_at_without_its_device(tmp_path: Path) -> None:
    created(tmp_path)
    thief = tmp_path / "thief"
    (thief / "keys").mkdir(parents=True, mode=0o700)
    shutil.copy(tmp_path / "keys" / "vault", thief / "keys" / "vault")
    with pytest.raises(NotAuthentic):
        opened(thief)
    stored = json.loads((thief / "keys" / "vault").read_text())
    assert set(stored) == {"header", "memory", "possession"}, "no part is under the PIN alone"


@pytest.mark.requirement("MFS-8.1.2-01")
@pytest.mark.threat("THR-DEV-06")
def test_who_has_the_device_as_well_pays_for_each_guess(tmp_path: Path, record_property) -> None:
    """Off line, with file and device secret: right by luck only, at the cost that is printed."""
    vault = created(tmp_path)
    salt, sealed = vault._file.header.salt, b64url_decode(vault._memory.consent)
    chance = random.Random(2)

    def guess(pin: bytes, cost: Cost) -> bool:
        with anchor_in(tmp_path).secret() as device, SecretBuffer(pin) as typed:
            seal = consent_seal(typed, device, salt, cost)
        try:
            seal.open_cleared(sealed[:12], sealed[12:], b"tallystick vault consent key").wipe()
        except NotAuthentic:
            return False
        return True

    wrong = [b"%06d" % chance.randrange(10**6) for _ in range(50)]
    assert not any(guess(one, LIGHT) for one in wrong if one != PIN)
    assert guess(PIN, LIGHT), "the guesses were made as the vault makes them"
    begun = time.process_time()
    guess(wrong[0], Cost())
    took = time.process_time() - begun
    record_property("guess_ms", round(took * 1000))
    record_property("six_digits_core_hours", round(took * 10**6 / 3600, 1))
    assert took > 0.02, "the shipped cost is a hundred times a hash, at least"
    assert Cost().memory_kib == 64 * 1024


def test_the_device_itself_takes_few_guesses_whatever_is_restarted(tmp_path: Path) -> None:
    created(tmp_path)
    answers: list[str] = []
    while not answers or answers[-1] == "not-authentic":
        try:
            vault = opened(tmp_path, Typing(b"1900%02d" % len(answers)))
            vault.consent_sign(b"x", shown="Pay")
        except MfsError as error:
            answers.append(error.code)
    assert answers == ["not-authentic"] * (MOST_TRIES - 1) + ["not-permitted"]


# --- putting back ---------------------------------------------------------------------------------


@pytest.mark.requirement("MFS-7.3.5-05")
@pytest.mark.requirement("MFS-10.2.1-01")
@pytest.mark.threat("THR-DEV-04")
def test_a_file_that_was_put_back_is_never_opened(tmp_path: Path) -> None:
    """A thief puts the file back after each wrong PIN, for the tries to begin anew."""
    vault = created(tmp_path)
    file = tmp_path / "keys" / "vault"
    before = file.read_bytes()
    vault._ask = Typing(b"999998")
    with pytest.raises(NotAuthentic):
        vault.consent_sign(b"x", shown="Pay")
    file.write_bytes(before)
    with pytest.raises(NotPermitted, match="rolled-back"):
        opened(tmp_path, Typing(b"999997"))
    with pytest.raises(NotPermitted):
        opened(tmp_path)


def test_a_counter_that_was_put_back_is_noticed_too(tmp_path: Path) -> None:
    vault = created(tmp_path)
    counter = tmp_path / "device" / "counter"
    before = counter.read_bytes()
    for note in ("one\n", "two\n", "three\n"):
        vault.store_checkpoint(note)
    counter.write_bytes(before)
    with pytest.raises(Conflict):
        vault.store_checkpoint("four\n")
    with pytest.raises(NotPermitted, match="foreign-history"):
        opened(tmp_path)


# --- copies ---------------------------------------------------------------------------------------


@pytest.mark.requirement("MFS-7.3.5-05")
@pytest.mark.requirement("MFS-8.1.2-01")
@pytest.mark.threat("THR-DEV-04")
def test_a_copy_of_everything_never_opens_elsewhere(tmp_path: Path) -> None:
    """File and anchor: in another folder, on another machine, or out of a backup."""
    home = tmp_path / "home"
    created(home)
    with pytest.raises(NotAuthentic):
        opened(stolen(home, tmp_path / "copy"))
    with pytest.raises(NotAuthentic):
        opened(home, machine=b"another machine")
    backup = stolen(home, tmp_path / "backup")
    (home / "device").rename(tmp_path / "lost")
    shutil.copytree(backup / "device", home / "device")
    with pytest.raises(NotAuthentic):
        opened(home)


class Carried(FolderAnchor):
    """An anchor whose folder's number a thief with root could forge: the copy of a whole disk."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        super().__init__(folder, MACHINE)
        self.stolen = secret

    def secret(self) -> SecretBuffer:
        return SecretBuffer(self.stolen)

    __slots__ = ("stolen",)


@pytest.mark.requirement("MFS-7.2.7-01")
@pytest.mark.requirement("MFS-7.3.5-05")
@pytest.mark.threat("THR-DEV-04")
@pytest.mark.parametrize("thief_first", [True, False])
def test_what_the_device_cannot_notice_is_refused_by_the_provider(
    tmp_path: Path, *, thief_first: bool
) -> None:
    """The whole disk is copied, device secret and PIN included: two devices, one of them late."""
    home = tmp_path / "home"
    phone = Phone(Provider(), suites=(KemSuite.X25519,))
    phone.keystore = created(home)
    phone.session = ClientSession(phone.peer, phone.keystore, phone.provider.clock)
    phone.enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"before the copy")
    copy = stolen(home, tmp_path / "copy")
    secret = bytes(anchor_in(home).secret().reveal())
    twin = Vault.open(
        copy / "keys" / "vault", Carried(copy / "device", secret), Typing(), entropy=entropy
    )
    thief = ClientSession(phone.peer, twin, phone.provider.clock)
    first, second = (thief, phone.session) if thief_first else (phone.session, thief)
    assert first.establish().open
    with pytest.raises(NotPermitted, match="suspended"):
        second.establish()
    assert phone.record.suspended


@pytest.mark.requirement("MFS-7.3.5-05")
def test_two_copies_on_one_device_never_both_go_on(tmp_path: Path) -> None:
    first = created(tmp_path)
    second = opened(tmp_path)
    first.store_checkpoint("first\n")
    with pytest.raises(Conflict, match="another copy"):
        second.store_checkpoint("second\n")
    with pytest.raises(Conflict, match="another copy"):
        second.consent_sign(b"x", shown="Pay")
    first.consent_sign(b"x", shown="Pay")


GUESSER = """
import sys
from pathlib import Path
from tests.support.vaults import Typing, opened
from tallystick.kernel.errors import MfsError
answers = []
while "erased" not in answers and len(answers) < 200:
    where = "opening "
    try:
        vault = opened(Path(sys.argv[1]), Typing(b"000001"))
        where = ""
        vault.consent_sign(b"x", shown="Pay")
    except MfsError as error:
        gone = "erased" in str(error) or error.code == "not-found"
        answers.append("erased" if gone else where + error.code)
print(answers.count("not-authentic"))
"""


def test_two_guessers_at_once_never_get_more_tries(tmp_path: Path) -> None:
    created(tmp_path)
    guessers = [
        subprocess.Popen(
            [sys.executable, "-c", GUESSER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    answers = [int(one.communicate(timeout=60)[0]) for one in guessers]
    assert sum(answers) <= MOST_TRIES - 1, answers
    assert not (tmp_path / "keys" / "vault").exists()


# --- what is said ---------------------------------------------------------------------------------


@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-APP-03")
def test_no_log_exception_or_repr_ever_has_a_secret(tmp_path: Path, monkeypatch) -> None:
    made: list[Es256SigningKey] = []
    generate = Es256SigningKey.generate
    monkeypatch.setattr(Es256SigningKey, "generate", lambda: made.append(generate()) or made[-1])
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger().addHandler(handler)
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    try:
        vault = created(tmp_path)
        wrong = Typing(b"wrong-4417")
        for act in (
            lambda: opened(tmp_path, wrong).consent_sign(b"x", shown="Pay"),
            lambda: opened(tmp_path, machine=b"other"),
            lambda: vault.store_checkpoint("x"),
            lambda: vault.change_pin("new", SecretBuffer(b"12345")),
            lambda: Vault.open(tmp_path / "no", anchor_in(tmp_path), wrong, entropy=entropy),
        ):
            try:
                act()
            except MfsError as error:
                logging.getLogger("app").exception("%r %s", vault, vault._file)
                shown = traceback.TracebackException.from_exception(error, capture_locals=False)
                heard.write("".join(shown.format()) + repr(error.__cause__))
    finally:
        logging.getLogger().removeHandler(handler)
    said = heard.getvalue().encode()
    assert said.count(b"Traceback") >= 8
    anchor = (tmp_path / "device" / "anchor").read_bytes()
    secrets = [PIN, b"wrong-4417", anchor, *map(scalar_of, made)]
    assert not [form for one in secrets for form in forms(one) if form in said]
    assert b64url(PIN).encode() not in said
