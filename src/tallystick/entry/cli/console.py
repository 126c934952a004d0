"""How the command line speaks: tables and progress on a terminal, plain text elsewhere.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tallystick.infrastructure.modules.master import read_secret
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.secret import Secret

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)
_SECRET_BYTES = 32


def say_error(detail: str, *, because: str = "", remedy: str = "") -> None:
    """Print one line of what and why, and one of what to do, on standard error.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    why = f" (because {because})" if because else ""
    err.print(f"error: {detail}{why}", style="red", markup=False)
    if remedy:
        err.print(f"-> {remedy}", markup=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    grid = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    out.print(grid)


def secret_from(descriptor: int | None, file: Path | None) -> Secret[bytes]:
    """The secret that opens a provider, from a file descriptor or a private file.

    Raises Malformed without either, NotFound for a missing file.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if descriptor is not None:
        return read_secret(descriptor)
    if file is None:
        raise Malformed(
            "nothing says which secret opens the provider",
            remedy="give --secret-file FILE, or --secret-fd N for a file descriptor",
        )
    try:
        return read_secret(os.open(file, os.O_RDONLY))
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}", remedy="check the path") from None


def make_secret_file(file: Path, entropy: bytes) -> None:
    """Write a fresh secret (hex of `entropy`, 32 bytes) to a new file that only its owner reads.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if len(entropy) != _SECRET_BYTES:
        raise Malformed("a secret is made of 32 bytes")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(entropy.hex())


def secret_options(command: click.Command) -> click.Command:
    """Add the options that deliver the secret.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    file = click.Option(
        ["--secret-file"],
        type=click.Path(dir_okay=False, path_type=Path),
        help="File with the secret that opens the master key.",
    )
    descriptor = click.Option(
        ["--secret-fd"], type=int, help="File descriptor that delivers the secret instead."
    )
    command.params += [file, descriptor]
    return command
