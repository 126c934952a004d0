"""Commands about vendors' lists: where they are fetched from, and what is in force.

Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
"""

from pathlib import Path

import click

from tallystick.application.appraisals.store import has_lists, kept_lists
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.vendors.proxy import remove_proxy, save_proxy
from tallystick.entry.vendors.sources import EVERY_S, OLDEST_S, Source, save_sources, sources_in
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import iso_utc
from tallystick.process.attestation.lists import ListName, VendorList

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_NAMES = click.Choice([one.value for one in ListName])


@click.group(epilog=example("tallystick vendors list ./provider"))
def vendors() -> None:
    """The lists of vendors that devices are judged by: where they come from, how old they are."""


@vendors.command("list", epilog=example("tallystick vendors list ./provider"))
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print sources and lists as JSON.")
def list_sources(folder: Path, as_json: bool) -> None:
    """Show the sources of the provider in FOLDER, and the last of each list."""
    sources, kept = sources_in(folder), _kept(ProviderFolder(folder))
    names = [one.value for one in ListName if one in sources or one in kept]
    if as_json:
        say_json(
            [
                {"list": n, "source": to_plain(sources.get(n)), "kept": to_plain(kept.get(n))}
                for n in names
            ]
        )
        return
    rows = [(one, *_source(sources.get(one)), *_list(kept.get(one))) for one in names]
    columns = ("list", "fetched from", "every s", "oldest s", "entries", "newest at", "event")
    table("vendors' lists", columns, rows)


def _kept(folder: ProviderFolder) -> dict[str, VendorList]:
    try:
        place = folder.stored()
    except NotFound:
        return {}
    with open_reader(place) as reader:
        return kept_lists(reader) if has_lists(reader) else {}


def _source(one: Source | None) -> tuple[str, str, str]:
    if one is None:
        return "nowhere", "", ""
    return one.url, str(one.every_s), str(one.oldest_s)


def _list(one: VendorList | None) -> tuple[str, str, str]:
    if one is None:
        return "none yet", "", ""
    return str(one.members), iso_utc(one.at), str(one.event)


@vendors.command(
    "set",
    short_help="Say where a list is fetched from.",
    epilog=example(
        "tallystick vendors set ./provider android-revoked"
        " --url https://android.googleapis.com/attestation/status"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name", type=_NAMES)
@click.option("--url", required=True, help="Its address; https, or http on this machine.")
@click.option("--every", default=EVERY_S, show_default=True, help="Seconds between two requests.")
@click.option("--oldest", default=OLDEST_S, show_default=True, help="Seconds until it is too old.")
def set_source(folder: Path, name: str, url: str, every: int, oldest: int) -> None:
    """Let the provider in FOLDER fetch the list NAME by itself.

    A running service begins within a second. A list that it takes over is recorded in the tally
    with its digest and address.
    """
    ProviderFolder(folder).settings()
    source = Source(url=url, every_s=every, oldest_s=oldest)
    save_sources(folder, {**sources_in(folder), name: source})
    say(f"{name} is fetched from {url} every {every} s")


@vendors.command(
    "remove",
    short_help="Fetch a list no more.",
    epilog=example("tallystick vendors remove ./provider fido-models"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name", type=_NAMES)
def remove(folder: Path, name: str) -> None:
    """Let the provider in FOLDER fetch the list NAME no more; the last one stays in force."""
    sources = sources_in(folder)
    if sources.pop(name, None) is None:
        raise NotFound(f"{name} is not fetched", remedy=f"tallystick vendors list {folder}")
    save_sources(folder, sources)
    say(f"{name} is fetched no more; the last one stays in force")


@vendors.command(
    "proxy",
    short_help="Fetch lists through a proxy, or directly.",
    epilog=example(
        "tallystick vendors proxy ./provider --to proxy.example:3128",
        "tallystick vendors proxy ./provider --direct",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--to", default="", metavar="HOST:PORT", help="The proxy (HTTP CONNECT).")
@click.option(
    "--credentials-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of one line, NAME:SECRET; it is copied into FOLDER (0600).",
)
@click.option("--direct", is_flag=True, help="Fetch directly again, and forget the credentials.")
def proxy(folder: Path, to: str, credentials_file: Path | None, direct: bool) -> None:
    """Let the provider in FOLDER fetch its lists through a proxy: of vendors and of partners.

    Nothing else goes through it. What the environment says of proxies never counts.
    """
    ProviderFolder(folder).settings()
    if bool(to) == direct:
        raise click.UsageError("say --to HOST:PORT, or --direct")
    if direct:
        remove_proxy(folder)
        say("lists are fetched directly")
        return
    said = None if credentials_file is None else Secret(credentials_file.read_bytes().strip())
    save_proxy(folder, to, said)
    say(f"lists are fetched through {to}")
