"""The command that replays a recording.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import tempfile
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tallystick.entry.cli.console import err, example, out, table
from tallystick.entry.replay import Replayed, read_rows, replay
from tallystick.entry.replay.provider import CURRENCY
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.codec import encode
from tallystick.kernel.money import Money

DIFFERS = 4


@click.command(
    "replay",
    short_help="Replay a PaySim recording and compare.",
    epilog=example("tallystick replay paysim.csv --most 500"),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--most", type=click.IntRange(min=1), help="Replay so many rows only.")
@click.option("--once", is_flag=True, help="Leave out the second pass over the same orders.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the provider in this folder; its secret is lost, its tally can be verified.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def replay_file(file: Path, most: int | None, once: bool, keep: Path | None, as_json: bool) -> int:
    """Replay a PaySim recording: every row a signed order, compared with the row's own columns.

    Each name has a device of its own; the clock follows the recording. Then the same orders are
    placed once more, which must move nothing.
    """
    rows = read_rows(file, most or 0)
    columns = (
        TextColumn("{task.description:<20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with (
        tempfile.TemporaryDirectory(prefix="tallystick-replay-") as spare,
        Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress,
    ):
        task = progress.add_task("set-up", total=None)

        def tell(name: str, done: int, total: int) -> None:
            progress.update(task, description=name, completed=done, total=total)

        folder = ProviderFolder(keep or Path(spare) / "provider")
        replayed = replay(rows, folder, again=not once, tell=tell)
    if as_json:
        click.echo(encode(replayed).decode())
    else:
        _say(replayed)
        if keep is not None:
            out.print(f"the provider is in {keep}: tallystick tally verify {keep}", markup=False)
    return 0 if replayed.as_recorded() else DIFFERS


def _say(replayed: Replayed) -> None:
    table(
        f"{replayed.rows} rows, {replayed.parties} parties, {replayed.devices} devices",
        ("type", "rows", "posted", "refused", "moved"),
        [
            (one.type, one.rows, one.posted, one.refused, Money(one.moved_minor, CURRENCY))
            for one in replayed.types
        ],
    )
    out.print()
    table(
        "compared with the columns, row by row",
        ("", "rows"),
        [
            ("posted, balance equal to the minor unit", replayed.exact),
            ("posted, balance equal but for the rounding of its column", replayed.rounded),
            ("refused for funds, as the columns say, and nothing moved", replayed.refused_funds),
            ("came to something else", replayed.differ),
        ],
    )
    for one in replayed.differences:
        out.print(f"  line {one.line}: {one.says}", style="red", markup=False)
    out.print()
    rows = [
        (one.name, one.count, f"{one.seconds:.1f} s", f"{_each_us(one.seconds, one.count)} us")
        for one in replayed.phases
    ]
    table("time, on one core", ("", "count", "in all", "each"), rows)
    out.print()
    if replayed.again:
        out.print(
            f"second pass: {replayed.again_same} of {replayed.again} orders answered as before,"
            f" {replayed.again_events} events added"
        )
    out.print(f"audit: {replayed.events} events, {replayed.findings} findings")
    verdict, style = ("every row came to what it says", "bold green")
    if not replayed.as_recorded():
        verdict, style = ("the replay differs from the recording", "bold red")
    out.print(verdict, style=style)


def _each_us(seconds: float, count: int) -> int:
    return round(seconds / max(1, count) * 1e6)
