"""The root of the command line: version, errors as people like them, suggestions for typing
mistakes.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

import sys

import click

from tallystick import __version__
from tallystick.entry.cli.catalogue import catalogue
from tallystick.entry.cli.completing import completion
from tallystick.entry.cli.console import say_error
from tallystick.entry.cli.operators import operator
from tallystick.entry.cli.policies import policy
from tallystick.entry.cli.proofs import receipt, tally, why
from tallystick.entry.cli.provider import init, serve
from tallystick.entry.cli.replaying import replay_file
from tallystick.kernel.errors import MfsError, Unavailable

REFUSED = 1
OUT_OF_REACH = 3


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: tallystick init ./provider --secret-file ./secret",
)
@click.version_option(__version__, prog_name="tallystick")
@click.option("--debug", is_flag=True, help="Show a traceback instead of one line.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Run, operate and audit a Tallystick provider."""
    ctx.obj = debug


for command in (
    init, serve, operator, policy, tally, receipt, why, replay_file, catalogue, completion,
):  # fmt: skip
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit with its code.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    debug = "--debug" in sys.argv
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        say_error("stopped", remedy="")
        sys.exit(REFUSED)
    except MfsError as error:
        if debug:
            raise
        say_error(error.detail, because=error.because, remedy=error.remedy)
        sys.exit(OUT_OF_REACH if isinstance(error, Unavailable) else REFUSED)
    sys.exit(code if isinstance(code, int) else 0)
