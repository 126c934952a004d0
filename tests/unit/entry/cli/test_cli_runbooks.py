"""What a runbook says can be typed: commands, options, metrics, alerts and sections that exist."""

import re
import shlex
from pathlib import Path

import click
import pytest
from ruamel.yaml import YAML
from tests.unit.entry.cli.command_line import ROOT

from tallystick.entry.assembly import open_platform
from tallystick.entry.cli.main import cli
from tallystick.entry.notes import Note
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.entry.siem.collecting import _NOTES
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SimulatedClock

HOW_TO = ROOT / "docs" / "how-to"
PAGE = (HOW_TO / "runbooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n\n((?:(?!^## ).*\n?)*)", PAGE, re.MULTILINE))
ALERTS = (HOW_TO / "alerts.md").read_text(encoding="utf-8")
PARTS = ("**Shows.**", "**Look.**", "**Do.**", "**Do not.**", "**Over when.**")
INCIDENTS = 19


def commands() -> list[str]:
    """Every `tallystick ...` that stands in a block or between backticks with an argument."""
    blocks = re.findall(r"^    (.+)$", PAGE, re.MULTILINE)
    spans = re.findall(r"`(tallystick [^`]+)`", PAGE.replace("\n", " "))
    return sorted({one for one in (*blocks, *spans) if one.startswith("tallystick ")})


def resolved(line: str) -> tuple[click.Command, list[str]]:
    """The command that `line` names, and what follows it."""
    command: click.Command = cli
    context, rest = click.Context(cli, info_name="tallystick"), shlex.split(line)[1:]
    while isinstance(command, click.Group):
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None, line
        command, context = found, click.Context(found, parent=context)
    return command, rest


@pytest.mark.parametrize("line", commands())
def test_every_command_exists_with_its_options_and_arguments(line: str) -> None:
    command, rest = resolved(line)
    options = {
        flag: not one.is_flag
        for one in command.params
        if isinstance(one, click.Option)
        for flag in (*one.opts, *one.secondary_opts)
    }
    given = []
    waiting = iter(rest)
    for part in waiting:
        if part.startswith("--"):
            assert part in options, line
            if options[part]:
                assert next(waiting, None) is not None, line
        else:
            given.append(part)
    wanted = [one for one in command.params if isinstance(one, click.Argument) and one.required]
    whole = "$" in line or "/" in line
    assert len(given) == len(wanted) or not whole, line


def test_the_page_has_commands_at_all() -> None:
    assert len(commands()) > 20
    with pytest.raises(click.UsageError):
        resolved("tallystick repair $P")


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_section_says_the_five_things_in_order(section: str) -> None:
    places = [SECTIONS[section].find(part) for part in PARTS]
    assert -1 not in places, section
    assert places == sorted(places)


def test_every_incident_has_a_section() -> None:
    assert len(SECTIONS) == INCIDENTS


def test_metrics_alerts_notes_and_events_that_are_named_exist() -> None:
    known = set(re.findall(r"`(tallystick_\w+)`", ALERTS))
    assert set(re.findall(r"tallystick_\w+", PAGE)) <= known
    rules = YAML(typ="safe").load(
        (ROOT / "deploy" / "prometheus" / "tallystick.rules.yaml").read_text()
    )
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    named = set(re.findall(r"`(Tallystick\w+)`", PAGE))
    assert named <= alerts
    text = PAGE.replace("\n", " ")
    assert set(re.findall(r"`(an? [a-z ]+)`", text)) <= {str(one) for one in Note}
    events = {kind for kind, _ in _NOTES.values()} | {"writes.stopped", "keys.list-ends"}
    assert set(re.findall(r"event(?: is)? `([a-z.-]+)`", text)) <= events


def anchors(page: str) -> set[str]:
    return {
        re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-")
        for one in re.findall(r"^## (.+)$", page, re.MULTILINE)
    }


def test_links_into_the_page_lead_to_a_section() -> None:
    wanted = set(re.findall(r"\(#([a-z-]+)\)", PAGE))
    wanted |= set(re.findall(r"runbooks\.md#([a-z-]+)", ALERTS))
    assert wanted <= anchors(PAGE)
    assert len(wanted) > 5


def test_the_dashboard_names_sections_that_exist() -> None:
    dashboard = (ROOT / "deploy" / "grafana" / "tallystick.json").read_text(encoding="utf-8")
    named = set(re.findall(r"[Rr]unbook '([^']+)'", dashboard))
    assert named
    assert named <= set(SECTIONS)


def test_a_quote_key_that_was_moved_away_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    folder, clock = ProviderFolder(tmp_path / "provider"), SimulatedClock()
    plan = Plan(
        provider="test-wallet", currency="KES", country="254", profile="demo",
        policy_text=demo_policy(), roles=("operations",), pin_memory_kib=8 * 1024, pin_passes=1,
    )  # fmt: skip
    secret = Secret(b"s" * 32)
    set_up(folder, plan, secret, clock)
    platform = open_platform(folder, secret, clock)
    before = platform.quote_keys.blocks()
    platform.close()
    moved = list((folder.root / "keys").glob("quote*.block"))
    assert moved
    for path in moved:
        path.rename(tmp_path / path.name)
    platform = open_platform(folder, secret, clock)
    assert not set(platform.quote_keys.blocks()) & set(before)
    platform.close()
