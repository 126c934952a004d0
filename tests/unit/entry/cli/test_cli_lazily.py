"""A command is imported when it is named, and not before."""

import subprocess
import sys

import click
import pytest

from tallystick.entry.cli.lazily import Commands
from tallystick.kernel.errors import Broken

SHOWN = """
import sys
from tallystick.entry.cli.main import cli
cli.commands["serve"]
away = ("tallystick.process.reports", "tallystick.process.conformance.bundle",
        "tallystick.entry.cli.reports", "tallystick.process.isms.page")
print(sorted(one for one in sys.modules if one.startswith(away)))
"""


def test_serving_imports_neither_the_report_nor_the_bundle() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SHOWN], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_commands_below_a_group_come_with_it() -> None:
    found = Commands({"policy": ("policies:policy", "derivations:derive_policy")})
    assert list(found) == ["policy"]
    group = found["policy"]
    assert isinstance(group, click.Group)
    assert {"check", "derive"} <= set(group.commands)
    assert found["policy"] is group


def test_a_command_can_be_put_in_and_taken_out() -> None:
    found = Commands({})
    found["x"] = click.Command("x")
    assert (len(found), found["x"].name) == (1, "x")
    del found["x"]
    assert "x" not in found


def test_what_is_no_command_is_refused() -> None:
    with pytest.raises(Broken, match="is no command"):
        Commands({"x": ("console:say",)})["x"]
