"""The loop makes its analysis once for a programme, and again for another one."""

from pathlib import Path

import pytest

pytest.importorskip("highspy")

from tallystick.entry.looping import ANALYSIS_FILE, ground_of
from tallystick.entry.settings import ProviderFolder
from tallystick.process.programme.templates import profile_text


def stages(folder: Path, text: str) -> list[str]:
    told: list[str] = []
    ground = ground_of(ProviderFolder(folder), text.encode(), told.append)
    assert ground.analysis.selection.chosen
    return told


def test_the_analysis_is_kept_by_the_digest_of_the_programme(tmp_path: Path) -> None:
    text = profile_text("wallet-start-up")
    assert "choosing controls" in stages(tmp_path, text)
    assert stages(tmp_path, text) == ["reading"]
    assert stages(tmp_path, text + "\n# a comment changes nothing\n") == ["reading"]
    other = profile_text("merchant-acquirer")
    assert "choosing controls" in stages(tmp_path, other)
    (tmp_path / ANALYSIS_FILE).write_bytes(b"{}")
    assert "choosing controls" in stages(tmp_path, other), "what is no analysis is made anew"
    assert stages(tmp_path, other) == ["reading"]
