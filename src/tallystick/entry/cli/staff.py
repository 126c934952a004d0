"""Who operates a provider, read out of its store.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from pathlib import Path

import click

from tallystick.application.operators.store import operators_known
from tallystick.entry.cli.console import example, say_json, table
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.time import iso_utc

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_COLUMNS = ("operator", "role", "enrolled", "stands", "since", "by")


@click.command(
    "list",
    short_help="List who operates, or did.",
    epilog=example("tallystick operator list ./provider"),
)
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def listed(folder: Path, as_json: bool) -> None:
    """List everybody who operates the provider in FOLDER or did: role, and whether they may act.

    Names are sealed in the store; the desk shows them. Whoever may act no more is suspended or
    removed: `tallystick operator act suspend-operator --help`.
    """
    with open_reader(ProviderFolder(folder).stored()) as reader:
        found = operators_known(reader)
    rows = [
        (
            one.id,
            one.role,
            iso_utc(one.enrolled_at),
            one.status,
            iso_utc(one.stands_since) if one.stands_since else "",
            one.stood_by,
        )
        for one in found
    ]
    if as_json:
        say_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
        return
    table("", _COLUMNS, rows)
