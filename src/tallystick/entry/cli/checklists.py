"""Checklists for those who build on Tallystick.

Source: ISO/TS 12812-2:2017, 7.2.5; 9.3
"""

import click

from tallystick.entry.cli.console import example, say_json
from tallystick.process.catalogue import catalogue as load_catalogue
from tallystick.process.hardening.checklist import app_checklist, checklist_page


@click.group(epilog=example("tallystick checklist app"))
def checklist() -> None:
    """What others must do, so that what Tallystick does is enough."""


@checklist.command(
    "app",
    short_help="Print who hardens an app, control by control.",
    epilog=example("tallystick checklist app", "tallystick checklist app --json"),
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; else as Markdown.")
def app(as_json: bool) -> None:
    """Print what the SDK, the developer and the platform do for each control of MASVS 2.1.

    Each control has the tests that show the SDK's part, or the reason why it has none, and the rows
    of the catalogue that name it.
    """
    if as_json:
        say_json(app_checklist(load_catalogue()))
        return
    click.echo(checklist_page(load_catalogue()), nl=False)
