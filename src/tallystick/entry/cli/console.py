"""How the command line speaks: tables and progress on a terminal, plain text elsewhere.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

import io
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tallystick.kernel.codec import encode

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

REFUSED = 1
WRONG_USAGE = 2
OUT_OF_REACH = 3
FOUND_SOMETHING = 4
_WIDE = 400
_EXAMPLE_COLUMNS = 70

Tell = Callable[[int, int], None]
"""Told how much is done of how much."""


class OneOf(click.Choice[str]):
    """A word of a list; a word that is none is refused with the nearest one.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """The refusal of `value`, with the nearest word if there is one.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        near = get_close_matches(str(value), [str(one) for one in self.choices], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return super().get_invalid_choice_message(value, ctx) + hint


def say(text: str, style: str = "") -> None:
    """Print `text` as it is on standard output.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    out.print(text, style=style or None, markup=False)


def say_error(detail: str, *, because: str = "", remedy: str = "") -> None:
    """Print one line of what and why, and one of what to do, on standard error.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    why = f" (because {because})" if because else ""
    err.print(f"error: {detail}{why}", style="red", markup=False)
    if remedy:
        err.print(f"-> {remedy}", markup=False)


def say_json(value: object) -> None:
    """Print `value` as one line of JSON on standard output.

    Source: RFC 8259
    """
    click.echo(encode(value).decode())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; where nobody looks at a screen, no cell is cut or folded.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    shown = any(columns)
    if title:
        say(title, style="bold")
    grid = Table(header_style="bold", box=None, pad_edge=False, show_header=shown)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(str(cell)) for cell in row))
    if out.is_terminal:
        out.print(grid)
        return
    plain = Console(file=io.StringIO(), width=_WIDE, highlight=False, no_color=True)
    with plain.capture() as captured:
        plain.print(grid)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


@contextmanager
def progress(description: str) -> Generator[Tell]:
    """Show how far a long work is, on a terminal only; gives what is to be told.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(description, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


def example(*lines: str) -> str:
    """The epilog that shows how a command is typed; a long line is continued as a shell does.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    title = "Example" if len(lines) == 1 else "Examples"
    return f"\b\n{title}:\n" + "\n".join(f"  {_continued(line)}" for line in lines)


def _continued(line: str) -> str:
    rows = [""]
    for part in line.replace(" --", "\n--").split("\n"):
        if rows[-1] and len(rows[-1]) + len(part) > _EXAMPLE_COLUMNS:
            rows.append(part)
        else:
            rows[-1] = f"{rows[-1]} {part}".strip()
    return " \\\n    ".join(rows)
