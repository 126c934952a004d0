"""Where secrets come from: file descriptors, private files, a hidden prompt; never the environment.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
"""

import os
from pathlib import Path
from typing import Any

import click

from tallystick.client.keyfile import KeyFile
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.master import read_secret
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, Malformed, NotFound, Unavailable
from tallystick.kernel.secret import Secret

SHORTEST_PASSPHRASE = 12
_SECRET_BYTES = 32
_FILE = click.Path(dir_okay=False, path_type=Path)


def secret_from(descriptor: int | None, file: Path | None) -> Secret[bytes]:
    """The secret that opens a provider, from a file descriptor or a private file.

    Raises NotFound for a missing file, Malformed for less than 32 bytes.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if descriptor is not None:
        return read_secret(descriptor)
    if file is None:
        raise click.UsageError(
            "nothing says which secret opens the provider: give --secret-file FILE, or"
            " --secret-fd N for a file descriptor"
        )
    return read_secret(_opened(file))


def make_secret_file(file: Path) -> None:
    """Write a fresh secret (hex of 32 random bytes) to a new file that only its owner reads.

    Raises Conflict if the file is there.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    write_private(file, operating_system(_SECRET_BYTES).hex())


def write_private(file: Path, text: str) -> None:
    """Write `text` to a new file that only its owner reads.

    Raises Conflict if the file is there, Unavailable if it cannot be made.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(f"{file} is there already", remedy="choose another file") from None
    except OSError as error:
        raise Unavailable(f"{file} cannot be written", remedy="check its folder") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def secret_options(command: click.Command) -> click.Command:
    """Add the options that deliver the secret of a provider.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    file = click.Option(
        ["--secret-file"], type=_FILE, help="File with the secret that opens the master key."
    )
    descriptor = click.Option(
        ["--secret-fd"], type=int, help="File descriptor that delivers the secret instead."
    )
    command.params += [file, descriptor]
    return command


def passphrase_parameters() -> list[click.Parameter]:
    """The options that deliver the passphrase of a person's key.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return [
        click.Option(
            ["--passphrase-file"],
            type=_FILE,
            help="File with the passphrase of your key; asked for if absent.",
        ),
        click.Option(
            ["--passphrase-fd"], type=int, help="File descriptor that delivers it instead."
        ),
    ]


def passphrase_from(descriptor: int | None, file: Path | None, *, new: bool) -> Secret[str]:
    """The passphrase of a person's key; a `new` one is typed twice and has 12 characters or more.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if descriptor is None and file is None:
        typed = click.prompt("passphrase of your key", hide_input=True, confirmation_prompt=new)
    else:
        typed = _line(descriptor if file is None else _opened(file))
    if new and len(typed) < SHORTEST_PASSPHRASE:
        raise Malformed(
            "the passphrase is too short", remedy=f"use {SHORTEST_PASSPHRASE} characters or more"
        )
    return Secret(typed)


def offline_key(file: Path, secret: Secret[bytes]) -> bytes:
    """The PKCS #8 octets in a key file that set-up left in `offline/` under the secret.

    Raises NotFound, or NotAuthentic for another secret.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    _, content = KeyFile.open(file, Secret(b64url(secret.reveal())), operating_system)
    return content


def open_root_key(file: Path, secret: Secret[bytes]) -> Ed25519SigningKey:
    """The provider's root key.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return Ed25519SigningKey.from_pkcs8(offline_key(file, secret))


def open_officer_key(file: Path, secret: Secret[bytes]) -> Es256SigningKey:
    """A policy officer's key.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return Es256SigningKey.from_pkcs8(offline_key(file, secret))


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}", remedy="check the path") from None
    except OSError as error:
        raise Unavailable(f"{file} cannot be read", remedy="check who owns it") from error


def _line(descriptor: Any) -> str:
    try:
        with os.fdopen(descriptor, "r", encoding="utf-8") as stream:
            return stream.read(4096).removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise Unavailable(
            f"file descriptor {descriptor} cannot be read", remedy="open it for the process"
        ) from error
