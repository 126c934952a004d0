"""The units of the database's nodes: systemd finds nothing wrong, and each comes back by itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import ROOT

UNITS = [
    ROOT / "deploy" / "systemd" / f"tallystick-{name}@.service" for name in ("etcd", "patroni")
]
MOST_EXPOSED = 2.0
NO_SYSTEMD = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
EVERY_UNIT = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


def here(unit: Path, folder: Path) -> Path:
    """The unit with a program that this machine has instead of the one it starts."""
    text = unit.read_text(encoding="utf-8")
    done, count = re.subn(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
    assert count == 1
    (folder / unit.name).write_text(done, encoding="utf-8")
    return folder / unit.name


def systemd(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


@NO_SYSTEMD
@EVERY_UNIT
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    done = systemd("verify", "--man=no", here(unit, tmp_path))
    assert (done.returncode, done.stderr.strip()) == (0, "")


@NO_SYSTEMD
@EVERY_UNIT
def test_little_of_the_machine_is_exposed_to_it(unit: Path, tmp_path: Path) -> None:
    done = systemd("security", "--offline=yes", "--no-pager", here(unit, tmp_path))
    level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stderr
    assert float(level.group(1)) <= MOST_EXPOSED


@EVERY_UNIT
def test_it_comes_back_well_before_the_lease_of_the_primary_ends(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    template = (ROOT / "deploy" / "ha" / "patroni.yaml.in").read_text(encoding="utf-8")
    (lease,) = re.findall(r"^ +ttl: (\d+)$", template, re.MULTILINE)
    (pause,) = re.findall(r"^RestartSec=(\d+)$", text, re.MULTILINE)
    assert re.search(r"^Restart=always$", text, re.MULTILINE)
    assert re.search(r"^StartLimitIntervalSec=0$", text, re.MULTILINE), "it never gives up"
    assert int(pause) * 5 <= int(lease)


def test_postgresql_outlives_its_patroni() -> None:
    text = UNITS[1].read_text(encoding="utf-8")
    assert re.search(r"^KillMode=process$", text, re.MULTILINE)
