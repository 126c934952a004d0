"""The command that examines a deployment.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, err, example, say, say_json, table
from tallystick.entry.doctor import State, examine
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import to_plain

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(
    short_help="Say what is wrong with a deployment, and what to do.",
    epilog=example(
        "tallystick doctor ./provider",
        "tallystick doctor ./provider --url http://127.0.0.1:8480",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--url", default="", help="Look at the running service there, too.")
@click.option(
    "--unseal", default="", metavar="ADDRESS", help="Ask the key service that opens the master key."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(folder: Path, url: str, unseal: str, as_json: bool) -> None:
    """Examine the provider in FOLDER: files, keys, clock, record, and with --url the service.

    No secret is needed and nothing is changed; --unseal opens the master key and forgets it. What
    is wrong, and what needs to be seen to soon, comes with what to do about it. Exits with 4 if
    something is wrong.
    """
    with err.status("examining ..."):
        found = examine(ProviderFolder(folder), SystemClock(), url, unseal)
    if as_json:
        say_json(to_plain(found))
    else:
        table(
            str(folder), ("", "what", "found"), [(one.state, one.what, one.says) for one in found]
        )
        for one in found:
            if one.state is not State.FINE:
                say(
                    f"{one.what}: {one.remedy}",
                    style="red" if one.state is State.WRONG else "yellow",
                )
    if any(one.state is State.WRONG for one in found):
        raise click.exceptions.Exit(FOUND_SOMETHING)
