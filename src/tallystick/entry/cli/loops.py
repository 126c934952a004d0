"""Commands that hold risk, policy and proof against each other while a provider runs.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from tallystick.entry.cli.console import (
    FOUND_SOMETHING,
    err,
    example,
    say,
    say_error,
    say_json,
    table,
)
from tallystick.entry.looping import Looping, Rounded, seen_now
from tallystick.entry.observing import pressed_now, seen_controls
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import iso_utc
from tallystick.process.loop.rounds import Ground, is_in_effect, state_word
from tallystick.process.risk.observing import Sighting

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EVERY = re.compile(r"^([1-9][0-9]{0,5})(s|m|h)?\Z")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_SHOWN = 8
_STYLES = {"failed": "red", "in part": "yellow", "stale": "yellow"}


@click.group(epilog=example("tallystick loop run ./provider --url http://127.0.0.1:8480"))
def loop() -> None:
    """The loop: which control fell, which risk rose, what is proposed."""


def _seconds(_: click.Context, __: click.Parameter, given: str) -> float:
    found = _EVERY.match(given)
    if found is None:
        raise click.BadParameter("give a length of time such as 30s, 5m or 1h")
    return int(found[1]) * _UNITS[found[2] or ""]


@loop.command(
    "run",
    short_help="Run the loop beside a provider.",
    epilog=example(
        "tallystick loop run ./provider --url http://127.0.0.1:8480",
        "tallystick loop run ./provider --once --json",
    ),
)
@click.argument("folder", metavar="PROVIDER", type=_FOLDER)
@click.option(
    "--every", default="30s", callback=_seconds, help="Time between rounds.", show_default=True
)
@click.option("--once", is_flag=True, help="One round; exits with 4 if something is open.")
@click.option("--url", default="", help="Try the doors of the service that runs there, too.")
@click.option("--ca-file", type=_FILE, help="Believe this certificate of the service.")
@click.option("--json", "as_json", is_flag=True, help="Print the line of each round as JSON.")
def run(
    folder: Path,
    every: float,
    once: bool,
    url: str,
    ca_file: Path | None,
    as_json: bool,
) -> int:
    """Look at the provider in PROVIDER again and again, and say what changed.

    Each round runs the probes that are due (and others as time allows), leaves what is news for the
    service to record, judges every control and every risk, and adds a line to PROVIDER/loop.jsonl
    if something changed. Where a control fell and a risk rose it writes a stronger policy to
    PROVIDER/proposals for officers to sign; it activates nothing. Needs no secret, but the extra
    `risk`.
    """
    site = Site(ProviderFolder(folder), SystemClock(), url=url, ca_file=ca_file)
    with err.status("reading ...") as status:
        looping = Looping(site, every, lambda what: status.update(f"{what} ..."))
        while True:
            began = time.monotonic()
            try:
                done = looping.round()
            except MfsError as error:
                if once:
                    raise
                say_error(error.detail, because=error.because, remedy=error.remedy)
            else:
                _tell(done, as_json=as_json)
                if once:
                    return FOUND_SOMETHING if done.open or done.fallen else 0
            status.update("waiting for the next round ...")
            try:
                time.sleep(max(0.0, every - (time.monotonic() - began)))
            except KeyboardInterrupt:
                return 0


def _tell(done: Rounded, *, as_json: bool) -> None:
    if as_json:
        say_json({"line": done.line, "proposal": str(done.proposal or ""), "open": done.open})
        return
    state, whole = done.state, sum(map(is_in_effect, done.sightings))
    say(
        f"{iso_utc(state.at)[11:19]} round {state.round}: {whole} of {len(done.sightings)} controls"
        f" in effect, {done.open} places open, policy {state.policy_version};"
        f" {done.probed} probes, {done.took_s:.1f} s"
    )
    for words, style in _news(done):
        say(f"  {words}", style)


def _news(done: Rounded) -> Iterator[tuple[str, str]]:
    """What changed in this round, in lines with their style."""
    line = done.line
    if line is None:
        return
    for one in line.turned[:_SHOWN]:
        style = _STYLES.get(one.now, "green" if one.now == "enforced" else "")
        yield f"{one.control}: {one.was} -> {one.now} ({one.says})"[:200], style
    if len(line.turned) > _SHOWN:
        yield f"and {len(line.turned) - _SHOWN} more controls changed", ""
    for asset, moved in line.residual.items():
        if moved.before != moved.after:
            before, after = moved.before, moved.after
            style = "red" if after.above(before) else "green"
            yield (
                f"{asset}: risk {before.risk} -> {after.risk}, open {before.open} -> {after.open}",
                style,
            )
    for flip in line.findings[:_SHOWN]:
        yield f"{flip.requirement}: {flip.was} -> {flip.now}", ""
    if done.proposal is not None:
        yield f"proposed, for officers to sign: {done.proposal}", "bold"


@click.command(
    "observe",
    short_help="Show what is seen of each control, and what is left.",
    epilog=example("tallystick risk observe ./provider"),
)
@click.argument("folder", metavar="PROVIDER", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def observe(folder: Path, as_json: bool) -> None:
    """Show of each control of PROVIDER whether it is in effect, what says so, and since when.

    Then, for each asset, the highest risk without controls, as designed, and as it is seen now.
    Nothing is tried: it reads what `prove` and `loop` recorded.
    """
    with err.status("reading ...") as status:
        ground, known = seen_now(
            ProviderFolder(folder), SystemClock(), lambda what: status.update(f"{what} ...")
        )
        now = SystemClock().now()
        found = seen_controls(ground.programme, ground.pack, known, now)
    levels = list(_levels(ground, found, pressed_now(known, now)))
    if as_json:
        say_json({"controls": found, "residual": levels})
        return
    chosen = {one.control for one in ground.analysis.selection.chosen}
    table(
        "controls",
        ("control", "chosen", "state", "seen by", "when", "says"),
        (
            (
                one.control,
                "yes" if one.control in chosen else "",
                state_word(one),
                one.tie.value,
                iso_utc(one.at)[:19] if one.at else "",
                one.says[:80],
            )
            for one in found
        ),
    )
    table(
        "\nrisk by asset", ("asset", "without controls", "as designed", "now", "open now"), levels
    )
    whole = sum(map(is_in_effect, found))
    say(f"\n{whole} of {len(found)} controls are in effect")


def _levels(
    ground: Ground, found: tuple[Sighting, ...], pressed: Mapping[str, int]
) -> Iterator[tuple[str, int, int, int, int]]:
    now = ground.levels(ground.stood(found, pressed))
    for name, one in ground.analysis.by_asset.items():
        yield name, one.inherent, one.designed, now[name].risk, now[name].open
