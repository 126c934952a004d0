"""The commands that try an implementation of the protocol.

Source: ISO/TS 12812-2:2017, 7.2.5; 9.1
"""

import shlex
from urllib.parse import urlsplit

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, progress, say, say_json, table
from tallystick.entry.conforming.scoring import CASES, Score, chosen, score
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import Malformed

_LOOPBACK = {"127.0.0.1", "localhost"}


@click.group(
    epilog=example(
        "tallystick conform cases",
        'tallystick conform device --command "node clients/typescript/dist/driven.js"',
    )
)
def conform() -> None:
    """Try implementations of the protocol."""


@conform.command("cases", epilog=example("tallystick conform cases"))
def cases() -> None:
    """List the cases that a device is tried by."""
    rows = [(one.name, one.clause, one.says) for one in CASES]
    table("", ("case", "clause", "the device"), rows)


@conform.command(
    "device",
    short_help="Drive a device through honest and hostile cases.",
    epilog=example(
        'tallystick conform device --command "node clients/typescript/dist/driven.js"',
        'tallystick conform device --command "./my-device" --url http://127.0.0.1:8499 --json',
    ),
)
@click.option("--command", required=True, help="The program that drives the implementation.")
@click.option("--url", default="", help="Where the device reaches the kit; else a free port.")
@click.option("--case", "names", multiple=True, help="Try this case only; may be repeated.")
@click.option(
    "--patience",
    default=60.0,
    type=click.FloatRange(min=1),
    show_default=True,
    help="Seconds that an answer may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the score as JSON.")
def device(command: str, url: str, names: tuple[str, ...], patience: float, as_json: bool) -> None:
    """Score what COMMAND does with a provider that is honest, and with one that is tampered with.

    A real provider is set up in a temporary folder and served behind a relay of the kit. The
    program is told what to do and answers on standard output; docs/protocol/conformance.md has the
    words. Exits with 4 if a case failed.
    """
    tried = chosen(names)
    with progress("cases") as tell:
        found = score(shlex.split(command), tried, port=_port(url), patience_s=patience, tell=tell)
    if as_json:
        say_json(to_plain(found))
    else:
        _say(found)
    if not found.conforms:
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _port(url: str) -> int:
    if not url:
        return 0
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or not parts.port:
        raise Malformed(
            "the kit listens on loopback only", remedy="write --url http://127.0.0.1:PORT"
        )
    return parts.port


def _say(found: Score) -> None:
    rows = [
        (
            "passed" if one.passed else "FAILED",
            one.case,
            one.clause,
            one.says if one.passed else one.reason,
        )
        for one in found.cases
    ]
    table(found.client or "a device without a name", ("", "case", "clause", "the device"), rows)
    failed = sum(not one.passed for one in found.cases)
    if failed:
        say(f"{failed} of {len(rows)} cases failed", style="red")
    else:
        say(f"all {len(rows)} cases passed", style="green")
