"""Commands about the stamps over documents that have to stay proved for years.

Source: ISO/TS 12812-2:2017, 3.23; 11.2.2; RFC 4998
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.pki.archiving import STAMPS, Archived, Done, archive, authority_of, weak_from
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.time import iso_utc

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(epilog=example("tallystick stamps renew ./provider ./archive"))
def stamps() -> None:
    """Stamps over archived documents."""


@stamps.command(
    "renew",
    short_help="Stamp again whatever is near the end of what proves it.",
    epilog=example(
        "tallystick stamps renew ./provider ./archive --url http://127.0.0.1:8480",
        "tallystick stamps renew ./provider ./archive --json",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("documents", type=_FOLDER)
@click.option("--url", default="", help="The running service, if the own authority stamps.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def renew(folder: Path, documents: Path, url: str, as_json: bool) -> None:
    """Stamp every document below DOCUMENTS that has stamps again, where that is due.

    That is within 90 days of the end of the newest stamp's certificate, or of its mechanisms by the
    registry, whichever is first. The new stamp is over the document and all stamps before. Run it
    from a timer; it can be cut short. Exits with 4 if the stamps of a document do not prove it.
    """
    place, now = CertificateFolder(ProviderFolder(folder)), SystemClock().now()
    authority, roots = authority_of(place, url)
    found: list[Archived] = []
    broken: list[str] = []
    for beside in sorted(documents.rglob(f"*{STAMPS}")):
        file = beside.with_name(beside.name.removesuffix(STAMPS))
        try:
            found.append(archive(file, authority.stamp, roots, now, weak_from(file, roots)))
        except (NotAuthentic, Malformed, OSError) as error:
            broken.append(f"{file.name}: {error}")
    if as_json:
        say_json(to_plain(found))
    else:
        rows = [(one.name, one.done, iso_utc(one.since), iso_utc(one.until)[:10]) for one in found]
        table("", ("document", "what was done", "there since", "proved until"), rows)
        renewed = sum(one.done is Done.RENEWED for one in found)
        say(f"{renewed} of {len(found)} documents were stamped again")
    for line in broken:
        say(line, style="red")
    if broken:
        raise click.exceptions.Exit(FOUND_SOMETHING)
