"""Commands about the door that is compatible with AWS Payment Cryptography.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.5
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, table
from tallystick.entry.cli.unlocking import opener_from, opener_options, write_private
from tallystick.entry.paycrypt.credentials import hand_over
from tallystick.entry.paycrypt_settings import must_have
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(epilog=example("tallystick paycrypt show ./provider"))
def paycrypt() -> None:
    """The door for clients of AWS Payment Cryptography."""


@paycrypt.command("show", epilog=example("tallystick paycrypt show ./provider"))
@click.argument("folder", type=_FOLDER)
def show(folder: Path) -> None:
    """Show what the provider in FOLDER fixed of the door: use, region, and who may do what."""
    fixed = must_have(folder)
    say(f"use: {fixed.use}; region {fixed.region}; account {fixed.account}")
    say(f"legacy mechanisms: {', '.join(fixed.legacy) or 'none'}; {fixed.rate} calls/s a program")
    rows = [
        (" ".join(one.programs), " ".join(one.actions), " ".join(one.resources))
        for one in fixed.rows
    ]
    table("who may do what", ("programs", "actions", "resources"), rows)


@paycrypt.command(
    "credential",
    short_help="Write the secret access key of a program.",
    epilog=example(
        "tallystick paycrypt credential ./provider wkl_... --out ./switch.secret"
        " --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("program")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the secret access key there (0600).",
)
def credential(
    folder: Path, program: str, out: Path, secret_file: Path | None, secret_fd: int | None
) -> None:
    """Write the secret access key of PROGRAM, whose id is its access key id.

    The secret is derived in the module and stored nowhere. It works for a program that two
    operators let in with issue-workload and the scope payment-cryptography, until it is revoked
    or its days are over.
    """
    opener = opener_from(secret_fd, secret_file)
    secret = hand_over(ProviderFolder(folder), opener, SystemClock(), program)
    write_private(out, secret.reveal() + "\n")
    say(f"access key id: {program}; the secret access key was written to {out}")


opener_options(credential)
