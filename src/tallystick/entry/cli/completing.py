"""Shell completion.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

import click
from click.shell_completion import get_completion_class

from tallystick.entry.cli.console import OneOf, example


@click.command(
    epilog=example(
        'eval "$(tallystick completion bash)"',
        "tallystick completion fish > ~/.config/fish/completions/tallystick.fish",
    )
)
@click.argument("shell", type=OneOf(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    root = ctx.find_root().command
    click.echo(found(root, {}, "tallystick", "_TALLYSTICK_COMPLETE").source())
