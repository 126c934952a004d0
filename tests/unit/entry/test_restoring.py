"""Backups are of one moment and whole; a restored log goes on under a new name and says so."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from tests.support.served import ORIGIN, Served, served

from tallystick.entry.assembly import open_platform
from tallystick.entry.auditing import (
    Believed,
    audit_provider,
    believed,
    believed_keys,
    next_origin,
    read_anchor,
    read_receipt,
    verify_by,
)
from tallystick.entry.restoring import back_up, read_backup, restore
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.store.sqlite.backup import copy_database
from tallystick.infrastructure.tally.findings import Anchor, FindingKind
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import (
    Broken,
    Conflict,
    Malformed,
    NotAuthentic,
    NotFound,
    Unavailable,
)
from tallystick.kernel.money import Money
from tallystick.kernel.time import Instant
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Checkpoint, Receipt

NOW = Instant(1_795_600_000_000)
ALICE, BOB = "+254700000001", "+254700000002"


class Kept:
    """A backup taken between two payments, and the receipts of both."""

    def __init__(self, place: Path, provider: Served) -> None:
        alice = provider.person(ALICE, "Alice", funds=1_000_00).wallet
        provider.open_customer(BOB, "Bob")

        def pay() -> Receipt:
            return alice.pay(PaymentKind.P2P, BOB, Money(100, "KES")).receipt

        self.before = place / "before.json"
        self.before.write_bytes(encode(pay()))
        self.backup = place / "backup"
        self.taken = back_up(provider.folder, self.backup, NOW)
        self.after = place / "after.json"
        self.after.write_bytes(encode(pay()))
        self.live = provider.folder
        self.secret = provider.secret


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    place = tmp_path_factory.mktemp("restoring")
    with served(place / "provider") as provider:
        return Kept(place, provider)


def restored(kept: Kept, place: Path, *anchors: Path, origin: str = ""):
    whose = believed(ProviderFolder(kept.backup))
    found = [read_anchor(path, whose) for path in anchors]
    folder = ProviderFolder(place / "again")
    return folder, restore(kept.backup, folder, NOW, os.urandom, anchors=found, origin=origin)


def test_a_backup_is_taken_while_the_provider_is_served(kept: Kept, tmp_path: Path) -> None:
    assert read_backup(kept.backup) == kept.taken
    assert kept.taken.origin == ORIGIN
    files = [path for path in kept.backup.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not list(kept.backup.rglob("*root.key*")), "the root's key is not for a backup"
    names = {path.relative_to(kept.backup).as_posix() for path in files}
    assert names == {*kept.taken.files, "backup.json"}
    report = audit_provider(ProviderFolder(kept.backup))
    assert report.rows == kept.taken.events
    assert not report.findings


@pytest.mark.requirement("MFS-6.2.3-04")
def test_everything_that_was_fixed_of_a_provider_comes_back(kept: Kept, tmp_path: Path) -> None:
    """Whatever the file is for: a door, a desk, a partner's lists, a ceremony that was held."""
    live = ProviderFolder(Path(shutil.copytree(kept.live.root, tmp_path / "live")))
    fixed = {
        "paycrypt.json", "desk.json", "push.json", "authzen.yaml", "mfs.yaml", "loop.jsonl",
        "vendors.json", "attestation-models.pem", "pki/former-roots.pem", "dossier.json",
        "ceremonies/one.dsse", "partner-lists/a.crl", "partner-lists/agg.pem", "documents/plan.pdf",
        "proposals/tpr_1.signed.json", "registers/parties.yaml", "pki/lists/devices.crl",
    }  # fmt: skip
    left = {
        "store.json", "attestation-revoked.json", "attestation-models.jwt", "offline/root.key",
        "partner-lists/west.fetched.crl", "app-files/1",
        "master.old", "ceremonies/two.state", "desk.json.new", "tallystick.db.lock",
    }  # fmt: skip
    for name in fixed | left - {"store.json"}:
        path = live.root / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(name)
    taken = back_up(live, tmp_path / "b", NOW)
    assert fixed <= set(taken.files)
    assert not left & set(taken.files)
    again = ProviderFolder(tmp_path / "again")
    restore(tmp_path / "b", again, NOW, os.urandom)
    assert {name for name in fixed if (again.root / name).read_text() == name} == fixed


def test_a_backup_with_a_changed_or_missing_file_is_refused(kept: Kept, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(kept.backup, tmp_path / "copy"))
    (copy / "keylist.jws").write_text("another")
    with pytest.raises(NotAuthentic, match="keylist"):
        read_backup(copy)
    (copy / "keylist.jws").unlink()
    with pytest.raises(NotAuthentic):
        restore(copy, ProviderFolder(tmp_path / "again"), NOW, os.urandom)
    (copy / "backup.json").unlink()
    with pytest.raises(NotFound, match="no complete backup"):
        read_backup(copy)
    assert not (tmp_path / "again").exists()


def test_a_backup_cannot_name_a_file_outside_of_itself(kept: Kept, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(kept.backup, tmp_path / "copy"))
    note = json.loads((copy / "backup.json").read_text())
    shutil.copy(copy / "keylist.jws", tmp_path / "outside")
    note["files"]["../outside"] = note["files"]["keylist.jws"]
    (copy / "backup.json").write_text(json.dumps(note, sort_keys=True, separators=(",", ":")))
    with pytest.raises(NotAuthentic, match="outside"):
        read_backup(copy)


def test_a_backup_does_not_write_over_anything(kept: Kept) -> None:
    with pytest.raises(Conflict):
        back_up(kept.live, kept.backup, NOW)
    with pytest.raises(Conflict):
        restore(kept.backup, kept.live, NOW, os.urandom)
    with pytest.raises(Conflict):
        copy_database(kept.live.database_file, kept.backup / "tallystick.db")


def test_what_is_no_database_leaves_no_copy(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"not a database" * 100)
    with pytest.raises(Broken):
        copy_database(tmp_path / "a", tmp_path / "b")
    with pytest.raises(Unavailable):
        copy_database(tmp_path / "missing", tmp_path / "b")
    with pytest.raises(Unavailable):
        copy_database(tmp_path / "a", tmp_path / "nowhere" / "b")
    assert not (tmp_path / "b").exists()


def test_a_restored_log_goes_on_under_a_new_name(kept: Kept, tmp_path: Path) -> None:
    folder, done = restored(kept, tmp_path, kept.before)
    assert (done.before, done.origin) == (ORIGIN, next_origin(ORIGIN))
    assert folder.settings().origin == "test-wallet/tally/2"
    assert done.event == kept.taken.events
    assert done.lost == 0
    with open_reader(folder.database_file) as reader:
        leaf = decode_leaf(TallyStore(reader).leaf(done.event) or b"")
    assert leaf.kind == "tally.restored"
    assert leaf.p["old_size"] == kept.taken.events
    assert leaf.p["old_root"] == kept.taken.root


def test_the_first_start_signs_the_new_name_and_the_audit_is_clean(
    kept: Kept, tmp_path: Path
) -> None:
    folder, done = restored(kept, tmp_path, kept.before)
    assert {one.kind for one in audit_provider(folder).findings} == {FindingKind.CHECKPOINT_MISSING}
    platform = open_platform(folder, kept.secret)
    assert platform.archive.note.startswith(f"{done.origin}\n{done.event + 1}\n")
    platform.close()
    report = audit_provider(folder, [read_anchor(kept.before, believed(folder))])
    assert report.origin == done.origin
    assert report.rows == report.vouched == done.event + 1
    assert not report.findings


@pytest.mark.requirement("MFS-7.3.3-07")
def test_what_the_backup_lacks_is_counted_and_found_for_ever(kept: Kept, tmp_path: Path) -> None:
    folder, done = restored(kept, tmp_path, kept.before, kept.after)
    assert done.lost == 1
    open_platform(folder, kept.secret).close()
    whose = believed(folder)
    report = audit_provider(folder, [read_anchor(kept.after, whose)])
    assert FindingKind.ROLLED_BACK in {one.kind for one in report.findings}
    lost = verify_by(read_receipt(kept.after.read_bytes()), whose)
    assert lost.index == kept.taken.events, "the customer's half still proves the payment"


def test_another_history_is_not_restored(kept: Kept, tmp_path: Path) -> None:
    forged = Checkpoint(origin=ORIGIN, size=3, root=bytes(32))
    folder = ProviderFolder(tmp_path / "again")
    with pytest.raises(Broken, match="another history"):
        restore(kept.backup, folder, NOW, os.urandom, anchors=[Anchor(name="x", checkpoint=forged)])
    assert not folder.root.exists()


def test_a_log_does_not_take_a_name_that_it_had(kept: Kept, tmp_path: Path) -> None:
    folder, _ = restored(kept, tmp_path)
    second = tmp_path / "second"
    assert back_up(folder, second, NOW).origin == "test-wallet/tally/2"
    with pytest.raises(Conflict, match="was called"):
        restore(second, ProviderFolder(tmp_path / "x"), NOW, os.urandom, origin=ORIGIN)
    assert not (tmp_path / "x").exists()
    third = ProviderFolder(tmp_path / "third")
    assert restore(second, third, NOW, os.urandom).origin == "test-wallet/tally/3"
    named = ProviderFolder(tmp_path / "named")
    assert restore(second, named, NOW, os.urandom, origin="other/9").origin == "other/9"


def test_earlier_names_are_of_this_log_and_later_ones_are_not(kept: Kept) -> None:
    note = read_receipt(kept.before.read_bytes()).checkpoint
    keys = believed(kept.live).keys
    assert Believed("test-wallet/tally/7", keys).name_on(note) == ORIGIN
    for other in ("test-wallet/tally/0", "other/tally/7", "test-wallet/tally"):
        with pytest.raises(NotAuthentic):
            Believed(other, keys).name_on(note)
    with pytest.raises(NotAuthentic):
        Believed(ORIGIN, keys).name_on("no note")
    assert next_origin("plain") == "plain/2"


def test_an_anchor_is_a_receipt_or_a_checkpoint_of_this_log(kept: Kept, tmp_path: Path) -> None:
    whose = believed(kept.live)
    note = tmp_path / "note"
    note.write_text(read_receipt(kept.after.read_bytes()).checkpoint, encoding="utf-8")
    assert read_anchor(note, whose).checkpoint == read_anchor(kept.after, whose).checkpoint
    note.write_bytes(b"\xff\xfe")
    with pytest.raises(Malformed):
        read_anchor(note, whose)
    with pytest.raises(NotFound):
        read_anchor(kept.after, Believed(whose.origin, ()))
    with pytest.raises(Malformed):
        believed_keys([])


def test_a_backup_has_the_programme_and_the_decisions_about_it(tmp_path: Path) -> None:
    with served(tmp_path / "p"):
        pass
    folder = ProviderFolder(tmp_path / "p")
    folder.programme_file.write_text("what is run\n")
    folder.decisions_file.write_text("what was decided\n")
    folder.registers.mkdir()
    (folder.registers / "vendors.yaml").write_text("who delivers\n")
    back_up(folder, tmp_path / "b", NOW)
    assert (tmp_path / "b" / "mfs.yaml").read_text() == "what is run\n"
    assert (tmp_path / "b" / "decisions.json").read_text() == "what was decided\n"
    assert (tmp_path / "b" / "registers" / "vendors.yaml").read_text() == "who delivers\n"
