"""The help of every command on one page, for the reference and for the tests.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

from collections.abc import Iterator

import click

from tallystick.entry.cli.main import cli

_HEAD = """# Command line

<!-- Written by `python dev.py docs` from src/tallystick/entry/cli; change it there. -->

`tallystick COMMAND --help` shows the same on a terminal. A mistyped command or option is answered
with the nearest one, a refusal with one line that says what and why and one that says what to do;
`--debug` shows a traceback. `--json` prints for programs what is otherwise a table. Colours appear
on a terminal only, and not where `NO_COLOR` is set. Secrets and passphrases come from a file, a
descriptor or a hidden prompt, never from the environment or an argument.

| exit code | means |
|---|---|
| 0 | done |
| 1 | refused: the input, the policy or the state forbids it |
| 2 | wrong usage |
| 3 | out of reach: a provider, file or disk does not answer; try again |
| 4 | something was found: an audit, a trial balance or a replay differs |
"""


def helps() -> Iterator[tuple[str, str]]:
    """The words of each command and its help, depth first.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    yield from _helps(cli, "tallystick", None)


def help_text() -> str:
    """Every help, one after the other, as it is shown in 80 columns.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return "\n".join(f"$ {words} --help\n{text}\n" for words, text in helps())


def manual_page() -> str:
    """The reference page of the command line, as Markdown.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    parts = [_HEAD]
    parts += [f"## `{words}`\n\n```text\n{text}\n```\n" for words, text in helps()]
    return "\n".join(parts)


def _helps(
    command: click.Command, words: str, parent: click.Context | None
) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        info_name=words.rpartition(" ")[2],
        parent=parent,
        terminal_width=80,
        help_option_names=["-h", "--help"],
    )
    with context.scope(cleanup=False):
        yield words, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _helps(below, f"{words} {name}", context)
