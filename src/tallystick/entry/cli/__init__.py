"""The command line: one group, a command each for what a person does with Tallystick.

A refusal is one line that says what and why, and a line that says what to do; a traceback is shown
with `--debug` only. Exit codes: 0 done, 1 refused, 2 wrong usage, 3 out of reach, 4 an audit found
something.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

from tallystick.entry.cli.main import main

__all__ = ["main"]
