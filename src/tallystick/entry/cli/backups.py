"""Commands that copy a provider away, and bring it back under a new name of its log.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from pathlib import Path

import click

from tallystick.entry.auditing import believed, read_anchor
from tallystick.entry.cli.console import err, example, say
from tallystick.entry.contents import to_give_anew, unnamed_in
from tallystick.entry.restoring import back_up, restore
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_NEW = click.Path(file_okay=False, path_type=Path)


@click.command(
    short_help="Copy a provider away, also while it is served.",
    epilog=example("tallystick backup ./provider /media/backup/monday"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("target", type=_NEW)
def backup(folder: Path, target: Path) -> None:
    """Copy the provider in FOLDER to the new folder TARGET, also while it is served.

    The copy is of one moment. Its keys stay wrapped and its master key stays sealed: without the
    secret, which is not in it, it opens nothing. The keys in offline/ are not in it either, and a
    secret that stands in clear, such as the bearer in mno.json, is left empty.
    """
    with err.status("copying ..."):
        taken = back_up(ProviderFolder(folder), target, SystemClock().now())
    say(f"{target}: {len(taken.files)} files, {taken.events} events of {taken.origin}")
    for name in unnamed_in(folder):
        say(f"not taken, no file of a provider: {name}", style="yellow")
    for secret in to_give_anew(target):
        say(f"left empty, keep it elsewhere: {secret}")
    say(f"check it: tallystick tally verify {target}")


@click.command(
    "restore",
    short_help="Bring a backup back; its log takes a new name.",
    epilog=example(
        "tallystick restore /media/backup/monday ./provider",
        "tallystick restore /media/backup/monday ./provider --against receipt.json",
    ),
)
@click.argument("source", metavar="BACKUP", type=_FOLDER)
@click.argument("folder", type=_NEW)
@click.option(
    "--against",
    "anchors",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A newer receipt or checkpoint that was kept outside: it says how much is lost.",
)
@click.option("--origin", default="", help="New name of the log; the old one counted up if absent.")
def restore_backup(source: Path, folder: Path, anchors: tuple[Path, ...], origin: str) -> None:
    """Put a BACKUP into the new FOLDER; its log goes on under a new name.

    What was recorded after the backup is lost. Were the log to go on under the old name it would
    tell two histories; so its next event names what it continues, and wallets see the break.
    A backup that was restored before needs a name of its own: give --origin.
    """
    whose = believed(ProviderFolder(source))
    kept = [read_anchor(path, whose) for path in anchors]
    now = SystemClock().now()
    done = restore(
        source, ProviderFolder(folder), now, operating_system, anchors=kept, origin=origin
    )
    say(f"{folder}: the log {done.before} goes on as {done.origin}, event {done.event} says so")
    if done.lost:
        say(f"{done.lost} events are lost: ask customers for their receipts", style="yellow")
    elif not anchors:
        say("whether events are lost is not known: nothing newer was given (--against)")
    for secret in to_give_anew(folder):
        say(f"give anew: {secret}", style="yellow")
    say(f"next, its first start signs it: tallystick serve {folder} --secret-file FILE")
