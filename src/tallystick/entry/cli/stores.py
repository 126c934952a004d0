"""Commands about the store: where it is, and how it moves.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import time
from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, table
from tallystick.entry.moving import move_store
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.address import is_address, parse_address
from tallystick.infrastructure.store.copying import row_counts
from tallystick.infrastructure.store.opening import Place, is_being_written, open_snapshot

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PAUSE_S = 2.0


@click.group(
    epilog=example(
        "tallystick store show ./provider",
        "tallystick store move ./provider --to 'postgresql://tallystick@db1,db2/wallet"
        "?sslmode=verify-full'",
    )
)
def store() -> None:
    """See where a provider's record is, and move it."""


@store.command(
    short_help="Where the record is, its tables and their rows.",
    epilog=example("tallystick store show ./provider"),
)
@click.argument("folder", type=_FOLDER)
def show(folder: Path) -> None:
    """Show where the record of the provider in FOLDER is, and what is in it."""
    provider = ProviderFolder(folder)
    place = provider.stored()
    with open_snapshot(place) as reader:
        rows = [(name, f"{count:,}") for name, count in row_counts(reader).items()]
        say(f"{place}: {reader.size() / 1e6:.1f} MB")
    table("tables", ("table", "rows"), rows)
    say("being written by a service" if is_being_written(place) else "no service writes it now")


@store.command(
    short_help="Move the record to another store, with proof.",
    epilog=example(
        "tallystick store move ./provider --to 'postgresql://tallystick@db1,db2/wallet'",
        "tallystick store move ./provider --to file",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--to",
    required=True,
    help="postgresql://NAME@HOST:PORT/DATABASE?..., or 'file' for the embedded store.",
)
@click.option("--patience", default=3600.0, show_default=True, help="Seconds to wait for a stop.")
def move(folder: Path, to: str, patience: float) -> None:
    """Move the record of the provider in FOLDER, also while it is served.

    Rows are copied while the service goes on. Once little is left, stop the service: the rest is
    copied, both records are compared row by row, and the folder names the new store. Then start the
    service again. The old record stays where it is.
    """
    provider = ProviderFolder(folder)
    target = _place(provider, to)
    until = time.monotonic() + patience

    def wait() -> None:
        if time.monotonic() > until:
            raise click.ClickException("the service was not stopped: begin again when it can be")
        say("the service still writes; stop it, and the rest is moved")
        time.sleep(_PAUSE_S)

    done = move_store(provider, target, SystemClock().now(), wait=wait, tell=say)
    proof = done.proof
    say(f"both have {proof.events:,} events under the root {proof.root or '(none)'}")
    say(f"{len(proof.digests)} tables and the balances of {proof.accounts:,} accounts are equal")
    say(f"the record is now at {target}; start the service again", style="green")


def _place(provider: ProviderFolder, text: str) -> Place:
    if text == "file":
        return provider.database_file
    if not is_address(text):
        raise click.BadParameter("give an address, or 'file'", param_hint="--to")
    return parse_address(text)
