"""Whole ceremonies through the command line, people at descriptors of their own."""

import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from tests.support.ceremonies import (
    CUSTODIANS,
    LEADER,
    SECRET,
    Crew,
    copied,
    made,
    planned,
    transcript,
    verified,
)
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import peek, unwrap
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Custodians, open_master
from tallystick.infrastructure.modules.shamir import read_share
from tallystick.kernel.errors import MfsError, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> ProviderFolder:
    return made(tmp_path_factory.mktemp("original") / "p")


@pytest.fixture
def folder(original: ProviderFolder, tmp_path: Path) -> ProviderFolder:
    return copied(original, tmp_path / "p")


def opened(folder: ProviderFolder, crew: Crew, *names: str):
    shares = tuple(read_share(crew.papers[name][-1]) for name in names)
    return open_master(folder.master_file.read_bytes(), Custodians(shares), profile="demo")


def nothing_secret(crew: Crew, folder: ProviderFolder, said: str) -> None:
    """None of the secrets is in what was said, nor in any file of the folder or beside it."""
    files = [one for one in folder.root.parent.rglob("*") if one.is_file()]
    texts = [said.encode(), *(one.read_bytes() for one in files)]
    assert len(crew.secrets) > 5
    for secret in crew.secrets:
        for text in texts:
            assert secret.encode() not in text
        if len(secret) == 64:
            assert not any(bytes.fromhex(secret) in text for text in texts)


@pytest.mark.requirement("MFS-7.4.2-04")
@pytest.mark.requirement("MFS-8.2.2-02")
def test_the_master_key_comes_into_the_hands_of_custodians(folder: ProviderFolder) -> None:
    crew = Crew()
    before = [unwrap(folder.master(Secret(SECRET.encode())).roots(Purpose), one)
              for one in folder.blocks()]  # fmt: skip
    wrong = "tks1-" + "0" * 8
    crew.said[("bob", "your share again")] = [wrong]
    ran = crew.holds(folder, planned(folder, "master-make", "--threshold", 2))
    assert ran.code == 0, ran.all
    assert "bob: this is not a share; once more" in ran.out
    roots = opened(folder, crew, "ann", "cid").roots(Purpose)
    assert [unwrap(roots, one) for one in folder.blocks()] == before
    with pytest.raises(MfsError, match="1 of 2 shares"):
        opened(folder, crew, "ann")
    with pytest.raises(NotPermitted, match="opened by shares"):
        folder.master(Secret(SECRET.encode()))
    assert not list((folder.root / "ceremonies").glob("*.state"))
    fine = verified(folder)
    assert fine.code == 0, fine.all
    assert "signed by all: lead, ann, bob, cid, eve" in fine.out
    nothing_secret(crew, folder, ran.all)
    alone = tallystick("ceremony", "verify", transcript(folder), "--json")
    assert json.loads(alone.out)["script"] == "master-make"
    folder.save_master(folder.master_file.read_bytes() + b" ")
    other = verified(folder)
    assert other.code == 4
    assert "master.sealed is another file" in other.out


def value_of(octets: bytes) -> str:
    """The check value as another library has it."""
    code = CMAC(AES(octets))
    code.update(bytes(16))
    return code.finalize()[:3].hex().upper()


def with_components() -> tuple[Crew, bytes]:
    crew, total = Crew(), 0
    for seed, name in enumerate(CUSTODIANS):
        part = random.Random(seed).randbytes(32)
        crew.components[name] = (part.hex(), value_of(part))
        total ^= int.from_bytes(part, "big")
    whole = total.to_bytes(32, "big")
    crew.whole = value_of(whole)
    return crew, whole


@pytest.mark.requirement("MFS-7.4.2-04")
@pytest.mark.threat("THR-KEY-01")
def test_a_zone_key_is_entered_in_components_with_their_check_values(
    folder: ProviderFolder,
) -> None:
    crew, whole = with_components()
    crew.said[("ann", "check value of your component")] = ["ABCDEF"]
    plan = planned(folder, "zone-key", "--mechanism", "aes-256")
    ran = crew.holds(folder, plan)
    assert ran.code == 0, ran.all
    assert "the check value is another one" in ran.out
    (block,) = [one for one in folder.blocks() if peek(one).purpose is Purpose.KEY_WRAP]
    assert peek(block).profile == "demo"
    _, content = unwrap(folder.master(Secret(SECRET.encode())).roots(Purpose), block)
    assert whole in content
    assert verified(folder).code == 0
    assert crew.whole in ran.out
    nothing_secret(crew, folder, ran.all)
    again = crew.holds(folder, plan)
    assert again.code == 1
    assert "was held" in again.err


@pytest.mark.requirement("MFS-7.4.2-04")
def test_a_wrong_check_value_of_the_key_leaves_nothing_and_is_begun_anew(
    folder: ProviderFolder,
) -> None:
    crew, _ = with_components()
    crew.said[(LEADER, "check value of the key")] = ["ABCDEF"]
    plan = planned(folder, "zone-key", "--mechanism", "aes-256")
    before = len(folder.blocks())
    ran = crew.holds(folder, plan)
    assert ran.code == 1
    assert "the key has another check value" in ran.err
    assert len(folder.blocks()) == before
    nothing_secret(crew, folder, ran.all)
    assert crew.holds(folder, plan).code == 1, "what was begun is resumed"
    ran = crew.holds(folder, plan, "resume")
    assert ran.code == 0, ran.all
    assert crew.asked.count(("ann", "your component")) == 2, "nothing was kept of the first time"
    assert verified(folder).code == 0


CUTS = (
    "passphrase of your key",
    "your share again",
    "share of the new master key",
    "secret of the master key",
    "share of the master key",
)


@pytest.mark.requirement("MFS-7.4.2-07")
@pytest.mark.requirement("MFS-7.4.2-09")
def test_the_master_key_is_rotated_with_a_break_in_every_step(folder: ProviderFolder) -> None:
    crew = Crew()
    old = folder.master(Secret(SECRET.encode())).roots(Purpose)
    keys = [unwrap(old, one) for one in folder.blocks()]
    plan = planned(folder, "master-rotate", "--threshold", 2)
    said, word = "", "run"
    for cut in CUTS:
        crew.cut = cut
        ran = crew.holds(folder, plan, word)
        said += ran.all
        assert ran.code == 3, ran.all
        assert "has gone" in ran.err
        nothing_secret(crew, folder, said)
        if cut != CUTS[0]:
            word = "resume"
    state = next((folder.root / "ceremonies").glob("*.state"))
    assert [one["done"]["step"] for one in json.loads(state.read_bytes())["steps"]] == [
        "present", "make", "rewrap", "destroy",
    ]  # fmt: skip
    crew.cut = ""
    ran = crew.holds(folder, plan, "resume")
    assert ran.code == 0, ran.all
    assert not (folder.root / "master.old").exists()
    assert not (folder.root / "master.next").exists()
    new = opened(folder, crew, "bob", "cid").roots(Purpose)
    assert [unwrap(new, one) for one in folder.blocks()] == keys
    for one in folder.blocks():
        with pytest.raises(NotAuthentic):
            unwrap(old, one)
    assert verified(folder).code == 0
    nothing_secret(crew, folder, said + ran.all)


def test_a_rotation_cut_between_two_keys_goes_on_where_it_was(
    folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew, plan = Crew(), planned(folder, "master-rotate", "--threshold", 2)
    old = folder.master(Secret(SECRET.encode())).roots(Purpose)
    keys = [unwrap(old, one) for one in folder.blocks()]
    left = [3]
    real = ProviderFolder.replace_block

    def failing(self: ProviderFolder, path: Path, block: bytes) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(self, path, block)

    monkeypatch.setattr(ProviderFolder, "replace_block", failing)
    assert crew.holds(folder, plan).code == 1
    monkeypatch.undo()
    with pytest.raises(NotAuthentic):
        [unwrap(old, one) for one in folder.blocks()]
    ran = crew.holds(folder, plan, "resume")
    assert ran.code == 0, ran.all
    new = opened(folder, crew, "ann", "bob").roots(Purpose)
    assert [unwrap(new, one) for one in folder.blocks()] == keys


@pytest.mark.requirement("MFS-7.4.2-09")
def test_a_key_is_destroyed_by_all_and_not_one_that_the_service_needs(
    folder: ProviderFolder,
) -> None:
    crew, _ = with_components()
    assert crew.holds(folder, planned(folder, "zone-key", "--mechanism", "aes-256")).code == 0
    entered = transcript(folder)
    subject = next(peek(one).id for one in folder.blocks() if peek(one).purpose is Purpose.KEY_WRAP)
    crew.subject = subject
    crew.said[("ann", "last 8 characters of the key's id")] = ["12345678"]
    ran = crew.holds(folder, planned(folder, "key-destroy", "--key", subject))
    assert ran.code == 0, ran.all
    assert all(peek(one).id != subject for one in folder.blocks())
    assert verified(folder).code == 0
    assert verified(folder, entered).code == 4, "the key that was entered is not there any more"
    needed = next(peek(one).id for one in folder.blocks() if peek(one).purpose is Purpose.TALLY)
    crew.subject = needed
    ran = crew.holds(folder, planned(folder, "key-destroy", "--key", needed))
    assert ran.code == 1
    assert "the service needs one" in ran.err
    assert any(peek(one).id == needed for one in folder.blocks())


@pytest.mark.requirement("MFS-7.4.2-04")
def test_the_root_is_made_and_signs_lists_with_shares(folder: ProviderFolder) -> None:
    crew, before = Crew(), folder.settings().root
    ran = crew.holds(folder, planned(folder, "root-make", "--threshold", 2))
    assert ran.code == 0, ran.all
    assert folder.settings().root != before
    assert not (folder.offline / "root.key").exists()
    assert tallystick("keys", "list", folder.root).code == 0
    assert verified(folder).code == 0
    nothing_secret(crew, folder, ran.all)
    secret = folder.root.parent / "secret"
    secret.write_text(SECRET)
    shares = []
    for name in ("ann", "cid"):
        shares.append(folder.root.parent / f"share-{name}")
        shares[-1].write_text(crew.papers[name][-1] + "\n")
    root = folder.offline / "root-by-shares.key"
    renew = ("keys", "renew", folder.root, "--root-key", root, "--secret-file", secret)
    few = tallystick(*renew, "--root-share", shares[0])
    assert few.code == 1
    assert "1 of 2 shares" in few.err
    done = tallystick(*renew, *(word for one in shares for word in ("--root-share", one)))
    assert done.code == 0, done.all
    assert "key list 3 is signed" in done.out


def test_a_person_without_a_terminal_is_not_asked(folder: ProviderFolder) -> None:
    plan = planned(folder, "master-make", "--threshold", 2)
    keys = [w for n in ("lead", *CUSTODIANS, "eve")
            for w in ("--key-file", f"{n}={folder.offline / n}.key")]  # fmt: skip
    ran = tallystick("ceremony", "run", folder.root, plan, *keys, stdin=SECRET)
    assert ran.code == 2
    assert "cannot be asked unseen" in ran.err


def test_scripts_are_shown_with_their_steps() -> None:
    shown = tallystick("ceremony", "list", "--steps")
    assert shown.code == 0
    for word in ("master-make", "master-rotate", "zone-key", "key-destroy", "root-make"):
        assert word in shown.out
    scripts = json.loads(tallystick("ceremony", "list", "--json").out)
    assert all(one["steps"][-1]["act"] == "close" for one in scripts)
