"""Commands about the key that signs applications, and the manifests that it signs.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.4.2
"""

from pathlib import Path

import click

from tallystick.client.release.manifest import Build
from tallystick.entry.appfiles import FILES, approved_files, manifest_of_files, sign_files
from tallystick.entry.appkeys import make_app_key, sign_manifest
from tallystick.entry.apps import manifest_in
from tallystick.entry.cli.console import example, say
from tallystick.entry.cli.stating import SIGNED_FILE, sign_into
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    open_root_key,
    secret_from,
    secret_options,
)
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict
from tallystick.kernel.time import iso_utc
from tallystick.protocol.statements import read_statement

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


_APP = click.argument("app", type=click.Path(exists=True, file_okay=False, path_type=Path))


@manifest.command(
    "approve",
    short_help="Approve the files of an app as an officer.",
    epilog=example(
        "tallystick app manifest approve ./provider ./build/wallet --name wallet --version 4.2"
        " --officer officer-1 --key-file officer-1.key --secret-file ./secret --out approved.json"
    ),
)
@_FOLDER
@_APP
@click.option("--name", required=True, help="What the app is called.")
@click.option("--version", required=True, help="Its version, as people read it.")
@click.option("--build", type=click.Choice([one.value for one in Build]), default="release",
              show_default=True, help="For customers, or for developers.")  # fmt: skip
@officer_options
@SIGNED_FILE
def approve(
    folder: Path,
    app: Path,
    name: str,
    version: str,
    build: str,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Approve the files below APP for the provider in FOLDER, after you looked at them.

    A second officer, with a copy of the same files, approves into the same file.
    """
    found = manifest_of_files(
        ProviderFolder(folder), app, name=name, version=version, build=Build(build)
    )
    body = approved_files(found)
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    said = sign_into(target, FILES, body, officer, signer)
    say(f"{target}: {name} {version}, {body.files} files, {body.digest}, {said}")


@manifest.command(
    "files",
    short_help="Sign the manifest of files that officers approved.",
    epilog=example(
        "tallystick app manifest files ./provider ./build/wallet approved.json"
        " --app-key offline/app.key --secret-file ./secret --out wallet.manifest"
    ),
)
@_FOLDER
@_APP
@click.argument("approved", type=_FILE)
@click.option("--app-key", required=True, type=_FILE, help="The sealed key that signs.")
@_NEW
def files(
    folder: Path,
    app: Path,
    approved: Path,
    app_key: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the manifest of the files below APP, if as many officers as it takes APPROVED them.

    The app holds itself against it with `client.release.manifest.verify_app` when it starts.
    """
    if target.exists():
        raise Conflict(f"{target} is there already", remedy="choose another file")
    if target.resolve().is_relative_to(app.resolve()):
        raise Conflict("the manifest would be one of its own files", remedy="put it beside them")
    key = open_officer_key(app_key, secret_from(secret_fd, secret_file))
    statement = read_statement(approved.read_bytes())
    found, signed = sign_files(ProviderFolder(folder), app, statement, key)
    target.write_text(signed)
    say(f"{target}: {found.app} {found.version} ({found.build}), {len(found.files)} files")
    say(f"its signer is {key.algorithm} {b64url(key.public().octets())}")


for _command in (make_key, sign, approve, files):
    secret_options(_command)
