"""The command that compares a deployment with its programme.

Source: ISO/TS 12812-2:2017, 6.2; 7.1
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.surface import Side, compare, discover
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import NotFound
from tallystick.process.programme.reading import read_programme

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    short_help="Compare what is deployed with the programme.",
    epilog=example(
        "tallystick surface ./provider",
        "tallystick surface ./provider --pid 4711 --port 8480",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--programme", "file", type=_FILE, help="The programme; else that in FOLDER.")
@click.option("--pid", type=int, help="The running service: look where it listens, too.")
@click.option("--port", default=0, help="Where it is meant to listen; else the lowest port.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def surface(folder: Path, file: Path | None, pid: int | None, port: int, as_json: bool) -> None:
    """Compare listeners, links, operations, keys and operators of FOLDER with its programme.

    What is deployed and not in the model was not analysed; what is in the model and not deployed
    protects nothing. No secret is needed and nothing is changed. Exits with 4 if the two differ.
    """
    place = ProviderFolder(folder)
    path = file or place.programme_file
    if not path.exists():
        raise NotFound(f"there is no programme at {path}", remedy="name it with --programme")
    programme = read_programme(path.read_bytes().decode("utf-8", "replace"))
    seen = discover(place, pid)
    found = compare(seen, programme, port)
    if as_json:
        say_json(to_plain(found))
    else:
        listening = "not looked at" if seen.listeners is None else len(seen.listeners)
        enrolled = sum((seen.accounts or {}).values())
        say(
            f"{folder}: {len(seen.operations)} operations, {len(seen.purposes)} purposes of keys,"
            f" {enrolled} operators, listeners: {listening}"
        )
        for side in Side:
            rows = [(one.sort, one.says, one.remedy) for one in found if one.side is side]
            if rows:
                table(f"\n{side.value}", ("", "what", "do"), rows)
        if not found:
            say("the deployment and the programme agree", style="green")
    if found:
        raise click.exceptions.Exit(FOUND_SOMETHING)
