"""Commands about lists of partners' authorities: where they come from, what is there, fetch now.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 5; 6.3
"""

import asyncio
from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.pki.listsources import (
    ListSource,
    ListSources,
    Wanted,
    list_sources,
    registered,
    save_list_sources,
    wanted,
)
from tallystick.entry.pki.partnerlists import FOLDER, ListFiles, PartnerLists, named
from tallystick.entry.pki.taking import take
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.vendors.fetching import Fetch
from tallystick.entry.vendors.proxy import way_to
from tallystick.entry.vendors.rounds import fetched
from tallystick.entry.vendors.sources import EVERY_S
from tallystick.infrastructure.crypto.x509 import read_pem
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import MfsError, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant, iso_utc

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_REMEDY = "tallystick partner lists show {}"


@click.group(epilog=example("tallystick partner lists show ./provider"))
def lists() -> None:
    """What partners' authorities revoked: where their lists are fetched from, and what is there."""


@lists.command("show", epilog=example("tallystick partner lists show ./provider"))
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the lists as JSON.")
def show_lists(folder: Path, as_json: bool) -> None:
    """Show what is known of each registered authority's list, and where it is fetched from.

    Authorities are those in FOLDER/partner-lists/*.pem. A list counts while it is current; without
    one nothing is exchanged with whom the authority certified.
    """
    found = _lines(folder, SystemClock().now())
    if as_json:
        say_json(found)
        return
    columns = ("authority", "list", "fetched from", "number", "entries", "until")
    rows = [
        (
            str(one["subject"]), str(one["list"]) or "-", str(one["url"]) or "nowhere",
            str(one["number"]), str(one["entries"]), str(one["until"]) or "none is current",
        )
        for one in found
    ]  # fmt: skip
    table("lists of partners' authorities", columns, rows)


def _lines(folder: Path, now: Instant) -> list[dict[str, str | int]]:
    known, sources = PartnerLists(ListFiles(folder)), wanted(folder)
    found: list[dict[str, str | int]] = []
    for digest, authority in registered(folder).items():
        of = {name: one for name, one in sources.items() if one.authority == digest}
        whole = next((name for name, one in of.items() if not one.delta), "")
        held = known.current(authority, now)
        found.append(
            {
                "subject": authority.subject,
                "authority": digest,
                "list": whole,
                "url": of[whole].url if whole else "",
                "number": max((one.number for one in held), default=0),
                "entries": len({serial for one in held for serial in one.revoked}),
                "until": iso_utc(held[0].next_update) if held else "",
            }
        )
    return found


@lists.command(
    "fetch",
    short_help="Fetch lists of partners' authorities now.",
    epilog=example(
        "tallystick partner lists fetch ./provider",
        "tallystick partner lists fetch ./provider west",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("names", nargs=-1)
def fetch_lists(folder: Path, names: tuple[str, ...]) -> None:
    """Fetch the lists NAMES of the provider in FOLDER, or all; a running service takes them up.

    Ends with 1 where one was not fetched or does not count.
    """
    sources = wanted(folder)
    unknown = [one for one in names if one not in sources]
    if unknown:
        raise NotFound(
            f"{unknown[0]} is not fetched", remedy=f"tallystick partner lists show {folder}"
        )
    failed = 0
    for name, one in sources.items():
        if names and name not in names:
            continue
        try:
            say(f"{name}: {_fetched_now(folder, name, one)}")
        except MfsError as error:
            failed += 1
            say(f"{name}: {error.detail}")
    if failed:
        raise click.exceptions.Exit(1)


def _fetched_now(folder: Path, name: str, one: Wanted) -> str:
    answer = asyncio.run(fetched(Fetch(one.url, way=way_to(folder, one.url))))
    files = ListFiles(folder)
    files.look()
    now = SystemClock().now()
    taken = take(folder, name, one, answer.octets or b"", files.lists, now)
    said = f"number {taken.found.number}, {len(taken.found.revoked)} entries"
    kept = "taken over" if taken.is_new else "known"
    return f"{kept}: {said}, until {iso_utc(taken.found.next_update)}"


@lists.command(
    "set",
    short_help="Say where an authority's list is fetched from.",
    epilog=example(
        "tallystick partner lists set ./provider west --url http://pki.west.example/ca.crl"
        " --authority ./west-ca.pem"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name")
@click.option("--url", required=True, help="Its address, http or https: the list is signed.")
@click.option("--delta", default="", help="Where the delta lists to it are.")
@click.option(
    "--authority", type=_FILE, required=True, help="The certificate of who signs it (PEM)."
)
@click.option("--every", default=EVERY_S, show_default=True, help="Seconds between two requests.")
def set_list(folder: Path, name: str, url: str, delta: str, authority: Path, every: int) -> None:
    """Let the provider in FOLDER fetch the list NAME by itself, and register its authority.

    A running service begins within a second. A list counts only if this authority signed it.
    """
    ProviderFolder(folder).settings()
    pem = authority.read_bytes()
    certificate = read_pem(pem)
    sources = list_sources(folder)
    digest = named(certificate)
    source = ListSource(url=url, authority=digest, delta=delta, every_s=every)
    save_list_sources(folder, replace(sources, lists={**sources.lists, name: source}))
    if digest not in registered(folder):
        (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        replace_file(folder / FOLDER / f"{name}.authority.pem", pem)
    say(f"{name} is fetched from {url} every {every} s")


@lists.command(
    "remove",
    short_help="Fetch an authority's list no more.",
    epilog=example("tallystick partner lists remove ./provider west"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name")
def remove_list(folder: Path, name: str) -> None:
    """Let the provider in FOLDER fetch the list NAME no more; the last one stays while it lasts."""
    sources = list_sources(folder)
    if name not in sources.lists:
        raise NotFound(f"{name} is not fetched", remedy=_REMEDY.format(folder))
    others = {one: source for one, source in sources.lists.items() if one != name}
    save_list_sources(folder, replace(sources, lists=others))
    say(f"{name} is fetched no more; the last one stays while it lasts")


@lists.command(
    "hosts",
    short_help="Allow hosts that certificates name for lists.",
    epilog=example("tallystick partner lists hosts ./provider pki.west.example"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("hosts", nargs=-1)
def allow_hosts(folder: Path, hosts: tuple[str, ...]) -> None:
    """Let registered certificates say where their issuer's list is, at HOSTS alone; none without.

    The hosts take the place of those before. Where a source is declared for an authority, what
    certificates say of it does not count.
    """
    ProviderFolder(folder).settings()
    sources = list_sources(folder)
    made: ListSources = replace(sources, hosts=tuple(sorted({one.lower() for one in hosts})))
    save_list_sources(folder, made)
    say(f"certificates may name: {', '.join(made.hosts) or 'no host'}")
