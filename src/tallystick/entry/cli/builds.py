"""Commands about the record of a build: made, signed, and the key that signs it.

Source: ISO/TS 12812-2:2017, 9.1; 9.3
"""

from pathlib import Path

import click

from tallystick import __version__
from tallystick.entry.cli.console import example, say
from tallystick.entry.cli.unlocking import write_private
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import b64url, b64url_decode, encode_canonical
from tallystick.process.catalogue import catalogue as load_catalogue
from tallystick.process.conformance.builds import sign_build
from tallystick.process.conformance.releases import build_record

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_NEW = click.Path(path_type=Path)


@click.command(
    "build-record",
    short_help="Make the record of a build's tagged tests.",
    epilog=example(
        "tallystick bundle build-record . --results junit.xml --commit 0123... --out build.json"
    ),
)
@click.argument("root", type=_FOLDER)
@click.option(
    "--results", required=True, multiple=True, type=_FILE, help="JUnit XML of a run of all tests."
)
@click.option("--commit", required=True, help="The commit that was tested.")
@click.option("--changed", is_flag=True, help="The tree had changes that no commit has.")
@click.option("--key-file", type=_FILE, help="Sign with this key of `bundle build-key`.")
@click.option("--out", "target", required=True, type=_NEW, help="File to write.")
def build_record_command(
    root: Path,
    results: tuple[Path, ...],
    commit: str,
    changed: bool,
    key_file: Path | None,
    target: Path,
) -> None:
    """Write what the tests of the repository at ROOT said, for `tallystick prove --build`.

    Whoever builds a release makes it once. A test passed that passed in one report and failed in
    none. At a provider that runs the same source it counts as evidence for the rows that the tests
    are tagged with; of a tree with changes it counts for nothing.
    """
    record = build_record(root, results, commit=commit, version=__version__, changed=changed)
    octets = encode_canonical(record)
    if key_file is not None:
        text = key_file.read_text(encoding="ascii").strip()
        octets = sign_build(record, Ed25519SigningKey.from_pkcs8(b64url_decode(text)))
    replace_file(target, octets)
    rows, total = len(record.requirements), len(load_catalogue().requirements)
    mark = "unsigned" if key_file is None else "signed"
    say(
        f"{target}: {record.passed} tests passed, {record.failed} failed;"
        f" {rows} of {total} rows have a tagged test ({mark}{', tree changed' * changed})"
    )


@click.command(
    "build-key",
    short_help="Make a key that signs records of builds.",
    epilog=example("tallystick bundle build-key ./build.key"),
)
@click.argument("target", metavar="FILE", type=_NEW)
def build_key(target: Path) -> None:
    """Make a new key in FILE (0600), and print its public half.

    Who builds keeps the file. A provider that is given the public half with `tallystick prove
    --build-key` counts no other build from then on.
    """
    key = Ed25519SigningKey.generate()
    write_private(target, b64url(key.to_pkcs8().reveal()))
    click.echo(b64url(key.public().octets()))
