"""Commands about the module that holds a provider's keys.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3; ISO/IEC 19790
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.module_settings import doors_of, open_module
from tallystick.entry.selfchecking import Holds, examine_module
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import SERVER_ROLES
from tallystick.infrastructure.keys.table import purposes_of
from tallystick.infrastructure.modules.clock import SystemClock, elapsed_ms
from tallystick.infrastructure.modules.interface import CryptoModule
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import WATCH
from tallystick.infrastructure.modules.remote.words import ModuleStatus
from tallystick.infrastructure.modules.standing import State
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import Unavailable

_PATIENCE_S = 3.0
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(epilog=example("tallystick module check ./provider --secret-file ./secret"))
def module() -> None:
    """The cryptographic module of a provider."""


@module.command(
    "check",
    short_help="Make the module prove itself; --list what it meets.",
    epilog=example(
        "tallystick module check ./provider --secret-file ./secret",
        "tallystick module check ./provider --secret-file ./secret --list --json",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--list", "listed", is_flag=True, help="Go through the list of ISO/IEC 19790.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(
    folder: Path,
    listed: bool,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Open the module that FOLDER names, as the service would, and run its self-tests.

    With --list every requirement of the list is tried or looked at: satisfied, not, or not
    applicable, with the reason. The software module is designed to level 1 and not validated, and
    the list says so. Exits with 4 if an item is not satisfied, with 1 if a self-test fails.
    """
    provider = ProviderFolder(folder)
    clock, profile = SystemClock(), provider.settings().profile
    roots = provider.master(opener_from(secret_fd, secret_file)).roots(purposes_of(SERVER_ROLES))
    opened = open_module(folder, roots, clock, profile=profile)
    try:
        if listed:
            _list(opened, clock, as_json=as_json)
        else:
            _prove(opened, as_json=as_json)
    finally:
        opened.zeroise()


@module.command(
    "status",
    short_help="What the module of a running provider says of itself.",
    epilog=example(
        "tallystick module status ./provider", "tallystick module status ./provider --json"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(folder: Path, as_json: bool) -> None:
    """Ask the process that holds the keys of the running provider in FOLDER for its state.

    No secret is needed, and nothing but the state comes out: whether it serves, how often it was
    started and how the last one ended, what was asked of it, and what the system grants it. Exits
    with 4 if it does not serve, with 3 if it cannot be asked.
    """
    found = RemoteModule(str(doors_of(folder) / WATCH.name), patience_s=_PATIENCE_S)
    try:
        told = found.status()
    except Unavailable:
        raise Unavailable(
            "no process answers for the keys of this provider",
            remedy="ask again in a moment; else look whether it is served, by this user, and"
            " whether FOLDER/module.json says that its keys are in the process of the service",
        ) from None
    finally:
        found.close()
    if as_json:
        say_json(to_plain(told))
    else:
        table("module", ("", ""), _rows(told))
    if told.state is not State.SERVING:
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _rows(told: ModuleStatus) -> list[tuple[str, str]]:
    held = told.hardening
    swapped = f"{held.locked_kib} KiB are never swapped" if held.locked_kib else "may be swapped"
    return [
        ("state", f"{told.state.value}{': ' if told.refusal else ''}{told.refusal}"),
        ("process", f"{told.process}, number {told.starts} since the service began"),
        ("the last one ended", told.last_end or "-"),
        ("proved", f"{len(told.proved)} mechanisms"),
        ("calls", f"{told.calls}, of which {told.refused} refused"),
        ("turned away", f"{told.turned_away}"),
        ("memory", f"{'dumpable' if held.dumpable else 'not dumpable'}, {swapped}"),
    ]


def _prove(opened: CryptoModule, *, as_json: bool) -> None:
    begun = elapsed_ms()
    proved = opened.self_test()
    took, told = elapsed_ms() - begun, opened.capabilities()
    if as_json:
        say_json({"capabilities": to_plain(told), "proved": sorted(proved), "ms": took})
        return
    say(f"{told.name}: {told.statement}")
    where = "in a process of its own" if told.isolated_process else "in the caller's process"
    say(f"{len(proved)} mechanisms proved themselves in {took} ms, {where}")


def _list(opened: CryptoModule, clock: SystemClock, *, as_json: bool) -> None:
    items = examine_module(opened, clock)
    if as_json:
        say_json(to_plain(items))
    else:
        rows = [(one.section, one.name, one.holds, one.says) for one in items]
        table("ISO/IEC 19790: seen, not validated", ("section", "item", "", "why"), rows)
    if any(one.holds is Holds.NOT for one in items):
        raise click.exceptions.Exit(FOUND_SOMETHING)


opener_options(check)
