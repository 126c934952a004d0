"""Commands about the key that signs applications, and the manifests that it signs.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.4.2
"""

from pathlib import Path

import click

from tallystick.entry.appkeys import make_app_key, sign_manifest
from tallystick.entry.apps import manifest_in
from tallystick.entry.cli.console import example, say
from tallystick.entry.cli.unlocking import (
    open_officer_key,
    open_root_key,
    secret_from,
    secret_options,
)
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import Conflict
from tallystick.kernel.time import iso_utc

_FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.option(
    "--out", "target", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="New file.",
)  # fmt: skip


@click.group(epilog=example("tallystick app manifest sign ./provider wallet.yaml"))
def manifest() -> None:
    """Signed manifests, which applications hold themselves against when they start."""


@manifest.command(
    "key",
    short_help="Make the key that signs applications.",
    epilog=example(
        "tallystick app manifest key ./provider --root-key offline/root.key --secret-file ./secret"
        " --out offline/app.key"
    ),
)
@_FOLDER
@click.option("--root-key", required=True, type=_FILE, help="The root's sealed key.")
@_NEW
def make_key(
    folder: Path, root_key: Path, target: Path, secret_file: Path | None, secret_fd: int | None
) -> None:
    """Make a key that signs applications, for the provider in FOLDER; the root signs its list anew.

    The service gives the new list out from its next start on.
    """
    secret = secret_from(secret_fd, secret_file)
    root = open_root_key(root_key, secret)
    entry = make_app_key(ProviderFolder(folder), root, secret, target, SystemClock())
    say(f"{target}: {entry.purpose} {entry.kid}, until {iso_utc(entry.not_after)[:10]}")
    say("keep it away from the server; restart the service to give out the new key list")


@manifest.command(
    "sign",
    short_help="Sign the manifest of a release for devices.",
    epilog=example(
        "tallystick app manifest sign ./provider wallet.yaml --app-key offline/app.key"
        " --secret-file ./secret --out wallet.manifest"
    ),
)
@_FOLDER
@click.argument("file", type=_FILE)
@click.option("--app-key", required=True, type=_FILE, help="The sealed key that signs.")
@_NEW
def sign(
    folder: Path,
    file: Path,
    app_key: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the manifest of the release in FILE, whose package is read and verified first."""
    if target.exists():
        raise Conflict(f"{target} is there already", remedy="choose another file")
    found = manifest_in(file)
    key = open_officer_key(app_key, secret_from(secret_fd, secret_file))
    target.write_text(sign_manifest(found, ProviderFolder(folder).settings().provider, key))
    say(f"{target}: {found.package} {found.version}, for {found.digest}")


secret_options(make_key)
secret_options(sign)
