"""Commands that give the keys of people a second half.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2; FIPS 204
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import example, say
from tallystick.entry.cli.unlocking import (
    secret_from,
    secret_of_shares,
    secret_options,
    write_private,
)
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.widening import adopt, told, widen
from tallystick.kernel.codec import b64url

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "widen",
    short_help="Give a root's or an officer's key a second half.",
    epilog=example(
        "tallystick keys widen offline/root.key --secret-file ./secret",
        "tallystick keys widen offline/officer-1.key --officer officer-1"
        " --out officer-1.half.json --secret-file ./secret",
    ),
)
@click.argument("file", type=_FILE)
@click.option("--officer", default="", help="Whose key it is, by the name in the settings.")
@click.option(
    "--out",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="New file with both public halves, for keys adopt.",
)
@click.option(
    "--root-share", "shares", multiple=True, type=_FILE,
    help="A custodian's share of what seals the root, where a ceremony made it.",
)  # fmt: skip
def widen_key(
    file: Path,
    officer: str,
    target: Path | None,
    shares: tuple[Path, ...],
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Put a key of ML-DSA-65 beside the one in the sealed FILE; what it signs from now on it signs
    twice.

    The first half stays, and what was signed by it. Make copies of the file before and destroy them
    once the new one is copied. A root is believed with the first list that it signs: keys renew. An
    officer gives --out to whoever keeps the provider's settings: keys adopt.
    """
    if bool(officer) != (target is not None):
        raise click.UsageError("an officer's key takes both: --officer NAME and --out FILE")
    whole = widen(file, secret_of_shares(shares) if shares else secret_from(secret_fd, secret_file))
    say(f"{file}: {whole.algorithm}, both halves")
    if target is not None:
        write_private(target, told(officer, whole).decode())
        say(f"{target}: for tallystick keys adopt FOLDER {target}")
    else:
        say("next: tallystick keys renew FOLDER --root-key " + str(file))
        say(f"root: {whole.algorithm} {b64url(whole.public().octets())}")


@click.command(
    "adopt",
    short_help="Let the settings name both halves of an officer's key.",
    epilog=example("tallystick keys adopt ./provider officer-1.half.json"),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("file", type=_FILE)
def adopt_key(folder: Path, file: Path) -> None:
    """Believe what an officer's key signs twice, by FILE, which the officer made.

    Both halves signed it, and the first is the key that the settings of FOLDER name. A running
    service takes it over within seconds.
    """
    half = adopt(ProviderFolder(folder), file.read_bytes())
    say(f"{half.officer}: {half.algorithm}; a running service believes it within seconds")


secret_options(widen_key)

COMMANDS = (widen_key, adopt_key)
