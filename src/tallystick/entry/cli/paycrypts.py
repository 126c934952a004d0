"""Commands about the door that is compatible with AWS Payment Cryptography.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.5
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, table
from tallystick.entry.cli.unlocking import opener_from, opener_options, write_private
from tallystick.entry.paycrypt.authorities import shown_authorities
from tallystick.entry.paycrypt.credentials import hand_over
from tallystick.entry.paycrypt_settings import must_have
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import read_pem
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
    "authorities",
    short_help="Show who certifies the pairs of the door.",
    epilog=example(
        "tallystick paycrypt authorities ./provider --out ./authorities.pem --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write their certificates there (PEM).",
)
def authorities(
    folder: Path, out: Path | None, secret_file: Path | None, secret_fd: int | None
) -> None:
    """Show the certificates that certify the pairs of the door of the provider in FOLDER.

    Whoever exchanges keys with the door compares their digests on a second way, once. An authority
    is made when the first pair needs it.
    """
    opener = opener_from(secret_fd, secret_file)
    found = shown_authorities(ProviderFolder(folder), opener, SystemClock())
    rows = [(name, sha256(read_pem(one).octets).hex()) for name, one in found]
    table("authorities of the door", ("mechanism", "SHA-256 of the certificate"), rows)
    if out is not None:
        out.write_bytes(b"".join(one for _, one in found))
        say(f"the certificates were written to {out}")


opener_options(authorities)


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
