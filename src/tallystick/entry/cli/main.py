"""The root of the command line: version, errors as people like them, suggestions for typing
mistakes.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

import os
import sys
from collections.abc import Sequence

import click

from tallystick import __version__
from tallystick.entry.cli.backups import backup, restore_backup
from tallystick.entry.cli.beginning import init
from tallystick.entry.cli.bundles import bundle
from tallystick.entry.cli.catalogue import catalogue
from tallystick.entry.cli.certificates import certificate
from tallystick.entry.cli.completing import completion
from tallystick.entry.cli.console import OUT_OF_REACH, REFUSED, example, say_error
from tallystick.entry.cli.derivations import derive_policy
from tallystick.entry.cli.doctors import doctor
from tallystick.entry.cli.keys import keys
from tallystick.entry.cli.ledger import ledger
from tallystick.entry.cli.loops import loop, observe
from tallystick.entry.cli.operators import operator
from tallystick.entry.cli.policies import policy
from tallystick.entry.cli.programmes import programme
from tallystick.entry.cli.proofs import receipt, tally, why
from tallystick.entry.cli.provider import serve
from tallystick.entry.cli.proving import prove
from tallystick.entry.cli.rechecks import recheck
from tallystick.entry.cli.registers import registers
from tallystick.entry.cli.releases import release
from tallystick.entry.cli.replaying import replay_file
from tallystick.entry.cli.reports import report
from tallystick.entry.cli.risks import risk
from tallystick.entry.cli.stores import store
from tallystick.entry.cli.surfaces import surface
from tallystick.entry.cli.tightenings import tightening
from tallystick.entry.cli.timelines import timeline
from tallystick.entry.cli.witnesses import witness
from tallystick.kernel.errors import MfsError, Unavailable

_DEBUG = "--debug"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example(
        "tallystick init ./provider --secret-out ./secret",
        "tallystick serve ./provider --secret-file ./secret",
        "tallystick tally verify ./provider",
    ),
)
@click.version_option(__version__, prog_name="tallystick")
@click.option(_DEBUG, is_flag=True, help="Show a traceback where something fails.")
def cli(debug: bool) -> None:
    """Run, operate and audit a Tallystick provider.

    Exit codes: 0 done, 1 refused, 2 wrong usage, 3 out of reach (try again), 4 something was found.
    """


for command in (
    init, serve, programme, risk, report, policy, prove, loop, bundle, operator, tally, receipt,
    why, timeline, recheck, doctor, surface, registers, certificate, release, ledger, keys, store,
    backup, restore_backup, witness, replay_file, catalogue, completion,
):  # fmt: skip
    cli.add_command(command)
policy.add_command(derive_policy)
policy.add_command(tightening)
risk.add_command(observe)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (`arguments`, else the process's own) and exit with its code.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = _DEBUG in given
    sys.exit(_run([one for one in given if one != _DEBUG], debug=debug))


def _run(arguments: list[str], *, debug: bool) -> int:
    try:
        code = cli.main(arguments, prog_name="tallystick", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        say_error("stopped")
        return REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except Exception as error:
        if debug:
            raise
        return _say(error)
    return code if isinstance(code, int) else 0


def _say(error: Exception) -> int:
    """Tell what went wrong; gives the exit code."""
    if isinstance(error, MfsError):
        say_error(error.detail, because=error.because, remedy=error.remedy)
        return OUT_OF_REACH if isinstance(error, Unavailable) else REFUSED
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        say_error(f"{error.strerror.lower()}{where}", remedy="check the path and who owns it")
        return REFUSED
    say_error(
        f"an unexpected {type(error).__name__}",
        remedy="run the same command with --debug and report what it shows",
    )
    return REFUSED
