"""A backup takes everything that an operator set up; what it leaves out it names."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.smsc import Smsc
from tests.support.authorities import OpensslAuthority
from tests.support.decision_point import NAMES
from tests.unit.entry.cli.command_line import Ran, TourProvider, tallystick

from tallystick.entry.contents import content_of, taken_in, to_give_anew, unnamed_in
from tallystick.entry.desk_settings import desk_settings
from tallystick.entry.paycrypt_settings import paycrypt_settings
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.terminated import keep_authorities
from tallystick.entry.vendors.sources import sources_in
from tallystick.entry.waking import push_url
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.errors import Malformed, NotFound

BEARER = "qz7-bearer-of-the-network"
BY_HAND = {
    "mno.json": json.dumps(
        {"v": 1, "url": "https://mno.example", "bearer": BEARER, "apis": {"sim-swap": "/s/v2"}}
    ),
    "push.json": '{"url": "https://push.example/wake"}',
    "authzen.yaml": NAMES,
    "paycrypt.json": '{"v":1,"use":"test","rows":[]}',
    "module.json": '{"v":1,"module":"soft"}',
    "documents/insurance.pdf": "a document that people attest with",
}
ICCIDS = "8925402100000000011\n"


@dataclass
class Town:
    """A provider set up by commands and by hand, served once; its backup, and what that said."""

    place: Path
    folder: Path
    provider: TourProvider
    backup: Path
    said: Ran


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    place = tmp_path_factory.mktemp("backups")
    smsc = Smsc()
    provider = TourProvider(place, Es256SigningKey.generate(), smsc)
    provider.set_up()
    folder, secret = provider.folder.root, ("--secret-file", place / "secret")
    for name, text in BY_HAND.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (place / "iccids").write_text(ICCIDS, encoding="ascii")
    home = place / "authority"
    home.mkdir()
    OpensslAuthority(home, "West")
    keep_authorities(folder, "sms-west", (home / "root.pem").read_bytes())
    for command in (
        ("desk", "set", folder, "--origin", "https://desk.example"),
        ("vendors", "set", folder, "android-revoked", "--url", "https://vendor.example/status"),
        ("pki", "root", folder, "--organisation", "Example Pay", *secret),
    ):
        ran = tallystick(*command)
        assert ran.code == 0, ran.all
    try:
        provider.serve()
        provider.stop()
    finally:
        smsc.close()
    ran = tallystick("network", "sims", folder, "batch-1", place / "iccids",
                     "--out", place / "bureau", *secret)  # fmt: skip
    (folder / "ann.key").write_text("somebody's", encoding="ascii")
    said = tallystick("backup", folder, place / "backup")
    assert said.code == 0, said.all
    return Town(place, folder, provider, place / "backup", said)


@pytest.mark.requirement("MFS-6.2.3-04")
def test_a_restored_provider_is_set_up_as_before_and_serves(town: Town) -> None:
    ran = tallystick("restore", town.backup, town.place / "again")
    assert ran.code == 0, ran.all
    assert "give anew: bearer in mno.json" in ran.out
    again, before = town.place / "again", town.folder
    assert desk_settings(again) == desk_settings(before)
    assert sources_in(again) == sources_in(before)
    assert paycrypt_settings(again) == paycrypt_settings(before)
    assert push_url(again) == "https://push.example/wake"
    assert ProviderFolder(again).names() == ProviderFolder(before).names() != ()
    same = [*BY_HAND, "partner-lists/sms-west.pem", "sims/batch-1.json", "pki/register.log"]
    for name in same:
        assert ((again / name).read_bytes() == (before / name).read_bytes()) is (name != "mno.json")
    assert to_give_anew(again) == ["bearer in mno.json"]
    town.provider.folder = ProviderFolder(again)
    try:
        town.provider.serve()
    finally:
        town.provider.stop()
    assert not (again / "sims" / "batch-1.json").exists(), "the start took the SIMs in"


@pytest.mark.requirement("MFS-7.3.4-03")
def test_a_secret_in_clear_is_not_in_a_backup_and_is_named(town: Town) -> None:
    octets = b"".join(one.read_bytes() for one in town.backup.rglob("*") if one.is_file())
    assert BEARER.encode() in (town.folder / "mno.json").read_bytes()
    assert BEARER.encode() not in octets
    left = json.loads((town.backup / "mno.json").read_bytes())
    assert left == json.loads(BY_HAND["mno.json"]) | {"bearer": ""}
    assert "left empty, keep it elsewhere: bearer in mno.json" in town.said.out
    assert BEARER not in town.said.all


def test_what_is_no_file_of_a_provider_is_named_and_stays(town: Town) -> None:
    assert "not taken, no file of a provider: ann.key" in town.said.out
    assert unnamed_in(town.folder) == ["ann.key"]
    assert not (town.backup / "ann.key").exists()


def test_everything_else_in_the_folder_is_taken_or_left_with_a_reason(town: Town) -> None:
    names = {
        one.relative_to(town.folder).as_posix() for one in town.folder.rglob("*") if one.is_file()
    }
    taken = {name for name, _ in taken_in(town.folder)}
    left = {name: content_of(name) for name in names - taken - {"ann.key"}}
    assert all(row is not None and row.left for row in left.values())
    places = {name.partition("/")[0].partition(".")[0] for name in left}
    assert places == {"offline", "tallystick"}


def test_a_file_whose_secret_cannot_be_seen_is_not_copied(tmp_path: Path) -> None:
    for name in ("provider.json", "master.sealed", "policy.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "mno.json").write_text(BY_HAND["mno.json"] + "}")
    with pytest.raises(Malformed, match="mno") as refused:
        list(taken_in(tmp_path))
    assert BEARER not in str(refused.value.detail)
    (tmp_path / "master.sealed").unlink()
    with pytest.raises(NotFound, match="no master"):
        list(taken_in(tmp_path))
