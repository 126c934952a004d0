"""The page on devices: its commands run as they stand, in an empty folder, from top to bottom."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.softhsm import LIBRARY

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import is_reference, peek
from tallystick.infrastructure.modules.master import keeper_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "connect-an-hsm.md"
DEBIANS = "/usr/lib/softhsm/libsofthsm2.so"


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def test_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    if not LIBRARY or shutil.which("pkcs11-tool") is None:
        pytest.skip("SoftHSM or pkcs11-tool is absent: apt-get install softhsm2 opensc")
    pytest.importorskip("pkcs11", reason="the driver is absent: install tallystick[pkcs11]")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path}/tokens\n", encoding="utf-8")
    work = tmp_path / "work"
    work.mkdir()
    ours = f'tallystick() {{ "{sys.executable}" -m tallystick.entry.cli "$@"; }}'
    assert len(commands()) == 9
    script = "\n".join(["set -e", ours, *commands()]).replace(DEBIANS, LIBRARY)
    done = subprocess.run(
        ["bash", "-c", script], cwd=work, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "SOFTHSM2_CONF": str(conf), "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new: tally" in done.stdout
    assert "never extractable" in done.stdout
    assert "934271" not in done.stdout + done.stderr
    folder = ProviderFolder(work / "provider")
    assert keeper_of(folder.master_file.read_bytes()) == "pkcs11"
    inside = [peek(one).purpose.value for one in folder.blocks() if is_reference(one)]
    assert inside == ["tally"]
