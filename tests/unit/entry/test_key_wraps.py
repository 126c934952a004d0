"""Destruction reaches backups: what is restored afterwards does not have the destroyed key."""

from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.entry.test_renewing import SECRET, Provider

from tallystick.entry.assembly import open_platform
from tallystick.entry.restoring import back_up, restore
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.keys.wraps import is_wrapped
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import NotFound, Unavailable


@pytest.mark.requirement("MFS-7.4.2-09")
def test_a_backup_that_is_restored_later_cannot_use_a_key_that_was_destroyed(
    tmp_path: Path,
) -> None:
    provider = Provider(tmp_path)
    folder, now = provider.folder, provider.clock.now()
    open_platform(folder, SECRET, provider.clock).close()
    places = (tmp_path / "a", tmp_path / "b")
    ran = tallystick("keys", "protect", folder.root, "--at", places[0], "--at", places[1])
    assert ran.code == 0, ran.all
    files = sorted((folder.root / "keys").glob("*.block"))
    assert all(is_wrapped(one.read_bytes()) for one in files)
    back_up(folder, tmp_path / "backup", now)
    saved = {path.name: path.read_bytes() for path in (tmp_path / "backup" / "keys").iterdir()}
    assert not list((tmp_path / "backup").rglob("*.wrap"))
    platform = open_platform(folder, SECRET, provider.clock)
    doomed = platform.keys.newest(Purpose.RECEIPT_CODE).id
    kept = platform.keys.newest(Purpose.WEBHOOK).id
    platform.close()
    folder.erase_block(doomed)
    again = ProviderFolder(tmp_path / "again")
    restore(tmp_path / "backup", again, now, operating_system)
    assert (again.root / "keys" / "receipt-code.block").read_bytes() == saved["receipt-code.block"]
    with pytest.raises(NotFound, match="destroyed"):
        again.wraps().open(saved["receipt-code.block"])
    platform = open_platform(again, SECRET, provider.clock)
    try:
        handles = {one.id for one in platform.module.handles()}
        assert doomed not in handles
        assert kept in handles
    finally:
        platform.close()


@pytest.mark.requirement("MFS-7.4.2-09")
def test_a_key_is_not_called_destroyed_while_a_copy_of_its_wrap_is_out_of_reach(
    tmp_path: Path,
) -> None:
    provider = Provider(tmp_path)
    folder, places = provider.folder, (tmp_path / "a", tmp_path / "b")
    folder.wrap_again(places)
    before = folder.blocks()
    places[1].rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="is not there"):
        folder.erase_block(peek(before[0]).id)
    assert folder.blocks() == before
    places[0].rename(tmp_path / "away-too")
    with pytest.raises(Unavailable, match="no place"):
        folder.blocks()
    (tmp_path / "away").rename(places[1])
    assert folder.blocks() == before


def test_wraps_are_in_two_places_outside_of_what_is_backed_up(tmp_path: Path) -> None:
    root = Provider(tmp_path).folder.root
    for places in (
        (tmp_path / "a",),
        (tmp_path / "a", tmp_path / "a"),
        (tmp_path / "a", root / "b"),
    ):
        given = [text for place in places for text in ("--at", place)]
        assert tallystick("keys", "protect", root, *given).code == 1
