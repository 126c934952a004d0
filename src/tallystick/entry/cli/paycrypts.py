"""Commands about the door that is compatible with AWS Payment Cryptography.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.5
"""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from tallystick.application.surrogates.forms import Way
from tallystick.application.surrogates.model import OPEN
from tallystick.application.surrogates.store import (
    every_domain,
    every_domain_key,
    every_warrant,
    how_many_held,
)
from tallystick.client.http import HttpTransport
from tallystick.client.surrogates import Program, SurrogateClient
from tallystick.entry.cli.console import example, say, table
from tallystick.entry.cli.unlocking import opener_from, opener_options, write_private
from tallystick.entry.paycrypt.authorities import shown_authorities
from tallystick.entry.paycrypt.credentials import hand_over
from tallystick.entry.paycrypt_settings import must_have
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import read_pem
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Malformed, MfsError, NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import iso_utc

Command = TypeVar("Command", bound=Callable[..., None])
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


@paycrypt.command(
    "domains",
    short_help="Show domains of surrogates.",
    epilog=example("tallystick paycrypt domains ./provider"),
)
@click.argument("folder", type=_FOLDER)
def domains(folder: Path) -> None:
    """Show the domains of surrogates of the provider in FOLDER, and leave that is in force.

    For each domain: what its values are, how surrogates are made, how many values are held, the
    generations of keys that are not destroyed, and what for values come back, how many an hour.
    """
    now = SystemClock().now()
    with open_reader(ProviderFolder(folder).stored()) as reader:
        rows, keys = every_domain(reader), every_domain_key(reader)
        held, leave = how_many_held(reader), every_warrant(reader)
    if not rows:
        raise NotFound(
            "there is no domain of surrogates",
            remedy="two operators open one: tallystick operator act open-surrogate-domain",
        )
    table(
        "domains of surrogates",
        ("domain", "kind", "way", "state", "held", "keys", "values an hour"),
        [
            (
                row.id, row.kind, row.way, row.state, held.get(row.id, 0),
                " ".join(str(one.generation) for one in keys if one.domain == row.id and one.block)
                or "none yet" if row.state == OPEN else "destroyed",
                ", ".join(f"{name} {hourly}" for name, hourly in row.agreed().items()) or "none",
            )
            for row in rows
        ],
    )  # fmt: skip
    living = [one for one in leave if one.until > now and one.used < one.most]
    if living:
        table(
            "leave for many values",
            ("warrant", "domain", "purpose", "program", "left", "until"),
            [
                (one.id, one.domain, one.purpose, one.program, one.most - one.used,
                 iso_utc(one.until))
                for one in living
            ],
        )  # fmt: skip


def _asks(command: Command) -> Command:
    """Options of whoever asks the door as a program."""
    for option in (
        click.option("--domain", required=True, help="Name of the domain of surrogates."),
        click.option("--region", default="us-east-1", help="Region that the door fixed."),
        click.option(
            "--ca-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Certificate of whoever issued the door's; the system's if left out.",
        ),
        click.option(
            "--program-secret",
            required=True,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="File with the program's secret access key.",
        ),
        click.option("--program", required=True, help="Id of the program."),
    ):
        command = option(command)
    return command


@contextmanager
def _client(
    url: str, program: str, secret: Path, region: str, ca_file: Path | None
) -> Generator[SurrogateClient]:
    given = Secret(secret.read_text(encoding="ascii").strip())
    transport = HttpTransport(url, ca_file=ca_file)
    try:
        yield SurrogateClient(transport, Program(program, given, region), SystemClock())
    finally:
        transport.close()


@contextmanager
def _at_line(number: int) -> Generator[None]:
    """Say of a refusal at which line it came; the line itself is not repeated."""
    try:
        yield
    except MfsError as error:
        said = f"line {number}: {error.detail}"
        raise type(error)(said, remedy=error.remedy, because=error.because) from error


def _lines() -> Iterator[str]:
    return (line.strip() for line in sys.stdin if line.strip())


@paycrypt.command(
    "tokenise",
    short_help="Make surrogates of values on standard input.",
    epilog=example(
        "tallystick paycrypt tokenise http://127.0.0.1:8490 --program wkl_..."
        " --program-secret ./shop.secret --domain merchants < numbers.txt"
    ),
)
@click.argument("url")
@_asks
def tokenise(
    url: str, program: str, program_secret: Path, region: str, ca_file: Path | None, domain: str
) -> None:
    """Ask the door at URL for the surrogate of each line of standard input, one a line.

    Of FF1 the generation of keys follows after a blank. Stops at the first line that is refused,
    and says which.
    """
    with _client(url, program, program_secret, region, ca_file) as client:
        enciphers = any(one.domain == domain and one.way == Way.FF1 for one in client.domains())
        for number, value in enumerate(_lines(), start=1):
            with _at_line(number):
                made = client.tokenise(domain, value)
            click.echo(f"{made.surrogate} {made.generation}" if enciphers else made.surrogate)


@paycrypt.command(
    "detokenise",
    short_help="Have values back of surrogates on standard input.",
    epilog=example(
        "tallystick paycrypt detokenise http://127.0.0.1:8490 --program wkl_..."
        " --program-secret ./care.secret --domain merchants --purpose dispute --case D-17"
        " < surrogates.txt"
    ),
)
@click.argument("url")
@_asks
@click.option("--purpose", required=True, help="What for, as agreed for the domain.")
@click.option("--case", required=True, help="Which case it is about; recorded as a commitment.")
def detokenise(
    url: str,
    program: str,
    program_secret: Path,
    region: str,
    ca_file: Path | None,
    domain: str,
    purpose: str,
    case: str,
) -> None:
    """Ask the door at URL for the value of each surrogate on standard input, one a line.

    A generation of keys may follow a surrogate after a blank. Each value counts in the purpose's
    hour and is an event of the record.
    """
    with _client(url, program, program_secret, region, ca_file) as client:
        for number, line in enumerate(_lines(), start=1):
            surrogate, _, generation = line.partition(" ")
            with _at_line(number):
                if not (generation or "0").isdecimal():
                    raise Malformed("what follows the surrogate is no generation")
                found = client.detokenise(
                    domain, surrogate, purpose=purpose, case=case, generation=int(generation or 0)
                )
            click.echo(found.reveal())
