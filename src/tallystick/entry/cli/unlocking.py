"""Where secrets come from: file descriptors, private files, a hidden prompt; never the environment.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from tallystick.client.keyfile import KeyFile
from tallystick.entry.unsealing import service_at
from tallystick.infrastructure.crypto.dual import signing_key
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.master import read_secret
from tallystick.infrastructure.modules.opening import Custodians, Keeper, Opener, Passphrase
from tallystick.infrastructure.modules.shamir import combine, read_share
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, Malformed, NotFound, Unavailable
from tallystick.kernel.secret import Secret

Command = TypeVar("Command", bound=Callable[..., None])

SHORTEST_PASSPHRASE = 12
_SECRET_BYTES = 32
_SHARES = "tallystick.shares"
_TYPED = "tallystick.typed"
_KEPT = "tallystick.kept"
_FILE = click.Path(dir_okay=False, path_type=Path)
_ONE_WAY = "give the secret, a passphrase, shares or a key service, not several of them"


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


def opener_from(descriptor: int | None, file: Path | None) -> Opener:
    """What opens a provider's master key: shares, a passphrase, a key service or the secret.

    Raises NotFound, Unavailable or Malformed for what cannot be read.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    brought = _brought()
    if brought is None:
        return secret_from(descriptor, file)
    if file is not None or descriptor is not None:
        raise click.UsageError(_ONE_WAY)
    return brought


def opener_beside(secret: Secret[bytes]) -> Opener:
    """What opens the master key where `secret` opens something else, or it where nothing is given.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return _brought() or secret


def _brought() -> Custodians | Passphrase | Keeper | None:
    """The shares, the passphrase or the key service that options delivered."""
    meta = click.get_current_context().meta
    shares: tuple[Path, ...] = meta.get(_SHARES, ())
    passphrase: int | None = meta.get(_TYPED)
    address: str | None = meta.get(_KEPT)
    if bool(shares) + (passphrase is not None) + (address is not None) > 1:
        raise click.UsageError(_ONE_WAY)
    if address is not None:
        return Keeper(service_at(address))
    if shares:
        return Custodians(tuple(read_share(_line(_opened(one))) for one in shares))
    return None if passphrase is None else Passphrase(Secret(_line(passphrase)))


def opener_if_given(descriptor: int | None, file: Path | None) -> Opener | None:
    """What opens a provider's master key, or None if nothing was given.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    brought = click.get_current_context().meta
    nothing = not brought.get(_SHARES) and brought.get(_TYPED) is brought.get(_KEPT) is None
    if nothing and file is None and descriptor is None:
        return None
    return opener_from(descriptor, file)


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


def officer_options(command: Command) -> Command:
    """Add who signs as an officer and where their sealed key is; for the function of a command.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    of = click.option(
        "--officer", required=True, help="The officer's name in the provider's settings."
    )
    kept = click.option(
        "--key-file",
        required=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The officer's sealed key.",
    )
    return of(kept(command))


def opener_options(command: click.Command) -> click.Command:
    """Add the options that deliver what opens a provider: secret, shares, passphrase, service.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    share = click.Option(
        ["--share"],
        type=_FILE,
        multiple=True,
        expose_value=False,
        callback=_bring(_SHARES),
        help="File with a custodian's share; as many as it takes.",
    )
    passphrase = click.Option(
        ["--master-passphrase-fd"],
        type=int,
        expose_value=False,
        callback=_bring(_TYPED),
        help="File descriptor that delivers the passphrase of the master key.",
    )
    kept = click.Option(
        ["--unseal"],
        metavar="ADDRESS",
        expose_value=False,
        callback=_bring(_KEPT),
        help="Key service that opens the master key: aws-kms:, vault-transit: or pkcs11:",
    )
    secret_options(command).params += [share, passphrase, kept]
    return command


def _bring(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Lays what an option delivers aside for `opener_from`."""

    def lay_aside(context: click.Context, _: click.Parameter, value: Any) -> Any:
        context.meta[name] = value
        return value

    return lay_aside


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


def line_from(descriptor: int) -> str:
    """What a file descriptor delivers, without its line end.

    Raises Unavailable if it cannot be read.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return _line(descriptor)


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


def open_root_key(file: Path, secret: Secret[bytes]) -> SigningKey:
    """The provider's root key, of one half or two.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return signing_key(offline_key(file, secret))


def open_officer_key(file: Path, secret: Secret[bytes]) -> SigningKey:
    """A policy officer's key, of one half or two.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return signing_key(offline_key(file, secret))


def secret_of_shares(files: Iterable[Path]) -> Secret[bytes]:
    """The secret that custodians' shares in `files` come to.

    Raises Conflict for too few or shares of several sets, Malformed for a typing error.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    return combine([read_share(_line(_opened(one))) for one in files])


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
