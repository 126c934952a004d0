"""A served provider that crashes leaves no image of its memory, whatever the limits allow."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.processes import fronts

CLI = [sys.executable, "-m", "tallystick.entry.cli"]


ALLOWED = [
    "sh", "-c", 'ulimit -c unlimited 2>/dev/null || ulimit -c "$(ulimit -H -c)"; exec "$@"', "sh",
]  # fmt: skip
"""Runs what follows with as large a core file as this account may have."""


def cores(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith("core")]


@pytest.fixture(scope="module")
def dumps_are_possible(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether a process that does not protect itself leaves a core file here."""
    folder = tmp_path_factory.mktemp("control")
    subprocess.run(
        [*ALLOWED, sys.executable, "-c", "import os; os.abort()"],
        cwd=folder,
        check=False,
    )
    return bool(cores(folder))


@pytest.mark.requirement("MFS-8.2.3-03")
@pytest.mark.requirement("MFS-7.3.4-02")
@pytest.mark.skipif(sys.platform != "linux", reason="core files as Linux writes them")
def test_a_crashing_provider_never_leaves_a_core(tmp_path: Path, dumps_are_possible: bool) -> None:
    if not dumps_are_possible:
        pytest.skip("this machine writes no core file for any process: nothing would be shown")
    folder, secret = tmp_path / "provider", tmp_path / "secret"
    subprocess.run(
        [
            *CLI,
            "init",
            "--no-analysis",
            str(folder),
            "--secret-out",
            str(secret),
            "--codes-file",
            "codes",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        [
            *ALLOWED,
            *CLI,
            "serve",
            str(folder),
            "--secret-file",
            str(secret),
            "--port",
            "0",
            "--workers",
            "2",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout.readline().startswith("listening on ")
    for pid in fronts(process.pid):
        os.kill(pid, signal.SIGABRT)
    time.sleep(0.5)
    process.send_signal(signal.SIGABRT)
    assert process.wait(timeout=20) == -signal.SIGABRT
    process.stdout.close()
    assert cores(tmp_path) == []
