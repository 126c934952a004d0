"""Commands about the provider's signed list of public keys.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from pathlib import Path

import click

from tallystick.entry.auditing import listed_keys
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.unlocking import open_root_key, secret_from, secret_options
from tallystick.entry.renewing import is_near_its_end, list_is_near_its_end, renew_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.key_list import signature_key
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.checkpoint import NoteKey
from tallystick.kernel.time import Instant, iso_utc
from tallystick.protocol.keylist import KeyEntry, ListedPurpose

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(epilog=example("tallystick keys list ./provider"))
def keys() -> None:
    """The keys that the provider's root vouches for."""


@keys.command("list", epilog=example("tallystick keys list ./provider"))
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_keys(folder: Path, as_json: bool) -> None:
    """Check the key list in FOLDER against the root, and show it.

    The last lines are what an auditor needs: the tally key in the form that --key takes.
    """
    provider = ProviderFolder(folder)
    settings, listed = provider.settings(), listed_keys(provider)
    if as_json:
        say_json(listed)
        return
    now = SystemClock().now()
    rows = [
        (
            one.purpose,
            one.algorithm,
            one.kid,
            iso_utc(one.not_before)[:10],
            iso_utc(one.not_after)[:10],
            _standing(one, now),
        )
        for one in listed.entries
    ]
    title = f"key list {listed.version} of {listed.provider}, until {iso_utc(listed.expires_at)}"
    table(title, ("purpose", "algorithm", "key", "from", "until", "now"), rows)
    say(f"root: {settings.root.algorithm} {settings.root.public}")
    for one in listed.entries:
        if one.purpose == ListedPurpose.TALLY:
            say(f"tally: {NoteKey(settings.origin, signature_key(one))}")
    if now >= listed.expires_at:
        say("the list is past its time: tallystick keys renew", style="red")
    elif list_is_near_its_end(listed, now):
        say("the list ends soon: tallystick keys renew", style="yellow")


def _standing(entry: KeyEntry, now: Instant) -> str:
    if now < entry.not_before:
        return "to come"
    if now >= entry.not_after:
        return "past"
    return "ends soon" if is_near_its_end(entry, now) else "in force"


@keys.command(
    "renew",
    short_help="Sign the list anew; renew keys near their end.",
    epilog=example(
        "tallystick keys renew ./provider --root-key offline/root.key --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--root-key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The root's sealed key, as set-up left it in offline/.",
)
def renew(folder: Path, root_key: Path, secret_file: Path | None, secret_fd: int | None) -> None:
    """Sign the key list of FOLDER anew for seven days; keys near their end get a successor.

    Do it every few days: clients refuse a list past its time. The service uses the new list and
    keys from its next start on.
    """
    secret = secret_from(secret_fd, secret_file)
    renewed = renew_keys(
        ProviderFolder(folder), secret, open_root_key(root_key, secret), SystemClock()
    )
    say(f"key list {renewed.version} is signed, until {iso_utc(renewed.expires_at)}")
    for one in renewed.made:
        say(f"new: {one.purpose} {one.kid}, until {iso_utc(one.not_after)}")
    for one in renewed.dropped:
        say(f"left out, past its time: {one.purpose} {one.kid}")
    say("restart the service to take it into use")


secret_options(renew)
