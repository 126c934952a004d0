"""Commands about look-alike applications: open, report, remind, close, list.

Source: ISO/TS 12812-2:2017, 7.4.4
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.rogues import REGISTER, note_case, open_case, rogue_case, rogue_cases
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import Conflict
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.isms.clocks import falls_due
from tallystick.process.isms.model import Entry
from tallystick.process.isms.shapes import SHAPES

_FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
_CASE = click.argument("case")
_PLATFORMS = click.Choice(["android", "ios", "web"])


@click.group(epilog=example("tallystick app rogue list ./provider"))
def rogue() -> None:
    """Applications that pretend to be the provider's, until each is taken down."""


def _moment(now: Instant) -> str:
    return f"{iso_utc(now)[:16]}Z"


@rogue.command(
    "open",
    short_help="Enter a look-alike that was found.",
    epilog=example(
        "tallystick app rogue open ./provider free-wallet --name 'Wallet Free' --platform android"
        " --place https://store.example/free --owner ciso"
    ),
)
@_FOLDER
@_CASE
@click.option("--name", required=True, help="What it calls itself.")
@click.option("--platform", type=_PLATFORMS, required=True, help="What it runs on.")
@click.option("--place", required=True, help="Store or address where it is offered.")
@click.option("--package", default="", help="Package or bundle.")
@click.option("--signer", default="", help="SHA-256 of its signer's certificate, or its team.")
@click.option("--digest", default="", help="SHA-256 of its package.")
@click.option("--report-within", default="PT24H", show_default=True, help="Until it is reported.")
@click.option("--gone-within", default="P7D", show_default=True, help="Until it has to be gone.")
@click.option("--owner", default="ciso", show_default=True, help="Post that answers.")
def open_(folder: Path, case: str, owner: str, **said: str) -> None:
    """Enter CASE into register rogue-apps of the provider in FOLDER; its clocks run from now."""
    now = SystemClock().now()
    fields = {name: value for name, value in said.items() if value} | {"found": _moment(now)}
    file = open_case(ProviderFolder(folder), case, fields, owner, now)
    say(f"{case} was entered into {file}")
    if said["signer"] or said["digest"]:
        say("refuse it: tallystick app release deny SHA256")


@rogue.command(
    "report",
    short_help="Note that the store or registrar was told.",
    epilog=example("tallystick app rogue report ./provider free-wallet --to 'store abuse desk'"),
)
@_FOLDER
@_CASE
@click.option("--to", "to", required=True, help="Who was told.")
def report(folder: Path, case: str, to: str) -> None:
    """Note that CASE was reported now, or once more: then it is a reminder."""
    place, now = ProviderFolder(folder), SystemClock().now()
    known = rogue_case(place, case)
    if known.number("gone"):
        raise Conflict("the case was closed before", remedy="open another if it is back")
    again = bool(known.number("reported"))
    fields = {"reminded": _moment(now)} if again else {"reported": _moment(now)}
    note_case(place, case, {**fields, "reported_to": to})
    say(f"{case}: {'reminded' if again else 'reported to'} {to}")


@rogue.command(
    "close",
    short_help="Note that a look-alike is gone.",
    epilog=example("tallystick app rogue close ./provider free-wallet"),
)
@_FOLDER
@_CASE
@click.option("--customers-told", is_flag=True, help="Customers were warned of it, too.")
def close(folder: Path, case: str, *, customers_told: bool) -> None:
    """Note that CASE was taken down now; its clocks stop."""
    place, now = ProviderFolder(folder), SystemClock().now()
    if rogue_case(place, case).number("gone"):
        raise Conflict("the case was closed before")
    told = {"customers_told": _moment(now)} if customers_told else {}
    note_case(place, case, {"gone": _moment(now), **told})
    say(f"{case}: gone", style="green")


@rogue.command(
    "list",
    short_help="Show look-alikes and how long each may still take.",
    epilog=example("tallystick app rogue list ./provider"),
)
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_cases(folder: Path, as_json: bool) -> None:
    """Show every case of the provider in FOLDER; exits with 4 while one is overdue."""
    register, now = rogue_cases(ProviderFolder(folder)), SystemClock().now()
    entries = [] if register is None else list(register.entries.values())
    judged = [(one, *_stands(one, now)) for one in entries]
    if as_json:
        say_json([{"case": one.id, "state": word, "overdue": late} for one, word, late in judged])
    else:
        table(
            "",
            ("case", "name", "where", "state"),
            [(one.id, one.text("name"), one.text("place"), word) for one, word, _ in judged],
        )
        if not judged:
            say("no case is entered")
    if any(late for _, _, late in judged):
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _stands(one: Entry, now: Instant) -> tuple[str, bool]:
    """Where a case stands, in words, and whether something about it is overdue."""
    due = [(at, rule.what) for rule in SHAPES[REGISTER].clocks if (at := falls_due(rule, one))]
    late = [what for at, what in due if at <= now]
    if one.number("gone"):
        return f"gone {iso_utc(Instant(one.number('gone')))[:10]}", False
    word = "reported" if one.number("reported") else "open"
    if late:
        return f"{word}, overdue: {', '.join(late)}", True
    return f"{word}, next by {iso_utc(Instant(min(at for at, _ in due)))[:16]}Z", False
