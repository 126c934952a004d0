"""Commands about the provider's signed list of public keys.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from collections.abc import Sequence
from pathlib import Path

import click

from tallystick.entry.auditing import listed_keys
from tallystick.entry.cli import keylives, widening
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.keylives import show_inventory
from tallystick.entry.cli.unlocking import (
    line_from,
    make_secret_file,
    open_root_key,
    opener_beside,
    opener_from,
    opener_options,
    secret_from,
    secret_of_shares,
    write_private,
)
from tallystick.entry.renewing import (
    RENEWED,
    SUITES,
    is_near_its_end,
    list_is_near_its_end,
    renew_keys,
)
from tallystick.entry.resealing import (
    reseal_under_passphrase,
    reseal_under_secret,
    reseal_under_service,
    reseal_under_shares,
)
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.unsealing import service_at
from tallystick.infrastructure.crypto.key_list import signature_key
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.tally.checkpoint import NoteKey
from tallystick.kernel.errors import Conflict
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant, iso_utc
from tallystick.protocol.keylist import KeyEntry, ListedPurpose

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(epilog=example("tallystick keys list ./provider"))
def keys() -> None:
    """The keys that the provider's root vouches for."""


@keys.command("list", epilog=example("tallystick keys list ./provider"))
@click.argument("folder", type=_FOLDER)
@click.option("--all", "every", is_flag=True, help="Show every key of the record instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_keys(folder: Path, every: bool, as_json: bool) -> None:
    """Check the key list in FOLDER against the root, and show it.

    The last lines are what an auditor needs: the tally key in the form that --key takes. With --all
    every key of the provider is shown as the record knows it: held by whom, under which key, until
    when, how often used, in which state.
    """
    provider = ProviderFolder(folder)
    if every:
        show_inventory(provider, as_json=as_json)
        return
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
        "tallystick keys renew ./provider --root-key offline/root.key --secret-file ./secret",
        "tallystick keys renew ./provider --root-key ./root.key --suite hybrid --secret-fd 3",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--root-key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The root's sealed key, as set-up left it in offline/.",
)
@click.option(
    "--root-share",
    "root_shares",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A custodian's share of what seals the root, where a ceremony made it.",
)
@click.option(
    "--suite",
    type=click.Choice(sorted(SUITES)),
    help="What signs the log from now on, where the policy says nothing: one signature, or two.",
)
@click.option(
    "--successor",
    "successors",
    multiple=True,
    type=click.Choice([one.value for one in RENEWED]),
    help="Make a successor of this purpose's key, near its end or not; say it several times.",
)
def renew(
    folder: Path,
    root_key: Path,
    root_shares: tuple[Path, ...],
    suite: str | None,
    successors: tuple[str, ...],
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the key list of FOLDER anew for seven days; keys near their end get a successor.

    Do it every few days: clients refuse a list past its time. A running service serves the new list
    at once, and uses new keys of sessions and of the log an hour later, when every wallet has it;
    others from its next start on. By what the log and the list are signed, once or twice, the
    policy in force says: `crypto suites`. Where it says nothing, `--suite hybrid` gives checkpoints
    a signature of ML-DSA-65 beside that of Ed25519, and soon a client that knows the list takes
    none without it. The secret opens the root's key, and the master key too unless shares or a
    passphrase are given for that.
    """
    secret = secret_from(secret_fd, secret_file)
    renewed = renew_keys(
        ProviderFolder(folder),
        opener_beside(secret),
        open_root_key(root_key, secret if not root_shares else secret_of_shares(root_shares)),
        SystemClock(),
        suite=suite or "",
        wanted={Purpose(one) for one in successors},
    )
    say(f"key list {renewed.version} is signed, until {iso_utc(renewed.expires_at)}")
    if renewed.tightening:
        say("a key that signs tightenings is new; the service uses it from its next start on")
    for one in renewed.made:
        say(f"new: {one.purpose} {one.kid}, until {iso_utc(one.not_after)}")
    for one in renewed.dropped:
        say(f"left out, past its time: {one.purpose} {one.kid}")
    say("a running service serves it at once, and uses its keys once wallets know them")


@keys.command(
    "reseal",
    short_help="Change what opens the master key.",
    epilog=example(
        "tallystick keys reseal ./provider --secret-file ./secret --shares 5 --threshold 3"
        " --out ./shares",
        "tallystick keys reseal ./provider --share a --share b --share c --new-secret ./secret",
        "tallystick keys reseal ./provider --secret-file ./secret --new-passphrase-fd 4 4< phrase",
        "tallystick keys reseal ./provider --secret-file ./secret"
        " --new-keeper 'aws-kms://alias/tallystick?region=eu-west-1'",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--shares", type=int, help="How many custodians get a share.")
@click.option("--threshold", type=int, help="How many of them it takes to open it.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="New folder for the shares."
)
@click.option("--new-passphrase-fd", type=int, help="Seal under the passphrase that comes there.")
@click.option(
    "--new-keeper", metavar="ADDRESS", help="Seal by a key service: aws-kms:, vault-transit:, ..."
)
@click.option(
    "--new-secret",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Seal under a new secret and write it to this new file (0600).",
)
def reseal(
    folder: Path,
    shares: int | None,
    threshold: int | None,
    out: Path | None,
    new_passphrase_fd: int | None,
    new_keeper: str | None,
    new_secret: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Seal the master key of FOLDER under shares, a passphrase, another secret or a key service.

    The key stays, and all that it protects. What opened it before opens it no more: destroy the
    copies of the old file. Shares are written one to a file; hand each to its custodian and keep
    none together.
    """
    by_shares = shares is not None and threshold is not None and out is not None
    others = (new_passphrase_fd, new_secret, new_keeper)
    if by_shares + sum(one is not None for one in others) != 1:
        raise click.UsageError(
            "say how to seal it: --shares, --threshold and --out, or --new-passphrase-fd, or"
            " --new-secret, or --new-keeper"
        )
    place, opener = ProviderFolder(folder), opener_from(secret_fd, secret_file)
    if new_secret is not None:
        make_secret_file(new_secret)
        reseal_under_secret(place, opener, secret_from(None, new_secret))
        say(f"the master key opens with {new_secret} now")
    elif new_passphrase_fd is not None:
        reseal_under_passphrase(place, opener, Secret(line_from(new_passphrase_fd)))
        say("the master key opens with the passphrase now")
    elif new_keeper is not None:
        reseal_under_service(place, opener, service_at(new_keeper))
        say("the master key opens through the key service now: give its address with --unseal")
    elif out is not None and shares is not None and threshold is not None:
        reseal_under_shares(
            place,
            opener,
            threshold=threshold,
            shares=shares,
            deliver=lambda made: _write_shares(out, made),
        )
        say(f"any {threshold} of the {shares} shares in {out} open the master key now")
        say("hand each to its custodian, and keep none together")


def _write_shares(folder: Path, shares: Sequence[Secret[str]]) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise Conflict(f"{folder} cannot be made", remedy="name a new folder") from error
    for number, share in enumerate(shares, start=1):
        write_private(folder / f"share-{number}", share.reveal() + "\n")


opener_options(renew)
opener_options(reseal)
for _command in (*keylives.COMMANDS, *widening.COMMANDS):
    keys.add_command(_command)
