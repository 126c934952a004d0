"""The process keeps its memory to itself: seen from inside and by the kernel."""

import subprocess
import sys

import pytest

from tallystick.infrastructure.modules import hardening
from tallystick.kernel.errors import Unavailable

PROGRAM = """
import resource
from tallystick.infrastructure.modules.hardening import harden_process, hardening
before = hardening()
found = harden_process()
assert before.dumpable, before
assert (found.core_limit, found.dumpable) == (0, False), found
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
with open("/proc/self/limits") as limits:
    row = next(line for line in limits if line.startswith("Max core file size"))
assert row.split()[4:6] == ["0", "0"], row
print("hardened")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_a_hardened_process_leaves_no_core() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "hardened"), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_a_killed_process_writes_no_core_file(tmp_path) -> None:
    program = (
        "import os, signal\n"
        "from tallystick.infrastructure.modules.hardening import harden_process\n"
        "harden_process()\n"
        "os.kill(os.getpid(), signal.SIGABRT)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, timeout=30, check=False
    )
    assert done.returncode == -6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_what_holds_can_be_read_without_changing_it() -> None:
    found = hardening.hardening()
    assert found == hardening.hardening()
    assert found.core_limit == hardening.resource.getrlimit(hardening.resource.RLIMIT_CORE)[0]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_an_option_that_the_kernel_does_not_know_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="prctl"):
        hardening._prctl(0x7FFFFFFF, 0)


@pytest.mark.parametrize("fault", [OSError("no"), AttributeError("prctl"), ValueError("no")])
def test_where_it_cannot_be_done_it_is_said(monkeypatch, fault: Exception) -> None:
    def refuse(*_: object) -> None:
        raise fault

    monkeypatch.setattr(hardening.resource, "setrlimit", refuse)
    with pytest.raises(Unavailable, match="core files"):
        hardening.harden_process()


def test_a_setting_that_did_not_take_is_not_believed(monkeypatch) -> None:
    monkeypatch.setattr(hardening.resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(hardening, "_prctl", lambda *_: 1)
    with pytest.raises(Unavailable, match="still be dumped"):
        hardening.harden_process()


def test_where_nobody_can_tell_the_worst_is_assumed(monkeypatch) -> None:
    def refuse(*_: object) -> int:
        raise AttributeError("prctl")

    monkeypatch.setattr(hardening, "_prctl", refuse)
    assert hardening.hardening().dumpable is True
