"""Commands about releases: the gate, and officers' signatures.

Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.stating import sign_into
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    secret_from,
    secret_options,
)
from tallystick.entry.registering import state_of
from tallystick.entry.releasing import bring, signed_release
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import to_plain
from tallystick.process.isms.release import judge, record_of

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(epilog=example("tallystick release check release.yaml ./provider"))
def release() -> None:
    """The gate that a release of a component passes before it is deployed."""


@release.command(
    "check",
    short_help="Say whether a release may go out.",
    epilog=example(
        "tallystick release check release.yaml ./provider --signed release.json",
    ),
)
@click.argument("file", type=_FILE)
@click.argument("folder", type=_FOLDER)
@click.option("--signed", type=_FILE, help="What officers signed with `release sign`.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def check(file: Path, folder: Path, signed: Path | None, as_json: bool) -> None:
    """Look at the release in FILE: bill of materials, review, tests, scans, officers' signature.

    The files that FILE names are beside it. FOLDER is the provider's: its officers, its register of
    components, its certificates. Exits with 4 if anything is missing.
    """
    place = ProviderFolder(folder)
    plan, brought = bring(file)
    state = state_of(place)
    gone = {one.certificate for one in state.around.withdrawn}
    found = judge(
        plan,
        brought,
        SystemClock().now(),
        signed=None if signed is None else signed_release(signed, place),
        registers=state.registers,
        certificates=[one for one in state.around.certificates if one.id not in gone],
    )
    passed = all(one.passed for one in found)
    if as_json:
        say_json({"passed": passed, "checks": to_plain(found)})
    else:
        rows = [("passed" if one.passed else "missing", one.what, one.says) for one in found]
        table(f"{plan.component} {plan.version}", ("", "what", "seen"), rows)
        style = "green" if passed else "red"
        say("it may go out" if passed else "it must not go out", style=style)
    if not passed:
        raise click.exceptions.Exit(FOUND_SOMETHING)


@release.command(
    "sign",
    short_help="Approve a release as an officer.",
    epilog=example(
        "tallystick release sign release.yaml --officer officer-1 --key-file"
        " offline/officer-1.key --secret-file ./secret --out release.json"
    ),
)
@click.argument("file", type=_FILE)
@officer_options
@click.option(
    "--out",
    "target",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Signed file; one that is there gets one more signature.",
)
def sign(
    file: Path,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Approve the release in FILE as an officer, by the SHA-256 of every file that it names."""
    plan, brought = bring(file)
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    by = sign_into(target, "release", record_of(plan, brought), officer, signer)
    say(f"{target}: {plan.component} {plan.version}, {by}")


secret_options(sign)
