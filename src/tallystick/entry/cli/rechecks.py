"""The command that checks every consent again, once or for as long as the service runs.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

import signal
from pathlib import Path
from threading import Event
from types import FrameType

import click

from tallystick.entry.cli.console import (
    FOUND_SOMETHING,
    example,
    progress,
    say,
    say_json,
    table,
)
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.rechecking import Rechecked, Verifier, order_by_order
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.hardening import harden_process
from tallystick.kernel.codec import to_plain

_EVERY_S = 1.0
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(
    short_help="Check every consent again, from what was kept.",
    epilog=example(
        "tallystick recheck ./provider --secret-file ./secret",
        "tallystick recheck ./provider --secret-file ./secret --follow",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--from", "start", default=0, show_default=True, help="Event to begin with.")
@click.option("--follow", is_flag=True, help="Go on with what is recorded, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def recheck(
    folder: Path,
    start: int,
    follow: bool,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Find out again whether each order of the provider in FOLDER was consented to as executed.

    It verifies the signature of every order under the device's certificate, compares the terms with
    the order, the tally and the ledger, and names what does not fit. Run it as a process of its
    own, best under an account that can only read: it writes nothing. What the service tightened by
    itself is proved again to loosen nothing. Exits with 4 if an order or a tightening is in doubt.
    """
    harden_process()
    opener = opener_from(secret_fd, secret_file)
    with Verifier(ProviderFolder(folder), opener, SystemClock()) as verifier:
        with progress("checking consents") as tell:
            found = verifier.recheck(start, tell)
        _tell(found, as_json=as_json)
        doubtful = bool(found.doubts or found.tightenings)
        if follow:
            doubtful |= _follow(verifier, found.upto, as_json=as_json)
    if doubtful:
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _follow(verifier: Verifier, start: int, *, as_json: bool) -> bool:
    """Check what comes until a signal says stop; True if an order was in doubt."""
    stop, doubtful = Event(), False

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupted)
    while not stop.wait(_EVERY_S):
        found = verifier.recheck(start)
        start = found.upto
        if found.doubts or found.tightenings:
            doubtful = True
            _tell(found, as_json=as_json)
    return doubtful


def _tell(found: Rechecked, *, as_json: bool) -> None:
    if as_json:
        say_json(to_plain(found))
        return
    if found.doubts:
        table("orders in doubt", ("order", "event", "what does not fit"), order_by_order(found))
    if found.tightenings:
        table("tightenings that do not hold", ("measure", "why"), found.tightenings)
    kept = f", {found.erased} of erased persons cannot be checked" if found.erased else ""
    style = "red" if found.doubts else "green"
    doubts = f"{len(found.doubts)} in doubt" if found.doubts else "each as it was consented to"
    say(f"{found.orders} orders up to event {found.upto}: {doubts}{kept}", style=style)


opener_options(recheck)
