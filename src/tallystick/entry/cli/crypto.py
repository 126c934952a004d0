"""Commands about mechanisms: which there are, and which of them a provider uses.

Source: ISO/TS 12812-2:2017, C; 7.4.2
"""

from pathlib import Path

import click

from tallystick import __version__
from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.keykeeping import door_blocks
from tallystick.entry.rewrapping import MOVED, begin, finish, followed, progress
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.suites import standing
from tallystick.entry.surveying import survey
from tallystick.infrastructure.crypto.registry import Sort, Status, mechanisms
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import encode_canonical, to_plain
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.isms.bill import bill
from tallystick.process.isms.inventory import concerns, in_use, inventory

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(epilog=example("tallystick crypto inventory ./provider"))
def crypto() -> None:
    """Mechanisms: the registry of them, and those that a provider uses."""


@crypto.command(
    "list",
    short_help="Show the registry of mechanisms.",
    epilog=example(
        "tallystick crypto list --run",
        "tallystick crypto list --status prohibited",
        "tallystick crypto list --sort 'digital signature' --json",
    ),
)
@click.option("--status", type=click.Choice([one.value for one in Status]), help="Only these.")
@click.option("--sort", type=click.Choice([one.value for one in Sort]), help="Only of this sort.")
@click.option("--run", is_flag=True, help="Only what this version runs.")
@_JSON
def list_mechanisms(status: str | None, sort: str | None, run: bool, as_json: bool) -> None:
    """Show every mechanism by its ISO name: status, strength, dates, and who runs it or why not.

    The strength against a quantum computer is a category of NIST, 1 to 5; 0 is none.
    """
    found = [
        one
        for one in mechanisms()
        if (status is None or one.status == status)
        and (sort is None or one.sort == sort)
        and (one.implemented_by or not run)
    ]
    if as_json:
        say_json(to_plain(found))
        return
    table(
        "mechanisms",
        ("name", "standard", "sort", "status", "bits", "quantum", "until", "run by"),
        [
            (
                one.name,
                one.standard,
                one.sort,
                one.status,
                one.strength_bits or "",
                one.quantum_level or "",
                one.life.legacy_from or one.life.prohibited_from,
                one.implemented_by or f"nobody: {one.not_run}",
            )
            for one in found
        ],
    )


@crypto.command(
    "inventory",
    short_help="Show which mechanisms a provider uses, and for what.",
    epilog=example(
        "tallystick crypto inventory ./provider",
        "tallystick crypto inventory ./provider --days 365",
        "tallystick crypto inventory ./provider --bill ./cbom.json",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--days",
    type=click.IntRange(0, 36_500),
    default=0,
    help="Look at the statuses of so many days ahead.",
)
@click.option(
    "--bill",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as a bill of cryptography (CycloneDX 1.6) to this file.",
)
@_JSON
def show_inventory(folder: Path, days: int, out: Path | None, as_json: bool) -> None:
    """Find in the record of FOLDER by which mechanism each key and each kept thing is protected.

    Nothing is opened, and no secret is needed. Exits with 4 if something is of a mechanism that is
    not permitted, or a key is past its end.
    """
    place, now = ProviderFolder(folder), SystemClock().now()
    found = inventory((*place.blocks(), *door_blocks(place)), survey(place))
    then = Instant(now + days * DAY_MS)
    if out is not None:
        provider = place.settings().provider
        made = bill(found, provider=provider, version=__version__, now=now)
        replace_file(out, encode_canonical(made))
        say(f"{out} was written: {len(found.keys)} keys, {len(in_use(found, now))} mechanisms")
    elif as_json:
        kept = [{**to_plain(one), "moves": one.moves} for one in found.kept]
        say_json(to_plain({"at": then, "mechanisms": in_use(found, then), "kept": kept,
                           "keys": found.keys}))  # fmt: skip
    else:
        table(
            "by mechanism",
            ("mechanism", "standard", "status", "bits", "quantum", "until", "keys", "kept"),
            [
                (
                    one.mechanism or "not registered",
                    one.standard,
                    one.status,
                    one.strength_bits or "",
                    one.quantum_level or "",
                    one.ends,
                    one.keys or "",
                    one.kept or "",
                )
                for one in in_use(found, then)
            ],
        )
        table(
            "\nwhat is kept",
            ("kind", "mechanism", "count", "form", "until", "gets to another"),
            [
                (
                    one.kind,
                    one.mechanism or "not registered",
                    one.count,
                    one.form,
                    iso_utc(one.until)[:10] if one.until else "",
                    one.moves,
                )
                for one in found.kept
            ],
        )
    wrong = list(concerns(found, then))
    for line in wrong:
        say(line, style="red")
    if wrong:
        raise click.exceptions.Exit(FOUND_SOMETHING)


@crypto.command(
    "suites",
    short_help="Show how far a provider is on the way that its policy asks for.",
    epilog=example("tallystick crypto suites ./provider"),
)
@click.argument("folder", type=_FOLDER)
@_JSON
def show_suites(folder: Path, as_json: bool) -> None:
    """Compare what the policy in force asks for with what is in use in FOLDER.

    Sessions follow the policy at once. The log, the key list and the officers need keys that no
    service makes: the last column says who has to do what. Exits with 4 while something is waited
    for.
    """
    found = standing(ProviderFolder(folder), SystemClock().now())
    if as_json:
        say_json(to_plain(found))
    else:
        table(
            "",
            ("what", "asked", "in use", "have it", "waits for"),
            [
                (one.what, one.asked or "-", one.now, f"{one.done} of {one.total}", one.waits)
                for one in found
            ],
        )
    if any(one.waits for one in found):
        raise click.exceptions.Exit(FOUND_SOMETHING)


@crypto.command(
    "rewrap",
    short_help="Give a key that much is under a successor, or end the old one.",
    epilog=example(
        "tallystick crypto rewrap ./provider --to aes-256-gcm --secret-file ./secret",
        "tallystick crypto rewrap ./provider --of pin-pepper --to hmac-sha256 --secret-fd 3",
        "tallystick crypto rewrap ./provider --of subject-wrap --to aes-256-ccm --secret-fd 3",
        "tallystick crypto progress ./provider",
        "tallystick crypto rewrap ./provider --finish",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--of",
    "of",
    type=click.Choice([one.value for one in MOVED]),
    default=Purpose.STORE.value,
    help="Which key: what seals the store, what PINs are kept under, or what wraps subjects' keys.",
)
@click.option("--to", "mechanism", help="The mechanism of the successor.")
@click.option("--finish", "ends", is_flag=True, help="Destroy the earlier keys.")
@click.option(
    "--forget",
    is_flag=True,
    help="With --finish of pin-pepper: give up the PINs that nobody entered since.",
)
def rewrap(
    folder: Path,
    of: str,
    mechanism: str | None,
    ends: bool,
    forget: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Move what is sealed in the store of FOLDER to a new key, while the service works.

    First `--to`, then restart the service: it seals under the new key and moves the rest a few rows
    at a time; cut short, it goes on at the next start. Once `crypto progress` shows nothing left,
    `--finish` destroys the old key. Backups from before need it: make a new one first.

    With `--of pin-pepper` what is kept of a PIN moves when its customer enters it. Customers who do
    not come keep the old pepper alive, until `--finish --forget` gives their PINs up; they come
    back by a recovery.

    With `--of subject-wrap` each customer's key is wrapped anew, and what it seals is sealed anew
    by `--to`. The key itself stays, and with it every commitment of the log.
    """
    if ends == (mechanism is not None) or (forget and not ends):
        raise click.UsageError("say --to MECHANISM to begin, or --finish to end")
    place, purpose = ProviderFolder(folder), Purpose(of)
    if mechanism is not None:
        opener = opener_from(secret_fd, secret_file)
        made = begin(place, opener, mechanism, SystemClock(), purpose)
        say(f"{of} key {made.id} of {made.mechanism} is there; restart the service")
        return
    ended = finish(place, purpose, forget=forget)
    for one in ended:
        say(f"destroyed: {one}")
    if not ended:
        say(f"there is one {of} key only: nothing to end")


@crypto.command(
    "progress",
    short_help="Show what is not under the newest key yet.",
    epilog=example("tallystick crypto progress ./provider"),
)
@click.argument("folder", type=_FOLDER)
@_JSON
def show_progress(folder: Path, as_json: bool) -> None:
    """Count what the store of FOLDER has under the newest key, and under earlier ones.

    PINs are counted once their pepper has a successor. Exits with 4 while something is left.
    """
    place = ProviderFolder(folder)
    found = progress(place, [one for one in MOVED if one is Purpose.STORE or followed(place, one)])
    if as_json:
        say_json(to_plain(found))
    else:
        rows = [(one.kind, one.moved, one.left) for one in found]
        table("", ("kind", "moved", "left"), rows)
    if any(one.left for one in found):
        raise click.exceptions.Exit(FOUND_SOMETHING)


opener_options(rewrap)
