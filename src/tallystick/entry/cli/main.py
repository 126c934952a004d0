"""The root of the command line: version, errors as people like them, suggestions for typing
mistakes.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

import os
import sys
from collections.abc import Sequence

import click

from tallystick import __version__
from tallystick.entry.cli.console import OUT_OF_REACH, REFUSED, example, say_error
from tallystick.entry.cli.lazily import Commands
from tallystick.kernel.errors import MfsError, Unavailable

_DEBUG = "--debug"
_COMMANDS: dict[str, tuple[str, ...]] = {
    "init": ("beginning:init",),
    "serve": ("provider:serve",),
    "programme": ("programmes:programme",),
    "risk": ("risks:risk", "loops:observe"),
    "report": ("reports:report",),
    "policy": (
        "policies:policy",
        "derivations:derive_policy",
        "tightenings:tightening",
        "mending:mend_policy",
    ),
    "prove": ("proving:prove",),
    "loop": ("loops:loop",),
    "bundle": ("bundles:bundle",),
    "operator": ("operators:operator", "desks:invite", "staff:listed"),
    "desk": ("desks:desk",),
    "tally": ("proofs:tally",),
    "receipt": ("proofs:receipt", "dating:receipt_date"),
    "why": ("proofs:why",),
    "timeline": ("timelines:timeline",),
    "recheck": ("rechecks:recheck",),
    "doctor": ("doctors:doctor",),
    "surface": ("surfaces:surface",),
    "incentives": ("incentives:incentives",),
    "registers": ("registers:registers",),
    "certificate": ("certificates:certificate",),
    "device": ("devices:device",),
    "fleet": ("devices:fleet",),
    "vendors": ("vendors:vendors",),
    "release": ("releases:release",),
    "app": ("apps:app",),
    "authentication": ("authentication:authentication",),
    "ledger": ("ledger:ledger",),
    "keys": ("keys:keys",),
    "ceremony": ("ceremonies:ceremony",),
    "crypto": ("crypto:crypto",),
    "module": ("modules:module",),
    "network": ("networks:network",),
    "partner": ("partners:partner", "partner_lists:lists"),
    "paycrypt": ("paycrypts:paycrypt",),
    "pki": ("pki:pki",),
    "stamps": ("stamps:stamps",),
    "store": ("stores:store",),
    "backup": ("backups:backup",),
    "restore": ("backups:restore_backup",),
    "witness": ("witnesses:witness",),
    "replay": ("replaying:replay_file",),
    "catalogue": ("catalogue:catalogue",),
    "checklist": ("checklists:checklist",),
    "conform": ("conforming:conform",),
    "completion": ("completing:completion",),
}


@click.group(
    commands=Commands(_COMMANDS),
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
