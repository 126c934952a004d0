"""Every help is as it was agreed, has an example that works, and mistakes are answered kindly."""

import os
import re
import shlex
import subprocess
import sys

import click
import pytest
from tests.unit.entry.cli.command_line import DEMO, ROOT, tallystick

from tallystick import __version__
from tallystick.entry.cli import main
from tallystick.entry.cli.console import OUT_OF_REACH, REFUSED, WRONG_USAGE
from tallystick.entry.cli.main import cli
from tallystick.entry.cli.manual import help_text, helps, manual_page
from tallystick.entry.http.operations import ACT_NAMES

GOLDEN = ROOT / "tests" / "golden" / "cli-help.txt"
HELPS = dict(helps())


def test_every_help_is_as_agreed() -> None:
    if os.environ.get("TALLYSTICK_UPDATE_GOLDEN"):
        GOLDEN.write_text(help_text(), encoding="utf-8")
    assert help_text() == GOLDEN.read_text(encoding="utf-8"), (
        "a help changed: look at it, then run with TALLYSTICK_UPDATE_GOLDEN=1"
    )


def test_the_reference_page_is_that_of_the_commands() -> None:
    page = ROOT / "docs" / "reference" / "cli.md"
    assert page.read_text(encoding="utf-8") == manual_page(), "python dev.py docs"


def examples() -> list[tuple[str, list[str]]]:
    found = []
    for words, text in HELPS.items():
        block = re.search(r"\n  Examples?:\n(.*)\Z", text, re.DOTALL)
        joined = re.sub(r"\\\n\s+", "", block[1]) if block else ""
        lines = [line.strip() for line in joined.splitlines() if "tallystick" in line]
        found.append((words, lines))
    return found


@pytest.mark.parametrize(("words", "lines"), examples(), ids=lambda one: str(one)[:40])
def test_every_command_has_an_example_that_it_can_parse(words: str, lines: list[str]) -> None:
    assert lines, f"{words} has no example"
    for line in lines:
        line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", line)  # noqa: PLW2901
        parts = shlex.split(re.split(r" \d?[<>] ", line)[0])
        assert parts[0] == "tallystick"
        command, context, rest = cli, click.Context(cli, info_name="tallystick"), parts[1:]
        while isinstance(command, click.Group):
            _, found, rest = command.resolve_command(context, rest)
            assert found is not None
            command, context = found, click.Context(found, parent=context)
        flags = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}
        given = {part for part in rest if part.startswith("--")} - {"--help"}
        assert given <= flags, f"{line}: {given - flags}"


def test_every_option_and_command_says_what_it_is_for() -> None:
    for words, text in HELPS.items():
        assert len(text.splitlines()) > 4, words
    for command in walk(cli):
        assert command.help, command.name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (command.name, parameter.name)


def walk(command: click.Command):
    yield command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from walk(below)


def test_every_act_of_the_service_has_a_command() -> None:
    assert {f"tallystick operator act {name}" for name in ACT_NAMES} <= HELPS.keys()


def test_the_version_is_told() -> None:
    assert tallystick("--version").out.strip() == f"tallystick, version {__version__}"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["opertor"], "operator"),
        (["tally", "verfy"], "verify"),
        (["operator", "act", "fund-acount"], "fund-account"),
        (["init", "./x", "--polcy", "y"], "--policy"),
        (["completion", "bsh"], "bash"),
    ],
)
def test_a_typing_mistake_is_answered_with_what_was_meant(typed: list[str], meant: str) -> None:
    ran = tallystick(*typed)
    assert ran.code == WRONG_USAGE
    assert meant in ran.err
    assert "Traceback" not in ran.all


def test_a_missing_argument_is_wrong_usage() -> None:
    assert tallystick("serve").code == WRONG_USAGE
    assert tallystick("receipt", "verify", DEMO).code == WRONG_USAGE


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_program(shell: str) -> None:
    assert "_TALLYSTICK_COMPLETE" in tallystick("completion", shell).out


def test_a_refusal_is_one_line_and_a_remedy(tmp_path) -> None:
    ran = tallystick("tally", "verify", tmp_path)
    assert ran.code == REFUSED
    lines = ran.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("-> ")
    assert ran.out == ""


def test_a_provider_that_does_not_answer_is_out_of_reach(tmp_path) -> None:
    code, passphrase = tmp_path / "code", tmp_path / "pass"
    code.write_text("ABCDE-ABCDE-ABCDE-ABCDE")
    passphrase.write_text("a long enough passphrase")
    ran = tallystick(
        "operator", "enrol", "http://127.0.0.1:9", "--name", "Ann", "--key-file",
        tmp_path / "ann.key", "--code-file", code, "--passphrase-file", passphrase,
    )  # fmt: skip
    assert ran.code == OUT_OF_REACH
    assert not (tmp_path / "ann.key").exists()


def test_a_traceback_is_shown_with_debug_only(monkeypatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tallystick.entry.cli.policies.compile_policy", fails)
    ran = tallystick("policy", "check", DEMO)
    assert ran.code == REFUSED
    assert "ZeroDivisionError" in ran.err
    assert "--debug" in ran.err
    with pytest.raises(ZeroDivisionError):
        main(["policy", "check", str(DEMO), "--debug"])


def test_no_colour_reaches_a_pipe() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tallystick.entry.cli", "catalogue", "show", "MFS-9.9"],
        capture_output=True, text=True, check=False, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    assert done.returncode == REFUSED
    assert "\x1b" not in done.stdout + done.stderr


def test_the_package_runs_as_the_command() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-m", module, "catalogue", "show", "--help"],
            capture_output=True, text=True, check=True,
        ).stdout
        for module in ("tallystick", "tallystick.entry.cli")
    ]  # fmt: skip
    assert said[0] == said[1]
    assert said[0].startswith("Usage: tallystick catalogue show")
