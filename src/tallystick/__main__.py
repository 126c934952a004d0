"""Runs the command line as `python -m tallystick`.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

from tallystick.entry.cli.main import main

main()
