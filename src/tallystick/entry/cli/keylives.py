"""Commands about the life of single keys: what there is, and how each stands.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from pathlib import Path
from typing import Final

import click

from tallystick.application.keylife import KeyRow
from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.operators import act_command
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.drilling import drill, rehearsable
from tallystick.entry.keykeeping import inventory_of
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.keys.dependants import dependants
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.time import iso_utc
from tallystick.process.yamltext.section import suggestion

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_ACTS: Final = {
    "suspend": "suspend-key",
    "resume": "resume-key",
    "retire": "retire-key",
    "compromised": "declare-compromise",
    "destroy": "destroy-key",
}
"""What a step is called here, and the operators' act that it is."""

_LEAST_PLACES: Final = 2


def show_inventory(provider: ProviderFolder, *, as_json: bool) -> None:
    """Print every key that the record knows, destroyed ones too.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows, now = inventory_of(provider), SystemClock().now()
    if as_json:
        say_json(rows)
        return
    table(
        "",
        ("purpose", "key", "mechanism", "held by", "under", "until", "uses", "state"),
        [
            (
                one.purpose,
                one.id,
                one.mechanism,
                one.owner,
                one.parent,
                iso_utc(one.ends_at)[:10] if one.ends_at else "",
                _uses(one),
                f"{one.state}, ends soon" if one.ends_soon(now) else one.state,
            )
            for one in rows
        ],
    )
    if not rows:
        say("no key was entered yet: serve the provider once")


@click.command(
    "show",
    short_help="Show one key: its life, its state, what depends on it.",
    epilog=example("tallystick keys show ./provider key_..."),
)
@click.argument("folder", type=_FOLDER)
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(folder: Path, key: str, as_json: bool) -> None:
    """Show the KEY of the provider in FOLDER: its life, its state, what depends on it."""
    rows = inventory_of(ProviderFolder(folder))
    found = next((one for one in rows if one.id == key), None)
    if found is None:
        raise NotFound(
            "the provider has no such key", remedy=f"tallystick keys list {folder} --all"
        )
    below = dependants(Purpose(found.purpose))
    if as_json:
        say_json({"key": found, "dependants": below})
        return
    rows_shown = [
        ("purpose", found.purpose),
        ("mechanism", found.mechanism),
        ("held by", found.owner),
        ("under", found.parent),
        ("made", iso_utc(found.created_at) if found.created_at else "elsewhere"),
        ("until", iso_utc(found.ends_at) if found.ends_at else "as long as what it protects"),
        ("uses", _uses(found)),
        ("state", f"{found.state} since {iso_utc(found.since)}: {found.because}"),
        ("last event", str(found.event)),
    ]
    table(found.id, ("", ""), rows_shown)
    for one in below:
        say(f"depends on it: {one.what}; {one.recourse}")


@click.command(
    "protect",
    short_help="Give every key a second wrap that no backup has.",
    epilog=example("tallystick keys protect ./provider --at /mnt/a/wraps --at /mnt/b/wraps"),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--at",
    "places",
    multiple=True,
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the wraps, outside of what is backed up; name two or more.",
)
def protect(folder: Path, places: tuple[Path, ...]) -> None:
    """Seal every key of FOLDER once more under a wrap of its own, kept in each of the places.

    A key whose wrap is destroyed is destroyed in every backup too. Stop the service before. Whoever
    loses all places loses all keys: name two that do not burn together, and back neither up.
    """
    provider = ProviderFolder(folder)
    inside = [one for one in places if one.resolve().is_relative_to(folder.resolve())]
    if inside or len({one.resolve() for one in places}) < _LEAST_PLACES:
        raise Malformed(
            "wraps are kept in two places outside of the provider's folder",
            remedy="name two folders that are not backed up",
        )
    say(f"{provider.wrap_again(places)} keys have a second wrap now, in {len(places)} places")


@click.command(
    "drill",
    short_help="Rehearse a compromise of a key, on a copy.",
    epilog=example("tallystick keys drill ./provider webhook --secret-file ./secret"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("purpose")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def rehearse(
    folder: Path,
    purpose: str,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Give up the key of PURPOSE on a copy of FOLDER: what refuses it, what hangs on it.

    The copy is a backup that is restored, so that the drill tries this too. Nothing of the provider
    is changed. Exits with 4 if anything did not come out as it has to. Keys that no process of the
    provider holds, as those of root, officers and issuers, have no drill.
    """
    place = ProviderFolder(folder)
    known = rehearsable(place)
    if purpose not in known:
        raise NotFound(
            f"no process of this provider holds a {purpose[:40]!r} key{suggestion(purpose, known)}",
            remedy=f"tallystick keys list {folder} --all",
        )
    done = drill(place, opener_from(secret_fd, secret_file), Purpose(purpose), SystemClock())
    if as_json:
        say_json(done)
    else:
        rows = [("held" if one.held else "FAILED", one.what, one.says) for one in done.steps]
        table(f"{purpose}: {done.old} gives way to {done.successor}", ("", "", ""), rows)
        for one in done.dependants:
            say(f"depends on it: {one.what}; {one.recourse}")
        say(f"it took {done.took_ms} ms")
    if not done.held:
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _uses(row: KeyRow) -> str:
    most = row.most_uses()
    return f"{row.uses} of {most}" if most else ""


opener_options(rehearse)

COMMANDS: Final = (
    show,
    protect,
    rehearse,
    *(act_command(act, called) for called, act in _ACTS.items()),
)
"""What the group of keys has besides its list."""
