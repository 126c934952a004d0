"""Runs the command line in this process, as the console script does, and gives what it came to."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.cast import Cast
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider

from tallystick.entry.cli import main

ROOT = Path(__file__).resolve().parents[4]
DEMO = ROOT / "src" / "tallystick" / "process" / "policy" / "defaults" / "demo.yaml"

__all__ = ["DEMO", "ROOT", "Cast", "Ran", "Smsc", "TourProvider", "tallystick"]


@dataclass(frozen=True)
class Ran:
    """An exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def tallystick(*arguments: object, stdin: str = "") -> Ran:
    """Run `tallystick ARGUMENTS`; `stdin` is what would be typed."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.stdin
    sys.stdin = io.StringIO(stdin)
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main([os.fspath(one) if isinstance(one, Path) else str(one) for one in arguments])
    finally:
        sys.stdin = before
    code = ended.value.code
    return Ran(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
