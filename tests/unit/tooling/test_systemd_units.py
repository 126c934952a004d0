"""The units fit the commands that they start, and systemd finds nothing wrong in them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import ROOT, tallystick

OF_THE_DATABASE = {"tallystick-etcd@.service", "tallystick-patroni@.service"}
UNITS = sorted(
    unit
    for unit in (ROOT / "deploy" / "systemd").glob("*.service")
    if unit.name not in OF_THE_DATABASE
)
MOST_EXPOSED = 2.0
NO_SYSTEMD = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def command_of(unit: Path) -> list[str]:
    text = unit.read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    return line.split()


def here(unit: Path, folder: Path) -> Path:
    """The units as they would be with the environment of these tests; the path of `unit`."""
    command = str(Path(sys.executable).with_name("tallystick"))
    for one in UNITS:
        text = one.read_text(encoding="utf-8")
        (folder / one.name).write_text(
            text.replace("/opt/tallystick/.venv/bin/tallystick", command)
        )
    return folder / unit.name


def test_there_is_a_unit_for_each_process() -> None:
    assert [unit.name for unit in UNITS] == [
        "tallystick-recheck@.service", "tallystick-witness@.service", "tallystick@.service",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_command_has_every_option_that_the_unit_gives(unit: Path) -> None:
    words = command_of(unit)[1:]
    names = [word for word in words if not word.startswith(("%", "-", "$"))]
    shown = tallystick(*names, "--help")
    assert shown.code == 0, shown.all
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", shown.out), option


@NO_SYSTEMD
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", here(unit, tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, "")


@NO_SYSTEMD
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_little_of_the_machine_is_exposed_to_it(unit: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", here(unit, tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stderr
    assert float(level.group(1)) <= MOST_EXPOSED


def test_the_secret_is_a_credential_and_in_no_environment() -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        assert not re.search(r"^Environment=.*secret", text, re.IGNORECASE | re.MULTILINE)
        if "--secret-file" in text:
            assert "LoadCredential=secret:" in text
            assert "--secret-file %d/secret" in text
