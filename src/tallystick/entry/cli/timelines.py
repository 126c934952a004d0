"""The command that tells what was changed at a provider, in order.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.recounting import recount
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import to_plain
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, Instant, iso_utc

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_AGO = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


@click.command(
    short_help="Tell what was changed at a provider, in order.",
    epilog=example(
        "tallystick timeline ./provider --since 2h",
        "tallystick timeline ./provider --since 2026-01-31T03:00Z --json",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--since", default="", help="From then on: 90m, 2h, 3d, or a time with its zone.")
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def timeline(folder: Path, since: str, as_json: bool) -> None:
    """Tell what was changed at the provider in FOLDER: policies, acts, keys, devices, restarts.

    Oldest first. What operators did and what was stopped comes from the log, with the index that
    `tallystick why` explains; starts and key lists come from the store, rounds of the loop from its
    file: what it saw stands beside what the service tightened. No secret is needed, and operators
    are told by id and role. Payments and what customers did are left out.
    """
    changes = recount(ProviderFolder(folder), _instant(since))
    if as_json:
        say_json(to_plain(changes))
        return
    rows = [
        (iso_utc(one.at), one.what, one.who, "" if one.index < 0 else one.index, one.says)
        for one in changes
    ]
    table("", ("when", "what", "who", "event", ""), rows)
    if not rows:
        say("nothing was changed")


def _instant(since: str) -> Instant:
    """The instant that `since` means; the beginning of time without it."""
    if not since:
        return Instant(0)
    ago = _AGO.fullmatch(since)
    if ago:
        return Instant(SystemClock().now() - int(ago[1]) * _UNITS[ago[2]])
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter(
            "write 90m, 2h, 3d, or a time with its zone such as 2026-01-31T03:00Z",
            param_hint="--since",
        )
    return Instant(int(moment.astimezone(UTC).timestamp() * 1000))
